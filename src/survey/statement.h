#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "codec/measurement.h"
#include "engine/engine.h"
#include "query/session.h"
#include "rule/value.h"
#include "shard/shard.h"

// What a statement comes to for each customer, as records of what is other than before.
namespace kehu::survey {

// The statement of a job with what it no longer says: rows of customer_id and value, which is null for those
// who had one of this tag and are not in the result. A customer's greatest value counts.
std::string statement_sql(const shard::Shard::MeasureJob& job);

// Whether a statement only reads and gives customer_id and value, by DuckDB's own reading of it: the errors
// of Session::start, with DuckDB's reason. It is not run. ~5 ms.
absl::Status check_statement(query::Session& session, std::string_view statement);

// Reads the rows of an answer in NDJSON.
absl::Status each_result(std::string_view lines,
                         const std::function<absl::Status(CustomerId customer, rule::Value value)>& visit);

// Logs what was measured, and waits until it is applied.
absl::Status log(engine::Engine& engine, const codec::Measurement& measurement);

// Collects results, compares them with what customers have, and logs the differences; waits until each record
// is applied, so that it is no faster than the engine.
class Results {
 public:
  Results(engine::Engine& engine, const shard::Shard::MeasureJob& job, Instant as_of)
      : engine_(engine), job_(job), as_of_(as_of) {}

  absl::Status add(CustomerId customer, rule::Value value);
  // Nothing more comes: the run is over.
  absl::Status finish(Duration took);

 private:
  absl::Status compare();
  absl::Status send(bool last, Duration took);

  engine::Engine& engine_;
  const shard::Shard::MeasureJob& job_;
  const Instant as_of_;
  std::vector<std::pair<CustomerId, rule::Value>> some_;       // not compared yet
  std::vector<std::pair<CustomerId, std::string>> different_;  // with their bytes
  uint64_t customers_ = 0;
};

}  // namespace kehu::survey
