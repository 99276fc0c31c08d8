#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "definition/kind.h"
#include "engine/test_engine.h"
#include "lake/owners.h"

namespace kehu::engine {
namespace {

TEST(Engine, ANewDirectoryHasSettingsAndASource) {
  TestDirectory directory;
  Settings settings = Settings::defaults();
  settings.time_zone = "Europe/Berlin";
  Options options = engine_options(directory.path());
  options.first_settings = std::make_shared<const Settings>(settings);
  const auto engine = open_engine(options);
  ASSERT_EQ(engine->project()->sources().size(), 1u);
  EXPECT_EQ(engine->project()->sources()[0].name, "default");
  EXPECT_EQ(engine->project()->settings()->time_zone, "Europe/Berlin");
  EXPECT_EQ(engine->durable(), Sequence(2));
  EXPECT_TRUE(engine->stop().ok());
}

TEST(Engine, ADirectoryWhoseSourcesWereAllDeletedOpensAgain) {
  TestDirectory directory;
  {
    const auto engine = open_engine(engine_options(directory.path()));
    const Definition gone{
        .kind = definition::kSource, .name = "default", .body = "", .actor = "li", .deleted = true};
    ASSERT_TRUE(engine->define({&gone, 1}).ok());
    ASSERT_TRUE(engine->stop().ok());
  }
  for (int again = 0; again < 2; ++again) {
    const auto engine = open_engine(engine_options(directory.path()));
    EXPECT_TRUE(engine->project()->sources().empty());
    EXPECT_NE(engine->project()->source_ever(SourceId(1)), nullptr);
    ASSERT_TRUE(engine->stop().ok());
  }
}

TEST(Engine, ASecondOneMustNotOpenTheDirectory) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  EXPECT_EQ(Engine::open(engine_options(directory.path())).status().code(), absl::StatusCode::kUnavailable);
}

TEST(Engine, WhoeverHasAnAckSeesTheEvent) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  for (uint64_t n = 1; n <= 50; ++n) {
    const Ack ack = submit(*engine, batch_of({{.message = n}})).get();
    ASSERT_TRUE(ack.status.ok()) << ack.status;
    EXPECT_EQ(ack.events, 1u);
    ASSERT_EQ(events_of(*engine, "user_id", "u1"), n);
  }
}

TEST(Engine, ARepeatIsAcknowledgedAndWritesNothing) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  const Ack first = submit(*engine, batch_of({{.message = 1}, {.message = 2}, {.message = 1}})).get();
  EXPECT_EQ(first.events, 2u);
  EXPECT_EQ(first.repeats, 1u);
  const Sequence durable = engine->durable();
  const Ack again = submit(*engine, batch_of({{.message = 2}, {.message = 1}})).get();
  ASSERT_TRUE(again.status.ok());
  EXPECT_EQ(again.events, 0u);
  EXPECT_EQ(again.repeats, 2u);
  EXPECT_EQ(again.first, Sequence(0));
  EXPECT_EQ(engine->durable(), durable);
  // The same message id of another source is another message.
  EXPECT_EQ(submit(*engine, batch_of({{.message = 1, .source = 2}})).get().events, 1u);
  EXPECT_EQ(events_of(*engine, "user_id", "u1"), 3u);
}

std::vector<RejectionEntry> rejections_of(Engine& engine) {
  return *engine.ask<std::vector<RejectionEntry>>(
      [](Replica& replica) { return replica.rejections().list({}); });
}

TEST(Engine, AConflictIsQuarantinedOnce) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  ASSERT_EQ(submit(*engine, batch_of({{.message = 1}})).get().events, 1u);
  const Given other{.message = 1, .properties = R"({"other":true})"};
  const Ack conflict = submit(*engine, batch_of({other})).get();
  ASSERT_TRUE(conflict.status.ok());
  EXPECT_EQ(conflict.conflicts, 1u);
  EXPECT_EQ(conflict.events, 0u);
  const Ack again = submit(*engine, batch_of({other, other})).get();
  EXPECT_EQ(again.conflicts, 2u);
  EXPECT_EQ(again.repeats, 0u);
  EXPECT_EQ(events_of(*engine, "user_id", "u1"), 1u);
  const auto rejections = rejections_of(*engine);
  ASSERT_EQ(rejections.size(), 1u);
  EXPECT_EQ(rejections[0].reason, Reason::kDuplicateConflict);
  EXPECT_EQ(rejections[0].state, RejectionState::kOpen);
  EXPECT_EQ(rejections[0].sequence, conflict.first);
}

