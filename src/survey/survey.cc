#include "survey/survey.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "codec/record.h"
#include "query/result_text.h"
#include "survey/schedule.h"
#include "survey/statement.h"

namespace kehu::survey {
namespace {

// Clocks jump, and machines sleep: nothing is waited for longer than this without a look.
constexpr Duration kLongestPause = Duration::minutes(1);
constexpr Duration kPauseAfterFailure = Duration::minutes(5);
constexpr Duration kPauseWithNobody = Duration::minutes(1);
constexpr Duration kTimeLimit = Duration::hours(1);  // of one statement

}  // namespace

Survey::Survey(engine::Engine& engine, query::Reader& reader, std::function<void(std::string_view)> warn)
    : engine_(engine), reader_(reader), warn_(std::move(warn)) {
  engine_.consumers().add(*this);
  thread_ = std::thread([this] { run(); });
}

Survey::~Survey() {
  engine_.consumers().remove(*this);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (session_ != nullptr) session_->end();
  }
  changed_.notify_all();
  thread_.join();
}

bool Survey::wants(const shard::Effects& effects) {
  if (effects.definitions.empty()) return false;
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
  return false;  // the slice itself
}

void Survey::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    const Duration pause = survey();
    lock.lock();
    changed_.wait_for(lock, std::chrono::microseconds(pause.micros()),
                      [this] { return woken_ || stopping_; });
  }
}

Duration Survey::survey() {
  auto work = engine_.ask<Work>([](replica::Replica& replica) {
    Work found{.jobs = replica.shard().measure_jobs(), .rules = {}};
    if (!found.jobs.empty()) found.rules = replica::rules_in_force(replica);
    return found;
  });
  if (!work.ok() || work->rules.customers == 0) return kLongestPause;
  Duration pause = kLongestPause;
  for (const Job& job : work->jobs) {
    const BusinessZone zone = BusinessZone::load(job.zone).value_or(BusinessZone());
    const Instant now = engine_.clock().now();
    const bool is_statement = job.number.op == rule::Op::kSql;
    const Instant next =
        is_statement ? next_run(job.last, job.number.span.unit, zone, now) : next_due(job.last, zone, now);
    if (next > now) {
      pause = std::min(pause, next - now);
      continue;
    }
    if (rests(job.key)) continue;
    const absl::Status status = is_statement                         ? run_statement(job)
                                : job.number.op == rule::Op::kAgrees ? compare(job, work->rules)
                                                                     : measure(job, work->rules);
    {
      const std::lock_guard lock(mutex_);
      session_.reset();
      if (stopping_) return Duration();
    }
    if (status.ok()) continue;
    resting_[job.key] = engine_.clock().monotonic() + kPauseAfterFailure;
    if (is_statement) {
      warn_(cat("the statement of the tag ", job.tag, " could not be run: ", message_of(status),
                "; older values stay, tried again in 5 minutes"));
    } else {
      warn_(cat("what rules ask of all customers could not be measured: ", message_of(status),
                "; older numbers stay, tried again in 5 minutes"));
    }
  }
  return std::max(pause, Duration::millis(10));
}

bool Survey::rests(const std::string& key) {
  const auto resting = resting_.find(key);
  if (resting == resting_.end()) return false;
  if (engine_.clock().monotonic() < resting->second) return true;
  resting_.erase(resting);
  return false;
}

// That nothing is known of anybody is logged once, and looked at each minute.
bool Survey::is_nobodys_still(const Job& job, uint64_t customers) {
  if (customers > 0 || !job.last || job.last->customers > 0) return false;
  resting_[job.key] = engine_.clock().monotonic() + kPauseWithNobody;
  return true;
}

// What the log has at that moment is in the archive, or among the rows that will be.
absl::StatusOr<query::Session*> Survey::connect() {
  if (!engine_.wait_archived(Duration::seconds(60))) return absl::UnavailableError("the archive is behind");
  auto session = reader_.connect();
  if (!session.ok()) return session.status();
  const std::lock_guard lock(mutex_);
  if (stopping_) return absl::CancelledError("stopping");
  session_ = *std::move(session);
  return session_.get();
}

query::RuleQuestion Survey::question(const Job& job, const replica::RulesInForce& rules) {
  query::RuleQuestion question;
  question.answer = translation::Answer::kNumber;
  question.now = engine_.clock().now();
  question.zone = BusinessZone::load(job.zone).value_or(BusinessZone());
  question.definition = rules.definitions();
  question.cuts = rules.measured();
  question.quarantines = rules.quarantines;
  question.lists = rules.lists;
  question.time_limit = kTimeLimit;
  return question;
}

