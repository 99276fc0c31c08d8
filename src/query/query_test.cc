#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "lake/lake_test_support.h"
#include "os/test_files.h"
#include "query/result_text.h"
#include "query/session.h"
#include "query/table_output.h"

namespace kehu::query {
namespace {

using lake::SampleEvents;

absl::StatusOr<std::string> whole_text(Session& session, std::string_view sql, Format format) {
  auto text = session.start(sql, format);
  if (!text.ok()) return text.status();
  std::string out;
  while (true) {
    const auto more = (*text)->next(out);
    if (!more.ok()) return more.status();
    if (!*more) return out;
  }
}

class QueryTest : public testing::Test {
 protected:
  void SetUp() override {
    lake_ = *lake::Lake::open(lake::sample_options(directory_));
    lake_->append(events_.rows(1, 61));
    ASSERT_TRUE(lake_->commit(Sequence(60)).ok());
    lake_->append(events_.rows(61, 101));
    open({});
  }
  void open(QueryOptions options) {
    session_.reset();
    options.temp_directory = directory_ + "/query_tmp";
    auto reader = Reader::open(*lake_, options);
    ASSERT_TRUE(reader.ok()) << reader.status();
    reader_ = *std::move(reader);
    session_ = *reader_->connect();
  }
  // The result as text, or the error's.
  std::string run(std::string_view sql, Format format = Format::kCsv) {
    const auto text = whole_text(*session_, sql, format);
    status_ = text.status();
    return text.ok() ? *text : message_of(status_);
  }