// A conflict's rejection is larger than its event, so a submission of conflicts can outgrow a batch of the
// log.
TEST(Engine, ALargeSubmissionOfNothingButConflictsIsQuarantined) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  constexpr uint64_t kEvents = 18'000;
  RecordBatch first, second;
  for (uint64_t n = 1; n <= kEvents; ++n) add_event(first, {.message = n});
  for (uint64_t n = 1; n <= kEvents; ++n) add_event(second, {.message = n, .properties = R"({"a":1})"});
  ASSERT_EQ(submit(*engine, std::move(first)).get().events, kEvents);
  const Sequence before = engine->durable();
  const Ack ack = submit(*engine, std::move(second)).get();
  ASSERT_TRUE(ack.status.ok()) << ack.status;
  EXPECT_EQ(ack.conflicts, kEvents);
  EXPECT_EQ(ack.first, before.next());
  EXPECT_EQ(ack.last, Sequence(before.value() + kEvents));
  EXPECT_EQ(rejections_of(*engine).size(), RejectionFilter().limit);
  EXPECT_EQ(*engine->ask<uint64_t>([](Replica& replica) { return replica.totals().rejections; }), kEvents);
}

RecordBatch rejection(std::string_view payload, Hash128 repeat_key) {
  RecordBatch batch;
  codec::add_rejection(batch, {.project = ProjectId(1),
                               .source = SourceId(1),
                               .reason = Reason::kInvalidTime,
                               .received_at = Instant(5),
                               .repeat_key = repeat_key,
                               .path = "/time",
                               .detail = "no time",
                               .origin = "/v1/batch",
                               .sealed_payload = payload});
  return batch;
}

TEST(Engine, RejectionsAreKeptAndThoseWithAKeyOnlyOnce) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  const Hash128 key{7, 7};
  EXPECT_EQ(submit(*engine, rejection("a", key)).get().rejections, 1u);
  EXPECT_EQ(submit(*engine, rejection("a", key)).get().repeats, 1u);
  EXPECT_EQ(submit(*engine, rejection("b", Hash128{})).get().rejections, 1u);
  EXPECT_EQ(submit(*engine, rejection("b", Hash128{})).get().rejections, 1u);
  const auto entries = rejections_of(*engine);
  ASSERT_EQ(entries.size(), 3u);

  RecordBatch closing;
  codec::add_record(closing, RecordKind::kRejectionClosed, [&](std::string& out) {
    codec::append_rejection_closed({entries[0].sequence, RejectionOutcome::kDiscarded, "me"}, out);
  });
  ASSERT_TRUE(engine->submit_and_wait(std::move(closing)).ok());
  EXPECT_EQ(rejections_of(*engine)[0].state, RejectionState::kDiscarded);
  const auto counts = *engine->ask<std::vector<RejectionCount>>(
      [](Replica& replica) { return replica.rejections().counts(); });
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].total, 3u);
  EXPECT_EQ(counts[0].open, 2u);
}

TEST(Engine, MergeAndUnmergeAnswerWithTheirOutcome) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  ASSERT_TRUE(engine
                  ->submit_and_wait(batch_of({{.message = 1, .identifiers = {{"phone", "138"}}},
                                              {.message = 2, .identifiers = {{"email", "a@b.cn"}}}}))
                  .ok());
  const Token phone = token_of("phone", "138");
  const Token email = token_of("email", "a@b.cn");
  RecordBatch merge;
  codec::add_record(merge, RecordKind::kMerge, [&](std::string& out) {
    codec::append_merge({.winner = phone, .loser = email, .reason = "same", .actor = "me"}, out);
  });
  const auto merged = engine->run_command<identity::Outcome>(merge);
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->customers.size(), 1u);
  EXPECT_EQ(events_of(*engine, "email", "a@b.cn"), 2u);
  const Sequence link = engine->durable();
  EXPECT_EQ(engine->run_command<identity::Outcome>(merge).status().code(), absl::StatusCode::kAlreadyExists);

  RecordBatch unmerge;
  codec::add_record(unmerge, RecordKind::kUnmerge, [&](std::string& out) {
    codec::append_unmerge({.link = link, .customer = merged->customers[0], .reason = "not", .actor = "me"},
                          out);
  });
  const auto apart = engine->run_command<identity::Outcome>(unmerge);
  ASSERT_TRUE(apart.ok()) << apart.status();
  EXPECT_EQ(apart->customers.size(), 2u);
  EXPECT_EQ(events_of(*engine, "email", "a@b.cn"), 1u);
  EXPECT_EQ(events_of(*engine, "phone", "138"), 1u);
}

