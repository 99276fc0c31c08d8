#include <gtest/gtest.h>

#include <algorithm>

#include "engine/check.h"
#include "engine/test_define_rules.h"
#include "engine/test_engine.h"
#include "lake/lake_test_support.h"
#include "log/segment.h"
#include "notation/parse.h"
#include "replica/segment_rows.h"
#include "rule/tree_json.h"

// The table `segment_log`: its last rows are what customers are, each row is there once, and what is lost
// comes back.
namespace kehu::engine {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

constexpr char kRules[] = R"(
segment 看过       = count("Product Viewed") >= 2
segment 没有买     = ever("Product Added") and not ever("Order Completed")
segment 安静       = days_since(last "Order Completed") >= 1
tag 次数           = count("Product Viewed")
tag 最后           = last(n of "Product Added")
tag 何时           = first("页面浏览")
)";

absl::Status remove_rule(Engine& engine, std::string_view name) {
  const Definition change{
      .kind = definition::kSegment, .name = name, .body = "", .actor = "li", .deleted = true};
  return engine.define({&change, 1}).status();
}

class SegmentLogTest : public testing::Test {
 protected:
  void send(Engine& engine, size_t rounds) {
    for (size_t i = 0; i < rounds; ++i, next_ += 200) {
      ASSERT_TRUE(submit(engine, batch_of(random_events(random_, next_, 200))).get().status.ok());
    }
    ASSERT_TRUE(engine.wait_archived(Duration::seconds(20)));
  }
  void run(size_t rounds, const Options& options) {
    const auto engine = open_engine(options);
    ASSERT_NE(engine, nullptr);
    if (next_ == 1) define_rules(*engine, kRules);
    send(*engine, rounds);
    expect_table_is_the_state(*engine);
    ASSERT_TRUE(engine->stop().ok());
  }
  void run(size_t rounds) { run(rounds, engine_options(path())); }

