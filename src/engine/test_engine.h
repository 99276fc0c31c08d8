#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/test_rounds.h"
#include "base/text.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "engine/engine.h"
#include "log/reader.h"
#include "os/posix_file_system.h"
#include "shard/shard.h"
#include "store/map_store.h"

// For the tests of this folder.
namespace kehu::engine {

// Deleted at the end.
class TestDirectory {
 public:
  TestDirectory()
      : path_(std::filesystem::temp_directory_path() /
              cat("kehu-engine-", std::random_device{}(), std::random_device{}())) {
    std::filesystem::create_directories(path_);
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// What a test says of an event.
struct Given {
  uint64_t message = 0;
  uint32_t source = 1;
  std::vector<std::pair<std::string, std::string>> identifiers = {{"user_id", "u1"}};
  std::string name = "Product Viewed";
  std::string properties = "{}";
};

inline Token token_of(std::string_view type, std::string_view value) {
  static const Settings kSettings = Settings::defaults();
  return Token{hash128(value, kSettings.find_type(type)->value())};
}

inline void add_event(RecordBatch& batch, const Given& given) {
  static const Settings kSettings = Settings::defaults();
  constexpr Instant kTime(1'780'000'000'000'000);
  std::vector<Identifier> identifiers;
  for (const auto& [type, value] : given.identifiers) {
    identifiers.push_back(
        {.type = *kSettings.find_type(type), .token = token_of(type, value), .value = value});
  }
  const std::string message_id = cat("message-", given.message);
  Event event;
  event.project = ProjectId(1);
  event.source = SourceId(given.source);
  event.channel = Channel::kWeb;
  event.time = kTime + Duration::seconds(static_cast<int64_t>(given.message % 100'000));
  event.original_time = event.received_at = event.time;
  event.message_key = hash128(message_id, given.source);
  event.body_hash = hash64(given.properties);
  event.message_id = message_id;
  event.name = given.name;
  event.properties = given.properties;
  event.traits = "{}";
  event.context = "{}";
  event.identifiers = identifiers;
  codec::add_event(batch, event);
}

inline RecordBatch batch_of(const std::vector<Given>& events) {
  RecordBatch batch;
  for (const Given& given : events) add_event(batch, given);
  return batch;
}

// Events of few customers with all kinds of identifiers, so that some join.
inline std::vector<Given> random_events(std::mt19937_64& random, uint64_t first_message, size_t count) {
  static constexpr const char* kTypes[] = {"user_id", "phone", "device_id", "anonymous_id"};
  static constexpr const char* kNames[] = {"Product Viewed", "Product Added", "Order Completed", "页面浏览"};
  std::vector<Given> events;
  for (size_t i = 0; i < count; ++i) {
    Given given{.message = first_message + i, .identifiers = {}, .name = kNames[random() % 4]};
    for (const char* type : kTypes) {
      if (random() % 3 == 0) given.identifiers.emplace_back(type, cat("v", random() % 300));
    }
    if (given.identifiers.empty()) given.identifiers.emplace_back("anonymous_id", cat("v", random() % 300));
    given.properties = cat(R"({"n":)", random() % 1000, "}");
    events.push_back(std::move(given));
  }
  return events;
}

// Events of 20 KB each: a few thousand of them fill more log than the least retention.
inline std::vector<Given> large_events(std::mt19937_64& random, uint64_t first_message, size_t count) {
  std::vector<Given> events = random_events(random, first_message, count);
  for (Given& given : events) given.properties = cat(R"({"text":")", std::string(20'000, 'x'), "\"}");
  return events;
}

inline std::shared_ptr<const Settings> least_retention() {
  auto settings = std::make_shared<Settings>(Settings::defaults());
  settings->log_retention_bytes = 64u << 20;
  return settings;
}

// At `due`, the channel "test" gets the text.
inline void add_reminder(RecordBatch& batch, Instant due, std::string_view text) {
  codec::add_record(batch, RecordKind::kReminder, [&](std::string& out) {
    codec::append_reminder({.due = due, .customer = {}, .channel = "test", .text = text}, out);
  });
}

inline RecordBatch definition(std::string_view kind, std::string_view name, std::string_view body) {
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    const Definition change{.kind = kind, .name = name, .body = body, .actor = "test"};
    codec::append_definitions({&change, 1}, out);
  });
  return batch;
}

inline Options engine_options(const std::string& directory) {
  Options options;
  options.directory = directory;
  options.files = &os::posix_file_system();
  options.clock = &os::system_clock();
  options.log_segment_bytes = 4u << 20;
  return options;
}

// Checkpoints and lake commits all the time, and hardly any memory.
inline Options restless_options(const std::string& directory) {
  Options options = engine_options(directory);
  options.memory_bytes = 1;
  options.checkpoint_dirty = 100;
  options.checkpoint_period = Duration::millis(20);
  options.lake_commit_period = Duration::millis(50);
  return options;
}

inline std::unique_ptr<Engine> open_engine(Options options) {
  auto engine = Engine::open(std::move(options));
  EXPECT_TRUE(engine.ok()) << engine.status();
  return engine.ok() ? *std::move(engine) : nullptr;
}

// The ack of a submission that the queue took.
inline std::future<Ack> submit(Engine& engine, RecordBatch batch) {
  auto promise = std::make_shared<std::promise<Ack>>();
  auto future = promise->get_future();
  Submission submission;
  submission.batch = std::move(batch);
  submission.done = [promise](const Ack& ack) { promise->set_value(ack); };
  if (const auto status = engine.submit(std::move(submission)); !status.ok()) {
    Ack refused;
    refused.status = status;
    promise->set_value(refused);
  }
  return future;
}

inline uint64_t digest_of(Engine& engine) {
  const auto digest = engine.ask<uint64_t>([](Replica& replica) { return replica.shard().digest(); });
  EXPECT_TRUE(digest.ok()) << digest.status();
  return digest.ok() ? *digest : 0;
}

inline uint64_t events_of(Engine& engine, std::string_view type, std::string_view value) {
  const Token token = token_of(type, value);
  const auto events = engine.ask<uint64_t>([token](Replica& replica) -> uint64_t {
    const auto customer = replica.shard().identities().customer_of(token);
    if (!customer) return 0;
    const auto profile = replica.shard().profile(*customer, replica.tick());
    return profile.ok() ? profile->events : 0;
  });
  EXPECT_TRUE(events.ok()) << events.status();
  return events.ok() ? *events : 0;
}

// False when it did not come within the time.
template <class Done>
bool eventually(Done&& done, std::chrono::seconds within = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// What a power cut leaves of a directory that is not written to: copied again when a file went away
// meanwhile.
inline void pull_the_plug(const std::string& from, const std::string& to) {
  std::error_code error;
  for (int i = 0; i < 20; ++i) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
    if (!error) return;
  }
  FAIL() << from << ": " << error.message();
}

// Of the channel "test", and how many timers wait.
struct Outgoing {
  uint64_t timers = 0;
  uint64_t intents = 0;
  uint64_t delivered = 0;
  auto operator<=>(const Outgoing&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outgoing& outgoing) {
  return out << outgoing.timers << " timers, " << outgoing.intents << " intents, " << outgoing.delivered
             << " delivered";
}

inline Outgoing outgoing_of(Replica& replica) {
  Outgoing outgoing{.timers = replica.shard().timers().pending()};
  for (const outbox::Counts& counts : replica.shard().outbox().counts()) {
    outgoing.intents = counts.intents;
    outgoing.delivered = counts.delivered;
  }
  return outgoing;
}

inline Outgoing outgoing_of(Engine& engine) {
  const auto outgoing = engine.ask<Outgoing>([](Replica& replica) { return outgoing_of(replica); });
  EXPECT_TRUE(outgoing.ok()) << outgoing.status();
  return outgoing.value_or(Outgoing());
}

// The state that records make in memory, without engine, checkpoints or disk.
class PlainState {
 public:
  PlainState() : shard_(std::make_shared<const Settings>(Settings::defaults()), stores_) {}

  void apply(absl::Span<const shard::LogRecord> records, Instant tick) {
    for (const shard::LogRecord& record : records) {
      EXPECT_EQ(record.sequence, applied_.next());
      applied_ = record.sequence;
      effects_.clear();
      EXPECT_TRUE(shard_.apply({&record, 1}, tick, effects_).ok());
      for (const Intent& intent : effects_.intents) open_.emplace(intent.key, intent.body);
      for (const IntentKey& key : effects_.settled) open_.erase(key);
      if (record.kind == RecordKind::kDefinition) define(record.payload);
    }
  }
  uint64_t digest() { return shard_.digest(); }
  Sequence applied() const { return applied_; }
  shard::Shard& shard() { return shard_; }
  // Intents without a receipt, and their bodies.
  const std::map<IntentKey, std::string>& open_intents() const { return open_; }

 private:
  void define(std::string_view payload) {
    const auto changes = codec::decode_definitions(payload);
    ASSERT_TRUE(changes.ok());
    auto next = project_->apply(*changes, applied_, Instant());
    if (!next.ok()) return;
    const auto before = std::exchange(project_, next->project);
    if (before->settings() != project_->settings()) shard_.use(project_->settings());
  }

  MapStores stores_;
  shard::Shard shard_;
  std::shared_ptr<const Project> project_ =
      std::make_shared<const Project>(std::make_shared<const Settings>(Settings::defaults()));
  shard::Effects effects_;
  std::map<IntentKey, std::string> open_;
  Sequence applied_;
};

// Visits every record that a log holds, batch by batch.
template <class Visit>
absl::Status for_each_batch(os::FileSystem& files, const std::string& directory, Visit&& visit) {
  auto reader = log::Reader::open(files, directory, Sequence(0));
  if (!reader.ok()) return reader.status();
  return reader->for_each([&](const log::Batch& batch) {
    std::vector<shard::LogRecord> records;
    for (const log::RecordView record : batch)
      records.push_back({record.sequence, record.kind, record.payload});
    visit(records, batch.tick());
    return absl::OkStatus();
  });
}

// The digest of a fresh replay of the log alone, up to a position. The log must still hold its first record.
inline uint64_t replayed_digest(os::FileSystem& files, const std::string& log_directory,
                                Sequence last = Sequence(UINT64_MAX)) {
  PlainState state;
  const auto status = for_each_batch(files, log_directory, [&](auto& records, Instant tick) {
    std::erase_if(records, [last](const shard::LogRecord& record) { return record.sequence > last; });
    state.apply(records, tick);
  });
  EXPECT_TRUE(status.ok()) << status;
  return state.digest();
}

}  // namespace kehu::engine