// The stronger type keeps the name, so each of these joins moves all the parts joined before.
TEST(Engine, ManyMovesOfAPartInOneBatchAreOneRow) {
  static constexpr const char* kTypes[] = {"user_id", "union_id", "member_id", "phone",       "email",
                                           "id_card", "open_id",  "device_id", "anonymous_id"};
  constexpr uint64_t kParts = std::size(kTypes);
  const auto name = [](uint64_t n) { return std::pair<std::string, std::string>(kTypes[n], "v"); };
  TestDirectory directory;
  Options options = engine_options(directory.path());
  options.lake_commit_period = Duration::seconds(3600);
  const auto engine = open_engine(std::move(options));
  std::vector<Given> alone, joins;
  for (uint64_t n = kParts; n-- > 0;) alone.push_back({.message = n, .identifiers = {name(n)}});
  for (uint64_t n = kParts; --n > 0;) {
    joins.push_back({.message = kParts + n, .identifiers = {name(n - 1), name(n)}});
  }
  ASSERT_TRUE(engine->submit_and_wait(batch_of(alone)).ok());
  ASSERT_TRUE(engine->submit_and_wait(batch_of(joins)).ok());
  EXPECT_EQ(events_of(*engine, "user_id", "v"), 2 * kParts - 1);
  ASSERT_TRUE(engine->wait_archived(Duration::seconds(30)));

  const auto snapshot = engine->lake().snapshot();
  size_t rows = 0;
  for (const duck::ChunkPart& part : snapshot->tables[lake::TableId::kIdentityLog].tail) rows += part.rows;
  EXPECT_EQ(rows, kParts - 1);
  const CustomerId user = CustomerId::named_after(token_of("user_id", "v"));
  for (uint64_t n = 1; n < kParts; ++n) {
    EXPECT_EQ(snapshot->owners->find(token_of(kTypes[n], "v"), snapshot->moved), user) << kTypes[n];
  }
}

// The record behind a definition in one and the same batch already lives by it.
TEST(Engine, SettingsHoldForTheEventsBehindThem) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  Settings settings = *engine->project()->settings();
  settings.metrics = {{.kind = Metric::Kind::kSum, .event = "Product Viewed", .property = "price"}};
  RecordBatch batch = batch_of({{.message = 1, .properties = R"({"price":2})"}});
  const std::string body = codec::settings_to_json(settings);
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    const Definition change{.kind = "settings", .name = "", .body = body, .actor = "me"};
    codec::append_definitions({&change, 1}, out);
  });
  add_event(batch, {.message = 2, .properties = R"({"price":40})"});
  ASSERT_TRUE(engine->submit_and_wait(std::move(batch)).ok());
  EXPECT_EQ(engine->project()->settings()->metrics.size(), 1u);
  const auto profile = engine->ask<absl::StatusOr<ProfileView>>([](Replica& replica) {
    const auto customer = replica.shard().identities().customer_of(token_of("user_id", "u1"));
    return replica.shard().profile(*customer, replica.tick());
  });
  ASSERT_TRUE(profile.ok() && profile->ok());
  ASSERT_EQ((*profile)->metrics.size(), 1u);
  EXPECT_EQ((*profile)->metrics[0].count, 1u);
}

TEST(Engine, AFullQueueSaysSo) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  std::promise<void> release;
  auto released = release.get_future().share();
  // The log thread is held in an answer while the queue fills.
  ASSERT_TRUE(
      engine->submit({.batch = {}, .data_keys = {}, .done = [released](const Ack&) { released.wait(); }})
          .ok());
  std::vector<std::future<Ack>> acks;
  absl::Status refused;
  for (uint64_t n = 0; refused.ok() && n < 100; ++n) {
    RecordBatch batch = batch_of({{.message = n}});
    batch.bytes.resize(1 << 20);
    auto promise = std::make_shared<std::promise<Ack>>();
    acks.push_back(promise->get_future());
    refused = engine->submit({.batch = std::move(batch), .data_keys = {}, .done = [promise](const Ack& ack) {
                                promise->set_value(ack);
                              }});
  }
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(engine->log_counters().refused.load(), 1u);
  acks.pop_back();
  release.set_value();
  for (auto& ack : acks) EXPECT_TRUE(ack.get().status.ok());
  EXPECT_EQ(events_of(*engine, "user_id", "u1"), acks.size());
}

TEST(Engine, ASubmissionThatIsTooLargeIsRefused) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  RecordBatch batch = batch_of({{.message = 1}});
  batch.bytes.resize(5 << 20);
  EXPECT_EQ(submit(*engine, std::move(batch)).get().status.code(), absl::StatusCode::kInvalidArgument);
}

