#include "debugger/request_steps.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/text.h"
#include "json/writer.h"

namespace kehu::debugger {
namespace {

void write_pairs(json::Writer& writer, std::string_view name, const Arrival::Pairs& pairs) {
  if (pairs.empty()) return;
  writer.key(name).begin_object();
  for (const auto& [key, value] : pairs) writer.field(key, value);
  writer.end_object();
}

// RudderStack's server SDKs speak Segment's protocol on its paths, and only say who they are.
std::string_view protocol_of(const Arrival& arrival, std::string_view library) {
  const bool rudder = arrival.protocol == "segment" && library.find("rudder") != std::string_view::npos;
  return rudder ? std::string_view("rudder") : arrival.protocol;
}

void write_arrival(json::Writer& writer, const Arrival& arrival, std::string_view library) {
  writer.key("request").begin_object().field("protocol", protocol_of(arrival, library));
  writer.field("method", arrival.method);
  writer.field("path", arrival.path).field("remote", arrival.remote);
  writer.field("library", library.empty() ? std::string_view(arrival.client) : library);
  write_pairs(writer, "query", arrival.query);
  write_pairs(writer, "headers", arrival.headers);
  writer.end_object();
}

void write_step(json::Writer& writer, const Step& step) {
  writer.begin_object().field("step", step.name).field("verdict", to_string(step.verdict));
  if (!step.detail.empty()) writer.field("detail", step.detail);
  for (const auto& [name, count] : step.counts) writer.field(name, count);
  writer.end_object();
}

void write_applied(json::Writer& writer, const AppliedItem& applied) {
  const bool nobody = applied.customer.hash.is_zero();
  writer.field("customer_id", nobody ? std::string() : applied.customer.hash.hex());
  writer.field("customer", nobody ? "nobody" : applied.created ? "created" : "known");
  if (applied.joined.empty()) return;
  writer.key("joined").begin_array();
  for (const CustomerId& joined : applied.joined) writer.value(joined.hash.hex());
  writer.end_array();
}

void write_answer(json::Writer& writer, const Answer& answer) {
  writer.key("answer").begin_object();
  if (answer.status > 0) writer.field("status", answer.status);
  writer.field("body", answer.text).field("micros", answer.took.micros()).end_object();
}

Verdict share(uint64_t good, uint64_t bad) {
  if (bad == 0) return Verdict::kPassed;
  return good == 0 ? Verdict::kFailed : Verdict::kPartly;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  constexpr std::string_view kNames[] = {"passed", "partly", "failed"};
  return kNames[static_cast<size_t>(verdict)];
}

void RequestSteps::add(Step step) {
  const std::lock_guard lock(mutex_);
  steps_.push_back(std::move(step));
}

void RequestSteps::set_body(std::string text, size_t unpacked_bytes) {
  const std::lock_guard lock(mutex_);
  body_ = std::move(text);
  unpacked_bytes_ = unpacked_bytes;
}

size_t RequestSteps::add_part(Part part) {
  const std::lock_guard lock(mutex_);
  const size_t number = parts_.size();
  parts_.push_back({part.first_entry, std::move(part.kinds)});
  stored_parts_ += part.stored ? 1 : 0;
  sums_.accepted += part.accepted;
  sums_.rejected += part.rejected;
  uint64_t left = part.accepted + part.rejected;
  for (Item& item : part.items) {
    if (shown_.size() == kItems) break;
    --left;
    shown_.push_back({.item = std::move(item),
                      .part = number,
                      .state = part.stored ? State::kDecoded : State::kNotStored});
  }
  more_ += left;
  return number;
}

void RequestSteps::logged(size_t part, const LogOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  ++logged_parts_;
  if (!outcome.failure.empty()) failure_ = outcome.failure;
  const Entries& entries = parts_[part];
  for (size_t i = 0; i < entries.kinds.size() && entries.first + i < outcome.fates.size(); ++i) {
    count(entries.kinds[i], outcome.fates[entries.first + i]);
  }
  for (Shown& shown : shown_) {
    if (shown.part != part) continue;
    if (shown.item.entry >= outcome.fates.size()) {
      shown.state = State::kNotStored;
      continue;
    }
    const RecordFate& fate = outcome.fates[shown.item.entry];
    shown.sequence = fate.sequence;
    shown.state = fate.kind == RecordFate::Kind::kRepeat     ? State::kRepeat
                  : fate.kind == RecordFate::Kind::kConflict ? State::kConflict
                                                             : State::kLogged;
  }
}

void RequestSteps::count(RecordKind kind, const RecordFate& fate) {
  if (kind != RecordKind::kEvent && kind != RecordKind::kRejection) return;
  if (fate.kind == RecordFate::Kind::kRepeat) {
    ++sums_.repeats;
  } else if (fate.kind == RecordFate::Kind::kConflict) {
    ++sums_.conflicts;
  } else {
    ++(kind == RecordKind::kEvent ? sums_.events : sums_.rejections);
  }
  if (fate.sequence.value() == 0) return;
  if (first_.value() == 0 || fate.sequence < first_) first_ = fate.sequence;
  last_ = std::max(last_, fate.sequence);
}

std::vector<Sequence> RequestSteps::awaited() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sequence> sequences;
  for (const Shown& shown : shown_) {
    if (shown.state == State::kLogged && !shown.item.rejected) sequences.push_back(shown.sequence);
  }
  return sequences;
}

bool RequestSteps::awaits() const {
  const std::lock_guard lock(mutex_);
  return applied_ < last_;
}

void RequestSteps::applied(absl::Span<const AppliedItem> items, Sequence last) {
  const std::lock_guard lock(mutex_);
  applied_ = last;
  for (const AppliedItem& item : items) {
    const auto shown = std::find_if(shown_.begin(), shown_.end(),
                                    [&](const Shown& s) { return s.sequence == item.sequence; });
    if (shown == shown_.end()) continue;
    shown->state = State::kApplied;
    shown->applied = item;
  }
}

void RequestSteps::answered(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

bool RequestSteps::is_answered() const {
  const std::lock_guard lock(mutex_);
  return answer_.has_value();
}

bool RequestSteps::complete() const { return answer_ && logged_parts_ == stored_parts_ && applied_ >= last_; }

Verdict RequestSteps::verdict() const {
  const bool failed_step = std::any_of(steps_.begin(), steps_.end(),
                                       [](const Step& step) { return step.verdict == Verdict::kFailed; });
  if (failed_step || !failure_.empty() || (answer_ && answer_->status >= 400)) return Verdict::kFailed;
  const uint64_t bad = sums_.rejected + sums_.conflicts;
  return share(sums_.accepted > sums_.conflicts ? sums_.accepted - sums_.conflicts : 0, bad);
}

Step RequestSteps::decode_step() const {
  return {.name = "decode",
          .verdict = share(sums_.accepted, sums_.rejected),
          .detail = {},
          .counts = {{"accepted", sums_.accepted}, {"rejected", sums_.rejected}}};
}

Step RequestSteps::log_step() const {
  if (stored_parts_ == 0) return {.name = "log", .detail = "only checked: nothing is stored"};
  if (!failure_.empty()) return {.name = "log", .verdict = Verdict::kFailed, .detail = failure_};
  const bool nothing_new = first_.value() == 0;
  Step step{.name = "log",
            .verdict = sums_.conflicts > 0 ? Verdict::kPartly : Verdict::kPassed,
            .detail = nothing_new ? "all of it was there already" : "durable",
            .counts = {{"new", sums_.events},
                       {"repeats", sums_.repeats},
                       {"conflicts", sums_.conflicts},
                       {"rejected", sums_.rejections}}};
  if (logged_parts_ < stored_parts_) step.detail = "on its way";
  if (!nothing_new) {
    step.counts.emplace_back("first", first_.value());
    step.counts.emplace_back("last", last_.value());
  }
  return step;
}

Step RequestSteps::apply_step() const {
  uint64_t created = 0, known = 0, nobody = 0;
  for (const Shown& shown : shown_) {
    if (!shown.applied) continue;
    ++(shown.applied->customer.hash.is_zero() ? nobody : shown.applied->created ? created : known);
  }
  return {.name = "apply",
          .detail = applied_ >= last_ ? "" : "on its way",
          .counts = {{"created", created}, {"known", known}, {"nobody", nobody}}};
}

std::vector<Step> RequestSteps::all_steps() const {
  std::vector<Step> steps = steps_;
  if (!parts_.empty()) steps.push_back(decode_step());
  if (!parts_.empty()) steps.push_back(log_step());
  if (logged_parts_ > 0 && sums_.events > 0) steps.push_back(apply_step());
  if (answer_) {
    steps.push_back({.name = "answer",
                     .verdict = answer_->status >= 400 ? Verdict::kFailed : Verdict::kPassed,
                     .detail = answer_->status > 0 ? cat("status ", answer_->status) : answer_->text,
                     .counts = {{"micros", static_cast<uint64_t>(answer_->took.micros())}}});
  }
  return steps;
}

std::string RequestSteps::library() const {
  const auto named = std::find_if(shown_.begin(), shown_.end(),
                                  [](const Shown& shown) { return !shown.item.library.empty(); });
  return named == shown_.end() ? std::string() : named->item.library;
}

std::string_view RequestSteps::verdict_of(const Shown& shown) {
  if (shown.state == State::kRepeat) return "repeat";
  if (shown.state == State::kConflict) return "conflict";
  if (shown.item.rejected) return "rejected";
  return shown.state == State::kNotStored ? "not_stored" : "accepted";
}

std::string RequestSteps::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("kind", "request").field("id", start_.id).field("source", start_.source_name);
  writer.field("received_at", format_utc(start_.received_at)).field("verdict", to_string(verdict()));
  writer.field("complete", complete());
  if (start_.skipped > 0) writer.field("skipped", start_.skipped);
  write_arrival(writer, start_.arrival, library());
  writer.key("body").begin_object().field("bytes", start_.arrival.bytes);
  writer.field("unpacked_bytes", unpacked_bytes_).field("text", body_).end_object();
  writer.key("steps").begin_array();
  for (const Step& step : all_steps()) write_step(writer, step);
  writer.end_array().key("events").begin_array();
  for (const Shown& shown : shown_) {
    writer.begin_object().field("verdict", verdict_of(shown));
    if (shown.sequence.value() > 0) writer.field("sequence", shown.sequence.value());
    if (shown.applied) write_applied(writer, *shown.applied);
    writer.end_object();
    // The members were written before; they stand in front of the closing brace.
    if (!shown.item.members.empty()) out.insert(out.size() - 1, cat(",", shown.item.members));
  }
  writer.end_array();
  if (more_ > 0) writer.field("more_events", more_);
  if (answer_) write_answer(writer, *answer_);
  writer.end_object();
  return out;
}

}  // namespace kehu::debugger
