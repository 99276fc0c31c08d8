#include <gtest/gtest.h>

#include "base/text.h"
#include "lake/lake_test_support.h"
#include "query/result_text.h"
#include "query/session.h"

// Who is and was in a segment, by the rows of `segment_log`.
namespace kehu::query {
namespace {

constexpr int64_t kStart = 1'767'225'600;  // 2026-01-01T00:00:00Z

Instant on(int day, int hour = 1) {
  return Instant::from_seconds(kStart + int64_t{day - 1} * 86400 + int64_t{hour} * 3600);
}
CivilDay date(int day) { return CivilDay(static_cast<int32_t>(kStart / 86400) + day - 1); }
CustomerId customer(uint64_t n) { return CustomerId{Hash128{0xabcd, n}}; }

class SegmentQueryTest : public testing::Test {
 protected:
  void SetUp() override {
    lake_ = *lake::Lake::open(lake::sample_options(directory_));
    add(1, 0, on(1), 1, {}, "in_force");
    add(2, 0, on(1), 1, customer(1), "entered");
    add(3, 0, on(1, 2), 1, customer(2), "entered");
    add(4, 0, on(3), 1, customer(1), "left");
    // A new version is filled in, and then is in force.
    add(5, 0, on(4), 5, customer(3), "entered", false);
    add(5, 1, on(4), 5, customer(1), "entered", false);
    add(6, 0, on(4, 2), 5, {}, "in_force");
    commit(6);
    add(7, 0, on(5), 5, customer(3), "left");
    QueryOptions options;
    options.temp_directory = directory_ + "/query_tmp";
    reader_ = *Reader::open(*lake_, options);
    session_ = *reader_->connect();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void add(uint64_t sequence, uint32_t ordinal, Instant at, uint64_t version, CustomerId who,
           std::string_view change, bool live = true) {
    for (const std::string_view name : {"甲", "乙"}) {
      const bool first = name == "甲";
      if (!first && sequence > 2) continue;
      const lake::SegmentRow row{.sequence = Sequence(sequence),
                                 .ordinal = first ? ordinal : ordinal + 100,
                                 .at = at,
                                 .kind = "segment",
                                 .name = name,
                                 .version = Sequence(version),
                                 .customer = who,
                                 .change = change,
                                 .value = change == "left" ? "false" : "true",
                                 .live = live};
      lake_->append({&row, 1});
    }
  }
  void commit(uint64_t up_to) { ASSERT_TRUE(lake_->commit(Sequence(up_to)).ok()); }
  std::string run(std::string_view sql) {
    const auto text = session_->start(sql, Format::kCsv);
    std::string out;
    absl::Status status = text.status();
    if (text.ok()) status = (*text)->next(out).status();
    return status.ok() ? out : message_of(status);
  }
  // Day by day: entered, left, size.
  std::string history(int from, int to) {
    const auto days = session_->segment_history({.segment = "甲", .from = date(from), .to = date(to)});
    if (!days.ok()) return message_of(days.status());
    std::string out;
    for (const SegmentDay& day : *days)
      out += cat(day.day, " ", day.entered, " ", day.left, " ", day.size, "\n");
    return out;
  }

  std::string directory_ = lake::fresh_directory("data");
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Session> session_;
};

TEST_F(SegmentQueryTest, shows_the_members_of_the_version_in_force) {
  constexpr char kMembers[] = "SELECT segment, customer_id, entered_at::DATE AS d FROM segments ORDER BY 1";
  const std::string of_another = cat("乙,", customer(1).hash.hex(), ",2026-01-01\n");
  EXPECT_EQ(run(kMembers),
            cat("segment,customer_id,d\n", of_another, "甲,", customer(1).hash.hex(), ",2026-01-04\n"));
  add(8, 0, on(6), 5, customer(1), "left");
  EXPECT_EQ(run(kMembers), cat("segment,customer_id,d\n", of_another));
  add(9, 0, on(6), 5, customer(1), "entered");
  add(10, 0, on(6), 5, {}, "ended", false);
  EXPECT_EQ(run(kMembers), cat("segment,customer_id,d\n", of_another));
}

TEST_F(SegmentQueryTest, shows_rows_as_they_are_stored) {
  EXPECT_EQ(run("SELECT column_name FROM (DESCRIBE segment_log)"),
            "column_name\nsequence\nordinal\ntime\nkind\nname\nversion\ncustomer_id\nchange\nvalue\nlive\n");
  EXPECT_EQ(
      run("SELECT count(*) AS n, count(customer_id) AS customers, count(DISTINCT (sequence, ordinal)) AS "
          "keys FROM segment_log"),
      "n,customers,keys\n10,7,10\n");
}

TEST_F(SegmentQueryTest, counts_day_by_day) {
  EXPECT_EQ(history(0, 6),
            "2025-12-31 0 0 0\n"
            "2026-01-01 2 0 2\n"
            "2026-01-02 0 0 2\n"
            "2026-01-03 0 1 1\n"
            "2026-01-04 0 0 2\n"
            "2026-01-05 0 1 1\n"
            "2026-01-06 0 0 1\n");
  add(8, 0, on(7), 5, {}, "ended", false);
  commit(8);
  EXPECT_EQ(history(6, 8), "2026-01-06 0 0 1\n2026-01-07 0 0 0\n2026-01-08 0 0 0\n");
  EXPECT_EQ(history(3, 3), "2026-01-03 0 1 1\n");
}

}  // namespace
}  // namespace kehu::query
