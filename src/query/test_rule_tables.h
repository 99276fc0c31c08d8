#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "duck/database.h"
#include "query/rule_functions.h"
#include "translation/translate.h"

// Tables of events and customers in an empty DuckDB, for tests that ask them rules.
namespace kehu::query {

class RuleTables {
 public:
  RuleTables() : database_(*duck::Database::open({})), connection_(*database_->connect()) {
    EXPECT_TRUE(add_rule_functions(*database_).ok());
    run("CREATE TABLE events (customer_id VARCHAR, time TIMESTAMP WITH TIME ZONE, type VARCHAR, event "
        "VARCHAR, "
        "channel VARCHAR, source VARCHAR, properties VARCHAR)");
    run("CREATE TABLE customers (customer_id VARCHAR, traits VARCHAR, origins VARCHAR, segments VARCHAR[], "
        "tags MAP(VARCHAR, "
        "VARCHAR))");
  }

  void run(const std::string& sql) {
    const absl::Status status = connection_->run(sql);
    EXPECT_TRUE(status.ok()) << status;
  }

  // Rows of parenthesised values.
  void add_events(const std::string& rows) { run("INSERT INTO events VALUES " + rows); }
  void add_customers(const std::string& rows) { run("INSERT INTO customers VALUES " + rows); }

  // The texts of a statement's rows; NULL as an empty one.
  std::vector<std::vector<std::string>> rows(const std::string& sql, size_t columns) {
    std::vector<std::vector<std::string>> out;
    auto result = connection_->query(cat("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (", sql, ")"));
    EXPECT_TRUE(result.ok()) << result.status() << "\n" << sql;
    if (!result.ok()) return out;
    const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
      std::vector<std::string>& texts = out.emplace_back();
      for (size_t i = 0; i < columns; ++i)
        texts.emplace_back(batch.is_null(i, row) ? "" : batch.text(i, row));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status << "\n" << sql;
    return out;
  }

  // By customer. An error is a failure with the statement.
  std::map<std::string, std::optional<std::string>> ask(const rule::Node& rule,
                                                        const translation::Question& question) {
    std::map<std::string, std::optional<std::string>> out;
    const auto sql = translation::translate(rule, question);
    EXPECT_TRUE(sql.ok()) << sql.status();
    if (!sql.ok()) return out;
    auto result = connection_->query(cat("SELECT customer_id, CAST(value AS VARCHAR) FROM (", *sql, ")"));
    EXPECT_TRUE(result.ok()) << result.status() << "\n" << *sql;
    if (!result.ok()) return out;
    const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
      auto& value = out[std::string(batch.text(0, row))];
      if (!batch.is_null(1, row)) value = std::string(batch.text(1, row));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status << "\n" << *sql;
    return out;
  }

 private:
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
};

}  // namespace kehu::query
