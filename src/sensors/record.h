#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "fields/key_table.h"
#include "intake/client_time.h"
#include "intake/event_decoder.h"
#include "intake/fault.h"
#include "intake/sender.h"
#include "json/index.h"
#include "json/repeated_keys.h"

namespace kehu::sensors {

// The types of Sensors Analytics' records.
enum class Type : uint8_t {
  kTrack = 1,
  kTrackSignup,
  kTrackIdBind,
  kTrackIdUnbind,
  kProfileSet,
  kProfileSetOnce,
  kProfileIncrement,
  kProfileAppend,
  kProfileUnset,
  kProfileDelete,
  kItemSet,
  kItemDelete,
};
std::string_view to_string(Type type);
std::optional<Type> parse_sensors_type(std::string_view name);

// One Sensors Analytics record → an event in our own plain form (BulkDecoder), which EventDecoder reads:
//
//   track, track_signup, track_id_bind   track; $pageview → page, $AppViewScreen, $MPViewScreen → screen. All
//                                        identifiers of one record are one customer.
//   track_id_unbind                      track with one identifier, so that it joins nobody
//   profile_…                            identify: traits set, set to null, or changed (TraitOperator)
//   item_…                               track of the name "$" + type
//
// docs/clients/sensors.md has the whole. One per thread, reused from record to record.
class Record final : public intake::ReceivedPaths {
 public:
  // false, and then fault(), when the rules of Sensors Analytics refuse the record.
  bool translate(const intake::Sender& sender, const json::Index& index, uint32_t node);

  const intake::Fault& fault() const { return fault_; }
  // The event; the caller may take the memory and bring it back.
  std::string& plain() { return plain_; }
  // Of a thing of the shop: nobody's.
  bool is_item() const { return type_ == Type::kItemSet || type_ == Type::kItemDelete; }
  std::optional<Instant> sent_at() const { return sent_at_; }
  bool sets_traits() const { return type_ >= Type::kProfileSet && type_ <= Type::kProfileDelete; }
  // As sent; empty without one.
  std::string_view time() const { return fields_.time == 0 ? std::string_view() : raw(fields_.time); }
  // The record has a _track_id, so that it is known again.
  bool named() const { return fields_.track_id != 0; }
  // Where in the record what stands at a place of the translation came from.
  std::string path_of(std::string_view pointer) const override;

 private:
  // Nodes of the record's members; 0 = absent or null.
  struct Fields {
    uint32_t type = 0, event = 0, time = 0, time_free = 0, properties = 0, lib = 0;
    uint32_t distinct_id = 0, original_id = 0, login_id = 0, anonymous_id = 0, identities = 0;
    uint32_t item_type = 0, item_id = 0, track_id = 0, flush_time = 0;
  };
  // An identifier on its way: the name of its type, and its value as JSON text.
  struct Named {
    std::string_view type;
    std::string_view value;
  };

  bool read_members();
  void read_lib();
  bool read_type();
  bool read_event_name();
  bool read_time();
  bool read_properties();
  bool read_property(uint32_t key);
  bool take_preset(std::string_view name, uint32_t value, uint32_t object);
  bool check_name(uint32_t key, std::string_view name);
  bool check_value(uint32_t value);
  bool check_text_list(uint32_t list);
  bool collect_identifiers();
  bool collect_identities();
  bool collect_ids();
  bool add_id(std::string_view type, uint32_t node);
  bool add_identifier(const Named& identifier, uint32_t node);
  bool is_named(std::string_view value) const;
  void keep_one_identifier();
  bool is_usable(const Named& identifier) const;

  void write();
  void write_kind();
  void write_message_id();
  void write_identifiers();
  void write_named(const std::vector<Named>& all);
  void write_properties();
  void write_property(uint32_t key);
  std::string_view value_text(uint32_t value);
  void write_unbound();
  void write_item();
  void write_context();
  void write_presets();
  void write_latest();
  void write_sender(Channel channel);
  void write_rest();
  Channel channel() const;

  void open(std::string_view key, char bracket);
  void close(char bracket) { plain_.push_back(bracket); }
  void member(std::string_view key, std::string_view raw);
  void text_member(std::string_view key, std::string_view text);
  void item(std::string_view raw);

  bool fail(Reason reason, uint32_t node, std::string detail);
  std::string_view raw(uint32_t node) const { return index_->raw((*index_)[node]); }
  // Of a string or a key, unescaped; the text of anything else. Views into `scratch` or the request.
  std::string_view text_of(uint32_t node, std::string& scratch) const;
  // [] is how PHP writes an object without members.
  bool is_empty_list(uint32_t node) const {
    return (*index_)[node].kind == json::Kind::kArray && (*index_)[node].next == node + 1;
  }
  bool is_string(uint32_t node) const { return node != 0 && (*index_)[node].kind == json::Kind::kString; }
  bool is_event() const { return type_ <= Type::kTrackIdUnbind; }

  const intake::Sender* sender_ = nullptr;
  const json::Index* index_ = nullptr;
  uint32_t node_ = 0;

  Fields fields_;
  Type type_ = Type::kTrack;
  EventType event_type_ = EventType::kTrack;
  bool says_login_id_ = false;
  bool from_python_ = false;
  uint32_t screen_name_ = 0;
  json::RepeatedKeys repeated_;       // of the identities
  std::vector<uint32_t> presets_;     // by preset: node of its value; 0 = none
  std::vector<uint32_t> properties_;  // keys of those that stay properties
  std::vector<uint32_t> latest_;      // keys of $latest_…
  std::vector<uint32_t> others_;      // keys of members nobody knows
  std::vector<uint32_t> lib_others_;
  std::vector<uint32_t> unknown_identities_;  // keys
  std::vector<Named> identifiers_;
  std::vector<Named> unbound_;         // of track_id_unbind
  std::string_view left_distinct_id_;  // of track_id_unbind, when it names nobody
  std::string joined_[4];              // values cut out of "$identity_mobile+138…"
  size_t joined_count_ = 0;
  std::string scratch_;
  std::string millis_;  // a time of the Python SDK, rewritten
  std::string id_;

  intake::ClientTimes times_;
  std::optional<Instant> sent_at_;
  std::string plain_;
  intake::Fault fault_;
};

}  // namespace kehu::sensors
