#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "demo/catalog.h"
#include "demo/population.h"
#include "demo/visit.h"

namespace kehu::demo {

// RFC 3339 in UTC with milliseconds, 24 bytes. Keeps the text of the last day, so it is ~10 ns.
class TimeText {
 public:
  void append(Instant time, std::string& out);

 private:
  int64_t day_ = INT64_MIN;
  char date_[10];
};

// 12 hexadecimal digits of `run`, a dash and the 16 of the number.
void append_message_id(uint64_t run, uint64_t number, std::string& out);

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
      : run_(run), catalog_(catalog), population_(population) {}

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
  void append_arrival(const Visit& visit, std::string& out);
  void append_order(const Visit& visit, std::string& out);
  void append_order_id(const Visit& visit, std::string& out);
  void append_products(const Visit& visit, std::string& out);
  void append_refund(const Visit& visit, std::string& out);
  void append_ticket(const Visit& visit, const Moment& moment, std::string& out);
  void append_note(const Moment& moment, std::string& out);
  void append_store(const Visit& visit, std::string& out);

  uint64_t run_;
  const Catalog& catalog_;
  const Population& population_;
  TimeText time_;
};

}  // namespace kehu::demo
