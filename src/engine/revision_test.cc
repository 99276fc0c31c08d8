#include "directory/revision.h"

#include <chrono>
#include <thread>

#include "directory/data_directory.h"
#include "directory/log_replacement.h"
#include "engine/test_engine.h"
#include "engine/words.h"
#include "identifier/identifier_value.h"
#include "seal/door.h"

namespace kehu::engine {
namespace {

Settings todays_settings() {
  Settings settings = Settings::defaults();
  settings.nobody = {"shop-*"};
  auto& types = settings.identifier_types;
  types[settings.find_type("device_id")->value()].priority = 1;
  types[settings.find_type("anonymous_id")->value()].limit = 7;
  return settings;
}

// Events whose identifiers have the tokens that the door of this directory gives.
class Sender {
 public:
  Sender(const std::string& directory, const Settings& settings)
      : settings_(settings),
        ring_(key_of(directory), Cipher::kAes256Gcm,
              [](char* bytes, size_t size) { std::fill_n(bytes, size, 'r'); }),
        door_(Project::kDefault, key_of(directory), settings_, ring_) {}

  RecordBatch batch(const std::vector<Given>& events) {
    RecordBatch batch;
    for (const Given& given : events) add(batch, given);
    return batch;
  }

 private:
  static seal::ProjectKey key_of(const std::string& directory) {
    return *DataDirectory::read_key(os::posix_file_system(), directory);
  }

  void add(RecordBatch& batch, const Given& given) {
    std::vector<Identifier> identifiers;
    for (const auto& [type_name, value] : given.identifiers) {
      const IdentifierTypeId type = *settings_.find_type(type_name);
      const bool blocked = is_blocked(settings_, settings_.rule(type), value);
      identifiers.push_back({.type = type,
                             .left_out = blocked ? LeftOut::kBlocked : LeftOut::kNo,
                             .token = door_.token(type, value),
                             .value = value});
    }
    std::ranges::stable_sort(identifiers, {}, [&](const Identifier& i) {
      return std::pair(settings_.rule(i.type).priority, i.type.value());
    });
    const std::string message_id = cat("message-", given.message);
    Event event;
    event.project = Project::kDefault;
    event.source = SourceId(1);
    event.time = event.original_time = event.received_at =
        Instant(1'780'000'000'000'000) + Duration::seconds(static_cast<int64_t>(given.message));
    event.message_key = hash128(message_id, 1);
    event.message_id = message_id;
    event.name = given.name;
    event.properties = given.properties;
    event.traits = event.context = "{}";
    event.identifiers = identifiers;
    codec::add_event(batch, event);
  }

  Settings settings_;
  seal::KeyRing ring_;
  seal::Door door_;
};

std::vector<Given> events_with_strangers(std::mt19937_64& random, uint64_t first, size_t count) {
  std::vector<Given> events = random_events(random, first, count);
  for (Given& given : events) {
    std::erase_if(given.identifiers, [](const auto& identifier) { return identifier.first == "phone"; });
    if (random() % 8 == 0) given.identifiers.emplace_back("device_id", cat("shop-", random() % 5));
  }
  return events;
}

// The project key of one directory, so that both give a value the same token.
void take_key(const std::string& from, const std::string& to) {
  std::filesystem::copy(from + "/keys", to + "/keys", std::filesystem::copy_options::recursive);
  std::filesystem::copy(from + "/FORMAT", to + "/FORMAT");
}

void send(Engine& engine, RecordBatch batch) {
  const auto ack = engine.submit_and_wait(std::move(batch));
  ASSERT_TRUE(ack.ok()) << ack.status();
}

TEST(Revision, IsAsIfTodaysSettingsHadBeenThereFromTheBeginning) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(cat("seed ", seed));
  std::mt19937_64 random(seed);
  const auto before = events_with_strangers(random, 0, 600), after = events_with_strangers(random, 600, 300);
  const Settings today = todays_settings();
  const std::string body = codec::settings_to_json(today);
  TestDirectory changed, always;
  {
    auto engine = open_engine(engine_options(changed.path()));
    Sender then(changed.path(), Settings::defaults()), now(changed.path(), today);
    send(*engine, then.batch(before));
    send(*engine, definition("settings", "", body));
    send(*engine, now.batch(after));
    ASSERT_TRUE(engine->stop().ok());
  }
  os::FileSystem& files = os::posix_file_system();
  {
    const auto directory = DataDirectory::open(files, changed.path());
    ASSERT_TRUE(directory.ok()) << directory.status();
    const auto foreseen = foresee_revision(files, *directory);
    ASSERT_TRUE(foreseen.ok()) << foreseen.status();
    const auto revised = revise(files, *directory);
    ASSERT_TRUE(revised.ok()) << revised.status();
    EXPECT_EQ(revised->settings, 1u);
    EXPECT_GT(revised->events, 20u);
    EXPECT_EQ(revised->values.size(), 5u);
    EXPECT_EQ(revised->values.at(0).left_out, LeftOut::kBlocked);
    EXPECT_EQ(foreseen->events, revised->events);
    // There is nothing left to revise.
    const auto again = foresee_revision(files, *directory);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->events + again->settings, 0u);
  }
  take_key(changed.path(), always.path());
  Options options = engine_options(always.path());
  options.first_settings = std::make_shared<const Settings>(today);
  auto expected = open_engine(std::move(options));
  Sender now(always.path(), today);
  send(*expected, now.batch(before));
  send(*expected, definition(kFormerSettings, "", body));
  send(*expected, now.batch(after));
  auto engine = open_engine(engine_options(changed.path()));
  EXPECT_EQ(engine->project()->settings()->nobody, today.nobody);
  EXPECT_EQ(digest_of(*engine), digest_of(*expected));
}

TEST(Revision, NeedsTheWholeLog) {
  std::mt19937_64 random(1);
  TestDirectory directory;
  Options options = restless_options(directory.path());
  options.first_settings = least_retention();
  const auto recycled = [&] { return !std::filesystem::exists(directory.path() + "/log/0000000001.log"); };
  auto engine = open_engine(std::move(options));
  for (uint64_t n = 0; n < 500 && !recycled(); ++n) {
    send(*engine, batch_of(large_events(random, n * 100, 100)));
    // A segment is recycled when a later one is begun behind a checkpoint, which a slow machine has to come
    // to.
    if (n >= 50) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_TRUE(engine->stop().ok());
  engine.reset();
  ASSERT_TRUE(recycled());
  const auto opened = DataDirectory::open(os::posix_file_system(), directory.path());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(revise(os::posix_file_system(), *opened).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/log.next"));
}

}  // namespace
}  // namespace kehu::engine
