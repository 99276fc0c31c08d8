#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "demo/catalog.h"
#include "demo/population.h"
#include "demo/properties_text.h"
#include "demo/visit.h"
#include "demo/wire_text.h"

namespace kehu::demo {

// Ways in which clients break their events; each is a different rejection.
enum class Fault : uint8_t {
  kNoType,
  kNoEventName,
  kNobody,
  kBadTime,
  kFutureTime,
  kPropertiesAreText,
  kNotAnObject
};
inline constexpr uint32_t kFaultCount = 7;

// Writes the event of a visit's current step as one object of a Segment batch. No allocation but the growth
// of `out`.
class EventText {
 public:
  // `run` becomes part of every message id: two runs with different events need different ones.
  EventText(uint64_t run, const Catalog& catalog, const Population& population)
      : run_(run), properties_(catalog), population_(population) {}

  struct Moment {
    Instant time;       // when it happened on the client
    uint64_t bits = 0;  // random: choices of wording, and with the time the message id
  };
  void append(const Visit& visit, const Moment& moment, std::string& out);
  void append_broken(const Visit& visit, const Moment& moment, Fault fault, std::string& out);

 private:
  void append_head(const Visit& visit, std::string& out);
  void append_envelope(const Visit& visit, const Moment& moment, std::string& out);
  void append_identity(const Visit& visit, std::string& out);
  void append_context(const Visit& visit, const Moment& moment, std::string& out);
  void append_body(const Visit& visit, const Moment& moment, std::string& out);
  void append_traits(const Visit& visit, const Moment& moment, std::string& out);
  void append_phone_trait(const Visit& visit, const Moment& moment, std::string& out);

  uint64_t run_;
  PropertiesText properties_;
  const Population& population_;
  TimeText time_;
};

}  // namespace kehu::demo
