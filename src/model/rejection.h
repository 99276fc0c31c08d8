#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu {

// Why an event was not accepted: a closed set (docs/rejections.md). Stored: never renumber.
enum class Reason : uint8_t {
  kInvalidJson = 1,
  kNotAnObject = 2,
  kMissingType = 3,
  kUnknownType = 4,
  kMissingEventName = 5,
  kNoIdentifier = 6,
  kInvalidField = 7,  // a field of the wrong JSON type; the path names it
  kInvalidTime = 8,
  kTimeInFuture = 9,
  kTimeOutOfRange = 10,  // outside a mapping's valid time range
  kEventTooLarge = 11,
  kTooManyEvents = 12,
  kMessageIdTooLong = 13,
  kNameTooLong = 14,
  kIdentifierTooLong = 15,
  kTooManyIdentifiers = 16,
  kAmountOutOfRange = 17,
  kDuplicateConflict = 18,  // a known message id with another body
  kReservedKey = 19,        // a JSON key that only Kehu writes
  kInvalidUtf8 = 20,
  kMissingColumn = 21,   // of an imported file
  kUnreadableRow = 22,   // of an imported file
  kInvalidName = 23,     // of an event or property; the path names it
  kUnreadableBody = 24,  // a whole request of a protocol that keeps what it cannot read
  kEncryptedBody = 25,
  kChecksumMismatch = 26,
};
inline constexpr int kReasonCount = 27;
std::string_view to_string(Reason reason);

// In whose form something comes. Stored: never renumber.
enum class Protocol : uint8_t {
  kEvents = 1,  // our own plain form, by HTTP
  kStream = 2,  // the same, by WebSocket
  kSegment = 3,
  kRudder = 4,  // Segment's form where only RudderStack's clients send it
  kPostHog = 5,
  kSensors = 6,
  kCloudEvents = 7,
};
inline constexpr int kProtocolCount = 8;
std::string_view to_string(Protocol protocol);  // "cloud_events"

// A broken event, kept: listed, counted, repairable, replayable. Its payload is always sealed as a whole,
// because nobody can say where the personal fields of a broken text are.
struct Rejection {
  ProjectId project;
  SourceId source;
  Reason reason = Reason::kInvalidJson;
  Instant received_at;
  // Hash of (source, payload) when the sender gave the event a message id, so that sending it again is a
  // repeat; zero when every sending counts.
  Hash128 repeat_key;
  // JSON Pointer (RFC 6901) into the payload, "" is the whole; of /v1/batch into the request's body.
  std::string_view path;
  std::string_view detail;  // what was found and what would be right, without values of personal fields
  std::string_view origin;  // the endpoint or file it came from, e.g. "/v1/batch", "orders.csv:17"
  std::string_view sealed_payload;
  // How the payload is to be read: its form, and of a call for one type of event, which need not say it
  // itself, that type.
  Protocol protocol = Protocol::kEvents;
  std::optional<EventType> type = {};
};

}  // namespace kehu
