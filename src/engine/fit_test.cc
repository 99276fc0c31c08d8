#include "replica/fit.h"

#include <fstream>
#include <map>
#include <tuple>

#include "engine/check.h"
#include "engine/test_engine.h"
#include "engine/words.h"
#include "lake/lake_test_support.h"
#include "lake/owners.h"
#include "log/segment.h"
#include "replica/last_moves.h"

namespace kehu::engine {
namespace {

namespace fs = std::filesystem;

TEST(FitOf, Tables) {
  struct Case {
    const char* name;
    uint64_t first, end, state, need_rows, need_moves, rows, moves;
    bool sound, rows_missing, moves_missing;
  };
  for (const Case& given : {
           Case{"new", 1, 1, 0, 0, 0, 0, 0, true, false, false},
           Case{"after a crash", 1, 101, 40, 40, 30, 90, 60, true, false, false},
           Case{"nothing of the last records is a row", 1, 101, 100, 50, 0, 50, 0, true, false, false},
           Case{"archive lost", 1, 101, 100, 100, 80, 0, 0, true, true, true},
           Case{"yesterday's archive", 40, 101, 100, 100, 30, 50, 45, true, true, false},
           Case{"archive ends where the log begins", 51, 101, 100, 100, 0, 50, 0, true, true, false},
           Case{"the log no longer reaches it", 52, 101, 100, 100, 0, 50, 0, false, true, false},
           Case{"moves lost alone", 90, 101, 100, 100, 80, 100, 0, true, false, true},
           Case{"archive at the end of the log", 1, 101, 40, 40, 0, 100, 0, true, false, false},
           Case{"archive ahead", 1, 101, 40, 40, 0, 101, 0, false, false, false},
           Case{"moves ahead", 1, 101, 40, 40, 0, 90, 101, false, false, false},
           Case{"log lost, no checkpoint yet", 1, 1, 0, 0, 0, 1, 0, false, false, false},
           Case{"state ahead", 1, 101, 101, 90, 0, 90, 0, false, false, false},
           Case{"state lost", 2, 101, 0, 0, 0, 90, 0, false, false, false},
       }) {
    const Fit fit = fit_of({.directory = "/d",
                            .log_first = Sequence(given.first),
                            .log_end = Sequence(given.end),
                            .state = Sequence(given.state),
                            .needs = {.rows = Sequence(given.need_rows), .moves = Sequence(given.need_moves)},
                            .archive_rows = Sequence(given.rows),
                            .archive_moves = Sequence(given.moves)});
    EXPECT_EQ(fit.status.ok(), given.sound) << given.name << ": " << fit.status;
    EXPECT_EQ(fit.rows_missing, given.rows_missing) << given.name;
    EXPECT_EQ(fit.moves_missing, given.moves_missing) << given.name;
  }
}

TEST(FitOf, ChangesOfSegments) {
  Positions at{.directory = "/d",
               .log_first = Sequence(90),
               .log_end = Sequence(101),
               .state = Sequence(100),
               .needs = {.rows = Sequence(80), .moves = {}, .memberships = Sequence(95)},
               .archive_rows = Sequence(80),
               .archive_moves = {},
               .archive_memberships = Sequence(95)};
  EXPECT_TRUE(fit_of(at).complete());
  at.archive_memberships = Sequence(94);
  EXPECT_TRUE(fit_of(at).status.ok());
  EXPECT_TRUE(fit_of(at).memberships_missing);
  at.archive_memberships = Sequence(101);
  EXPECT_FALSE(fit_of(at).status.ok()) << "ahead of the log";
}

TEST(LastMoves, OneOfEachPart) {
  const auto move = [](uint64_t part, uint64_t from, uint64_t to) {
    return identity::Move{.part = Token{Hash128{0, part}},
                          .from = CustomerId{Hash128{1, from}},
                          .to = CustomerId{Hash128{1, to}}};
  };
  const std::vector<identity::Move> moves = {move(1, 1, 2), move(2, 2, 3), move(1, 2, 4), move(3, 3, 1),
                                             move(1, 4, 1)};
  const auto kept = last_moves(moves, Sequence(9), Instant(5));
  ASSERT_EQ(kept.size(), 3u);
  for (const auto& [at, part, to] : {std::tuple(0, 2, 3), std::tuple(1, 3, 1), std::tuple(2, 1, 1)}) {
    EXPECT_EQ(kept[at].part.hash.low, static_cast<uint64_t>(part));
    EXPECT_EQ(kept[at].customer.hash.low, static_cast<uint64_t>(to));
    EXPECT_EQ(kept[at].sequence, Sequence(9));
  }
}

// A directory after two runs, with merges, un-merges, moved parts and small files.
class FitTest : public testing::Test {
 protected:
  void run(uint64_t first_message, size_t rounds, Options options) {
    auto engine = open_engine(std::move(options));
    ASSERT_NE(engine, nullptr);
    for (uint64_t i = 0; i < rounds; ++i) {
      ASSERT_TRUE(
          submit(*engine, batch_of(random_events(random_, first_message + i * 200, 200))).get().status.ok());
    }
    ASSERT_TRUE(engine->wait_archived(Duration::seconds(20)));
    ASSERT_TRUE(engine->stop().ok());
  }
  void run(uint64_t first_message, size_t rounds) { run(first_message, rounds, engine_options(path())); }

