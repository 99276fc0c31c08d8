#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "duck/database.h"

namespace kehu::duck {
namespace {

std::unique_ptr<Database> open(DatabaseOptions options = {}) {
  auto database = Database::open(options);
  EXPECT_TRUE(database.ok()) << database.status();
  return *std::move(database);
}

// The first value of each row as text; an error as its message.
std::vector<std::string> rows_of(Connection& connection, const std::string& sql,
                                 absl::Span<const std::string> parameters = {}) {
  auto result = connection.query(cat("SELECT CAST(#1 AS VARCHAR) FROM (", sql, ")"), parameters);
  if (!result.ok()) return {message_of(result.status())};
  std::vector<std::string> out;
  Batch batch;
  while (true) {
    auto more = result->next(batch);
    if (!more.ok()) return {message_of(more.status())};
    if (!*more) return out;
    for (size_t row = 0; row < batch.rows(); ++row) {
      out.emplace_back(batch.is_null(0, row) ? "NULL" : batch.text(0, row));
    }
  }
}

TEST(Database, reads_values_of_every_kind) {
  auto database = open();
  auto connection = *database->connect();
  auto result = connection->query(
      "SELECT true, -3::TINYINT, 70000::INTEGER, 5::UBIGINT, 1.5::FLOAT, 2.5::DOUBLE, 'a text longer than "
      "twelve', "
      "DATE '1970-01-11', TIMESTAMPTZ '1970-01-01 00:00:01+00', NULL::VARCHAR, [1,2]");
  ASSERT_TRUE(result.ok()) << result.status();
  Batch batch;
  ASSERT_TRUE(*result->next(batch));
  EXPECT_TRUE(batch.boolean(0, 0));
  EXPECT_EQ(batch.integer(1, 0), -3);
  EXPECT_EQ(batch.integer(2, 0), 70000);
  EXPECT_EQ(batch.unsigned_integer(3, 0), 5u);
  EXPECT_EQ(batch.real(4, 0), 1.5);
  EXPECT_EQ(batch.real(5, 0), 2.5);
  EXPECT_EQ(batch.text(6, 0), "a text longer than twelve");
  EXPECT_EQ(batch.integer(7, 0), 10);
  EXPECT_EQ(batch.integer(8, 0), 1'000'000);
  EXPECT_TRUE(batch.is_null(9, 0));
  EXPECT_EQ(result->columns()[10].kind, ValueKind::kNested);
  EXPECT_FALSE(*result->next(batch));
}

TEST(Database, errors_carry_a_code_and_the_place) {
  struct Case {
    const char* name;
    const char* sql;
    absl::StatusCode want;
    const char* text;
  };
  const Case cases[] = {
      {"syntax", "SELEC 1", absl::StatusCode::kInvalidArgument, "^"},
      {"unknown column", "SELECT nothing", absl::StatusCode::kInvalidArgument, "LINE 1"},
      {"two statements", "SELECT 1; SELECT 2", absl::StatusCode::kInvalidArgument, "multiple"},
      {"missing file", "SELECT * FROM read_csv('/nowhere.csv')", absl::StatusCode::kUnavailable, "nowhere"},
      {"while running", "SELECT CAST(range || 'x' AS INT) FROM range(10)", absl::StatusCode::kInvalidArgument,
       "0x"},
  };
  auto database = open();
  auto connection = *database->connect();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto result = connection->query(c.sql);
    absl::Status status = result.status();
    if (result.ok()) {
      Batch batch;
      status = result->next(batch).status();
    }
    EXPECT_EQ(status.code(), c.want) << status;
    EXPECT_NE(status.message().find(c.text), std::string::npos) << status;
  }
}

TEST(Database, parameters_are_values_and_not_text_of_the_statement) {
  auto database = open();
  auto connection = *database->connect();
  const std::string value = "'; DROP TABLE x; --";
  EXPECT_EQ(rows_of(*connection, "SELECT $1", {value}), std::vector<std::string>{value});
  EXPECT_EQ(rows_of(*connection, cat("SELECT ", sql_literal(value))), std::vector<std::string>{value});
  const std::string nul("it's\0a", 6);
  EXPECT_EQ(
      rows_of(*connection, cat("SELECT ", sql_literal(nul), " AS x WHERE x IN (", sql_literal(nul), ")")),
      std::vector<std::string>{nul});
}

const std::vector<Column> kColumns = {{"name", ColumnType::kText},        {"same", ColumnType::kText},
                                      {"moment", ColumnType::kTimestamp}, {"number", ColumnType::kLong},
                                      {"small", ColumnType::kInteger},    {"day", ColumnType::kDate}};

std::vector<ChunkPart> numbered_chunks(int chunks, int rows) {
  std::vector<ChunkPart> parts;
  for (int c = 0; c < chunks; ++c) {
    auto chunk = std::make_shared<Chunk>(kColumns, kChunkRows);
    for (int r = 0; r < rows; ++r) {
      const int n = c * rows + r;
      chunk->set_text(0, n % 2 == 0 ? cat("n", n) : cat("a longer name with number ", n));
      chunk->set_same_text(1, 0);
      chunk->set_instant(2, Instant::from_seconds(n));
      chunk->set_long(3, n);
      chunk->set_integer(4, n % 7);
      chunk->set_integer(5, n % 30);
      chunk->end_row();
    }
    parts.push_back({chunk, chunk->rows()});
  }
  return parts;
}

TEST(Scan, reads_chunks_where_they_lie) {
  auto database = open();
  const auto parts = numbered_chunks(5, 2000);
  ASSERT_TRUE(database
                  ->add_scan("numbers", kColumns,
                             [&](int64_t id) -> absl::StatusOr<std::vector<ChunkPart>> {
                               if (id != 7) return absl::NotFoundError("no such id");
                               return parts;
                             })
                  .ok());
  auto connection = *database->connect();
  struct Case {
    const char* sql;
    const char* want;
  };
  const Case cases[] = {
      {"SELECT count(*) FROM numbers(7)", "10000"},
      {"SELECT sum(number) FROM numbers(7)", "49995000"},
      {"SELECT count(*) FROM numbers(7) WHERE name = same", "10000"},
      {"SELECT count(DISTINCT name) FROM numbers(7)", "10000"},
      {"SELECT name FROM numbers(7) WHERE number = 4001", "a longer name with number 4001"},
      {"SELECT name FROM numbers(7) WHERE number = 4000", "n4000"},
      {"SELECT max(moment) FROM numbers(7)", "1970-01-01 02:46:39+00"},
      {"SELECT max(day) FROM numbers(7)", "1970-01-30"},
      {"SELECT sum(small) FROM numbers(7) WHERE small = 6", "8568"},
      {"SELECT min(name) FROM (SELECT name FROM numbers(7) ORDER BY name LIMIT 3)",
       "a longer name with number 1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(rows_of(*connection, c.sql), std::vector<std::string>{c.want}) << c.sql;
  }
  EXPECT_NE(rows_of(*connection, "FROM numbers(8)")[0].find("no such id"), std::string::npos);
}

class OddKeys : public Lookup {
 public:
  void find(absl::Span<const std::string_view> keys, absl::Span<std::string_view> found,
            std::string&) const override {
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i].empty() && keys[i].back() % 2 == 1) found[i] = "odd, as the lookup says";
    }
  }
};

