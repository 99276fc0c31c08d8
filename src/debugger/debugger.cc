#include "debugger/debugger.h"

#include <algorithm>

#include "base/text.h"
#include "debugger/arrival.h"
#include "seal/masked_text.h"
#include "seal/opener.h"

namespace kehu::debugger {
namespace {

constexpr size_t kBodyBytes = 16u << 10;
constexpr size_t kAnswerBytes = 1024;
// Requests that wait to be applied, when the state is damaged or far behind.
constexpr size_t kWaiting = 256;

constexpr std::string_view kStages[] = {"rate_limit", "coding", "parse", "taken", "route"};

std::string limits_of(const engine::Source& source) {
  if (source.events_per_second == 0 && source.events_per_second_per_address == 0)
    return "the source has no limit";
  return cat(source.events_per_second, " events a second, ", source.events_per_second_per_address,
             " from one address (0: no limit)");
}

std::string unpacking(size_t bytes, size_t unpacked) {
  if (bytes == 0 && unpacked > 0) return "from the address";
  return bytes == unpacked ? std::string("as it is") : cat(bytes, " bytes, unpacked to ", unpacked);
}

std::string passed_detail(Stage stage, const Sighting& sighting, size_t bytes) {
  if (stage == Stage::kRateLimit) return limits_of(sighting.source);
  if (stage == Stage::kCoding && sighting.body) return unpacking(bytes, sighting.body->size());
  return {};
}

// Of a request whose body is looked at only piece by piece, nothing is said about it yet.
void add_passed(RequestSteps& steps, const Sighting& sighting, Stage reached, size_t bytes) {
  if (reached == Stage::kRoute) return;
  for (size_t i = 0; i < static_cast<size_t>(reached); ++i) {
    if (i > 0 && !sighting.body) return;
    steps.add({.name = kStages[i], .detail = passed_detail(static_cast<Stage>(i), sighting, bytes)});
  }
}

std::string shown_answer(const http::Response& response, const Settings& settings) {
  const bool is_text = response.content_type.starts_with("text/") ||
                       response.content_type.find("json") != std::string_view::npos;
  if (!is_text) return cat("(", response.content().size(), " bytes of ", response.content_type, ")");
  return seal::masked_text(response.content(), settings, kAnswerBytes);
}

LogOutcome outcome_of(const engine::Ack& ack) {
  return {.failure = ack.status.ok() ? std::string() : message_of(ack.status), .fates = ack.fates};
}

std::optional<AppliedItem> find_applied(Sequence sequence, const replica::AppliedSlice& slice) {
  const auto found = std::ranges::lower_bound(slice.events, sequence, {}, &replica::AppliedEvent::sequence);
  if (found == slice.events.end() || found->sequence != sequence) return std::nullopt;
  AppliedItem item{.sequence = sequence, .customer = found->customer, .created = found->new_customer};
  for (const identity::Move& move : slice.moves) {
    const bool known = std::find(item.joined.begin(), item.joined.end(), move.from) != item.joined.end();
    if (move.to == item.customer && move.from != move.to && !known) item.joined.push_back(move.from);
  }
  return item;
}

}  // namespace

Part FollowedRequest::items(const RecordBatch& batch, size_t first_entry) const {
  const auto project = debugger_->engine_.project();
  seal::Opener opener(debugger_->engine_.key(), debugger_->engine_.ring());
  return items_of(batch, first_entry, {.settings = *project->settings(), .opener = opener});
}

size_t FollowedRequest::add_part(const RecordBatch& batch, size_t first_entry) const {
  return steps_ == nullptr ? 0 : steps_->add_part(items(batch, first_entry));
}

void FollowedRequest::add_checked(const RecordBatch& batch) const {
  if (steps_ == nullptr) return;
  Part part = items(batch, 0);
  part.stored = false;
  steps_->add_part(std::move(part));
}

void FollowedRequest::set_body(const Body& body, const absl::Status& status) const {
  if (steps_ == nullptr) return;
  const auto project = debugger_->engine_.project();
  steps_->set_body(seal::masked_text(body.shown, *project->settings(), kBodyBytes), body.unpacked_bytes);
  if (status.ok()) {
    // Nothing announced its length: it came in chunks.
    const bool chunked = steps_->bytes() == 0 && body.unpacked_bytes > 0;
    steps_->add({.name = "coding",
                 .detail = chunked ? cat("in chunks, ", body.unpacked_bytes, " bytes unpacked")
                                   : unpacking(steps_->bytes(), body.unpacked_bytes)});
    steps_->add({.name = "parse", .detail = "event by event"});
  } else {
    steps_->add({.name = "coding", .verdict = Verdict::kFailed, .detail = message_of(status)});
  }
}

void FollowedRequest::logged(size_t part, const engine::Ack& ack) const {
  if (steps_ == nullptr) return;
  steps_->logged(part, outcome_of(ack));
  if (steps_->awaits()) debugger_->await(steps_);
}

void FollowedRequest::answered(const http::Response& response) const {
  if (steps_ == nullptr) return;
  const auto project = debugger_->engine_.project();
  finish({.status = response.status, .text = shown_answer(response, *project->settings()), .took = {}});
}

void FollowedRequest::answered(std::string text) const {
  if (steps_ != nullptr) finish({.status = 0, .text = std::move(text), .took = {}});
}

void FollowedRequest::finish(Answer answer) const {
  answer.took = std::max(Duration(), debugger_->engine_.clock().now() - steps_->received_at());
  steps_->answered(std::move(answer));
  debugger_->publish(*steps_);
}

Arrival Debugger::arrival_of(const http::Request& request) const {
  return describe(request, *engine_.project()->settings());
}

Debugger::Steps Debugger::begin(const Sighting& sighting, Recorder::Why why) {
  const auto admission = recorder_.admit(sighting.source.id, why, sighting.received_at);
  if (!admission) return nullptr;
  const auto project = engine_.project();
  RequestSteps::Start start{.id = admission->id,
                            .skipped = admission->skipped,
                            .source = sighting.source.id,
                            .source_name = sighting.source.name,
                            .received_at = sighting.received_at,
                            .arrival = sighting.request != nullptr
                                           ? describe(*sighting.request, *project->settings())
                                           : *sighting.arrival};
  const std::string key = start.arrival.key;
  auto steps = std::make_shared<RequestSteps>(std::move(start));
  steps->add({.name = "key",
              .detail = cat(key.empty() ? std::string("it") : cat("the key ", key), " opens source \"",
                            sighting.source.name, "\"")});
  if (sighting.body) {
    steps->set_body(seal::masked_text(*sighting.body, *project->settings(), kBodyBytes),
                    sighting.body->size());
  }
  return steps;
}

FollowedRequest Debugger::follow(const Sighting& sighting, Outcome outcome) {
  const bool wrong = outcome == Outcome::kWentWrong;
  if (!wrong && !recorder_.anybody()) return {};
  using Why = Recorder::Why;
  Steps steps = begin(sighting, wrong ? Why::kWentWrong : Why::kWatched);
  if (steps == nullptr) return {};
  add_passed(*steps, sighting, Stage::kTaken, steps->bytes());
  return FollowedRequest(*this, std::move(steps));
}

void Debugger::refused(const Sighting& sighting, const Refusal& refusal, const http::Response& response) {
  const Steps steps = begin(sighting, Recorder::Why::kWentWrong);
  if (steps == nullptr) return;
  add_passed(*steps, sighting, refusal.stage, steps->bytes());
  steps->add({.name = kStages[static_cast<size_t>(refusal.stage)],
              .verdict = Verdict::kFailed,
              .detail = std::string(refusal.why)});
  FollowedRequest(*this, steps).answered(response);
}

void Debugger::await(Steps steps) {
  const std::lock_guard lock(mutex_);
  if (std::find(waiting_.begin(), waiting_.end(), steps) != waiting_.end()) return;
  if (waiting_.size() == kWaiting) waiting_.erase(waiting_.begin());
  waiting_.push_back(std::move(steps));
  waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
}

void Debugger::publish(const RequestSteps& steps) {
  // So that the last text is the newest, whichever threads publish.
  const std::lock_guard lock(publish_mutex_);
  recorder_.keep(steps.source(), steps.id(), std::make_shared<const std::string>(steps.text()));
}

Debugger::Debugger(engine::Engine& engine)
    : engine_(engine),
      applied_(engine.consumers(),
               {.thread_name = "kehu-debugger",
                .wants = [this](const auto&) { return waiting_count_.load(std::memory_order_relaxed) > 0; },
                .consume = [this](const replica::AppliedSlice& slice, uint64_t) { note_applied(slice); }}) {}

void Debugger::note_applied(const replica::AppliedSlice& slice) {
  std::vector<Steps> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = waiting_;
  }
  for (const Steps& steps : waiting) {
    std::vector<AppliedItem> items;
    for (const Sequence sequence : steps->awaited()) {
      if (auto item = find_applied(sequence, slice)) items.push_back(*std::move(item));
    }
    steps->applied(items, slice.last);
    if (!steps->awaits() && steps->is_answered()) publish(*steps);
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [](const Steps& steps) { return !steps->awaits(); });
  waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
}

}  // namespace kehu::debugger