  static Texts query(Engine& engine, const std::string& sql) {
    EXPECT_TRUE(engine.wait_archived(Duration::seconds(20)));
    lake::SnapshotReader reader;
    return reader.query(*engine.lake().snapshot(), sql, lake::TableId::kSegmentLog);
  }
  static Texts all_rows(Engine& engine) {
    return query(engine,
                 "SELECT concat_ws(' ', sequence, ordinal, epoch_us(time), kind, name, version, "
                 "customer_id, change, value, live) FROM rows ORDER BY ALL");
  }
  // What customers are by the rules that are asked; and which are in force.
  static Texts state_of(Engine& engine) {
    return *engine.ask<Texts>([](Replica& replica) {
      Texts lines;
      const membership::Plan& rules = replica.shard().rules();
      EXPECT_TRUE(replica.shard()
                      .for_each_member([&](CustomerId customer, const membership::Members& members) {
                        for (const auto& entry : members.entries()) {
                          const auto index = rules.find(entry.rule);
                          if (!index) continue;
                          const membership::Label& label = (*rules.labels())[*index];
                          shard::MembershipChange change;
                          change.change.kind = label.kind;
                          change.change.after = entry.value;
                          change.rule = &label;
                          lines.push_back(cat(rule::to_string(label.kind), " ", label.name, " ",
                                              label.version.value(), " ", customer.hash.hex(), " ",
                                              value_json(change), " ", entry.since.micros()));
                        }
                      })
                      .ok());
      for (const membership::Label& label : replica.shard().rules_in_force()) {
        lines.push_back(cat(rule::to_string(label.kind), " ", label.name, " ", label.version.value()));
      }
      std::ranges::sort(lines);
      return lines;
    });
  }
  // The same by the table.
  static Texts table_of(Engine& engine) {
    const std::string asked = *engine.ask<std::string>([](Replica& replica) {
      std::string list = "''";
      for (const membership::Label& label : *replica.shard().rules().labels()) {
        list += cat(", '", rule::to_string(label.kind), label.name, label.version.value(), "'");
      }
      return list;
    });
    Texts lines = query(
        engine, cat("SELECT concat_ws(' ', kind, name, version, customer_id, arg_max(value, (sequence, "
                    "ordinal)), epoch_us(arg_max(time, (sequence, ordinal)))) FROM rows WHERE customer_id <> "
                    "repeat('0', 32) AND kind || name || version IN (",
                    asked,
                    ") GROUP BY kind, name, version, customer_id "
                    "HAVING arg_max(change, (sequence, ordinal)) IN ('entered', 'set')"));
    std::ranges::copy(
        query(engine,
              "SELECT concat_ws(' ', kind, name, arg_max(version, (sequence, ordinal))) FROM rows WHERE "
              "customer_id = repeat('0', 32) GROUP BY kind, name "
              "HAVING arg_max(change, (sequence, ordinal)) = 'in_force'"),
        std::back_inserter(lines));
    std::ranges::sort(lines);
    return lines;
  }
  static void expect_table_is_the_state(Engine& engine) {
    const Texts table = table_of(engine), state = state_of(engine);
    EXPECT_FALSE(state.empty());
    EXPECT_TRUE(table == state) << table.size() << " of the table, " << state.size() << " of the state";
    EXPECT_EQ(query(engine, "SELECT count(*) - count(DISTINCT (sequence, ordinal)) FROM rows"), Texts{"0"});
    // Who enters was not in, and who leaves was.
    EXPECT_EQ(query(engine,
                    "SELECT count(*) FROM (SELECT change, lag(change) OVER (PARTITION BY kind, name, "
                    "version, customer_id ORDER BY sequence, ordinal) AS before FROM rows WHERE kind "
                    "= 'segment' AND customer_id <> repeat('0', 32)) WHERE change = before OR "
                    "(change = 'left' AND before IS NULL)"),
              Texts{"0"});
  }
  static Texts problems(const std::string& path) {
    const auto report = check(os::posix_file_system(), path);
    EXPECT_TRUE(report.ok()) << report.status();
    Texts out;
    for (const auto& finding : report->findings) out.push_back(cat(finding.where, ": ", finding.what));
    return out;
  }
  void expect_healed() {
    EXPECT_FALSE(problems(path()).empty());
    for (int start = 0; start < 2; ++start) {
      auto engine = open_engine(engine_options(path()));
      ASSERT_NE(engine, nullptr);
      expect_table_is_the_state(*engine);
      send(*engine, 2);
      expect_table_is_the_state(*engine);
      ASSERT_TRUE(engine->stop().ok());
      engine.reset();
      EXPECT_EQ(problems(path()), Texts());
    }
  }
  // Fills in what the rules that wait lack, without counting anything of it: what matters here are the rows.
  static void fill_in(Engine& engine) {
    for (int round = 0; round < 10; ++round) {
      struct Job {
        membership::Registry::Round round;
        std::vector<Token> parts;
      };
      auto job = *engine.ask<Job>([](Replica& replica) {
        Job found{.round = replica.shard().backfill_job().round, .parts = {}};
        EXPECT_TRUE(
            replica.shard().for_each_part([&](Token part, CustomerId) { found.parts.push_back(part); }).ok());
        return found;
      });
      if (job.round.kind == BackfillRound::kNone) return;
      std::ranges::sort(job.parts);
      codec::Backfill backfill{
          .kind = job.round.kind, .position = job.round.position, .last = true, .entries = {}};
      for (const Token part : job.parts) backfill.entries.push_back({part, {}});
      RecordBatch batch;
      codec::add_record(batch, RecordKind::kBackfill,
                        [&](std::string& out) { codec::append_backfill(backfill, out); });
      ASSERT_TRUE(engine.submit_and_wait(std::move(batch)).ok());
    }
    FAIL() << "it does not end";
  }

  std::string lake() { return path() + "/lake"; }
  std::string path() { return directory_.path() + "/data"; }
  std::string aside() { return directory_.path() + "/aside"; }

  std::mt19937_64 random_{7};
  uint64_t next_ = 1;
  TestDirectory directory_;
};

TEST_F(SegmentLogTest, IsTheStateOverRestarts) {
  run(5);
  run(5);
  run(0);
  EXPECT_EQ(problems(path()), Texts());
}

TEST_F(SegmentLogTest, HasEachRowOnceBehindACrash) {
  run(3, restless_options(path()));
  for (int round = 0; round < 4; ++round) {
    const std::string left = cat(directory_.path(), "/left", round);
    Texts rows;
    {
      const auto engine = open_engine(restless_options(path()));
      ASSERT_NE(engine, nullptr);
      send(*engine, 3);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until nothing is written
      pull_the_plug(engine->directory(), left);
      rows = all_rows(*engine);
      ASSERT_TRUE(engine->stop().ok());
    }
    const auto engine = open_engine(engine_options(left));
    ASSERT_NE(engine, nullptr);
    expect_table_is_the_state(*engine);
    // Timers may have come due since.
    Texts again = all_rows(*engine);
    ASSERT_GE(again.size() + 50, rows.size());
    ASSERT_TRUE(engine->stop().ok());
  }
}

