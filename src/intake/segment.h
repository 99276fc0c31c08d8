#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "intake/event_decoder.h"
#include "intake/sender.h"
#include "json/index.h"

namespace kehu::intake {

// The calls of Segment's tracking API.
enum class SegmentCall : uint8_t { kBatch, kTrack, kIdentify, kPage, kScreen, kGroup, kAlias };
// By the last part of the path: "track" or "t", … "batch", "b" or "import".
std::optional<SegmentCall> parse_segment_call(std::string_view name);

// Of its events; nullopt: each says so itself.
std::optional<EventType> type_of(SegmentCall call);

// Bodies of Segment's tracking API → records. As Segment does, a request is refused only when it is not JSON
// or too large (500 KB a batch, 32 KB a single call); an event that is wrong in itself, or nested too deeply,
// becomes a rejection, and the request succeeds. A byte order mark is passed over.
//
//   SegmentDecoder decoder;                                  // one per thread
//   if (auto refusal = decoder.open(call, body)) → 400
//   source = key of the Authorization header, else decoder.write_key()
//   decoder.decode(sender, intake);
class SegmentDecoder {
 public:
  // Reads and validates the body, in one pass; it must stay alive until decode() returns.
  std::optional<Refusal> open(SegmentCall call, std::string_view body,
                              size_t batch_bytes_max = limits::kSegmentBatchBytes);
  // The write key a client put into the body: of the request, else of its first event. nullopt without any.
  std::optional<std::string> write_key() const;
  // Appends the records of the opened body, and the data keys they need. ~400 ns for an event of 400 bytes.
  void decode(const Sender& sender, Intake& out);

  // Events of the opened body.
  uint32_t event_count() const;

 private:
  // The text of an event that is nested too deeply to be indexed.
  struct DeepEvent {
    size_t begin = 0;
    size_t size = 0;
  };

  std::optional<Refusal> check(std::string_view body, size_t limit);
  std::optional<json::SyntaxError> scan_around_deep_events();
  bool are_events(const std::vector<DeepEvent>& deep) const;
  uint32_t repeated_batch() const;
  uint32_t member(uint32_t object, std::string_view key) const;
  void decode_batch(const Sender& sender, Intake& out);

  SegmentCall call_ = SegmentCall::kBatch;
  std::string_view body_;
  // Usually empty. Else the body is indexed as it stands in around_, with a null in place of each.
  std::vector<DeepEvent> deep_;
  std::string around_;
  json::Index index_;
  uint32_t batch_ = 0;  // node of the array; 0 for single calls
  EventDecoder events_;
};

}  // namespace kehu::intake
