#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/hash.h"
#include "profile/test_folded.h"
#include "profile/test_plain_profile.h"
#include "profile/test_random_events.h"

// A part is a function of the set of its events, and says what the plain computation says.
namespace kehu::profile {
namespace {

struct Shape {
  const char* name;
  const char* zone;
  int seeds;
  RandomEventOptions options;
};

const Shape kShapes[] = {
    {"few", "Asia/Shanghai", 150, {.count = 12}},
    {"days", "America/New_York", 100, {.count = 80}},
    {"minutes", "Asia/Kolkata", 100, {.count = 60, .spread = Duration::minutes(130)}},
    {"hours", "Europe/London", 60, {.count = 150, .spread = Duration::hours(60)}},
    {"years", "Australia/Lord_Howe", 40, {.count = 200, .spread = Duration::days(900)}},
    {"one instant", "Asia/Shanghai", 40, {.count = 60, .spread = Duration(1)}},
    {"many names", "Asia/Shanghai", 4, {.count = 2500, .spread = Duration::days(20), .names = 400}},
    {"many values",
     "Asia/Shanghai",
     6,
     {.count = 1500, .spread = Duration::days(20), .names = 2, .values = 300}},
    {"many orders", "Asia/Shanghai", 6, {.count = 600, .spread = Duration::days(20), .orders = 200}},
    {"many traits", "Asia/Shanghai", 3, {.count = 60, .traits = 700}},
    {"before 1970", "Europe/London", 20, {.count = 60, .around = Instant::from_seconds(-2'000'000'000)}},
};

class PartTest : public testing::TestWithParam<Shape> {
 protected:
  // The shape, and a number one can run again.
  static uint64_t seed(int i) { return hash64(GetParam().name, static_cast<uint64_t>(i)); }
};

std::vector<Event> shuffled(std::vector<Event> events, std::mt19937_64& random) {
  std::shuffle(events.begin(), events.end(), random);
  return events;
}

// The events spread over some parts, and the parts merged in a random tree.
std::string split_and_merged(const Plan& plan, const std::vector<Event>& events, std::mt19937_64& random,
                             Names& names) {
  std::vector<std::vector<Event>> pieces(1 + random() % 6);
  for (const Event& event : events) pieces[random() % pieces.size()].push_back(event);
  std::vector<std::string> parts;
  for (const auto& piece : pieces) parts.push_back(fold_all(plan, piece, names));
  while (parts.size() > 1) {
    std::shuffle(parts.begin(), parts.end(), random);
    const std::string both = merged(parts[parts.size() - 1], parts[parts.size() - 2]);
    parts.pop_back();
    parts.back() = both;
  }
  return parts[0];
}

TEST_P(PartTest, AnyOrderAndAnySplitGiveTheSameBytes) {
  const Settings settings = test_settings(GetParam().zone);
  const Plan plan(settings);
  for (int i = 0; i < GetParam().seeds; ++i) {
    SCOPED_TRACE(testing::Message() << "seed " << seed(i));
    const RandomEvents random_events(seed(i), GetParam().options);
    std::mt19937_64 random(seed(i));
    Names names;
    const std::string part = fold_all(plan, random_events.events(), names);
    ASSERT_EQ(fold_all(plan, shuffled(random_events.events(), random), names), part);
    ASSERT_EQ(split_and_merged(plan, shuffled(random_events.events(), random), random, names), part);
    ASSERT_TRUE(validate(part).ok());
    ASSERT_EQ(merged("", part), part);
  }
}

TEST_P(PartTest, SaysWhatThePlainComputationSays) {
  const Settings settings = test_settings(GetParam().zone);
  const Plan plan(settings);
  for (int i = 0; i < GetParam().seeds; ++i) {
    SCOPED_TRACE(testing::Message() << "seed " << seed(i));
    const RandomEvents random_events(seed(i), GetParam().options);
    std::mt19937_64 random(seed(i));
    Names names;
    const std::string part = split_and_merged(plan, random_events.events(), random, names);
    const int64_t offset = static_cast<int64_t>(random() % 90'000) - 20'000;
    for (const Duration later : {Duration::seconds(offset), Duration::days(offset % 400)}) {
      const Instant now = GetParam().options.around + later;
      ASSERT_EQ(describe(view_of(settings, part, now, names)),
                describe(plain_profile(settings, random_events.events(), now)));
    }
  }
}

TEST_P(PartTest, ChangesWithItsEvents) {
  const Plan plan(test_settings(GetParam().zone));
  const RandomEvents random_events(seed(0), GetParam().options);
  Names names;
  const std::string part = fold_all(plan, random_events.events(), names);
  std::vector<Event> fewer = random_events.events();
  fewer.pop_back();
  EXPECT_NE(digest(fold_all(plan, fewer, names)), digest(part));
}

INSTANTIATE_TEST_SUITE_P(Shapes, PartTest, testing::ValuesIn(kShapes), [](const auto& shape) {
  std::string name = shape.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

}  // namespace
}  // namespace kehu::profile
