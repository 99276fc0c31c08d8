#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/client_time.h"
#include "intake/fault.h"
#include "intake/identifier_list.h"
#include "intake/object_text.h"
#include "intake/sender.h"
#include "intake/text_pool.h"
#include "json/index.h"
#include "json/repeated_keys.h"
#include "model/event.h"

namespace kehu::intake {

// Finds in what was received the place of what stands at a JSON Pointer of its translation.
class ReceivedPaths {
 public:
  virtual ~ReceivedPaths() = default;
  virtual std::string path_of(std::string_view pointer) const = 0;
};

// What a request says once for all of its events.
struct BatchHead {
  enum class Dialect : uint8_t { kSegment, kBulk };
  Dialect dialect = Dialect::kSegment;
  std::optional<EventType> type;   // of endpoints that take one type only
  std::optional<Instant> sent_at;  // by the client's clock
  Duration step = {};              // added to the time: of events that have one instant and an order
  uint32_t context = 0;            // node of a batch's context, merged into each event's; 0 = none
  uint64_t position = 0;           // line or element from 1, for Rejection::origin; 0 = none
  std::string_view origin = {};    // instead of context and position, when the sender named the place
  uint32_t element = 0;            // of "batch" from 1, for Rejection::path; 0 = the event stands alone
  // Of an event that was translated into our plain form: what its sender wrote, which is what a rejection
  // keeps, and where it stood in the body.
  std::string_view received = {};
  std::string_view received_path = {};
  // How the sender's ids are meant. One name space: a user's and a visitor's id are one kind of id to the
  // sender, so each may be known as the other.
  enum class Ids : uint8_t {
    kTyped,
    kOneNameSpace,  // users' are assumed to be so
    kIdentified,    // the same, and the user's id is certain
    kOfNobody,      // of a group or an item, unless somebody is known by them
  };
  Ids ids = Ids::kTyped;
  const ReceivedPaths* received_paths =
      nullptr;  // behind received_path; without it the detail names the place
};

// A JSON object → an event or a rejection: the steps that all protocols share. A closed list of steps, each
// of which may find the first fault. One per thread; keeps its buffers from event to event, so that in steady
// state an event without personal values allocates nothing.
class EventDecoder {
 public:
  // Appends exactly one record for the value at `node`, the event or its rejection, behind the data keys it
  // needs at the end of the request (take_keys).
  void decode(const Sender& sender, const BatchHead& batch_head, const json::Index& index, uint32_t node,
              Intake& out);

  struct Broken {
    Reason reason = Reason::kInvalidJson;
    std::string_view path;
    std::string_view detail;
    std::string_view payload;            // as received; need not be JSON or UTF-8
    uint64_t position = 0;               // as BatchHead::position
    std::string_view origin = {};        // as BatchHead::origin
    std::optional<EventType> type = {};  // as BatchHead::type
    bool named = false;  // the sender gave it a message id: the same payload again is a repeat
  };
  // Where the event with this number, from 1, stands in the body of a batch.
  static std::string batch_path(uint32_t element);
  // Appends a rejection of something that never became an event.
  void reject(const Sender& sender, const Broken& broken, Intake& out);

  // Appends the data keys that the records since the last call used. Once at the end of each request or part.
  void take_keys(const Sender& sender, Intake& out);

 private:
  // Nodes of the members of the event in work; 0 = absent or null (no value of an event is node 0).
  struct Members {
    uint32_t type = 0, event = 0, name = 0, category = 0, group_id = 0, previous_id = 0;
    uint32_t properties = 0, traits = 0, context = 0, message_id = 0;
    uint32_t timestamp = 0, original_timestamp = 0, sent_at = 0, channel = 0;
    // Of the context, or where it says nothing of the batch's.
    uint32_t context_channel = 0, context_traits = 0, context_device = 0, context_external_ids = 0;
    uint32_t context_direct = 0, context_ip = 0;
    uint32_t context_library = 0, context_page = 0, context_user_agent = 0;
  };

  bool build();
  bool read_members();
  void read_member(uint32_t key);
  bool read_identifiers();
  void read_write_key(uint32_t node);
  bool read_context();
  void read_context_members(uint32_t object);
  bool read_type();
  bool read_name();
  bool read_message_id();
  bool read_time();
  bool read_channel();
  ChannelName derived_channel();
  std::string_view context_text(uint32_t node, std::string_view member);
  bool read_objects();
  bool collect_identifiers();
  bool add_value(IdentifierTypeId type, uint32_t node, bool previous = false);
  bool add_found(IdentifierList::Found found);
  std::string_view whole_number(uint32_t node, std::string_view text);
  bool add_values(IdentifierTypeId type, uint32_t node);
  bool add_of_name_space(IdentifierTypeId type, uint32_t node);
  bool sent_by_server() const;
  void doubt_made_up_ids();
  bool add_named(uint32_t object);
  bool add_traits(uint32_t object);
  bool add_external_ids(uint32_t list);
  bool add_previous();
  bool settle_identifiers();
  bool take_properties(const ObjectText::FieldDoor& door);
  bool take_others(const ObjectText::FieldDoor& door);
  bool take_spare(uint32_t node, std::string_view key, bool documented, const ObjectText::FieldDoor& door);
  bool take_context(const ObjectText::FieldDoor& door);
  void settle_hashes();
  void read_former_ids(std::array<Hash128, 2>& keys);

  void count_in_clear();
  void reject_event(Intake& out);
  bool fail(Reason reason, uint32_t node, std::string_view detail);
  // An object, or none: 0, and what languages without empty objects write for one, [].
  bool expect_object(uint32_t& node, std::string_view what);
  // The text of a string or number, unescaped; false for other kinds.
  bool text_of(uint32_t node, std::string_view& text);
  uint32_t member_of(uint32_t object, std::string_view key) const;
  bool names_library_with_frozen_clock() const;

  const Sender* sender_ = nullptr;
  const BatchHead* batch_head_ = nullptr;
  const json::Index* index_ = nullptr;
  uint32_t node_ = 0;

  uint32_t former_id_ = 0;  // a member, as those of Members

  fields::KeySequence keys_;
  Members members_;
  std::vector<uint32_t> others_;  // keys of members nobody knows (bulk): kept as properties
  struct NamedMember {
    uint32_t key = 0;
    std::optional<IdentifierTypeId> type;  // nullopt: "identifiers"
  };
  std::vector<NamedMember> named_;  // members that are identifiers
  std::vector<uint32_t> key_nodes_;
  json::RepeatedKeys repeated_;            // among some of its members
  json::RepeatedKeys repeated_in_object_;  // of the traits, or of "identifiers"
  Event event_;
  ChannelName default_channel_;
  bool has_time_ = false;
  std::string_view zone_ahead_ = {};  // "+08:00": the event's time is ahead by this
  IdentifierList identifiers_;
  ObjectText properties_{ObjectText::Digest::kOfContent};
  ObjectText traits_{ObjectText::Digest::kOfContent};
  ObjectText context_text_{ObjectText::Digest::kNone};
  TextPool texts_;
  ClientTimes times_;
  Fault fault_;
};

}  // namespace kehu::intake
