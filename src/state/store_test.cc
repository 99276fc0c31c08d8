#include "state/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

namespace kehu::state {
namespace {

using Model = std::map<Hash128, std::string>;

class Directory {
 public:
  Directory() {
    path_ = std::filesystem::temp_directory_path() / ("kehu-state-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Database> open(const std::string& path) {
  auto database = Database::open(path, 1 << 20);
  EXPECT_TRUE(database.ok()) << database.status();
  return database.ok() ? std::move(*database) : nullptr;
}

Model contents(Store& store) {
  Model model;
  store.for_each([&](const Hash128& key, std::string_view bytes) {
    EXPECT_TRUE(model.emplace(key, bytes).second) << "visited twice";
  });
  return model;
}

TEST(BlobTable, RandomOperationsAgreeWithAMap) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  BlobTable table;
  Model model;
  for (int i = 0; i < 100'000; ++i) {
    // Few distinct buckets, so that probe chains and backward shifts are long.
    const Hash128 key{random() % 3, random() % 3000};
    if (random() % 3 == 0) {
      if (Slot* slot = table.find(key)) table.remove(*slot);
      model.erase(key);
    } else {
      const std::string bytes(random() % 200, static_cast<char>(random()));
      table.assign(table.insert(key), bytes);
      model[key] = bytes;
    }
    ASSERT_EQ(table.size(), model.size());
  }
  for (const auto& [key, bytes] : model) {
    Slot* slot = table.find(key);
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->bytes(), bytes);
  }
}

TEST(Database, ACheckpointIsWholeAndCarriesItsPosition) {
  Directory directory;
  {
    auto database = open(directory.path());
    EXPECT_EQ(database->position(), Sequence(0));
    Changes first;
    first.add(Space::kNodes, Hash128{2, 0}, "b");
    first.add(Space::kNodes, Hash128{1, 0}, "a");
    ASSERT_TRUE(database->checkpoint(Sequence(7), first).ok());
    Changes second;
    second.add(Space::kNodes, Hash128{2, 0}, "");
    second.add(Space::kNodes, Hash128{3, 0}, "c");
    ASSERT_TRUE(database->checkpoint(Sequence(9), second).ok());
  }
  auto database = open(directory.path());
  EXPECT_EQ(database->position(), Sequence(9));
  std::vector<std::string> values;
  ASSERT_TRUE(database->get_many(Space::kNodes, {Hash128{1, 0}, Hash128{2, 0}, Hash128{3, 0}}, values).ok());
  EXPECT_EQ(values, (std::vector<std::string>{"a", "", "c"}));
  EXPECT_TRUE(database->verify().ok());
}

// As a process leaves it that was killed while it ingested a checkpoint.
TEST(Database, ALeftOverNameOfATableIsNotWrittenThrough) {
  Directory directory;
  const auto write = [](Database& database, uint64_t position) {
    Changes changes;
    changes.add(Space::kNodes, Hash128{position, 0}, std::to_string(position));
    ASSERT_TRUE(database.checkpoint(Sequence(position), changes).ok());
  };
  {
    auto database = open(directory.path());
    write(*database, 1);
    std::filesystem::path table;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().extension() == ".sst") table = entry.path();
    }
    std::filesystem::create_hard_link(table, directory.path() + "/ingest.sst");
    write(*database, 2);
  }
  auto database = open(directory.path());
  ASSERT_NE(database, nullptr);
  EXPECT_TRUE(database->verify().ok()) << database->verify();
  std::string value;
  for (const uint64_t position : {1, 2}) {
    const auto found = database->get(Space::kNodes, Hash128{position, 0}, value);
    EXPECT_TRUE(found.ok() && *found) << position;
    EXPECT_EQ(value, std::to_string(position));
  }
}

// A store over a database, written to at random with checkpoints running at every stage of their life, must
// always hold what a plain map holds, and after a loss of memory what the map held at the last finished
// checkpoint.
TEST(Store, CheckpointsKeepTheStateOfTheirPosition) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  Directory directory;
  Model model, frozen, durable;
  auto database = open(directory.path());
  auto store = std::make_unique<Store>(Space::kCustomers, database.get());
  Changes changes;
  bool running = false;
  uint64_t position = 0;
  for (int i = 0; i < 30'000; ++i) {
    const Hash128 key{random() % 500, 0};
    const auto action = random() % 1000;
    if (action < 500) {
      const std::string bytes(1 + random() % 100, static_cast<char>('a' + random() % 26));
      store->put(key, bytes);
      model[key] = bytes;
    } else if (action < 600) {
      store->erase(key);
      model.erase(key);
    } else if (action < 900) {
      const auto it = model.find(key);
      ASSERT_EQ(store->get(key), it == model.end() ? "" : it->second) << i;
    } else if (action < 960) {
      if (!running) {
        changes = {};
        store->begin_checkpoint(changes);
        frozen = model;
        running = true;
      } else if (size_t keys = 20; store->copy_some(keys)) {
        if (random() % 5 == 0) {
          store->abandon_checkpoint();
        } else {
          ASSERT_TRUE(database->checkpoint(Sequence(++position), changes).ok());
          store->finish_checkpoint();
          durable = frozen;
        }
        running = false;
      }
    } else if (action < 990) {
      const std::vector<Hash128> keys = {key, Hash128{random() % 500, 0}, Hash128{900, 0}};
      store->prefetch(keys);
    } else if (action < 997) {
      store->evict_to(0);
      size_t slots = SIZE_MAX;
      EXPECT_TRUE(store->evict_some(slots));
    } else if (random() % 4 == 0) {
      store.reset();
      database.reset();
      database = open(directory.path());
      store = std::make_unique<Store>(Space::kCustomers, database.get());
      model = durable;
      running = false;
      ASSERT_EQ(contents(*store), model) << i;
    }
  }
  EXPECT_EQ(contents(*store), model);
  EXPECT_TRUE(store->error().ok()) << store->error();
}

}  // namespace
}  // namespace kehu::state