// Everything acknowledged while the engine is being stopped is there when it is opened again; the rest is
// not, or is there whole.
TEST(Engine, StopKeepsWhatWasAcknowledged) {
  TestDirectory directory;
  constexpr int kThreads = 3;
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> refused{0};
  {
    const auto engine = open_engine(engine_options(directory.path()));
    std::vector<std::thread> clients;
    for (int thread = 0; thread < kThreads; ++thread) {
      clients.emplace_back([&, thread] {
        for (uint64_t n = 0;; ++n) {
          const Ack ack =
              submit(*engine, batch_of({{.message = n * kThreads + static_cast<uint64_t>(thread)}})).get();
          if (ack.status.ok()) {
            ++acknowledged;
          } else if (ack.status.code() == absl::StatusCode::kUnavailable) {
            ++refused;
            return;
          }
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    EXPECT_TRUE(engine->stop().ok());
    for (std::thread& client : clients) client.join();
    EXPECT_FALSE(engine->inspect([](Replica&) {}));
  }
  EXPECT_EQ(refused, static_cast<uint64_t>(kThreads));
  EXPECT_GT(acknowledged, 10u);
  const auto engine = open_engine(engine_options(directory.path()));
  EXPECT_EQ(events_of(*engine, "user_id", "u1"), acknowledged);
}

// A record that cannot be applied is a bug or damage: the state is of no position any more, and nothing of it
// may be kept or shown.
TEST(Engine, AfterAFailedApplyNobodyWaitsAndNothingIsKept) {
  TestDirectory directory;
  Options options = restless_options(directory.path());
  options.checkpoint_dirty = 1'000'000;
  options.checkpoint_period =
      Duration::millis(300);  // the first one is due when the state is damaged already
  {
    const auto engine = open_engine(options);
    ASSERT_TRUE(engine->submit_and_wait(batch_of({{.message = 1}})).ok());
    RecordBatch mixed;
    for (uint64_t n = 2; n < 1000; ++n) add_event(mixed, {.message = n});
    codec::add_record(mixed, RecordKind::kEvent, [](std::string& out) { out += "not an event"; });
    EXPECT_EQ(engine->submit_and_wait(std::move(mixed)).status().code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(engine->health().apply.ok());
    EXPECT_EQ(engine->submit_and_wait(batch_of({{.message = 5000}})).status().code(),
              absl::StatusCode::kUnavailable);
    EXPECT_EQ(engine->run_command<identity::Outcome>(batch_of({{.message = 5001}})).status().code(),
              absl::StatusCode::kUnavailable);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    EXPECT_FALSE(engine->stop().ok());
  }
  EXPECT_EQ(Engine::open(options).status().code(), absl::StatusCode::kDataLoss);
  const auto database = state::Database::open(directory.path() + "/state", 1 << 20);
  ASSERT_TRUE(database.ok());
  seal::KeyRing ring(*seal::ProjectKey::from_bytes(std::string(seal::ProjectKey::kBytes, 'k')),
                     Cipher::kAes256Gcm, [](char*, size_t) {});
  const auto replica = Replica::open(**database, ring);
  ASSERT_TRUE(replica.ok()) << replica.status();
  EXPECT_EQ((*replica)->shard().digest(),
            replayed_digest(os::posix_file_system(), directory.path() + "/log", (*database)->position()));
}

// The worst case: the command is taken when all is well, and durable only after the apply thread gave up.
TEST(Engine, ACommandThatIsDurableAfterAFailedApplyIsAnswered) {
  TestDirectory directory;
  const auto engine = open_engine(engine_options(directory.path()));
  const auto hold = [&engine](std::shared_future<void> until) {
    Submission submission;
    submission.done = [until](const Ack&) { until.wait(); };
    ASSERT_TRUE(engine->submit(std::move(submission)).ok());
  };
  std::promise<void> queued, failed;
  hold(queued.get_future().share());
  RecordBatch damaged;
  codec::add_record(damaged, RecordKind::kEvent, [](std::string& out) { out.assign(3 << 20, 'x'); });
  const auto ack = submit(*engine, std::move(damaged));  // so large that its group ends with it
  hold(failed.get_future().share());
  auto outcome = std::async(std::launch::async, [&] {
    RecordBatch merge;
    codec::add_record(merge, RecordKind::kMerge, [](std::string& out) {
      const Token a = token_of("user_id", "a"), b = token_of("user_id", "b");
      codec::append_merge({.winner = a, .loser = b, .reason = "", .actor = ""}, out);
    });
    return engine->run_command<identity::Outcome>(std::move(merge)).status();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  queued.set_value();
  while (engine->health().apply.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  failed.set_value();
  ASSERT_EQ(outcome.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_FALSE(outcome.get().ok());
}

}  // namespace
}  // namespace kehu::engine
