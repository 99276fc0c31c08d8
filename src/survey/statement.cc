#include "survey/statement.h"

#include <algorithm>

#include "aggregate/wire.h"
#include "base/sql_literal.h"
#include "base/text.h"
#include "codec/measurement.h"
#include "codec/record.h"
#include "json/document.h"
#include "membership/keeper.h"
#include "query/result_text.h"
#include "tally/end_values.h"

namespace kehu::survey {
namespace {

constexpr size_t kAtOnce = 500;  // a look, or a record, of about a millisecond

std::string_view without_end(std::string_view statement) {
  return statement.substr(0, statement.find_last_not_of("; \t\r\n") + 1);
}

// DuckDB makes a plan of what it explains, and runs nothing.
absl::Status explain(query::Session& session, std::string_view sql) {
  return session.start(cat("EXPLAIN ", sql), query::Format::kNdjson).status();
}

}  // namespace

absl::Status check_statement(query::Session& session, std::string_view statement) {
  statement = without_end(statement);
  if (absl::Status status = explain(session, statement); !status.ok()) return status;
  const absl::Status columns = explain(
      session, cat("SELECT CAST(customer_id AS VARCHAR), max(value) FROM (\n", statement, "\n) GROUP BY 1"));
  if (!absl::IsInvalidArgument(columns)) return columns;
  const std::string reason = message_of(columns);
  return failure(absl::StatusCode::kInvalidArgument,
                 "the statement does not give the columns customer_id and value: ",
                 std::string_view(reason).substr(0, reason.find('\n')));
}

// Who ever had a value stands in `segment_log`; whether they still have one, the comparison sees.
std::string statement_sql(const shard::Shard::MeasureJob& job) {
  const std::string_view statement = without_end(job.number.text);
  std::string sql =
      cat("WITH result AS MATERIALIZED (SELECT CAST(customer_id AS VARCHAR) AS customer_id, ",
          "max(value) AS value FROM (\n", statement,
          "\n) WHERE customer_id IS NOT NULL GROUP BY 1) SELECT customer_id, value FROM result");
  if (job.keep_when_empty) return sql + " WHERE value IS NOT NULL";
  return cat(sql,
             " UNION ALL SELECT DISTINCT customer_id, NULL FROM segment_log WHERE kind = 'tag' AND name = ",
             sql_literal(job.tag),
             " AND customer_id IS NOT NULL AND customer_id NOT IN (SELECT customer_id FROM result)");
}

absl::Status each_result(std::string_view lines,
                         const std::function<absl::Status(CustomerId customer, rule::Value value)>& visit) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    const auto document = json::Document::parse(line);
    if (!document.ok()) return document.status();
    const std::string text = document->root().find("customer_id").as_string().value_or("");
    const auto id = Hash128::from_hex(text);
    if (!id) {
      return failure(absl::StatusCode::kInvalidArgument, "\"", text,
                     "\" in customer_id is no customer's id: ", "take it from events or customers");
    }
    const json::Value value = document->root().find("value");
    const auto raw = json::RawValue{value.kind(), value.raw()};
    if (auto status = visit(CustomerId{*id}, rule::Value::of(raw)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status log(engine::Engine& engine, const codec::Measurement& measurement) {
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kMeasurement,
                    [&](std::string& out) { codec::append_measurement(measurement, out); });
  return engine.submit_and_wait(std::move(batch)).status();
}

absl::Status Results::add(CustomerId customer, rule::Value value) {
  customers_ += value.known() ? 1 : 0;
  value.text = std::string(cut_utf8(value.text, membership::kTagBytes));
  some_.emplace_back(customer, std::move(value));
  return some_.size() < kAtOnce ? absl::OkStatus() : compare();
}

absl::Status Results::finish(Duration took) {
  if (auto status = compare(); !status.ok()) return status;
  return send(true, took);
}

absl::Status Results::compare() {
  auto different = engine_.ask<std::vector<bool>>([this](replica::Replica& replica) {
    std::vector<bool> out;
    for (const auto& [customer, value] : some_) {
      const auto known = replica.shard().batch_value(customer, job_.rule);
      out.push_back(known.ok() && *known != value);
    }
    return out;
  });
  if (!different.ok()) return different.status();
  for (size_t i = 0; i < some_.size(); ++i) {
    if (!(*different)[i]) continue;
    aggregate::WireBuffer bytes;
    if (some_[i].second.known()) tally::write_value(some_[i].second, bytes);
    different_.emplace_back(some_[i].first, std::string(bytes.view()));
  }
  some_.clear();
  return different_.size() < kAtOnce ? absl::OkStatus() : send(false, {});
}

absl::Status Results::send(bool last, Duration took) {
  codec::Measurement measurement{.kind = MeasurementKind::kValues,
                                 .key = job_.key,
                                 .as_of = as_of_,
                                 .took = took,
                                 .customers = last ? customers_ : 0,
                                 .last = last};
  for (const auto& [customer, value] : different_) measurement.entries.push_back({customer, value});
  const absl::Status logged = log(engine_, measurement);
  different_.clear();
  return logged;
}

}  // namespace kehu::survey
