#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debugger/items.h"
#include "debugger/recorder.h"
#include "debugger/request_steps.h"
#include "engine/engine.h"
#include "http/request.h"
#include "http/response.h"
#include "replica/consumer_thread.h"

namespace kehu::debugger {

class Debugger;

// How far a request came; kRoute: there was no route for it.
enum class Stage : uint8_t { kRateLimit, kCoding, kParse, kTaken, kRoute };

// What a route knows of a request whose source is found.
struct Sighting {
  const engine::Source& source;
  Instant received_at;
  // One of the two: the request, or what was noted of it while it was there.
  const http::Request* request = nullptr;
  const Arrival* arrival = nullptr;
  std::optional<std::string_view> body = {};  // unpacked, as far as it came to that
};

// A request that is recorded, or none: then nothing happens. Copies are the same request. Thread-safe.
class FollowedRequest {
 public:
  FollowedRequest() = default;
  explicit operator bool() const { return steps_ != nullptr; }

  // Before the records from `first_entry` on are submitted, with Submission::tell_fates. The part's number.
  size_t add_part(const RecordBatch& batch, size_t first_entry = 0) const;
  // Records that are only checked.
  void add_checked(const RecordBatch& batch) const;
  // A body that came in pieces: its beginning, and whether it could be unpacked to its end.
  struct Body {
    std::string_view shown;
    size_t unpacked_bytes = 0;
  };
  void set_body(const Body& body, const absl::Status& status) const;
  void logged(size_t part, const engine::Ack& ack) const;
  // Goes to those who watch.
  void answered(const http::Response& response) const;
  void answered(std::string text) const;

 private:
  friend class Debugger;
  FollowedRequest(Debugger& debugger, std::shared_ptr<RequestSteps> steps)
      : debugger_(&debugger), steps_(std::move(steps)) {}
  Part items(const RecordBatch& batch, size_t first_entry) const;
  void finish(Answer answer) const;

  Debugger* debugger_ = nullptr;
  std::shared_ptr<RequestSteps> steps_;
};

// Follows requests of sources from the wire to the customer, for the developer who sends them. The one place
// that knows what is noted on the way. While nobody watches, a request costs one relaxed load; requests that
// go wrong are recorded all the same (Recorder). Thread-safe; the engine outlives it.
class Debugger {
 public:
  explicit Debugger(engine::Engine& engine);

  // A request that is taken. Recorded when its source is watched, or when some of it `went_wrong`.
  enum class Outcome : uint8_t { kGood, kWentWrong };
  FollowedRequest follow(const Sighting& sighting, Outcome outcome = Outcome::kGood);

  struct Refusal {
    Stage stage = Stage::kParse;
    std::string_view why;
  };
  // A request that is refused as a whole, with the answer that it gets.
  void refused(const Sighting& sighting, const Refusal& refusal, const http::Response& response);

  // What is kept of a request that must be described when it is gone.
  Arrival arrival_of(const http::Request& request) const;

  Recorder& recorder() { return recorder_; }

 private:
  friend class FollowedRequest;
  using Steps = std::shared_ptr<RequestSteps>;

  Steps begin(const Sighting& sighting, Recorder::Why why);
  void await(Steps steps);
  void publish(const RequestSteps& steps);
  void note_applied(const replica::AppliedSlice& slice);

  engine::Engine& engine_;
  Recorder recorder_;
  std::mutex publish_mutex_;
  std::mutex mutex_;
  std::vector<Steps> waiting_;  // to be applied
  std::atomic<size_t> waiting_count_{0};
  replica::ConsumerThread applied_;  // ends first
};

}  // namespace kehu::debugger
