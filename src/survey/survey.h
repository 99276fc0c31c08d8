#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "codec/measurement.h"
#include "engine/engine.h"
#include "query/rule_question.h"
#include "query/session.h"
#include "replica/consumer.h"
#include "replica/rules_in_force.h"
#include "shard/shard.h"

// What rules ask of all customers together is measured by the archive and logged, so that it is a fact of the
// log like all others (docs/decisions/measured-rules.md).
namespace kehu::survey {

// One thread. It holds no state: what was measured when is in the shard, so that behind a restart whatever
// became due meanwhile is measured at once.
class Survey final : private replica::Consumer {
 public:
  // Both outlive it. `warn` is told, on its thread, of what could not be measured; it tries again.
  Survey(engine::Engine& engine, query::Reader& reader, std::function<void(std::string_view)> warn);
  ~Survey() override;
  Survey(const Survey&) = delete;

 private:
  using Job = shard::Shard::MeasureJob;
  struct Work {
    std::vector<Job> jobs;
    replica::RulesInForce rules;
  };
  bool wants(const shard::Effects& effects) override;
  void take(const std::shared_ptr<const replica::AppliedSlice>&) override {}

  void run();
  // Measures what is due; how long until there is more.
  Duration survey();
  bool rests(const std::string& key);
  bool is_nobodys_still(const Job& job, uint64_t customers);
  absl::Status measure(const Job& job, const replica::RulesInForce& rules);
  absl::Status compare(const Job& job, const replica::RulesInForce& rules);
  query::RuleQuestion question(const Job& job, const replica::RulesInForce& rules);
  absl::Status run_statement(const Job& job);
  absl::Status log_failure(const Job& job, Instant at, const absl::Status& status);
  absl::StatusOr<query::Session*> connect();

  engine::Engine& engine_;
  query::Reader& reader_;
  std::function<void(std::string_view)> warn_;
  std::map<std::string, Duration, std::less<>> resting_;  // by key: until when it is left alone
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = true;
  std::unique_ptr<query::Session> session_;  // of the statement that runs; ended when stopping
  std::thread thread_;                       // ends first
};

}  // namespace kehu::survey
