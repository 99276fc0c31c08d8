#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "engine/test_log_world.h"

// Clients that insist, somebody who sets reminders, a log thread, and a disk on which anything may fail at
// any operation: whatever happens, every acknowledged event is in the log exactly once, in its client's
// order, and nothing is that was not sent; every acknowledged reminder becomes one intent, which is counted
// once.
namespace kehu::engine {
namespace {

constexpr uint32_t kClients = 4;
constexpr uint64_t kMessagesOfAClient = 1'000'000;

// Sends its messages in order and repeats a submission until it is acknowledged.
class Client {
 public:
  explicit Client(uint32_t source) : source_(source) {}

  // What it sends next: the submission that is not acknowledged yet, or a new one, with some old events among
  // it.
  const RecordBatch& next(std::mt19937_64& random) {
    if (pending_) return *pending_;
    RecordBatch batch;
    const uint64_t fresh = random() % 5;
    for (uint64_t i = 0; i < fresh; ++i) {
      while (random() % 4 == 0 && sent_ > 0) add_event(batch, event(1 + random() % sent_));
      add_event(batch, event(++sent_));
    }
    if (random() % 8 == 0 && acknowledged_ > 0) add_conflict(batch, 1 + random() % acknowledged_);
    pending_ = std::move(batch);
    return *pending_;
  }

  void hear(const Ack& ack) {
    if (!ack.status.ok()) return;
    acknowledged_ = sent_;
    conflicts_acknowledged_ = conflicts_sent_;
    pending_.reset();
  }

  bool waits() const { return pending_.has_value(); }
  uint64_t sent() const { return sent_; }
  uint64_t acknowledged() const { return acknowledged_; }
  size_t conflicts_sent() const { return conflicts_sent_.size(); }
  size_t conflicts_acknowledged() const { return conflicts_acknowledged_.size(); }

 private:
  Given event(uint64_t number) const {
    return {.message = source_ * kMessagesOfAClient + number,
            .source = source_,
            .identifiers = {{"user_id", cat("u", number % 7)},
                            {"anonymous_id", cat("a", source_, "-", number % 5)}},
            .properties = cat("{\"n\":", number, ",\"text\":\"", std::string(number * 37 % 900, 'x'), "\"}")};
  }
  void add_conflict(RecordBatch& batch, uint64_t number) {
    Given given = event(number);
    given.properties = "{\"other\":true}";
    add_event(batch, given);
    conflicts_sent_.insert(number);
  }

  uint32_t source_;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  std::set<uint64_t> conflicts_sent_, conflicts_acknowledged_;
  std::optional<RecordBatch> pending_;
};

// Sets reminders, each with a text of its own and never again, and plays the channel that they go to.
class Reminders {
 public:
  RecordBatch next(std::mt19937_64& random, Instant now) {
    RecordBatch batch;
    for (uint64_t n = random() % 4; n > 0; --n) {
      const std::string text = cat("reminder-", sent_.size());
      add_reminder(batch, now + Duration::millis(1 + static_cast<int64_t>(random() % 4000)), text);
      sent_.insert(text);
    }
    return batch;
  }
  void hear(const RecordBatch& batch, const Ack& ack) {
    if (!ack.status.ok()) return;
    for (const RecordBatch::Entry& entry : batch.entries) {
      acknowledged_.emplace(codec::decode_reminder(batch.payload(entry))->text);
    }
  }

  // Receipts of some of the open intents, sometimes twice. An intent that comes again has the key and the
  // text that it had.
  RecordBatch deliver(std::mt19937_64& random, const std::map<IntentKey, std::string>& open,
                      uint64_t chance) {
    RecordBatch batch;
    for (const auto& [key, text] : open) {
      if (random() % 100 >= chance) continue;
      EXPECT_EQ(outside_.emplace(key, text).first->second, text) << "one key for two";
      for (uint64_t times = random() % 8 == 0 ? 2 : 1; times > 0; --times) add_receipt(batch, key);
    }
    return batch;
  }

  // `logged` are the texts that the log holds.
  void judge(const std::multiset<std::string>& logged, shard::Shard& shard) {
    for (const std::string& text : acknowledged_) EXPECT_EQ(logged.count(text), 1u) << text;
    std::multiset<std::string> came;
    for (const auto& [key, text] : outside_) came.insert(text);
    EXPECT_EQ(came, logged) << "lost, doubled or invented";
    for (const std::string& text : logged) EXPECT_TRUE(sent_.contains(text)) << text;
    EXPECT_EQ(shard.timers().pending(), 0u);
    const auto counts = shard.outbox().counts();
    ASSERT_EQ(counts.size(), logged.empty() ? 0u : 1u);
    if (counts.empty()) return;
    EXPECT_EQ(counts[0].intents, logged.size());
    EXPECT_EQ(counts[0].delivered, logged.size());
  }

 private:
  static void add_receipt(RecordBatch& batch, const IntentKey& key) {
    codec::add_record(batch, RecordKind::kReceipt, [&key](std::string& out) {
      codec::append_receipt({.intent = key, .outcome = IntentOutcome::kDelivered, .detail = ""}, out);
    });
  }

  std::set<std::string> sent_, acknowledged_;
  std::map<IntentKey, std::string> outside_;  // what the channel has seen
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) {
    for (uint32_t source = 1; source <= kClients; ++source) clients_.emplace_back(source);
  }

