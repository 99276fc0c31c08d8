#include "backfill/backfill.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <set>

#include "base/text.h"
#include "codec/record.h"
#include "definition/backfill_pause.h"
#include "tally/folder.h"

namespace kehu::backfill {
namespace {

// Applying a record must not hold up events for longer than a few milliseconds.
constexpr size_t kPartsPerRecord = 500;
constexpr size_t kBytesPerRecord = 256 << 10;
// So many records are in the log and not applied yet, at most: what an event may have to wait for.
constexpr int kRecordsAhead = 3;
constexpr auto kPauseAfterFailure = std::chrono::seconds(5);

// Names of the events that any of these count; empty: some count any event.
std::vector<std::string> names_of(const tally::Specs& tallies) {
  std::set<std::string> names;
  for (const auto& [id, spec] : tallies) {
    const rule::Node& events = spec.events;
    std::vector<const rule::Node*> selectors;
    if (events.op == rule::Op::kEvents) selectors.push_back(&events);
    for (const rule::Node& step : events.of) {
      if (step.op == rule::Op::kStep || step.op == rule::Op::kNotStep) selectors.push_back(&step.of[0]);
    }
    for (const rule::Node* selector : selectors) {
      if (selector->text.empty()) return {};
      names.insert(selector->text);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace

// Collects entries into records. While the disk takes one and the engine applies others, the archive is read
// on, no faster than the engine takes it. Each is sent when the one before is in the log: of one that is lost
// nothing may come behind, for what has come tells how far the round is.
class Backfill::Records {
 public:
  Records(Backfill& backfill, const Round& round) : backfill_(backfill), round_(round) {}

  absl::Status add(Token part, std::string_view tallies) {
    entries_.push_back({part, std::string(tallies)});
    bytes_ += tallies.size();
    if (entries_.size() < kPartsPerRecord && bytes_ < kBytesPerRecord) return absl::OkStatus();
    return send(false);
  }
  // Waits until all is applied.
  absl::Status finish() {
    if (auto status = send(true); !status.ok()) return status;
    if (auto status = wait_for_log(); !status.ok()) return status;
    return wait_until_applied();
  }

 private:
  absl::Status send(bool last) {
    if (auto status = backfill_.going_on(); !status.ok()) return status;
    codec::Backfill record{.kind = round_.kind, .position = round_.position, .last = last, .entries = {}};
    for (const auto& [part, tallies] : entries_) record.entries.push_back({part, tallies});
    RecordBatch batch;
    codec::add_record(batch, RecordKind::kBackfill,
                      [&](std::string& out) { codec::append_backfill(record, out); });
    if (auto status = wait_for_log(); !status.ok()) return status;
    if (++ahead_ > kRecordsAhead) {
      if (auto status = wait_until_applied(); !status.ok()) return status;
    }
    const auto answer = std::make_shared<std::promise<absl::Status>>();
    in_log_ = answer->get_future();
    const auto done = [answer](const engine::Ack& ack) { answer->set_value(ack.status); };
    auto status = backfill_.engine_.submit({.batch = std::move(batch), .data_keys = {}, .done = done});
    if (!status.ok()) {
      in_log_ = {};
      return status;
    }
    backfill_.set_trouble("");
    backfill_.parts_ += entries_.size();
    entries_.clear();
    bytes_ = 0;
    return absl::OkStatus();
  }
  // The record that was sent last.
  absl::Status wait_for_log() { return in_log_.valid() ? in_log_.get() : absl::OkStatus(); }
  // All that are in the log.
  absl::Status wait_until_applied() {
    ahead_ = 0;
    return backfill_.engine_.ask<bool>([](replica::Replica&) { return true; }).status();
  }

  Backfill& backfill_;
  const Round round_;
  std::vector<std::pair<Token, std::string>> entries_;
  size_t bytes_ = 0;
  std::future<absl::Status> in_log_;
  int ahead_ = 0;  // records sent since all were applied
};

Backfill::Backfill(engine::Engine& engine, query::Reader& reader, std::function<void(std::string_view)> warn)
    : engine_(engine), reader_(reader), warn_(std::move(warn)) {
  engine_.consumers().add(*this);
  thread_ = std::thread([this] { run(); });
}

Backfill::~Backfill() { stop(); }

void Backfill::stop() {
  if (!thread_.joinable()) return;
  engine_.consumers().remove(*this);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Backfill::wants(const shard::Effects& effects) {
  if (effects.definitions.empty() && effects.measurements == 0) return false;
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
  return false;  // the slice itself
}

absl::Status Backfill::going_on() {
  if (definition::is_backfill_paused(*engine_.project())) return absl::CancelledError("paused");
  const std::lock_guard lock(mutex_);
  return stopping_ ? absl::CancelledError("stopping") : absl::OkStatus();
}

void Backfill::begin_pace() {
  events_ = parts_ = 0;
  pace_began_ = std::max<int64_t>(1, engine_.clock().monotonic().micros());
}

Pace Backfill::pace() const {
  const int64_t began = pace_began_;
  const double seconds = static_cast<double>(engine_.clock().monotonic().micros() - began) / 1e6;
  if (began == 0 || seconds <= 0) return {};
  return {.events_per_second = static_cast<double>(events_) / seconds,
          .parts_per_second = static_cast<double>(parts_) / seconds};
}

std::string Backfill::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Backfill::set_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

bool Backfill::wait_for_work() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

void Backfill::run() {
  while (wait_for_work()) {
    const absl::Status status = fill_in();
    end_pace();
    // The end of a pause is a definition, which wakes it.
    if (absl::IsCancelled(status)) continue;
    set_trouble(message_of(status));
    if (status.ok()) continue;
    warn_(cat("new rules are not filled in yet: ", message_of(status), "; tried again in 5 s"));
    std::unique_lock lock(mutex_);
    woken_ = true;
    changed_.wait_for(lock, kPauseAfterFailure, [this] { return stopping_; });
  }
}

absl::Status Backfill::fill_in() {
  for (;;) {
    if (auto status = going_on(); !status.ok()) return status;
    auto job = engine_.ask<shard::Shard::BackfillJob>(
        [](replica::Replica& replica) { return replica.shard().backfill_job(); });
    if (!job.ok()) return job.status();
    if (job->round.kind == BackfillRound::kNone) return absl::OkStatus();
    // What the round counts is in the archive, or among the rows that will be.
    if (!engine_.wait_archived(Duration::seconds(60))) return absl::UnavailableError("the archive is behind");
    begin_pace();
    const absl::Status status = job->round.kind == BackfillRound::kCount ? count(*job) : ask(job->round);
    if (!status.ok()) return status;
  }
}

// Numbers of events and what they add up to are counted by DuckDB; for texts, values and sequences the events
// of one part come one after the other. When the next part begins, what they come to is logged.
absl::Status Backfill::count(const shard::Shard::BackfillJob& job) {
  auto session = reader_.connect();
  if (!session.ok()) return session.status();
  query::PartsWanted wanted{.after = job.round.after, .up_to = job.round.position, .events = {}};
  tally::Specs one_by_one, added_up;
  for (const auto& tally : job.tallies) {
    const tally::Spec& spec = tally.second;
    if (spec.kind != tally::Kind::kAmounts) {
      one_by_one.push_back(tally);
      continue;
    }
    added_up.push_back(tally);
    wanted.counted.push_back({.events = spec.events,
                              .path = spec.path,
                              .period = spec.period,
                              .granule = spec.granule,
                              .zone = BusinessZone::load(spec.zone).value_or(BusinessZone())});
  }
  wanted.each = !one_by_one.empty();
  wanted.events = names_of(one_by_one);
  Records records(*this, job.round);
  tally::PartCounter counter(one_by_one, added_up);
  Token part;
  uint64_t rows = 0;
  const auto flush = [&]() -> absl::Status {
    const auto tallies = counter.tallies();
    if (!tallies.ok()) return tallies.status();
    const absl::Status status = tallies->empty() ? absl::OkStatus() : records.add(part, *tallies);
    counter.clear();
    return status;
  };
  const auto begin_row = [&](Token of) -> absl::Status {
    if (of != part) {
      if (auto status = flush(); !status.ok()) return status;
      part = of;
    }
    return ++rows % 4096 == 0 ? going_on() : absl::OkStatus();
  };
  const absl::Status read = (*session)->each_of_parts(
      wanted,
      [&](const query::StoredEvent& stored) -> absl::Status {
        ++events_;
        if (auto status = begin_row(stored.part); !status.ok()) return status;
        return counter.add(stored.event, stored.source);
      },
      [&](const query::StoredCount& counted) -> absl::Status {
        events_ += counted.count;
        if (auto status = begin_row(counted.part); !status.ok()) return status;
        counter.add(counted.counting, counted.granule,
                    {.count = counted.count,
                     .sum = counted.sum,
                     .min = counted.least,
                     .max = counted.greatest,
                     .first = counted.first,
                     .last = counted.last});
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  if (auto status = flush(); !status.ok()) return status;
  return records.finish();
}

absl::Status Backfill::ask(const Round& round) {
  auto session = reader_.connect();
  if (!session.ok()) return session.status();
  Records records(*this, round);
  const absl::Status read = (*session)->each_part(
      {.after = round.after, .up_to = round.position, .events = {}, .properties = false},
      [&](Token part) { return records.add(part, {}); });
  return read.ok() ? records.finish() : read;
}

}  // namespace kehu::backfill