absl::Status Survey::measure(const Job& job, const replica::RulesInForce& rules) {
  const auto session = connect();
  if (!session.ok()) return session.status();
  const Duration began = engine_.clock().monotonic();
  query::RuleQuestion question = this->question(job, rules);
  question.rule = &job.number;
  auto spread = (*session)->spread_of(question);
  if (!spread.ok()) return spread.status();
  if (is_nobodys_still(job, spread->customers)) return absl::OkStatus();
  return log(engine_, {.kind = MeasurementKind::kCuts,
                       .key = job.key,
                       .as_of = question.now,
                       .took = engine_.clock().monotonic() - began,
                       .customers = spread->customers,
                       .cuts = std::move(spread->cuts)});
}

// Whether the trait, or what the list says, is the value, where both are known: as it was written, also while
// nobody believes it.
absl::Status Survey::compare(const Job& job, const replica::RulesInForce& rules) {
  const auto session = connect();
  if (!session.ok()) return session.status();
  using rule::Node;
  using rule::Op;
  const auto known = [](const Node& of) { return Node{.op = Op::kIsKnown, .of = {of}}; };
  const auto whole = [](int64_t n) {
    return Node{.op = Op::kNumber, .number = Decimal::from_units(n * Decimal::kScale)};
  };
  const Node &trait = job.number.of[0], &own = job.number.of[1];
  const Node equal{.op = Op::kCase, .of = {Node{.op = Op::kEqual, .of = {trait, own}}, whole(1), whole(0)}};
  const Node rule{.op = Op::kCase, .of = {Node{.op = Op::kAnd, .of = {known(trait), known(own)}}, equal}};
  const bool listed = trait.op == Op::kListValue;
  std::optional<query::TraitOfSource> whose;
  if (!listed) whose = {.trait = trait.text, .source = job.number.text};
  const Duration began = engine_.clock().monotonic();
  query::RuleQuestion question = this->question(job, rules);
  question.rule = &rule;
  std::erase(question.quarantines, std::pair(trait.text, job.number.text));
  if (const auto* standing = list::find(rules.uploaded_lists, trait.text); listed && standing != nullptr)
    question.lists.insert_or_assign(trait.text, *standing);
  const auto agreement = (*session)->agreement_of(question, whose);
  if (!agreement.ok()) return agreement.status();
  if (is_nobodys_still(job, agreement->compared)) return absl::OkStatus();
  return log(engine_, {.kind = MeasurementKind::kAgreement,
                       .key = job.key,
                       .as_of = question.now,
                       .took = engine_.clock().monotonic() - began,
                       .customers = agreement->compared,
                       .agreed = agreement->agreed});
}

// Under the limits of every statement: of time, of memory, of what may be read. A failure that was logged is
// not logged again.
absl::Status Survey::run_statement(const Job& job) {
  const auto session = connect();
  if (!session.ok()) return session.status();
  const Instant as_of = engine_.clock().now();
  const Duration began = engine_.clock().monotonic();
  auto answer = (*session)->start(statement_sql(job), query::Format::kNdjson);
  if (!answer.ok()) return log_failure(job, as_of, answer.status());
  Results results(engine_, job, as_of);
  for (bool more = true; more;) {
    std::string lines;
    const auto read = (*answer)->next(lines);
    if (!read.ok()) return log_failure(job, as_of, read.status());
    more = *read;
    absl::Status logged;
    const absl::Status good = each_result(lines, [&](CustomerId customer, rule::Value value) {
      logged = results.add(customer, std::move(value));
      return logged;
    });
    if (!logged.ok()) return logged;
    if (!good.ok()) return log_failure(job, as_of, good);
  }
  return results.finish(engine_.clock().monotonic() - began);
}

absl::Status Survey::log_failure(const Job& job, Instant at, const absl::Status& status) {
  const std::string error = message_of(status);
  if (job.error == error || absl::IsCancelled(status)) return status;
  const absl::Status logged = log(
      engine_, {.kind = MeasurementKind::kFailure, .key = job.key, .as_of = at, .took = {}, .error = error});
  return logged.ok() ? status : logged;
}

}  // namespace kehu::survey
