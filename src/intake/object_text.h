#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "fields/policy.h"
#include "intake/fault.h"
#include "json/index.h"
#include "json/repeated_keys.h"
#include "seal/door.h"

namespace kehu::intake {

// Builds one JSON object of an event (properties, traits or context) out of members of the request, with
// every personal value sealed. Costs nothing but the look at each key when nothing needs sealing and the
// object is taken as it stands: then the text is a view into the request. Of keys that an object repeats, at
// any depth, the last is kept.
//
//   start(); take_object(node); take_member(key)…; finish();
//
// One per object of an event in work, reused from event to event.
class ObjectText {
 public:
  struct FieldDoor {
    const fields::Policy& policy;
    seal::Door& door;
    Token owner;  // the event's strongest identifier
  };

  enum class Digest : uint8_t { kNone, kOfContent };
  explicit ObjectText(Digest digest) : keeps_digest_(digest == Digest::kOfContent) {}

  void start();
  // Forgets what earlier objects were like. Before another policy or door is used.
  void forget() {
    clean_.clear();
    keys_.forget();
  }

  // All members of an object node. false, and then fault(), when one is not allowed.
  bool take_object(const json::Index& index, uint32_t object, const FieldDoor& door);
  // As take_object, without the members whose keys the object `others` has too.
  bool take_missing(const json::Index& index, uint32_t object, uint32_t others, const FieldDoor& door);
  // One member: a key node and the value behind it.
  bool take_member(const json::Index& index, uint32_t key, const FieldDoor& door);
  // One more member that stands nowhere in the request.
  void add_text(std::string_view key, std::string_view text);

  void finish();

  // Values that read as personal and were left in clear because the settings say so, since the last call.
  uint32_t take_in_clear() { return std::exchange(in_clear_, 0); }

  const Fault& fault() const { return fault_; }

  // After finish(): a JSON object, "{}" without members. Valid until the request's text goes or the next
  // start().
  std::string_view text() const { return text_; }
  // After finish(): a hash of what was taken, clear values and keyed hashes of personal ones. The same for
  // the same request, whatever keys its values were sealed with.
  Hash128 digest() const { return digest_; }

 private:
  // A value to be written as something else: text_ of the request from begin to end becomes sealed_.
  struct Replacement {
    uint32_t begin;
    uint32_t end;
    uint32_t sealed_begin;
    uint32_t sealed_end;
  };

  // A list whose elements are being looked at: they count as values of its key.
  struct List {
    uint32_t key;
    uint32_t end;  // the node after it
    uint8_t field_class;
  };

  bool look(const json::Index& index, uint32_t first, uint32_t last, const FieldDoor& door);
  bool look_once(const json::Index& index, uint32_t first, uint32_t last, const FieldDoor& door);
  void leave_out(const json::Index& index, uint32_t key);
  bool look_at_value(const json::Index& index, std::string_view key, uint32_t value, uint8_t field_class,
                     const FieldDoor& door);
  void look_at_element(const json::Index& index, uint32_t value, const FieldDoor& door);
  void note_marks(const json::Index& index, uint32_t first, uint32_t last, const fields::Policy& policy);
  bool needs_look(const json::Index& index, const json::Index::Node& node) const;
  bool reads_personal(const json::Index& index, uint32_t value, uint8_t field_class,
                      const fields::Policy& policy);
  bool fits_decimal(const json::Index& index, uint32_t value);
  bool imitates_sealed(const json::Index& index, uint32_t value);
  bool fail(Reason reason, uint32_t node, const char* detail);
  void seal(const json::Index& index, std::string_view key, uint32_t value, const FieldDoor& door);
  std::string hide_key(const json::Index& index, uint32_t key, std::string_view name, const FieldDoor& door);
  void replace_half_characters(const json::Index& index, uint32_t node);
  void settle_whole();
  void append_range(std::string_view text, uint32_t begin, uint32_t end);
  void append_separator();
  void mix(std::string_view bytes);

  const bool keeps_digest_;
  fields::KeySequence keys_;
  json::RepeatedKeys repeated_;  // of the nodes looked at
  bool leaves_out_ = false;      // there are some
  json::RepeatedKeys repeated_in_missing_;
  std::string clean_;       // the last whole object in which nothing had to be changed
  std::string_view whole_;  // the one object taken so far, while nothing had to be changed
  std::string buffer_;
  bool buffered_ = false;
  bool taken_ = false;
  std::string sealed_;
  std::vector<Replacement> replacements_;
  std::vector<List> lists_;
  bool marks_ = false;  // what is looked at has an @ in some width, or every text is to be read
  uint32_t in_clear_ = 0;
  std::string key_;
  std::string scratch_;
  std::string_view text_;
  Hash128 digest_;
  Fault fault_;
};

}  // namespace kehu::intake