  std::vector<std::string> problems() {
    const auto report = check(os::posix_file_system(), path());
    EXPECT_TRUE(report.ok()) << report.status();
    std::vector<std::string> out;
    for (const auto& finding : report->findings) out.push_back(cat(finding.where, ": ", finding.what));
    return out;
  }

  // What SQL shows: rows by owner; and what the customers know.
  void expect_archive_is_the_state(Engine& engine) {
    ASSERT_TRUE(engine.wait_archived(Duration::seconds(20)));
    const auto owners = *engine.ask<std::map<std::string, std::string>>([](Replica& replica) {
      std::map<std::string, std::string> by_part;
      EXPECT_TRUE(replica.shard()
                      .for_each_part([&](Token part, CustomerId customer) {
                        by_part[part.hash.hex()] = customer.hash.hex();
                      })
                      .ok());
      return by_part;
    });
    const uint64_t events = *engine.ask<uint64_t>([](Replica& replica) { return replica.totals().events; });
    const auto snapshot = engine.lake().snapshot();
    lake::SnapshotReader reader;
    EXPECT_EQ(reader.query(*snapshot, "SELECT count(*) FROM rows").at(0), std::to_string(events));
    EXPECT_EQ(reader.query(*snapshot, "SELECT count(DISTINCT sequence) FROM rows").at(0),
              std::to_string(events));
    for (const std::string& pair : reader.query(*snapshot, "SELECT DISTINCT part || customer_id FROM rows")) {
      const std::string part = pair.substr(0, 32);
      const auto moved = snapshot->owners->find(Token{*Hash128::from_hex(part)}, snapshot->moved);
      EXPECT_EQ(moved ? moved->hash.hex() : pair.substr(32), owners.at(part));
    }
  }

  void expect_healed(uint64_t next_message) {
    EXPECT_FALSE(problems().empty());
    {
      const auto engine = open_engine(engine_options(path()));
      ASSERT_NE(engine, nullptr);
      expect_archive_is_the_state(*engine);
      // New records get numbers of their own, and reach the archive.
      for (uint64_t i = 0; i < 3; ++i) {
        const auto events = random_events(random_, next_message + i * 200, 200);
        ASSERT_TRUE(submit(*engine, batch_of(events)).get().status.ok());
      }
      expect_archive_is_the_state(*engine);
      ASSERT_TRUE(engine->stop().ok());
    }
    EXPECT_EQ(problems(), std::vector<std::string>());
    const auto engine = open_engine(engine_options(path()));
    expect_archive_is_the_state(*engine);
  }

  std::string lake() { return path() + "/lake"; }
  std::string path() { return directory_.path() + "/data"; }
  std::string aside() { return directory_.path() + "/aside"; }
  fs::path last_version(const std::string& table) {
    fs::path last;
    for (const auto& entry : fs::directory_iterator(lake() + "/" + table + "/_delta_log")) {
      if (entry.path().extension() == ".json") last = std::max(last, entry.path());
    }
    return last;
  }

