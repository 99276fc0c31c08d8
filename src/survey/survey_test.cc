#include "survey/survey.h"

#include <gtest/gtest.h>

#include <optional>

#include "backfill/backfill.h"
#include "engine/test_define_rules.h"
#include "engine/test_engine.h"
#include "notation/parse.h"
#include "rule/tree_json.h"

// A survey over an engine on a disk, with a clock that the test moves.
namespace kehu::survey {
namespace {

using engine::eventually;

constexpr Instant kBegin = Instant::from_seconds(1'780'000'000);

class SurveyTest : public testing::Test {
 protected:
  SurveyTest() { open(); }

  // As a process that starts, and one that ends.
  void open() {
    engine::Options options = engine::engine_options(directory_.path());
    options.clock = &clock_;
    engine_ = engine::open_engine(std::move(options));
    auto reader = query::Reader::open(engine_->lake(), {});
    ASSERT_TRUE(reader.ok()) << reader.status();
    reader_ = *std::move(reader);
    const auto warn = [this](std::string_view text) {
      const std::lock_guard lock(mutex_);
      warnings_.emplace_back(text);
    };
    backfill_.emplace(*engine_, *reader_, warn);
    survey_.emplace(*engine_, *reader_, warn);
  }
  void close() {
    survey_.reset();
    backfill_.reset();
    reader_.reset();
    if (engine_ == nullptr) return;
    ASSERT_TRUE(engine_->stop().ok());
    engine_.reset();
  }
  void TearDown() override { close(); }

  void define(std::string_view text) { engine::define_rules(*engine_, text); }
  // u0 has done it once, u1 twice, and so on.
  void send(size_t customers) {
    std::vector<engine::Given> events;
    for (size_t i = 0; i < customers; ++i) {
      for (size_t n = 0; n <= i; ++n) {
        events.push_back({.message = next_++,
                          .identifiers = {{"user_id", cat("u", i)}},
                          .name = "A",
                          .properties = cat(R"({"price":)", i + 1, "}")});
      }
    }
    ASSERT_TRUE(engine::submit(*engine_, engine::batch_of(events)).get().status.ok());
  }
  static CustomerId customer(size_t i) {
    return CustomerId::named_after(engine::token_of("user_id", cat("u", i)));
  }
  // What a customer is by the rules in force, as "NAME=VALUE …".
  std::string members(size_t i) {
    const auto found = engine_->ask<std::string>([i](replica::Replica& replica) {
      std::string all;
      const auto members = replica.shard().members(customer(i));
      for (const auto& entry : members->entries()) {
        const auto index = replica.shard().rules().find(entry.rule);
        all += cat(all.empty() ? "" : " ", replica.shard().rules().at(*index).version.definition.name, "=",
                   rule::as_text(entry.value, BusinessZone()).value_or("?"));
      }
      return all;
    });
    return found.value_or("?");
  }
  bool settles(size_t i, std::string_view want) {
    const bool found = eventually([&] { return members(i) == want; });
    EXPECT_EQ(members(i), want) << "u" << i;
    return found;
  }
  std::vector<shard::Shard::MeasureJob> jobs() {
    return *engine_->ask<std::vector<shard::Shard::MeasureJob>>(
        [](replica::Replica& replica) { return replica.shard().measure_jobs(); });
  }
  std::optional<Instant> measured_at() {
    const auto all = jobs();
    return all.empty() || !all[0].last ? std::nullopt : std::optional(all[0].last->as_of);
  }

  engine::TestDirectory directory_;
  os::ManualClock clock_{kBegin};
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<query::Reader> reader_;
  std::optional<backfill::Backfill> backfill_;
  std::optional<Survey> survey_;
  uint64_t next_ = 1;
};

TEST_F(SurveyTest, MeasuresAtOnceAndBehindADayOfDowntime) {
  send(50);
  define("tag 位 = percentile(count(\"A\"))\ntag 分 = rfm(price of \"A\")");
  ASSERT_TRUE(settles(0, "位=1 分=511")) << "the last fiftieth of fifty";
  ASSERT_TRUE(settles(49, "位=99 分=555"));
  ASSERT_TRUE(settles(25, "位=51 分=533"));
  ASSERT_EQ(measured_at(), kBegin);
  EXPECT_EQ(jobs()[0].last->customers, 50u);
  EXPECT_EQ(jobs().size(), 4u) << "one of the percentile, three of the score";

  // Everybody moves at once by what they do, against the same cuts.
  send(3);
  ASSERT_TRUE(settles(2, "位=11 分=511"));
  EXPECT_EQ(measured_at(), kBegin);
  const uint64_t digest = engine::digest_of(*engine_);
  close();
  open();
  EXPECT_EQ(engine::digest_of(*engine_), digest);
  EXPECT_EQ(measured_at(), kBegin) << "not due, and not measured again";
  close();
  clock_.advance(Duration::days(1));
  open();
  ASSERT_TRUE(eventually([&] { return measured_at() == kBegin + Duration::days(1); }));
  EXPECT_TRUE(warnings_.empty()) << warnings_[0];
}

TEST_F(SurveyTest, RunsStatementsAndLogsWhatIsOther) {
  send(6);
  define(
      "tag 等级 = sql \"SELECT customer_id, count(*) AS value FROM events GROUP BY ALL HAVING count(*) > "
      "3;\" "
      "every hour\nsegment 五 = tag.等级 = 5");
  ASSERT_TRUE(settles(3, "等级=4"));
  ASSERT_TRUE(settles(4, "等级=5 五=true"));
  ASSERT_TRUE(settles(2, ""));
  send(4);
  EXPECT_EQ(members(3), "等级=4") << "until the next run";
  close();
  clock_.advance(Duration::hours(1));
  open();
  ASSERT_TRUE(settles(3, "等级=8"));
  ASSERT_TRUE(settles(4, "等级=5 五=true")) << "as before";
  ASSERT_TRUE(settles(2, "等级=6"));
  const auto changes =
      engine_->ask<uint64_t>([](replica::Replica& replica) { return replica.applied().value(); });
  ASSERT_TRUE(changes.ok());
  EXPECT_TRUE(warnings_.empty()) << warnings_[0];
}

TEST_F(SurveyTest, WhoIsNotInTheResultHasNoValueAnyMoreButWhereItIsKept) {
  send(5);
  const std::string sql =
      "sql \"SELECT customer_id, 'x' AS value FROM events GROUP BY ALL HAVING count(*) < 3\" every hour";
  define(cat("tag 少 = ", sql, "\ntag 曾少 when empty keep = ", sql));
  ASSERT_TRUE(settles(1, "少=x 曾少=x"));
  send(2);
  close();
  clock_.advance(Duration::hours(1));
  open();
  ASSERT_TRUE(settles(1, "曾少=x"));
}

TEST_F(SurveyTest, AStatementThatFailsIsSaidAndOlderValuesStay) {
  send(2);
  define(
      "tag 好 = sql \"SELECT customer_id, 1 AS value FROM events\" every hour\n"
      "tag 坏 = sql \"SELECT customer_id, 1 AS value FROM nowhere\" every hour\n"
      "tag 谁 = sql \"SELECT 'li' AS customer_id, 1 AS value\" every hour");
  ASSERT_TRUE(settles(1, "好=1"));
  const auto error_of = [&](std::string_view tag) {
    for (const auto& job : jobs()) {
      if (job.tag == tag) return job.error;
    }
    return std::string();
  };
  ASSERT_TRUE(eventually([&] { return !error_of("坏").empty() && !error_of("谁").empty(); }));
  EXPECT_NE(error_of("坏").find("nowhere"), std::string::npos) << error_of("坏");
  EXPECT_NE(error_of("谁").find("\"li\""), std::string::npos) << error_of("谁");
  EXPECT_EQ(error_of("好"), "");
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex_);
    return warnings_.size() == 2u;
  })) << "a warning each, said behind the state that shows it";
}

// No function that reaches files, and nothing that writes, as of every statement.
TEST_F(SurveyTest, AStatementOnlyReads) {
  send(1);
  define(
      "tag 档 = sql \"SELECT content AS customer_id, 1 AS value FROM read_text('/etc/passwd')\" every day");
  ASSERT_TRUE(eventually([&] { return !jobs().empty() && !jobs()[0].error.empty(); }));
  EXPECT_NE(jobs()[0].error.find("read_text"), std::string::npos) << jobs()[0].error;
}

}  // namespace
}  // namespace kehu::survey