  std::string directory_ = lake::fresh_directory("data");
  SampleEvents events_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Session> session_;
  absl::Status status_;
};

TEST_F(QueryTest, reads_files_and_tail_as_one) {
  struct Case {
    const char* sql;
    const char* want;
  };
  const Case cases[] = {
      {"SELECT count(*) AS n, sum(sequence) AS s FROM events", "n,s\n100,5050\n"},
      {"SELECT event, count(*) n FROM events GROUP BY ALL ORDER BY n DESC, event",
       "event,n\nProduct Viewed,34\n\"\",33\nOrder Completed,33\n"},
      {"SELECT sequence, properties->>'名称' AS name FROM events WHERE sequence IN (3, 70) ORDER BY 1",
       "sequence,name\n3,\"it's \"\"number\"\" 3\"\n70,\"it's \"\"number\"\" 70\"\n"},
      {"SELECT sum(CAST(properties->>'price' AS DECIMAL(10,2))) AS total FROM events", "total\n4975.00\n"},
      {"SELECT month, count(*) AS n FROM events GROUP BY 1 ORDER BY 1", "month,n\n2026-01,50\n2026-02,50\n"},
      {"SELECT count(*) AS n FROM events WHERE month = '2026-02' AND dt = DATE '2026-02-01'", "n\n50\n"},
      {"SELECT count(*) AS n FROM identity_log", "n\n0\n"},
      {"SELECT time FROM events WHERE sequence = 62;", "time\n2026-01-01 00:01:02+00\n"},
      {"FROM events SELECT min(time)::DATE AS d -- with a comment", "d\n2026-01-01\n"},
      {"WITH x AS (SELECT 1 AS a UNION ALL SELECT 2) SELECT a, a IS NULL AS b, NULL AS c, a / 2 AS d FROM x "
       "ORDER BY a",
       "a,b,c,d\n1,false,,0.5\n2,false,,1\n"},
      {"VALUES (1, 'a,b')", "col0,col1\n1,\"a,b\"\n"},
      {"SELECT x FROM unnest([3,1]) t(x)", "x\n3\n1\n"},
      {"SELECT column_name FROM (DESCRIBE identity_log)", "column_name\nsequence\ntime\npart\ncustomer_id\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(c.sql), c.want) << c.sql;
  EXPECT_NE(run("SUMMARIZE events").find("customer_id,VARCHAR"), std::string::npos);
  EXPECT_NE(run("SHOW TABLES").find("events"), std::string::npos);
  EXPECT_NE(run("EXPLAIN SELECT count(*) FROM events").find("PARQUET"), std::string::npos);
  EXPECT_NE(run("explain analyze SELECT count(*) FROM events").find("Total Time"), std::string::npos);
}

TEST_F(QueryTest, shows_what_is_documented) {
  EXPECT_EQ(run("SHOW TABLES"),
            "name\ncheck_log\ncustomers\ndefinitions\nevents\nidentity_log\norder_events\norders\nsegment_"
            "log\nsegments\n");
  EXPECT_EQ(run("SELECT column_name FROM (DESCRIBE customers)"),
            "column_name\ncustomer_id\nuser_id\ntraits\nevents\nfirst_time\nlast_time\nfirst_channel\n"
            "last_channel\nfirst_source\nlast_source\n");
  EXPECT_EQ(run("SELECT count(*) AS n, sum(events) AS events FROM customers"), "n,events\n5,100\n");
  EXPECT_EQ(run("SELECT prop('{\"$a\":1,\"b.c\":\"x\",\"d\":null}', '$a') AS a"), "a\n1\n");
  EXPECT_EQ(run("SELECT prop('{\"b.c\":\"x\"}', 'b.c') AS a, prop('{}', 'b') AS b"), "a,b\nx,\n");
  EXPECT_NE(run("SELECT properties->>'$n' FROM events").find("prop(properties"), std::string::npos);
}

TEST_F(QueryTest, names_in_json_are_distinct) {
  EXPECT_EQ(run("SELECT 1 AS a, 2 AS a, 3 AS a", Format::kNdjson), "{\"a\":1,\"a_1\":2,\"a_2\":3}\n");
  EXPECT_EQ(run("SELECT 1 AS a, 2 AS a, 3 AS a_1", Format::kNdjson), "{\"a\":1,\"a_2\":2,\"a_1\":3}\n");
  EXPECT_EQ(run("SELECT 1 AS a, 2 AS a", Format::kCsv), "a,a\n1,2\n");
}

TEST_F(QueryTest, a_damaged_file_is_refused) {
  lake_.reset();
  lake_ = *lake::Lake::open(lake::sample_options(directory_));
  open({});
  const std::string path = lake_->snapshot()->events().files->files.front()->path;
  os::flip_bit(path, 2003);
  EXPECT_NE(run("SELECT count(*) FROM events").find(path), std::string::npos);
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
  TimelineRequest request;
  request.parts = {SampleEvents::part(1)};
  EXPECT_TRUE(absl::IsDataLoss(session_->timeline(request).status()));
  EXPECT_TRUE(absl::IsDataLoss(session_->each_event({Sequence(0), Sequence(60)},
                                                    [](const LoggedEvent&) { return absl::OkStatus(); })));
  EXPECT_TRUE(absl::IsDataLoss(session_->concerned({Sequence(0), Sequence(60)}).status()));
  os::flip_bit(path, 2003);
  EXPECT_EQ(run("SELECT count(*) AS n FROM events"), "n\n60\n");
}

TEST_F(QueryTest, formats) {
  const char* sql =
      "SELECT 1 AS a, '客户\"' AS b, NULL AS c, [1,2] AS d, true AS e, 0.5::DOUBLE AS f, "
      "170141183460469231731687303715884105727 AS g, DATE '2026-01-02' AS h, {'x': 1} AS i";
  EXPECT_EQ(run(sql, Format::kJson),
            "[\n{\"a\":1,\"b\":\"客户\\\"\",\"c\":null,\"d\":[1,2],\"e\":true,\"f\":0.5,"
            "\"g\":170141183460469231731687303715884105727,\"h\":\"2026-01-02\",\"i\":{\"x\":1}}\n]\n");
  EXPECT_EQ(run("SELECT x FROM unnest([1,2]) t(x)", Format::kNdjson), "{\"x\":1}\n{\"x\":2}\n");
  EXPECT_EQ(run("SELECT 1 AS x WHERE false", Format::kJson), "[]\n");
  EXPECT_EQ(run("SELECT 1 AS number, '客户' AS name UNION ALL SELECT 20, 'b' ORDER BY 1", Format::kTable),
            "number  name\n------  ----\n     1  客户\n    20  b\n(2 rows)\n");
}

TEST_F(QueryTest, only_reading_is_allowed) {
  const std::string inside = directory_ + "/lake/x";
  const std::string statements[] = {
      "INSERT INTO events VALUES (1)",
      "DELETE FROM events",
      "UPDATE events SET event = ''",
      "CREATE TABLE t (a INT)",
      "CREATE VIEW events AS SELECT 1",
      "DROP VIEW events",
      "COPY (SELECT 1) TO '/tmp/kehu_query_test.csv'",
      cat("COPY (SELECT 1) TO '", inside, "'"),
      "COPY events TO '/tmp/kehu_query_test.csv'",
      "ATTACH '/tmp/kehu_query_test.db'",
      "ATTACH ':memory:' AS m",
      "DETACH memory",
      "PRAGMA database_list",
      "PRAGMA enable_profiling",
      "SET threads = 1",
      "SET VARIABLE x = 1",
      "RESET threads",
      "INSTALL httpfs",
      "LOAD httpfs",
      "CALL pragma_version()",
      "EXPORT DATABASE '/tmp/kehu_query_test'",
      "IMPORT DATABASE '/tmp/kehu_query_test'",
      "CHECKPOINT",
      "BEGIN",
      "PREPARE p AS SELECT 1",
      "EXECUTE p",
      "EXPLAIN COPY (SELECT 1) TO '/tmp/kehu_query_test.csv'",
      "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/kehu_query_test.csv'",
      "EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')",
      "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/kehu_query_test.csv'",
      "SELECT 1; COPY (SELECT 1) TO '/tmp/kehu_query_test.csv'",
      "SELECT 1; SELECT 2",
      "SELECT 1) ; DROP VIEW events; (SELECT 1",
      "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM READ_CSV_AUTO('/etc/passwd')",
      "SELECT * FROM system.main.read_text('/etc/passwd')",
      "SELECT * FROM \"read_text\"('/etc/passwd')",
      "SELECT (SELECT content FROM read_text('/etc/passwd'))",
      "SELECT 1 WHERE EXISTS (FROM read_blob('/etc/passwd'))",
      "WITH x AS (FROM read_json('/etc/hostname')) FROM x",
      "WITH x AS MATERIALIZED (FROM enable_logging('QueryLog')) FROM x",
      "SELECT * FROM '/etc/passwd'",
      "SELECT * FROM \"/etc/passwd\"",
      "SELECT * FROM 'x.parquet'",
      "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
      "SELECT * FROM 'https://example.com/x.parquet'",
      "SELECT * FROM glob('/etc/*')",
      cat("SELECT * FROM glob('", directory_, "/lake/**')"),
      cat("SELECT * FROM '", directory_, "/lake/events/_delta_log/00000000000000000000.json'"),
      "SELECT * FROM enable_logging(storage = 'file', storage_path = '/tmp/kehu_query_test_log')",
      "SELECT * FROM disable_logging()",
      "SELECT * FROM truncate_duckdb_logs()",
      "SELECT write_log('x')",
      "SELECT * FROM duckdb_secrets()",
      "SELECT * FROM duckdb_settings()",
      "SELECT * FROM force_checkpoint()",
      "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/kehu_query_test.csv''')",
      "SELECT * FROM query_table('/etc/passwd')",
      "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
      "SELECT json_serialize_plan('SELECT * FROM read_text(''/etc/passwd'')')",
      "SELECT * FROM sniff_csv('/etc/passwd')",
      "SELECT * FROM parquet_schema('/tmp/x.parquet')",
      "SELECT * FROM kehu_events(1)",
      "SELECT kehu_owner(1, 'a', 'b')",
      "SELECT * FROM kehu_moves(1)",
      "DESCRIBE SELECT * FROM read_csv('/etc/passwd')",
      "SUMMARIZE SELECT * FROM read_csv('/etc/passwd')",
      "DESCRIBE TABLE '/etc/passwd'",
      "SUMMARIZE '/etc/passwd'",
      "PIVOT events ON event USING count(*)",
      "SELECT * FROM events, LATERAL (SELECT * FROM read_text(events.event))",
      "SELECT list_transform([1], x -> (SELECT count(*) FROM read_text('/etc/passwd')))",
      "",
      "   ",
      "-- nothing",
  };
  for (const std::string& sql : statements) {
    const std::string out = run(sql);
    EXPECT_TRUE(absl::IsPermissionDenied(status_) || absl::IsInvalidArgument(status_))
        << sql << " => " << out;
    EXPECT_EQ(out.find("root:"), std::string::npos) << sql;
  }
  for (const char* path :
       {"/tmp/kehu_query_test.csv", "/tmp/kehu_query_test.db", "/tmp/kehu_query_test_log"}) {
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
  }
  EXPECT_FALSE(std::filesystem::exists(inside));
  EXPECT_EQ(run("SELECT count(*) AS n FROM events"), "n\n100\n");
}

TEST_F(QueryTest, errors_show_the_place) {
  struct Case {
    const char* sql;
    const char* want;
  };
  const Case cases[] = {
      {"SELECT *\nFROM events\nWHER x", "LINE 3: WHER x"},
      {"SELEC 1", "LINE 1: SELEC 1\n        ^"},
      {"SELECT evnt FROM events", "LINE 1: SELECT evnt FROM events"},
      {"SELECT count(* FROM events", "LINE 1"},
      {"SELECT * FROM event", "event"},
      {"SELECT CAST(type AS INT) FROM events", "to INT32"},
  };
  for (const Case& c : cases) {
    EXPECT_NE(run(c.sql).find(c.want), std::string::npos) << run(c.sql);
    EXPECT_EQ(status_.code(), absl::StatusCode::kInvalidArgument) << c.sql;
  }
}

TEST_F(QueryTest, limits_of_time_and_memory_end_a_statement) {
  const char* endless = "SELECT count(*) FROM range(1000000) a(x), range(1000000) b(y) WHERE x + y < 0";
  open({.time_limit = Duration::seconds(2)});
  run(endless);
  EXPECT_EQ(status_.code(), absl::StatusCode::kDeadlineExceeded) << status_;
  EXPECT_EQ(run("SELECT count(*) AS n FROM events"), "n\n100\n");
  open({.memory_bytes = 64 << 20});
  run("SELECT count(DISTINCT hash(x)), list(x) FROM range(100000000) t(x)");
  EXPECT_TRUE(absl::IsResourceExhausted(status_)) << status_;
  EXPECT_EQ(run("SELECT count(*) AS n FROM events"), "n\n100\n");
}

TEST_F(QueryTest, cancel_ends_a_statement_from_another_thread) {
  std::thread canceller([&] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      session_->cancel();
    }
  });
  run("SELECT count(*) FROM range(1000000) a(x), range(1000000) b(y) WHERE x + y < 0");
  EXPECT_EQ(status_.code(), absl::StatusCode::kCancelled) << status_;
  canceller.join();
  EXPECT_EQ(run("SELECT 1 AS x"), "x\n1\n");
}

TEST_F(QueryTest, a_result_comes_in_pieces_of_whole_rows) {
  const auto text = session_->start("SELECT x FROM range(1000000) t(x)", Format::kCsv);
  ASSERT_TRUE(text.ok()) << text.status();
  std::string out;
  size_t pieces = 0;
  for (bool more = true; more; ++pieces) {
    const size_t before = out.size();
    more = *(*text)->next(out);
    EXPECT_LT(out.size() - before, 300'000u);
    EXPECT_EQ(out.back(), '\n');
  }
  EXPECT_GT(pieces, 20u);
  EXPECT_EQ((*text)->rows(), 1'000'000u);
  std::string want = "x\n";
  for (int i = 0; i < 1'000'000; ++i) want += cat(i, "\n");
  EXPECT_TRUE(out == want);
}

TEST_F(QueryTest, a_result_need_not_be_read_to_its_end) {
  {
    const auto text = session_->start("SELECT * FROM range(100000000)", Format::kNdjson);
    ASSERT_TRUE(text.ok()) << text.status();
    std::string out;
    EXPECT_TRUE(*(*text)->next(out));
    session_->cancel();
    EXPECT_EQ((*text)->next(out).status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_EQ(run("SELECT 1 AS x"), "x\n1\n");
}

TEST_F(QueryTest, the_time_of_the_reader_has_a_limit_of_its_own) {
  open({.time_limit = Duration::millis(500), .reading_limit = Duration::millis(1500)});
  const auto text = session_->start("SELECT * FROM range(100000000)", Format::kCsv);
  ASSERT_TRUE(text.ok()) << text.status();
  std::string out;
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_TRUE((*text)->next(out).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  EXPECT_EQ((*text)->next(out).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(QueryTest, moved_parts_show_their_owner_at_once) {
  const std::string sql = cat("SELECT count(*) AS n FROM events WHERE customer_id = '",
                              SampleEvents::customer(2).hash.hex(), "'");
  EXPECT_EQ(run(sql), "n\n20\n");
  lake_->move({{{Sequence(101), Instant(), SampleEvents::part(1), SampleEvents::customer(2)}}});
  EXPECT_EQ(run(sql), "n\n30\n");
  EXPECT_EQ(run("SELECT sequence FROM identity_log"), "sequence\n101\n");
  lake_->move({{{Sequence(102), Instant(), SampleEvents::part(1), SampleEvents::customer(1)}}});
  EXPECT_EQ(run(sql), "n\n20\n");
  ASSERT_TRUE(lake_->commit(Sequence(102)).ok());
  EXPECT_EQ(run(sql), "n\n20\n");
  EXPECT_EQ(run("SELECT count(*) AS n FROM identity_log"), "n\n2\n");
}

TEST_F(QueryTest, a_relative_directory_with_odd_characters_will_do) {
  const std::string odd = lake::fresh_directory("it's 数据, 100%");
  const auto options = lake::sample_options(std::filesystem::relative(odd).string());
  lake_ = *lake::Lake::open(options);
  lake_->append(events_.rows(1, 11));
  ASSERT_TRUE(lake_->commit(Sequence(10)).ok());
  open({});
  EXPECT_EQ(run("SELECT count(*) AS n FROM events"), "n\n10\n");
  EXPECT_FALSE(lake::Lake::open(lake::sample_options(directory_ + "[1]")).ok());
}

TEST_F(QueryTest, timestamps_are_in_the_business_zone) {
  open({.time_zone = "Asia/Shanghai"});
  EXPECT_EQ(run("SELECT time, date_trunc('day', time) AS day FROM events WHERE sequence = 2"),
            "time,day\n2026-01-01 08:00:02+08,2026-01-01 00:00:00+08\n");
}

TEST_F(QueryTest, timeline_pages_are_complete_and_in_order) {
  TimelineRequest request;
  request.parts = {SampleEvents::part(3), SampleEvents::part(8)};
  request.limit = 7;
  std::vector<uint64_t> seen;
  for (int page_number = 0; page_number < 10; ++page_number) {
    const auto page = session_->timeline(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const TimelineEvent& event : page->events) seen.push_back(event.sequence.value());
    if (!page->next) break;
    request.before = page->next;
  }
  // February's (odd numbers) before January's, later numbers first.
  const std::vector<uint64_t> want = {93, 83, 73, 63, 53, 43, 33, 23, 13, 3,
                                      98, 88, 78, 68, 58, 48, 38, 28, 18, 8};
  EXPECT_EQ(seen, want);
}

TEST_F(QueryTest, timeline_filters) {
  struct Case {
    const char* name;
    std::function<void(TimelineRequest&)> set;
    size_t want;
  };
  const Case cases[] = {
      {"all", [](TimelineRequest&) {}, 10},
      {"no part", [](TimelineRequest& r) { r.parts.clear(); }, 0},
      {"unknown part",
       [](TimelineRequest& r) {
         r.parts = {Token{Hash128{1, 2}}};
       },
       0},
      {"event",
       [](TimelineRequest& r) {
         r.events = {"Product Viewed", "it's"};
       },
       3},
      {"type", [](TimelineRequest& r) { r.types = {"identify"}; }, 4},
      {"source", [](TimelineRequest& r) { r.sources = {"'; --"}; }, 0},
      {"text", [](TimelineRequest& r) { r.text = "\"n\":13,"; }, 1},
      {"from",
       [](TimelineRequest& r) { r.from = Instant::from_seconds(SampleEvents::kStart + 31 * 86400 + 53); }, 5},
      {"to", [](TimelineRequest& r) { r.to = Instant::from_seconds(SampleEvents::kStart + 31 * 86400 + 53); },
       5},
  };
  for (const Case& c : cases) {
    TimelineRequest request;
    request.parts = {SampleEvents::part(3)};
    c.set(request);
    const auto page = session_->timeline(request);
    ASSERT_TRUE(page.ok()) << c.name << page.status();
    EXPECT_EQ(page->events.size(), c.want) << c.name;
  }
}

TEST_F(QueryTest, sessions_beside_appends_and_commits_each_see_one_state) {
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      auto session = *reader_->connect();
      while (!done) {
        const auto out = whole_text(
            *session,
            "SELECT (SELECT count(*) FROM events) = (SELECT max(sequence) FROM events) AND "
            "(SELECT count(DISTINCT sequence) FROM events) = (SELECT count(*) FROM events) AS same",
            Format::kCsv);
        wrong += !out.ok() || *out != "same\ntrue\n";
        ++reads;
      }
    });
  }
  uint64_t next = 101;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i, next += 11) lake_->append(events_.rows(next, next + 11));
    ASSERT_TRUE(lake_->commit(Sequence(next - 1)).ok());
    if (round % 5 == 4) {
      ASSERT_TRUE(lake_->maintain().ok());
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(reads, 10);
}

// Files reach to 60, the tail to 100.
TEST_F(QueryTest, a_stretch_of_the_log_has_its_events_in_order) {
  struct Case {
    uint64_t after, up_to;
    uint64_t last;
  };
  const Case cases[] = {{0, 100, 100}, {59, 61, 61},   {60, 100, 100},
                        {10, 20, 20},  {99, 500, 100}, {100, 500, 100}};
  for (const bool committed : {false, true}) {
    if (committed) {
      ASSERT_TRUE(lake_->commit(Sequence(100)).ok());
    }
    for (const Case& c : cases) {
      uint64_t next = c.after + 1;
      const auto status =
          session_->each_event({Sequence(c.after), Sequence(c.up_to)}, [&](const LoggedEvent& logged) {
            EXPECT_EQ(logged.event.sequence, Sequence(next));
            EXPECT_EQ(logged.customer, SampleEvents::customer(next));
            EXPECT_EQ(logged.event.message_id, events_.event(next).message_id);
            EXPECT_EQ(logged.event.properties, events_.event(next).properties);
            ++next;
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(next, c.last + 1) << c.after << " to " << c.up_to;
    }
  }
}

TEST_F(QueryTest, an_error_of_the_visitor_ends_a_stretch) {
  int seen = 0;
  const auto status = session_->each_event({Sequence(0), Sequence(100)}, [&](const LoggedEvent&) {
    return ++seen < 7 ? absl::OkStatus() : absl::UnavailableError("enough");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(seen, 7);
}

TEST_F(QueryTest, whom_a_stretch_concerns_is_as_it_was_then) {
  const Token moved = SampleEvents::part(3);
  const lake::Move move{Sequence(80), Instant(0), moved, SampleEvents::customer(4)};
  lake_->move({&move, 1});
  for (const bool committed : {false, true}) {
    if (committed) {
      ASSERT_TRUE(lake_->commit(Sequence(100)).ok());
    }
    const auto all = session_->concerned({Sequence(0), Sequence(100)});
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->customers.size(), 5u);
    EXPECT_EQ(all->parts, std::vector<Token>{moved});
    const auto two = session_->concerned({Sequence(80), Sequence(82)});
    ASSERT_TRUE(two.ok()) << two.status();
    EXPECT_THAT(two->customers,
                testing::UnorderedElementsAre(SampleEvents::customer(81), SampleEvents::customer(82)));
    EXPECT_TRUE(two->parts.empty());
    const auto just = session_->concerned({Sequence(79), Sequence(80)});
    EXPECT_EQ(just->parts, std::vector<Token>{moved});
  }
}

TEST(TableOutput, width_of_chinese_is_double) {
  EXPECT_EQ(display_width("ab"), 2u);
  EXPECT_EQ(display_width("客户a"), 5u);
  EXPECT_EQ(display_width("é"), 1u);
}

}  // namespace
}  // namespace kehu::query
