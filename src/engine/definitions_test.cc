#include "replica/definitions.h"

#include <gtest/gtest.h>

#include "codec/record.h"
#include "codec/settings_json.h"
#include "definition/source.h"
#include "engine/test_engine.h"
#include "engine/words.h"

namespace kehu::engine {
namespace {

std::string source_body(std::string_view name, uint32_t id) {
  Source source;
  source.id = SourceId(id);
  source.name = name;
  return to_json(source);
}

class DefinitionsTest : public ::testing::Test {
 protected:
  DefinitionsTest() : database_(*state::Database::open(directory_.path(), 1 << 20)) {}

  // The state as a checkpoint of it: opened from it, everything is there again.
  void save(state::Store& store, Sequence position) {
    state::Changes changes;
    store.begin_checkpoint(changes);
    size_t keys = SIZE_MAX;
    while (!store.copy_some(keys)) {
    }
    ASSERT_TRUE(database_->checkpoint(position, changes).ok());
    store.finish_checkpoint();
  }
  static absl::StatusOr<definition::Project::Next> apply(Definitions& definitions, Sequence sequence,
                                                         const Definition& change) {
    std::string bytes;
    codec::append_definitions({&change, 1}, bytes);
    auto next = definitions.apply({sequence, RecordKind::kDefinition, bytes}, Instant(7'000'000));
    return next.ok() ? *std::move(next) : next.status();
  }

  TestDirectory directory_;
  std::unique_ptr<state::Database> database_;
};

TEST_F(DefinitionsTest, EveryVersionOutlivesARestart) {
  {
    state::Store store(Space::kDefinitions, database_.get());
    Definitions definitions(store);
    const std::string body = source_body("web", 0);
    const Definition made{.kind = "source", .name = "web", .body = body, .actor = "a", .base = Sequence()};
    ASSERT_TRUE(apply(definitions, Sequence(5), made).ok());
    const Definition gone{
        .kind = "source", .name = "web", .body = "", .actor = "b", .base = Sequence(5), .deleted = true};
    ASSERT_TRUE(apply(definitions, Sequence(9), gone).ok());
    save(store, Sequence(9));
  }
  state::Store store(Space::kDefinitions, database_.get());
  Definitions definitions(store);
  ASSERT_TRUE(definitions.load(Sequence(9)).ok());
  EXPECT_TRUE(definitions.project()->sources().empty());
  EXPECT_EQ(definitions.project()->name_of(SourceId(1)), "web");
  const auto versions = definitions.versions("source", "web");
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_TRUE(versions[0].version->deleted);
  EXPECT_EQ(versions[0].version->actor, "b");
  EXPECT_EQ(versions[1].version->sequence, Sequence(5));
  EXPECT_EQ(versions[1].version->time, Instant(7'000'000));
  for (const auto& [position, first] : {std::pair(0, 5), std::pair(4, 5), std::pair(5, 9), std::pair(9, 0)}) {
    const auto behind = definitions.versions_behind(Sequence(static_cast<uint64_t>(position)));
    ASSERT_TRUE(behind.ok()) << behind.status();
    EXPECT_EQ(behind->empty(), first == 0) << position;
    if (first == 0) continue;
    EXPECT_EQ(behind->front().version->sequence, Sequence(static_cast<uint64_t>(first))) << position;
    EXPECT_EQ(behind->back().version->sequence, Sequence(9)) << position;
  }
}

// The last versions were all that a directory of format 1 had.
TEST_F(DefinitionsTest, TakesOverADirectoryOfFormatOne) {
  Settings settings = Settings::defaults();
  settings.nobody = {"nobody-at-all"};
  state::Changes old;
  old.add(Space::kDefinitions, Hash128{0, 0}, codec::settings_to_json(settings));
  old.add(Space::kDefinitions, Hash128{1, 1}, source_body("default", 1));
  old.add(Space::kDefinitions, Hash128{1, 3}, source_body("shop", 3));
  ASSERT_TRUE(database_->checkpoint(Sequence(40), old).ok());
  const auto at_start = stored_settings(*database_);
  ASSERT_TRUE(at_start.ok() && *at_start != nullptr);
  EXPECT_EQ((*at_start)->nobody, settings.nobody);
  {
    state::Store store(Space::kDefinitions, database_.get());
    Definitions definitions(store);
    ASSERT_TRUE(definitions.load(database_->position()).ok());
    EXPECT_EQ(definitions.project()->find("shop")->id, SourceId(3));
    EXPECT_EQ(definitions.project()->settings()->nobody, settings.nobody);
    const std::string body = source_body("web", 0);
    const Definition made{.kind = "source", .name = "web", .body = body, .actor = "a", .base = Sequence()};
    ASSERT_TRUE(apply(definitions, Sequence(41), made).ok());
    EXPECT_EQ(definitions.project()->find("web")->id, SourceId(4));
    save(store, Sequence(41));
  }
  state::Store store(Space::kDefinitions, database_.get());
  Definitions definitions(store);
  ASSERT_TRUE(definitions.load(Sequence(41)).ok());
  EXPECT_EQ(definitions.project()->sources().size(), 3u);
  EXPECT_EQ(definitions.project()->find("source", "shop")->sequence, Sequence(40))
      << "as when it was taken over";
  const auto stored = stored_settings(*database_);
  ASSERT_TRUE(stored.ok() && *stored != nullptr);
  EXPECT_EQ((*stored)->nobody, settings.nobody);
}

}  // namespace
}  // namespace kehu::engine