TEST_F(SegmentLogTest, FollowsMergesAndUnmerges) {
  const auto engine = open_engine(engine_options(path()));
  ASSERT_NE(engine, nullptr);
  define_rules(*engine, "segment 看过 = count(\"Product Viewed\") >= 2");
  const auto view = [](uint64_t message, std::string device) {
    return Given{.message = message, .identifiers = {{"device_id", std::move(device)}}};
  };
  ASSERT_TRUE(submit(*engine, batch_of({view(1, "a"), view(2, "a"), view(3, "b")})).get().status.ok());
  const Token a = token_of("device_id", "a"), b = token_of("device_id", "b");
  RecordBatch merge;
  codec::add_record(merge, RecordKind::kMerge, [&](std::string& out) {
    codec::append_merge({.winner = b, .loser = a, .reason = "same", .actor = "me"}, out);
  });
  const auto merged = engine->run_command<identity::Outcome>(merge);
  ASSERT_TRUE(merged.ok()) << merged.status();
  expect_table_is_the_state(*engine);
  EXPECT_EQ(query(*engine,
                  "SELECT concat_ws(' ', change, customer_id = (SELECT customer_id FROM rows WHERE "
                  "change = 'entered' ORDER BY sequence LIMIT 1), ordinal) FROM rows WHERE change IN "
                  "('entered', 'left') ORDER BY sequence, ordinal"),
            (Texts{"entered true 0", "left true 0", "entered false 1"}));
}

TEST_F(SegmentLogTest, SaysWhichVersionIsInForce) {
  const auto engine = open_engine(engine_options(path()));
  ASSERT_NE(engine, nullptr);
  define_rules(*engine, kRules);
  send(*engine, 3);
  define_rules(*engine,
               "segment 看过 = count(\"Product Viewed\") >= 1\nsegment 新的 = ever(\"Product Added\")");
  send(*engine, 2);
  EXPECT_EQ(query(*engine,
                  "SELECT concat_ws(' ', count(*), count(DISTINCT version)) FROM rows WHERE name = "
                  "'看过' AND change = 'in_force'"),
            Texts{"1 1"});
  fill_in(*engine);
  send(*engine, 2);
  expect_table_is_the_state(*engine);
  EXPECT_EQ(query(*engine,
                  "SELECT concat_ws(' ', count(*), count(DISTINCT version)) FROM rows WHERE name = "
                  "'看过' AND change = 'in_force'"),
            Texts{"2 2"});
  EXPECT_EQ(query(*engine, "SELECT count(*) > 0 FROM rows WHERE name = '看过' AND NOT live"), Texts{"true"});
  ASSERT_TRUE(remove_rule(*engine, "新的").ok());
  EXPECT_EQ(query(*engine,
                  "SELECT change FROM rows WHERE name = '新的' AND customer_id = repeat('0', 32) "
                  "ORDER BY sequence"),
            (Texts{"in_force", "ended"}));
  expect_table_is_the_state(*engine);
}

TEST_F(SegmentLogTest, ALostArchiveIsMadeAgainRowByRow) {
  run(5);
  run(5);
  Texts before;
  {
    const auto engine = open_engine(engine_options(path()));
    before = all_rows(*engine);
    ASSERT_TRUE(engine->stop().ok());
  }
  fs::remove_all(lake() + "/segment_log");
  {
    const auto engine = open_engine(engine_options(path()));
    EXPECT_TRUE(all_rows(*engine) == before);
    ASSERT_TRUE(engine->stop().ok());
  }
  fs::remove_all(lake());
  expect_healed();
}

TEST_F(SegmentLogTest, YesterdaysTableIsBroughtUpToDate) {
  run(5);
  fs::copy(lake() + "/segment_log", aside(), fs::copy_options::recursive);
  run(5);
  fs::remove_all(lake() + "/segment_log");
  fs::rename(aside(), lake() + "/segment_log");
  expect_healed();
}

// The log no longer begins with record 1: what customers are comes from the state.
TEST_F(SegmentLogTest, BehindAShorterLogTheRowsComeFromTheState) {
  for (const bool lost : {false, true}) {
    SCOPED_TRACE(lost ? "lost" : "yesterday's");
    fs::remove_all(path());
    next_ = 1;
    Options options = engine_options(path());
    options.log_segment_bytes = 1u << 20;
    run(40, options);
    fs::copy(lake() + "/segment_log", aside(), fs::copy_options::recursive);
    run(10, options);
    fs::remove(log::segment_path(path() + "/log", log::SegmentNumber(1)));
    fs::remove(log::sidecar_path(path() + "/log", log::SegmentNumber(1)));
    fs::remove_all(lake() + "/segment_log");
    lost ? (void)fs::remove_all(aside()) : fs::rename(aside(), lake() + "/segment_log");
    expect_healed();
  }
}

}  // namespace
}  // namespace kehu::engine