TEST(Scan, lookup_replaces_what_it_knows) {
  auto database = open();
  ASSERT_TRUE(database->add_lookup("odd", [](int64_t) { return std::make_shared<OddKeys>(); }).ok());
  auto connection = *database->connect();
  EXPECT_EQ(rows_of(*connection, "SELECT odd(1, r::VARCHAR, 'own') FROM range(3) t(r)"),
            (std::vector<std::string>{"own", "odd, as the lookup says", "own"}));
  EXPECT_EQ(rows_of(*connection, "SELECT odd(1, NULL, 'own') UNION ALL SELECT odd(1, NULL, NULL)"),
            (std::vector<std::string>{"own", "NULL"}));
  EXPECT_EQ(
      rows_of(*connection, "SELECT count(*) FROM range(100000) t(r) WHERE odd(1, r::VARCHAR, '') <> ''"),
      std::vector<std::string>{"50000"});
}

// n times a text; the sum of a list; null for a null.
void add_functions(Database& database) {
  const auto repeat = [](const Arguments& arguments, Answers& answers) {
    for (size_t row = 0; row < arguments.rows(); ++row) {
      std::vector<std::string> texts;
      if (!arguments.any_null(row)) {
        texts.assign(static_cast<size_t>(arguments.integer(1, row)), std::string(arguments.text(0, row)));
      }
      answers.set_list(row, texts);
    }
    return absl::OkStatus();
  };
  const auto sum = [](const Arguments& arguments, Answers& answers) -> absl::Status {
    for (size_t row = 0; row < arguments.rows(); ++row) {
      if (arguments.any_null(row)) {
        answers.set_null(row);
        continue;
      }
      int64_t all = 0;
      for (const int64_t item : arguments.integers(0, row)) all += item;
      if (all < 0) return absl::InvalidArgumentError("less than nothing");
      answers.set_integer(row, all);
    }
    return absl::OkStatus();
  };
  using enum ScalarType;
  ASSERT_TRUE(database.add_scalar({"copies", {kText, kInteger}, kTexts, repeat}).ok());
  ASSERT_TRUE(database.add_scalar({"total", {kIntegers}, kInteger, sum}).ok());
}