  void run() {
    for (uint64_t lives = 1 + random_() % 4; lives > 0; --lives) live();
    files_.clear_faults();
    files_.reboot(random_());
    LogWorld world(files_);
    ASSERT_TRUE(world.start().ok());
    for (Client& client : clients_) {
      if (client.waits()) client.hear(world.send(client.next(random_)).get());
      ASSERT_FALSE(client.waits()) << "a sound disk, and yet no ack";
    }
    deliver_the_rest(world);
    ASSERT_TRUE(world.stop().ok());
    EXPECT_EQ(world.state().digest(), replayed_digest(files_, LogWorld::kDirectory));
    judge(world.state().shard());
  }

 private:
  // From a start to an orderly end or a power cut.
  void live() {
    if (random_() % 3 > 0) plan_fault();
    LogWorld world(files_);
    for (int tries = 0; !world.start().ok(); ++tries) {
      if (files_.crashed() || tries == 20) return end_of_power();
    }
    for (uint64_t steps = random_() % 25; steps > 0 && !files_.crashed(); --steps) {
      if (random_() % 10 == 0) plan_fault();
      step(world);
    }
    if (random_() % 2 == 0) {
      const bool sound = world.stop().ok();
      if (sound && !files_.crashed()) compare_with_a_replay(world);
      if (!files_.crashed()) return;
    } else {
      files_.plan({.operation = files_.operations(), .kind = os::FaultKind::kCrashBefore});
      (void)world.send({}).get();
      (void)world.stop();
    }
    end_of_power();
  }

  void step(LogWorld& world) {
    std::vector<Client*> senders;
    std::vector<std::future<Ack>> acks;
    RecordBatch reminders;
    std::future<Ack> reminded;
    world.while_held(Duration::millis(static_cast<int64_t>(random_() % 700)), [&] {
      for (Client& client : clients_) {
        if (random_() % 2 == 0) continue;
        senders.push_back(&client);
        acks.push_back(world.send(client.next(random_)));
      }
      reminders = reminders_.next(random_, world.now());
      reminded = world.send(reminders);
      acks.push_back(world.send(reminders_.deliver(random_, world.state().open_intents(), 60)));
    });
    reminders_.hear(reminders, reminded.get());
    for (size_t i = 0; i < senders.size(); ++i) senders[i]->hear(acks[i].get());
    acks.back().get();
  }

  void compare_with_a_replay(LogWorld& world) {
    files_.clear_faults();
    EXPECT_EQ(world.state().digest(), replayed_digest(files_, LogWorld::kDirectory));
  }

  // The first group brings the tick at which all is due, the next ones the receipts.
  void deliver_the_rest(LogWorld& world) {
    for (int i = 0; i < 3; ++i) {
      std::future<Ack> ack;
      world.while_held(Duration::seconds(30), [&] {
        ack = world.send(reminders_.deliver(random_, world.state().open_intents(), 100));
      });
      ASSERT_TRUE(ack.get().status.ok());
    }
  }

  void plan_fault() {
    static constexpr os::FaultKind kKinds[] = {os::FaultKind::kIoError,   os::FaultKind::kDiskFull,
                                               os::FaultKind::kHalfDone,  os::FaultKind::kCrashBefore,
                                               os::FaultKind::kCrashHalf, os::FaultKind::kCrashAfter};
    os::Fault fault;
    fault.operation = files_.operations() + random_() % 40;
    fault.kind = kKinds[random_() % 6];
    fault.times = 1 + random_() % 4;
    files_.plan(fault);
  }

  void end_of_power() {
    files_.clear_faults();
    files_.reboot(random_());
  }

  void judge(shard::Shard& shard) {
    std::multiset<std::string> reminders;
    std::map<uint32_t, uint64_t> last;
    std::map<uint32_t, size_t> conflicts;
    const auto status = for_each_batch(files_, LogWorld::kDirectory, [&](const auto& records, Instant) {
      for (const shard::LogRecord& record : records) {
        if (record.kind == RecordKind::kRejection) {
          ++conflicts[codec::decode_rejection(record.payload)->source.value()];
          continue;
        }
        if (record.kind == RecordKind::kReminder)
          reminders.emplace(codec::decode_reminder(record.payload)->text);
        if (record.kind != RecordKind::kEvent) continue;
        codec::EventRecord decoded;
        ASSERT_TRUE(decoded.decode(record.payload).ok());
        const uint32_t source = decoded.event().source.value();
        const std::string want = cat("message-", source * kMessagesOfAClient + ++last[source]);
        ASSERT_EQ(decoded.event().message_id, want) << "lost, doubled or out of order";
      }
    });
    ASSERT_TRUE(status.ok()) << status;
    reminders_.judge(reminders, shard);
    for (uint32_t source = 1; source <= kClients; ++source) {
      const Client& client = clients_[source - 1];
      EXPECT_EQ(last[source], client.sent());
      EXPECT_EQ(client.acknowledged(), client.sent());
      EXPECT_EQ(conflicts[source], client.conflicts_sent());
      EXPECT_EQ(client.conflicts_acknowledged(), client.conflicts_sent());
    }
  }

  std::mt19937_64 random_;
  os::MemoryFileSystem files_;
  std::vector<Client> clients_;
  Reminders reminders_;
};

// KEHU_SEED=n runs one seed again.
TEST(Simulation, NothingIsLostDoubledOrInvented) {
  const char* one = std::getenv("KEHU_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const uint64_t count = one != nullptr ? 1 : static_cast<uint64_t>(rounds(200, 5000));
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE(cat("KEHU_SEED=", seed));
    Simulation(seed).run();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace kehu::engine
