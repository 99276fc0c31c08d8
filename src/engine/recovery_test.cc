#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "channel/fake_channel.h"
#include "engine/engine.h"
#include "engine/test_engine.h"
#include "lake/lake_test_support.h"
#include "os/clock.h"

namespace kehu::engine {
namespace {

struct Figures {
  uint64_t digest = 0;
  uint64_t events = 0;
  int64_t customers = 0;
  uint64_t rejections = 0;
  size_t listed = 0;
  size_t audited = 0;
  Outgoing outgoing;
  auto operator<=>(const Figures&) const = default;
};

constexpr Instant kFarAway(4'000'000'000'000'000);

Figures figures_of(Engine& engine) {
  return *engine.ask<Figures>([](Replica& replica) {
    return Figures{.digest = replica.shard().digest(),
                   .events = replica.totals().events,
                   .customers = replica.totals().customers,
                   .rejections = replica.totals().rejections,
                   .listed = replica.rejections().list({}).size(),
                   .audited = replica.audit().size(),
                   .outgoing = outgoing_of(replica)};
  });
}

std::ostream& operator<<(std::ostream& out, const Figures& figures) {
  return out << "{digest " << figures.digest << ", events " << figures.events << ", customers "
             << figures.customers << ", rejections " << figures.rejections << "/" << figures.listed
             << ", audited " << figures.audited << ", " << figures.outgoing << "}";
}

// The live state is that of a replay up to the same record, whatever comes due meanwhile.
void expect_equal_to_a_replay(Engine& engine) {
  struct Moment {
    uint64_t digest;
    Sequence position;
  };
  const auto moment = engine.ask<Moment>([](Replica& replica) {
    return Moment{replica.shard().digest(), replica.applied()};
  });
  ASSERT_TRUE(moment.ok()) << moment.status();
  const std::string log = engine.directory() + "/log";
  EXPECT_EQ(moment->digest, replayed_digest(os::posix_file_system(), log, moment->position));
}

// Rows of the lake, and how many different ones.
std::pair<std::string, std::string> lake_rows(Engine& engine) {
  EXPECT_TRUE(engine.wait_archived(Duration::seconds(20)));
  lake::SnapshotReader reader;
  const auto snapshot = engine.lake().snapshot();
  return {reader.query(*snapshot, "SELECT count(*) FROM rows").at(0),
          reader.query(*snapshot, "SELECT count(DISTINCT sequence) FROM rows").at(0)};
}

// Customers, merges, conflicts, rejections, a reveal, timers, intents.
void fill(Engine& engine, std::mt19937_64& random, uint64_t first_message, size_t count) {
  std::vector<std::future<Ack>> acks;
  for (size_t done = 0; done < count; done += 500) {
    const Given conflict{.message = first_message + done, .properties = cat("{\"x\":", done, "}")};
    acks.push_back(submit(engine, batch_of(random_events(random, conflict.message, 500))));
    acks.push_back(submit(engine, batch_of({conflict})));
  }
  for (auto& ack : acks) ASSERT_TRUE(ack.get().status.ok());
  RecordBatch more;
  codec::add_record(more, RecordKind::kReveal, [](std::string& out) {
    codec::append_reveal(
        {.customer = CustomerId{Hash128{1, 2}}, .field = "phone", .reason = "call", .actor = "me"}, out);
  });
  for (int i = 0; i < 100; ++i) add_reminder(more, i % 2 == 0 ? Instant() : kFarAway, cat(i));
  ASSERT_TRUE(engine.submit_and_wait(std::move(more)).ok());
  ASSERT_TRUE(eventually([&] { return outgoing_of(engine).intents == 50; }));
}

TEST(Recovery, StopAndOpenAgainGivesTheSameState) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  TestDirectory directory;
  Figures before;
  {
    const auto engine = open_engine(engine_options(directory.path()));
    fill(*engine, random, 1, 5000);
    Source source;
    source.id = engine->project()->next_source_id();
    source.name = "shop";
    ASSERT_TRUE(engine->submit_and_wait(definition("source", source.name, to_json(source))).ok());
    before = figures_of(*engine);
    EXPECT_EQ(before.audited, 1u);
    EXPECT_EQ(before.rejections, 10u);
    EXPECT_EQ(before.outgoing, (Outgoing{.timers = 50, .intents = 50}));
    ASSERT_TRUE(engine->stop().ok());
  }
  const auto engine = open_engine(engine_options(directory.path()));
  EXPECT_EQ(figures_of(*engine), before);
  EXPECT_EQ(engine->project()->sources().size(), 2u);
  expect_equal_to_a_replay(*engine);
  const auto [rows, distinct] = lake_rows(*engine);
  EXPECT_EQ(rows, std::to_string(before.events));
  EXPECT_EQ(distinct, rows);
  // What was there before is known as repeats.
  std::mt19937_64 same(seed);
  const Ack again = submit(*engine, batch_of(random_events(same, 1, 500))).get();
  EXPECT_EQ(again.repeats, 500u);
}

TEST(Recovery, StopAndOpenManyTimesWithoutNewEvents) {
  TestDirectory directory;
  uint64_t digest = 0;
  for (int round = 0; round < 4; ++round) {
    const auto engine = open_engine(engine_options(directory.path()));
    if (round == 0) {
      ASSERT_TRUE(engine->submit_and_wait(batch_of({{.message = 1}})).ok());
      digest = digest_of(*engine);
    }
    EXPECT_EQ(digest_of(*engine), digest) << round;
    EXPECT_TRUE(engine->wait_archived(Duration::millis(500))) << round;
    ASSERT_TRUE(engine->stop().ok());
  }
}

// Checkpoints, evictions and lake commits go on all the time while events come in from several threads.
TEST(Recovery, CheckpointsUnderLoadKeepTheStateOfTheLog) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  TestDirectory directory;
  constexpr uint64_t kThreads = 3;
  Figures before;
  for (uint64_t round = 0; round < 3; ++round) {
    auto engine = open_engine(restless_options(directory.path()));
    if (round > 0) {
      ASSERT_EQ(figures_of(*engine), before);
    }
    std::vector<std::thread> clients;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      clients.emplace_back([&, thread] {
        std::mt19937_64 random(seed + round * kThreads + thread);
        for (uint64_t n = 0; n < 60; ++n) {
          const uint64_t first = ((round * kThreads + thread) * 60 + n) * 50;
          RecordBatch batch = batch_of(random_events(random, first, 50));
          for (const Instant due : {Instant(), kFarAway}) add_reminder(batch, due, "x");
          ASSERT_TRUE(submit(*engine, std::move(batch)).get().status.ok());
          if (n % 10 == 0) (void)digest_of(*engine);
        }
      });
    }
    for (std::thread& client : clients) client.join();
    const uint64_t batches = (round + 1) * kThreads * 60;
    EXPECT_TRUE(eventually([&] { return outgoing_of(*engine).intents == batches; }));
    before = figures_of(*engine);
    EXPECT_EQ(before.events, batches * 50);
    EXPECT_EQ(before.outgoing, (Outgoing{.timers = batches, .intents = batches}));
    EXPECT_EQ(before.digest, replayed_digest(os::posix_file_system(), directory.path() + "/log"));
    const Sequence applied = engine->applied();
    ASSERT_TRUE(engine->stop().ok());
    engine.reset();
    const auto database = state::Database::open(directory.path() + "/state", 1 << 20);
    ASSERT_TRUE(database.ok());
    EXPECT_GE((*database)->position(), applied) << "an orderly end writes all";
  }
}

