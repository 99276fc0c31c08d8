#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "identity/group.h"
#include "identity/node.h"

namespace kehu::identity {
namespace {

std::string hex(std::string_view bytes) { return absl::BytesToHexString(to_absl(bytes)); }

constexpr Token kPhone{{1, 2}}, kUser{{3, 4}}, kDevice{{5, 6}};
constexpr Instant kNoon = Instant::from_seconds(1'790'000'000);

Node plain_node() {
  Node node;
  node.type = IdentifierTypeId(3);
  node.owner = CustomerId::named_after(kPhone);
  node.first_seen = Sequence(300);
  node.first_time = kNoon;
  node.first_received = kNoon + Duration::millis(20);
  node.value = "abc";
  return node;
}

Node full_node() {
  Node node = plain_node();
  node.sealed = true;
  node.conflicts = {CustomerId::named_after(kDevice)};
  node.move_to(CustomerId::named_after(kUser), Sequence(301), kNoon + Duration::seconds(1));
  return node;
}

Group full_group() {
  Group group;
  group.id = CustomerId::named_after(kUser);
  group.members = {{kUser, IdentifierTypeId(0), Sequence(301), kNoon},
                   {kPhone, IdentifierTypeId(3), Sequence(300), kNoon - Duration::seconds(1)}};
  Link link;
  link.a = kUser;
  link.b = kPhone;
  link.sequence = Sequence(301);
  link.time = kNoon;
  link.source = SourceId(7);
  link.message_id = "0b9e9c4a-96a8-4d0b-b1d5-6a7c0d2a6c55";
  link.absorbed = CustomerId::named_after(kPhone);
  group.links = {link};
  group.separations = {{kUser, kDevice, Sequence(302), kNoon, "ann", "no"}};
  group.refusals = {{IdentifierTypeId(8), LeftOut::kUniqueConflict, Sequence(303), kDevice}};
  group.changes = {{ChangeKind::kJoined, Sequence(301), kNoon, kPhone, CustomerId::named_after(kPhone)}};
  return group;
}

Group empty_group() {
  Group group;
  group.id = full_group().id;
  return group;
}

Group manual_group() {
  Group group = full_group();
  group.separations.clear();
  group.links[0].kind = LinkKind::kManual;
  group.links[0].source = SourceId(0);
  group.links[0].message_id.clear();
  group.links[0].actor = "ann";
  group.links[0].reason = "同一个人";
  return group;
}

std::string bytes_of(Token token, const Node& node) {
  std::string bytes;
  append_node(token, node, bytes);
  return bytes;
}

std::string bytes_of(const Group& group) {
  std::string bytes;
  append_group(group, bytes);
  return bytes;
}

// The examples of the format page are the golden bytes.
TEST(blob, bytes_are_those_of_the_format_page) {
  std::ifstream file(KEHU_SOURCE_DIR "/docs/formats/identity.md");
  std::stringstream page;
  page << file.rdbuf();
  std::string examples = page.str();
  std::erase_if(examples, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_THAT(examples, testing::HasSubstr(hex(bytes_of(kPhone, plain_node()))));
  EXPECT_THAT(examples, testing::HasSubstr(hex(bytes_of(kPhone, full_node()))));
  EXPECT_THAT(examples, testing::HasSubstr(hex(bytes_of(full_group()))));
  EXPECT_THAT(examples, testing::HasSubstr(hex(bytes_of(manual_group()))));
}

TEST(blob, nodes_read_back) {
  for (const Node& node : {plain_node(), full_node()}) {
    const std::string bytes = bytes_of(kPhone, node);
    EXPECT_EQ(parse_node(kPhone, bytes), node);
    const auto head = peek_node(kPhone, bytes);
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->owner, node.owner);
    EXPECT_EQ(head->type, node.type);
  }
}

TEST(blob, groups_read_back) {
  for (const Group& group : {full_group(), manual_group(), empty_group()}) {
    EXPECT_EQ(parse_group(group.id, bytes_of(group)), group);
  }
}

TEST(blob, message_ids_read_back) {
  for (const char* id :
       {"", "m1", "0b9e9c4a-96a8-4d0b-b1d5-6a7c0d2a6c55", "0B9E9C4A-96A8-4D0B-B1D5-6A7C0D2A6C55",
        "0b9e9c4a-96a8-4d0b-b1d56a7c0d2a6c55--", "0b9e9c4a96a84d0bb1d56a7c0d2a6c55----"}) {
    Group group = full_group();
    group.links[0].message_id = id;
    EXPECT_EQ(parse_group(group.id, bytes_of(group)), group) << id;
  }
}

TEST(blob, cut_or_longer_bytes_are_refused) {
  const std::string node = bytes_of(kPhone, full_node()), group = bytes_of(full_group());
  for (size_t size = 0; size < node.size(); ++size)
    EXPECT_FALSE(parse_node(kPhone, node.substr(0, size))) << size;
  for (size_t size = 0; size < group.size(); ++size) {
    EXPECT_FALSE(parse_group(full_group().id, group.substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_node(kPhone, node + '\0'));
  EXPECT_FALSE(parse_group(full_group().id, group + '\0'));
}

TEST(blob, what_is_read_from_damaged_bytes_is_canonical) {
  std::mt19937_64 random(42);
  const std::string node = bytes_of(kPhone, full_node()), group = bytes_of(full_group());
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = i % 2 ? node : group;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (i % 2) {
      const auto read = parse_node(kPhone, damaged);
      if (!read) continue;
      ASSERT_EQ(parse_node(kPhone, bytes_of(kPhone, *read)), *read) << hex(damaged);
    } else {
      const auto read = parse_group(full_group().id, damaged);
      if (!read) continue;
      ASSERT_EQ(parse_group(full_group().id, bytes_of(*read)), *read) << hex(damaged);
    }
  }
}

}  // namespace
}  // namespace kehu::identity
