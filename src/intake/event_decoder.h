#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/client_time.h"
#include "intake/context.h"
#include "intake/fault.h"
#include "intake/identifier_list.h"
#include "intake/object_text.h"
#include "intake/text_pool.h"
#include "json/index.h"
#include "model/event.h"

namespace kehu::intake {

// Finds in what was received the place of what stands at a JSON Pointer of its translation.
class ReceivedPaths {
 public:
  virtual ~ReceivedPaths() = default;
  virtual std::string path_of(std::string_view pointer) const = 0;
};

// What a request says once for all of its events.
struct Envelope {
  enum class Dialect : uint8_t { kSegment, kBulk };
  Dialect dialect = Dialect::kSegment;
  std::optional<EventType> type;   // of endpoints that take one type only
  std::optional<Instant> sent_at;  // by the client's clock
  uint32_t context = 0;            // node of a batch's context, merged into each event's; 0 = none
  uint64_t position = 0;           // line or element from 1, for Rejection::origin; 0 = none
  std::string_view origin = {};    // instead of context and position, when the sender named the place
  uint32_t element = 0;            // of "batch" from 1, for Rejection::path; 0 = the event stands alone
  // Of an event that was translated into our plain form: what its sender wrote, which is what a rejection
  // keeps, and where it stood in the body.
  std::string_view received = {};
  std::string_view received_path = {};
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
  void decode(const Context& context, const Envelope& envelope, const json::Index& index, uint32_t node,
              Intake& out);

  struct Broken {
    Reason reason = Reason::kInvalidJson;
    std::string_view path;
    std::string_view detail;
    std::string_view payload;      // as received; need not be JSON or UTF-8
    uint64_t position = 0;         // as Envelope::position
    std::string_view origin = {};  // as Envelope::origin
    bool named = false;            // the sender gave it a message id: the same payload again is a repeat
  };
  // Where the event with this number, from 1, stands in the body of a batch.
  static std::string batch_path(uint32_t element);
  // Appends a rejection of something that never became an event.
  void reject(const Context& context, const Broken& broken, Intake& out);

  // Appends the data keys that the records since the last call used. Once at the end of each request or part.
  void take_keys(const Context& context, Intake& out);

 private:
  // Nodes of the members of the event in work; 0 = absent or null (no value of an event is node 0).
  struct Members {
    uint32_t type = 0, event = 0, name = 0, category = 0, group_id = 0, previous_id = 0;
    uint32_t properties = 0, traits = 0, context = 0, message_id = 0;
    uint32_t timestamp = 0, original_timestamp = 0, sent_at = 0, channel = 0;
    // Of the context, or where it says nothing of the batch's.
    uint32_t context_channel = 0, context_traits = 0, context_device = 0, context_external_ids = 0;
    uint32_t context_direct = 0, context_ip = 0;
  };

  bool build();
  bool read_members();
  bool read_member(uint32_t key);
  void read_write_key(uint32_t node);
  bool read_context();
  void read_context_members(uint32_t object);
  bool read_type();
  bool read_name();
  bool read_message_id();
  bool read_time();
  bool read_channel();
  bool read_objects();
  bool collect_identifiers();
  bool add_value(IdentifierTypeId type, uint32_t node, bool previous = false);
  std::string_view whole_number(uint32_t node, std::string_view text);
  bool add_values(IdentifierTypeId type, uint32_t node);
  bool add_named(uint32_t object);
  bool add_traits(uint32_t object);
  bool add_external_ids(uint32_t list);
  bool add_previous();
  bool settle_identifiers();
  bool take_properties(const ObjectText::Door& door);
  bool take_spare(uint32_t node, std::string_view key, bool documented, const ObjectText::Door& door);
  bool take_context(const ObjectText::Door& door);
  void settle_hashes();

  void reject_event(Intake& out);
  bool fail(Reason reason, uint32_t node, std::string_view detail);
  bool expect_object(uint32_t node, std::string_view what);
  // The text of a string or number, unescaped; false for other kinds.
  bool text_of(uint32_t node, std::string_view& text);
  uint32_t member_of(uint32_t object, std::string_view key) const;
  bool names_library_with_frozen_clock() const;

  const Context* context_ = nullptr;
  const Envelope* envelope_ = nullptr;
  const json::Index* index_ = nullptr;
  uint32_t node_ = 0;

  KeySequence keys_;
  Members members_;
  std::vector<uint32_t> others_;  // keys of members nobody knows (bulk): kept as properties
  Event event_;
  Channel default_channel_ = Channel::kUnknown;
  bool has_time_ = false;
  IdentifierList identifiers_;
  ObjectText properties_{ObjectText::Digest::kOfContent};
  ObjectText traits_{ObjectText::Digest::kOfContent};
  ObjectText context_text_{ObjectText::Digest::kNone};
  TextPool texts_;
  ClientTimes times_;
  Fault fault_;
};

}  // namespace kehu::intake