// Who goes down again and again does not replay the same records each time.
TEST(Recovery, BehindALongReplayACheckpointComesAtOnce) {
  TestDirectory directory;
  TestDirectory image;
  Options options = engine_options(directory.path() + "/live");
  options.checkpoint_period = Duration::hours(1);
  options.checkpoint_dirty = SIZE_MAX;
  {
    const auto engine = open_engine(options);
    std::mt19937_64 random(7);
    std::vector<std::future<Ack>> acks;
    for (uint64_t done = 0; done < 100'000; done += 2000)
      acks.push_back(submit(*engine, batch_of(random_events(random, done, 2000))));
    for (auto& ack : acks) ASSERT_TRUE(ack.get().status.ok());
    pull_the_plug(options.directory, image.path() + "/1");
  }
  options.directory = image.path() + "/1";
  uint64_t replayed = 0;
  const auto count = [&replayed](uint64_t records) { replayed = records; };
  auto engine = Engine::open(options, count);
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_GE(replayed, 100'000u);
  const auto position = [&] {
    pull_the_plug(options.directory + "/state", image.path() + "/state");
    const auto database = state::Database::open(image.path() + "/state", 1 << 20);
    return database.ok() ? (*database)->position() : Sequence();
  };
  for (int i = 0; i < 300 && position() == Sequence(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_GE(position().value(), 100'000u);
}

// With little retention, segments that state and lake no longer need are recycled, and nothing else is.
TEST(Recovery, ARecycledLogIsEnough) {
  TestDirectory directory;
  Options options = restless_options(directory.path());
  options.first_settings = least_retention();
  std::mt19937_64 random(1);
  Figures before;
  const auto recycled = [&] { return !std::filesystem::exists(directory.path() + "/log/0000000001.log"); };
  {
    const auto engine = open_engine(options);
    // A segment is recycled when a later one is begun, which on a slow machine may be before the checkpoint.
    for (uint64_t n = 0; n < 50 || (!recycled() && n < 500); ++n) {
      ASSERT_TRUE(engine->submit_and_wait(batch_of(large_events(random, n * 100, 100))).ok());
      if (n >= 50) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    before = figures_of(*engine);
    ASSERT_TRUE(engine->stop().ok());
  }
  EXPECT_TRUE(recycled());
  options.first_settings = nullptr;
  const auto engine = open_engine(options);
  EXPECT_EQ(figures_of(*engine), before);
  const auto [rows, distinct] = lake_rows(*engine);
  EXPECT_EQ(rows, std::to_string(before.events));
  EXPECT_EQ(distinct, rows);
}

// However much changed since the last checkpoint, and also when the next one had begun.
TEST(Recovery, ACleanStopLeavesNothingToReplay) {
  for (const bool begun : {false, true}) {
    SCOPED_TRACE(begun ? "while one is copied" : "without any");
    TestDirectory directory;
    os::ManualClock clock(Instant(1'780'000'000'000'000));
    Options options = engine_options(directory.path());
    options.clock = &clock;
    options.checkpoint_dirty = SIZE_MAX;
    uint64_t events = 0;
    {
      const auto engine = open_engine(options);
      for (; events < 20'000; events += 2000) {
        std::vector<Given> batch;
        for (uint64_t n = events; n < events + 2000; ++n)
          batch.push_back({.message = n, .identifiers = {{"user_id", cat("u", n)}}});
        ASSERT_TRUE(engine->submit_and_wait(batch_of(batch)).ok());
      }
      if (begun) {
        // It begins while the end of the apply thread is asked for, with some records left.
        std::promise<void> held, release;
        engine->inspect([&](Replica&) {
          held.set_value();
          release.get_future().wait();
        });
        held.get_future().wait();
        clock.advance(Duration::seconds(60));
        for (int i = 0; i < 3; ++i)
          ASSERT_TRUE(submit(*engine, batch_of({{.message = events++}})).get().status.ok());
        std::thread stopping([&] { EXPECT_TRUE(engine->stop().ok()); });
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        release.set_value();
        stopping.join();
      } else {
        ASSERT_TRUE(engine->stop().ok());
      }
    }
    uint64_t replayed = 0;
    const auto engine = Engine::open(options, [&replayed](uint64_t records) { replayed = records; });
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_EQ(replayed, 0u);
    EXPECT_EQ(figures_of(**engine).events, events);
  }
}

TEST(Recovery, WhatCameDueMeanwhileFiresOnceAtTheStart) {
  for (const bool crash : {false, true}) {
    SCOPED_TRACE(crash ? "behind a crash" : "behind a stop");
    TestDirectory directory;
    std::string path = directory.path() + "/data";
    const Instant soon = os::system_clock().now() + Duration::millis(300);
    {
      const auto engine = open_engine(engine_options(path));
      RecordBatch batch;
      for (int i = 0; i < 25; ++i) add_reminder(batch, i < 20 ? soon : kFarAway, cat(i));
      ASSERT_TRUE(engine->submit_and_wait(std::move(batch)).ok());
      if (crash) {
        path = directory.path() + "/left";
        pull_the_plug(engine->directory(), path);
      }
      ASSERT_TRUE(engine->stop().ok());
    }
    while (os::system_clock().now() < soon) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto channel = std::make_shared<channel::FakeChannel>();
    Options options = engine_options(path);
    options.channels["test"] = channel;
    const Outgoing all{.timers = 5, .intents = 20, .delivered = 20};
    for (int start = 0; start < 2; ++start) {
      const auto engine = open_engine(options);
      EXPECT_TRUE(eventually([&] { return outgoing_of(*engine) == all; })) << outgoing_of(*engine);
      expect_equal_to_a_replay(*engine);
      EXPECT_EQ(channel->keys(), 20u);
      EXPECT_EQ(channel->texts(), 20u);
      EXPECT_EQ(channel->deliveries(), 20u);
      ASSERT_TRUE(engine->stop().ok());
    }
  }
}

// The rows of the lake's table `definitions`, sorted.
std::vector<std::string> archived_definitions(Engine& engine) {
  EXPECT_TRUE(engine.wait_archived(Duration::seconds(20)));
  lake::SnapshotReader reader;
  auto rows = reader.query(*engine.lake().snapshot(),
                           "SELECT concat_ws(' ', kind, name, version, deleted, actor, body) FROM rows",
                           lake::TableId::kDefinitions);
  std::ranges::sort(rows);
  return rows;
}

// What they should be.
std::vector<std::string> kept_definitions(Engine& engine) {
  return *engine.ask<std::vector<std::string>>([](Replica& replica) {
    std::vector<std::string> rows;
    for (const std::string_view kind : {definition::kSettings, definition::kSource}) {
      for (const definition::NamedVersion& named : replica.definitions().versions(kind, std::nullopt)) {
        const definition::Version& version = *named.version;
        rows.push_back(cat(kind, " ", named.name, " ", version.sequence.value(),
                           version.deleted ? " true " : " false ", version.actor, " ",
                           named.kind->to_file(version)));
      }
    }
    std::ranges::sort(rows);
    return rows;
  });
}

absl::Status define_source(Engine& engine, std::string_view name, bool enabled,
                           std::optional<Sequence> base = {}) {
  Source source;
  source.name = name;
  source.enabled = enabled;
  const std::string body = to_json(source);
  const Definition change{
      .kind = definition::kSource, .name = name, .body = body, .actor = "li", .base = base};
  return engine.define({&change, 1}).status();
}

TEST(Recovery, TheArchiveHasEachVersionOfADefinitionOnce) {
  TestDirectory directory;
  const std::string path = directory.path() + "/data", left = directory.path() + "/left";
  Options options = engine_options(path);
  std::vector<std::string> rows;
  {
    const auto engine = open_engine(options);
    ASSERT_TRUE(engine->submit_and_wait(batch_of({{.message = 1}})).ok());
    for (const bool enabled : {true, false, true}) ASSERT_TRUE(define_source(*engine, "shop", enabled).ok());
    EXPECT_FALSE(define_source(*engine, "shop", false, Sequence()).ok()) << "it is there already";
    const Definition gone{
        .kind = definition::kSource, .name = "shop", .body = "", .actor = "wu", .deleted = true};
    ASSERT_TRUE(engine->define({&gone, 1}).ok());
    rows = archived_definitions(*engine);
    EXPECT_EQ(rows.size(), 6u) << "settings and a source at the beginning, and four versions";
    EXPECT_EQ(rows, kept_definitions(*engine));
    ASSERT_TRUE(engine->stop().ok());
  }
  {
    const auto engine = open_engine(options);
    EXPECT_EQ(archived_definitions(*engine), rows) << "behind a stop";
    ASSERT_TRUE(define_source(*engine, "till", true).ok());
    pull_the_plug(path, left);
  }
  options.directory = left;
  {
    const auto engine = open_engine(options);
    rows = archived_definitions(*engine);
    EXPECT_EQ(rows.size(), 7u) << "behind a crash";
    EXPECT_EQ(rows, kept_definitions(*engine));
    ASSERT_TRUE(engine->stop().ok());
  }
  std::filesystem::remove_all(left + "/lake");
  const auto engine = open_engine(options);
  EXPECT_EQ(archived_definitions(*engine), rows) << "made again from the log";
}

TEST(Recovery, WithoutItsLogTheDirectoryIsRefused) {
  TestDirectory directory;
  {
    const auto engine = open_engine(engine_options(directory.path()));
    ASSERT_TRUE(engine->submit_and_wait(batch_of({{.message = 1}})).ok());
    ASSERT_TRUE(engine->stop().ok());
  }
  std::filesystem::remove_all(directory.path() + "/log");
  const auto engine = Engine::open(engine_options(directory.path()));
  EXPECT_EQ(engine.status().code(), absl::StatusCode::kDataLoss) << engine.status();
}

TEST(Recovery, WithoutItsKeyTheDirectoryIsRefused) {
  TestDirectory directory;
  {
    const auto engine = open_engine(engine_options(directory.path()));
    ASSERT_TRUE(engine->stop().ok());
  }
  std::filesystem::remove(directory.path() + "/keys/project.key");
  const auto engine = Engine::open(engine_options(directory.path()));
  EXPECT_EQ(engine.status().code(), absl::StatusCode::kFailedPrecondition) << engine.status();
}

// Before the first checkpoint only the log knows the cipher of a directory.
TEST(Recovery, TheCipherIsThatOfTheLog) {
  TestDirectory directory;
  Settings settings = Settings::defaults();
  settings.cipher = Cipher::kSm4Gcm;
  Options options = engine_options(directory.path());
  options.first_settings = std::make_shared<const Settings>(settings);
  { const auto engine = open_engine(options); }
  std::filesystem::remove_all(directory.path() + "/state");
  std::filesystem::remove_all(directory.path() + "/lake");
  const auto engine = open_engine(engine_options(directory.path()));
  const seal::KeyRing::Found key = engine->ring().find_or_create(token_of("phone", "1"));
  EXPECT_EQ(key.secret.bytes().size(), seal::DataKeySecret::size_for(Cipher::kSm4Gcm));
}

constexpr char kChildDirectory[] = "KEHU_ENGINE_TEST_DIRECTORY";
constexpr char kChildSeed[] = "KEHU_ENGINE_TEST_SEED";

// Not a test by itself: the process that ARandomKillLosesNothing kills. Writes the first message of each
// acknowledged submission, which is the text of its reminder, too, to a file beside the data directory.
TEST(RecoveryChild, DISABLED_SendsUntilItIsKilled) {
  const char* path = std::getenv(kChildDirectory);
  ASSERT_NE(path, nullptr) << "started by another test only";
  const int acks = ::open(cat(path, "/acks").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ASSERT_GE(acks, 0);
  const uint64_t seed = std::strtoull(std::getenv(kChildSeed), nullptr, 10);
  Options options = restless_options(cat(path, "/data"));
  options.channels["test"] = std::make_shared<channel::FakeChannel>();
  const auto engine = open_engine(options);
  std::vector<std::thread> clients;
  for (uint64_t thread = 0; thread < 2; ++thread) {
    clients.emplace_back([&, thread] {
      std::mt19937_64 random(seed + thread);
      for (uint64_t n = 0;; ++n) {
        const uint64_t first = ((seed % 1000) << 40) + (thread << 32) + n * 20;
        std::vector<Given> events = random_events(random, first, 20);
        if (random() % 3 == 0) events.push_back(events[random() % events.size()]);
        RecordBatch batch = batch_of(events);
        const auto soon = Duration::millis(static_cast<int64_t>(random() % 300));
        add_reminder(batch, os::system_clock().now() + soon, cat(first));
        if (!submit(*engine, std::move(batch)).get().status.ok()) continue;
        ASSERT_EQ(::write(acks, &first, sizeof(first)), static_cast<ssize_t>(sizeof(first)));
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

// Returns once the child has its first ack.
pid_t start_child(const std::string& directory, uint64_t seed) {
  ::setenv(kChildDirectory, directory.c_str(), 1);
  ::setenv(kChildSeed, std::to_string(seed).c_str(), 1);
  const std::string acks = cat(directory, "/acks");
  const auto size = [&acks] { return std::filesystem::exists(acks) ? std::filesystem::file_size(acks) : 0; };
  const auto before = size();
  std::string program = "engine_test", filter = "--gtest_filter=RecoveryChild.*";
  std::string disabled = "--gtest_also_run_disabled_tests", brief = "--gtest_brief=1";
  char* const arguments[] = {program.data(), filter.data(), disabled.data(), brief.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (size() == before && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(size(), before);
  return child;
}

// The texts of all that were ever set.
std::multiset<std::string> logged_reminders(const std::string& log_directory) {
  std::multiset<std::string> texts;
  const auto status =
      for_each_batch(os::posix_file_system(), log_directory, [&texts](auto& records, Instant) {
        for (const shard::LogRecord& record : records) {
          if (record.kind != RecordKind::kReminder) continue;
          texts.emplace(codec::decode_reminder(record.payload)->text);
        }
      });
  EXPECT_TRUE(status.ok()) << status;
  return texts;
}

TEST(Recovery, ARandomKillLosesNothing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  TestDirectory directory;
  for (int round = 0; round < rounds(4, 40); ++round) {
    const pid_t child = start_child(directory.path(), seed * 1000ull + static_cast<uint64_t>(round));
    ASSERT_GT(child, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

    Options options = engine_options(directory.path() + "/data");
    options.channels["test"] = std::make_shared<channel::FakeChannel>();
    const auto engine = open_engine(options);
    ASSERT_NE(engine, nullptr);
    expect_equal_to_a_replay(*engine);
    const std::multiset<std::string> reminders = logged_reminders(directory.path() + "/data/log");
    const Outgoing all{.timers = 0, .intents = reminders.size(), .delivered = reminders.size()};
    EXPECT_TRUE(eventually([&] { return outgoing_of(*engine) == all; })) << outgoing_of(*engine);
    expect_equal_to_a_replay(*engine);
    const Figures figures = figures_of(*engine);
    const auto [rows, distinct] = lake_rows(*engine);
    EXPECT_EQ(rows, std::to_string(figures.events));
    EXPECT_EQ(distinct, rows);
    // Of every acknowledged submission the first and the last event are known, with another body.
    std::ifstream file(directory.path() + "/acks", std::ios::binary);
    std::vector<RecordBatch> again(1);
    uint64_t acknowledged = 0;
    for (uint64_t first = 0; file.read(reinterpret_cast<char*>(&first), sizeof(first));) {
      if (again.back().entries.size() >= 5000) again.emplace_back();
      for (uint64_t n = 0; n < 20; n += 19)
        add_event(again.back(), {.message = first + n, .properties = "[]"});
      acknowledged += 20;
      EXPECT_EQ(reminders.count(cat(first)), 1u);
    }
    EXPECT_GE(figures.events, acknowledged);
    ASSERT_GT(acknowledged, 0u);
    for (RecordBatch& batch : again) {
      const uint64_t size = batch.entries.size();
      const Ack ack = submit(*engine, std::move(batch)).get();
      ASSERT_TRUE(ack.status.ok()) << ack.status;
      EXPECT_EQ(ack.events, 0u);
      EXPECT_EQ(ack.conflicts + ack.repeats, size);
    }
    ASSERT_TRUE(engine->stop().ok());
  }
}

}  // namespace
}  // namespace kehu::engine
