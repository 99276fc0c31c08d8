#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "fields/policy.h"
#include "intake/trait_operands.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/record.h"
#include "model/rejection.h"
#include "seal/door.h"
#include "seal/envelope.h"

namespace kehu::intake {

// The source that a write key opens, for events that bring a key of their own.
struct KeyedSource {
  SourceId id;
  ChannelName default_channel;
};
using SourceOfKey = std::function<std::optional<KeyedSource>(std::string_view key)>;

// Who sent a request, and by which rules it is read. What it points to outlives the decoding of the request.
struct Sender {
  const fields::Policy* policy = nullptr;
  seal::Door* door = nullptr;  // of the same project and settings
  ProjectId project;
  SourceId source;
  ChannelName default_channel;  // what the source is said to be, for events that name none
  Instant received_at;
  bool retried = false;                   // X-Retry-Count above 0
  std::string_view remote_ip;             // for events that ask for it by context.direct
  std::string_view user_agent = {};       // of clients whose records leave it to the server
  std::string_view origin;                // Rejection::origin, e.g. "/v1/batch"
  Protocol protocol = Protocol::kEvents;  // Rejection::protocol
  // When set, an event with a `writeKey` that opens another source is that source's.
  const SourceOfKey* source_of_key = nullptr;
  // Of the same project; nullptr opens no encrypted record.
  seal::EnvelopeOpener* envelopes = nullptr;
  ListTraits list_traits = ListTraits::kRefused;  // only an upload of a list writes them
  // Counts values that read as personal and stay in clear because the settings say so, when set.
  std::atomic<uint64_t>* in_clear = nullptr;
};

// What one request, or one part of a streamed one, became. Reused from request to request: clear() keeps
// memory.
struct Intake {
  RecordBatch records;                // events, rejections and the data keys they need
  std::vector<uint64_t> new_key_ids;  // for seal::KeyRing::mark_durable once the records are durable
  uint32_t accepted = 0;              // events in records
  uint32_t rejected = 0;              // rejections in records
  uint32_t times_ahead = 0;           // events in records whose time is ahead by a time zone
  std::array<uint32_t, kReasonCount> rejected_by_reason{};  // index: Reason
  // Of the events in records; index: LeftOut.
  std::array<uint32_t, kLeftOutCount> identifiers_left_out{};

  void clear();
};

// A request that is refused as a whole: nothing of it is kept, the answer is HTTP 400.
struct Refusal {
  Reason reason = Reason::kInvalidJson;
  size_t position = 0;  // byte of the body
  std::string detail;   // for the sender; names the place where that helps
};

}  // namespace kehu::intake