  std::mt19937_64 random_{11};
  TestDirectory directory_;
};

TEST_F(FitTest, ALostArchiveIsMadeAgainFromTheLog) {
  run(1, 10);
  run(5000, 10);
  fs::remove_all(lake());
  expect_healed(9000);
}

TEST_F(FitTest, YesterdaysArchiveIsBroughtUpToDate) {
  run(1, 10);
  fs::copy(lake(), aside(), fs::copy_options::recursive);
  run(5000, 10);
  fs::remove_all(lake());
  fs::rename(aside(), lake());
  expect_healed(9000);
}

TEST_F(FitTest, ALostVersionOfTheArchiveIsWrittenAgain) {
  Options options = engine_options(path());
  options.lake_commit_period = Duration::millis(5);
  run(1, 10, options);
  fs::remove(last_version("events"));
  expect_healed(9000);
}

TEST_F(FitTest, LostMovesComeFromTheState) {
  run(1, 10);
  run(5000, 10);
  fs::remove_all(lake() + "/identity_log");
  expect_healed(9000);
}

// The table `definitions` comes from the state, which has every version. The log is of no use here: while it
// has no events nothing is replayed, and later it may begin behind them.
class LostDefinitionsTest : public FitTest {
 protected:
  static void define(Engine& engine, const std::string& name, uint64_t versions) {
    Sequence base;
    for (uint64_t i = 0; i < versions; ++i) {
      const std::string source = cat(R"({"name":")", name, R"(","events_per_second":)", i + 1, "}");
      const Definition change{
          .kind = definition::kSource, .name = name, .body = source, .actor = "tester", .base = base};
      const auto defined = engine.define({&change, 1});
      ASSERT_TRUE(defined.ok()) << defined.status();
      base = defined->version;
    }
  }
  static std::vector<std::string> rows(Engine& engine) {
    EXPECT_TRUE(engine.wait_archived(Duration::seconds(20)));
    lake::SnapshotReader reader;
    return reader.query(*engine.lake().snapshot(),
                        "SELECT concat_ws(' ', kind, name, version, epoch_us(time), actor, deleted, "
                        "body) FROM rows ORDER BY ALL",
                        lake::TableId::kDefinitions);
  }
  void expect_restored(const std::vector<std::string>& want) {
    for (int start = 0; start < 2; ++start) {
      const auto engine = open_engine(engine_options(path()));
      ASSERT_NE(engine, nullptr);
      EXPECT_EQ(rows(*engine), want);
      expect_archive_is_the_state(*engine);
      ASSERT_TRUE(engine->stop().ok());
    }
    const auto engine = open_engine(engine_options(path()));
    define(*engine, "later", 1);
    EXPECT_EQ(rows(*engine).size(), want.size() + 1);
  }
};

TEST_F(LostDefinitionsTest, WithTheWholeArchive) {
  for (const size_t rounds : {0u, 2u}) {
    fs::remove_all(path());
    run(1, rounds);
    std::vector<std::string> want;
    {
      const auto engine = open_engine(engine_options(path()));
      define(*engine, "shop", 3);
      want = rows(*engine);
      ASSERT_GE(want.size(), 5u) << "and the first settings and source";
      ASSERT_TRUE(engine->stop().ok());
    }
    fs::remove_all(lake());
    expect_restored(want);
  }
}

TEST_F(LostDefinitionsTest, Alone) {
  run(1, 2);
  std::vector<std::string> want;
  {
    const auto engine = open_engine(engine_options(path()));
    define(*engine, "shop", 3);
    want = rows(*engine);
    ASSERT_TRUE(engine->stop().ok());
  }
  run(5000, 2);
  fs::remove_all(lake() + "/definitions");
  expect_restored(want);
}

// Yesterday's archive, and the log begins behind what was defined since.
TEST_F(LostDefinitionsTest, BehindAShorterLog) {
  Options options = engine_options(path());
  options.log_segment_bytes = 1u << 20;
  run(1, 40, options);
  fs::copy(lake(), aside(), fs::copy_options::recursive);
  std::vector<std::string> want;
  {
    const auto engine = open_engine(options);
    define(*engine, "shop", 3);
    want = rows(*engine);
    ASSERT_TRUE(engine->stop().ok());
  }
  run(50'000, 10, options);
  fs::remove(log::segment_path(path() + "/log", log::SegmentNumber(1)));
  fs::remove(log::sidecar_path(path() + "/log", log::SegmentNumber(1)));
  fs::remove_all(lake());
  fs::rename(aside(), lake());
  expect_restored(want);
}

TEST_F(FitTest, LostRowsAloneTakeTheOwnersOfTheMoves) {
  run(1, 10);
  run(5000, 10);
  fs::remove_all(lake() + "/events");
  expect_healed(9000);
}

// As an older kehu leaves it, which did not say what the archive must have.
TEST_F(FitTest, AnOldStateIsComparedByTheLog) {
  run(1, 10);
  run(5000, 10);
  {
    auto database = state::Database::open(path() + "/state", 1 << 20);
    ASSERT_TRUE(database.ok());
    state::Changes changes;
    changes.add(state::Space::kTotals, Hash128{0, 1}, "");
    ASSERT_TRUE((*database)->checkpoint((*database)->position(), changes).ok());
    EXPECT_EQ(*archive_needs(**database), std::nullopt);
  }
  EXPECT_EQ(problems(), std::vector<std::string>());
  fs::remove_all(lake());
  expect_healed(9000);
}

// The log no longer begins with record 1: the rows are worked out from the state.
TEST_F(FitTest, YesterdaysArchiveIsBroughtUpToDateBehindAShorterLog) {
  Options options = engine_options(path());
  options.log_segment_bytes = 1u << 20;
  run(1, 40, options);
  fs::copy(lake(), aside(), fs::copy_options::recursive);
  run(50'000, 10, options);
  ASSERT_TRUE(fs::exists(log::segment_path(path() + "/log", log::SegmentNumber(3))));
  fs::remove(log::segment_path(path() + "/log", log::SegmentNumber(1)));
  fs::remove(log::sidecar_path(path() + "/log", log::SegmentNumber(1)));
  fs::remove_all(lake());
  fs::rename(aside(), lake());
  expect_healed(90'000);
}

TEST_F(FitTest, ALogThatBeginsBehindTheArchiveIsRefusedAndNothingIsRemoved) {
  Options options = restless_options(path());
  options.log_segment_bytes = 1u << 20;
  options.first_settings = least_retention();
  fs::create_directories(path());
  {
    auto engine = open_engine(options);
    ASSERT_NE(engine, nullptr);
    ASSERT_TRUE(submit(*engine, batch_of(random_events(random_, 1, 200))).get().status.ok());
    ASSERT_TRUE(engine->stop().ok());
    engine.reset();
    fs::copy(lake(), aside(), fs::copy_options::recursive);
    engine = open_engine(options);
    for (uint64_t i = 0; i < 25; ++i) {
      ASSERT_TRUE(submit(*engine, batch_of(large_events(random_, 5000 + i * 190, 190))).get().status.ok());
      ASSERT_TRUE(engine->wait_archived(Duration::seconds(20)));
    }
    ASSERT_TRUE(engine->stop().ok());
  }
  EXPECT_EQ(problems(), std::vector<std::string>());
  fs::remove_all(lake());
  fs::rename(aside(), lake());
  const auto before = os::posix_file_system().list(lake() + "/events/_delta_log");
  const auto found = problems();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("nothing can fill the gap"), std::string::npos) << found[0];
  const auto opened = Engine::open(engine_options(path()));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
  EXPECT_EQ(*os::posix_file_system().list(lake() + "/events/_delta_log"), *before);
}

TEST_F(FitTest, AnArchiveBeyondTheLogIsRefused) {
  Options options = engine_options(path());
  run(1, 10, options);
  // What a disk does that loses the end of the log: everything from the middle of the last segment on.
  fs::remove(path() + "/log/closed");
  fs::remove_all(path() + "/state");
  const std::string segment = log::segment_path(path() + "/log", log::SegmentNumber(1));
  std::ifstream in(segment, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const size_t used = bytes.find_last_not_of('\0');
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(used / 2), bytes.end(), '\0');
  std::ofstream(segment, std::ios::binary) << bytes;
  const auto found = problems();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("the end of the log was lost"), std::string::npos) << found[0];
  const auto opened = Engine::open(engine_options(path()));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
}

}  // namespace
}  // namespace kehu::engine