TEST(Scalar, functions_take_and_give_values_and_lists) {
  auto database = open();
  add_functions(*database);
  auto connection = *database->connect();
  EXPECT_EQ(rows_of(*connection, "SELECT copies('longer than twelve', 2) UNION ALL SELECT copies(NULL, 1)"),
            (std::vector<std::string>{"[longer than twelve, longer than twelve]", "[]"}));
  EXPECT_EQ(rows_of(*connection, "SELECT total(l) FROM (VALUES ([1, 2]), (NULL), ([]), ([40, 2])) t(l)"),
            (std::vector<std::string>{"3", "NULL", "0", "42"}));
  EXPECT_EQ(rows_of(*connection, "SELECT sum(len(copies('a', r % 3))) FROM range(30000) t(r)"),
            std::vector<std::string>{"30000"});
  EXPECT_EQ(rows_of(*connection, "SELECT list_transform([1, 2], lambda x: total([x, x]))"),
            std::vector<std::string>{"[2, 4]"});
  EXPECT_THAT(rows_of(*connection, "SELECT total([-1])")[0], testing::HasSubstr("less than nothing"));
}

TEST(Connection, interrupt_ends_a_running_statement) {
  auto database = open();
  auto connection = *database->connect();
  std::atomic<bool> done = false;
  std::thread interrupter([&] {
    while (!done) {
      connection->interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  auto result = connection->query(
      "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range < 0");
  absl::Status status = result.status();
  if (result.ok()) {
    Batch batch;
    status = result->next(batch).status();
  }
  done = true;
  interrupter.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
}

TEST(Database, a_closed_one_opens_nothing_outside_and_takes_no_setting) {
  const std::string inside = testing::TempDir() + "duck_inside";
  auto writer = open();
  auto connection = *writer->connect();
  ASSERT_EQ(system(cat("mkdir -p ", inside).c_str()), 0);
  ASSERT_TRUE(connection->run(cat("COPY (SELECT 42) TO '", inside, "/x.parquet'")).ok());
  auto reader = open({.only_directories = {inside}});
  auto closed = *reader->connect();
  EXPECT_EQ(rows_of(*closed, cat("FROM read_parquet('", inside, "/x.parquet')")),
            std::vector<std::string>{"42"});
  for (const char* sql :
       {"SELECT * FROM read_text('/etc/passwd')", "SET threads = 1", "SET memory_limit = '1TB'",
        "SET enable_external_access = true", "LOAD httpfs", "ATTACH '/tmp/x.db'"}) {
    EXPECT_FALSE(closed->run(sql).ok()) << sql;
  }
}

}  // namespace
}  // namespace kehu::duck
