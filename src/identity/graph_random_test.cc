#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "identity/bounds.h"
#include "identity/forest.h"
#include "identity/testing.h"

namespace kehu::identity {
namespace {

using Owners = std::map<Token, CustomerId>;

Settings no_rules() {
  Settings settings = five_types();
  for (IdentifierRule& rule : settings.identifier_types) {
    rule.unique = rule.weak = false;
    rule.limit = rule.shared_after = 0;
  }
  return settings;
}

// Names of tokens for random events: few users, more devices.
std::vector<std::string> names_of(std::initializer_list<std::pair<char, int>> counts) {
  std::vector<std::string> names;
  for (const auto& [letter, count] : counts) {
    for (int i = 0; i < count; ++i) names.push_back(letter + std::to_string(i));
  }
  return names;
}

class RandomWorld {
 public:
  RandomWorld(uint64_t seed, Settings settings, std::vector<std::string> names)
      : world(std::move(settings)), names_(std::move(names)), random_(seed) {}

  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  const std::string& any_name() { return names_[below(names_.size())]; }

  // One to four identifiers, strongest first.
  std::string event() {
    std::vector<size_t> picked;
    for (size_t i = below(4) + 1; i > 0; --i) picked.push_back(below(names_.size()));
    std::ranges::sort(picked);
    std::string text;
    for (const size_t i : picked) text += (text.empty() ? "" : " ") + names_[i];
    if (picked.size() > 1 && below(10) == 0) text.insert(text.rfind(' ') + 1, "<");
    return text;
  }

  Owners owners() const {
    Owners owners;
    for (const auto& [token, name] : world.names) {
      if (const auto owner = world.graph.customer_of(token)) owners[token] = *owner;
    }
    return owners;
  }

  // The record of some link of some customer; 0 when there is none.
  uint64_t any_link() {
    const auto owner = world.graph.customer_of(world.token(any_name()));
    if (!owner) return 0;
    const std::vector<Link> links = world.graph.links(*owner);
    return links.empty() ? 0 : links[below(links.size())].sequence.value();
  }

  World world;

 private:
  std::vector<std::string> names_;
  std::mt19937_64 random_;
};

class Components {
 public:
  Token root(Token token) {
    Token& parent = parent_.try_emplace(token, token).first->second;
    return parent == token ? token : parent = root(parent);
  }
  void join(Token a, Token b) { parent_[root(a)] = root(b); }

 private:
  std::map<Token, Token> parent_;
};

TEST(graph_random, equals_connected_components_when_no_rule_applies) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomWorld random(seed, no_rules(), names_of({{'U', 20}, {'P', 40}, {'A', 120}, {'F', 20}}));
    Components components;
    for (int i = 0; i < 160; ++i) {
      std::string text = random.event();
      std::erase(text, '<');
      random.world.resolve(text);
      std::istringstream words(text);
      std::string first, next;
      words >> first;
      while (words >> next) components.join(random.world.token(first), random.world.token(next));
    }
    std::map<Token, CustomerId> customer_of_root;
    std::map<CustomerId, Token> root_of_customer;
    for (const auto& [token, owner] : random.owners()) {
      const Token root = components.root(token);
      EXPECT_EQ(customer_of_root.try_emplace(root, owner).first->second, owner);
      EXPECT_EQ(root_of_customer.try_emplace(owner, root).first->second, root);
    }
  }
}

// What moves say happened, beside what the graph says is.
void replay(Owners& owners, const Moves& moves) {
  for (const Move& move : moves) {
    CustomerId& owner = owners.try_emplace(move.part, move.from).first->second;
    ASSERT_EQ(owner, move.from);
    ASSERT_NE(move.from, move.to);
    owner = move.to;
  }
}

void check_members(const World& world, const Group& group) {
  std::map<IdentifierTypeId, int> values;
  for (const Member& member : group.members) {
    EXPECT_EQ(world.graph.customer_of(member.token), group.id);
    const int count = ++values[member.type];
    EXPECT_TRUE(count == 1 || !world.settings.rule(member.type).unique);
  }
  EXPECT_TRUE(group.contains(Token{group.id.hash}));
}

void check_forest(const Group& group) {
  EXPECT_EQ(group.links.size() + 1, group.members.size());
  EXPECT_EQ(components(group.members, group.links).size(), 1u);
  for (const Link& link : group.links) EXPECT_TRUE(group.contains(link.a) && group.contains(link.b));
}

void check_separations(const World& world, const Group& group) {
  for (const Separation& separation : group.separations) {
    EXPECT_TRUE(group.contains(separation.own));
    EXPECT_FALSE(group.contains(separation.other));
    const std::optional<CustomerId> other = world.graph.customer_of(separation.other);
    const auto back = world.graph.separations(*other);
    const bool both = std::ranges::any_of(
        back, [&](const Separation& s) { return s.own == separation.other && s.other == separation.own; });
    const bool other_shared = world.graph.identifiers_of(*other).front().shared;
    EXPECT_TRUE(both || other_shared);
  }
}

// No period holds more than the limit, whatever the order in which its values came.
void check_limits(const World& world, const Group& group) {
  for (size_t type = 0; type < world.settings.identifier_types.size(); ++type) {
    const IdentifierRule& rule = world.settings.identifier_types[type];
    for (const Member& first : group.members) {
      const auto in_period = std::ranges::count_if(group.members, [&](const Member& member) {
        return member.type.value() == type && member.first_time >= first.first_time &&
               member.first_time - first.first_time < rule.period;
      });
      EXPECT_LE(in_period, rule.limit);
    }
  }
}

struct Checked {
  bool limits = true;  // manual merges may pass them
};

void check_everything(World& world, const Owners& replayed, Checked checked) {
  size_t members = 0;
  std::map<CustomerId, Group> groups;
  for (const auto& [key, bytes] : world.groups.blobs) {
    const std::optional<Group> group = parse_group(CustomerId{key}, bytes);
    ASSERT_TRUE(group.has_value());
    EXPECT_FALSE(group->is_plain());
    groups[group->id] = *group;
  }
  for (const auto& [key, bytes] : world.nodes.blobs) {
    const Token token{key};
    const std::optional<Node> node = parse_node(token, bytes);
    ASSERT_TRUE(node.has_value());
    const auto known = replayed.find(token);
    ASSERT_NE(known, replayed.end());
    EXPECT_EQ(known->second, node->owner);
    EXPECT_EQ(*world.graph.customer_as_of(token, world.last), node->owner);
    EXPECT_LT(node->conflicts.size(), 3u);
    EXPECT_TRUE(!node->shared || world.graph.identifiers_of(node->owner).size() == 1);
    members += !groups.contains(node->owner);
  }
  for (const auto& [id, group] : groups) {
    members += group.members.size();
    check_members(world, group);
    check_forest(group);
    check_separations(world, group);
    if (checked.limits) check_limits(world, group);
  }
  EXPECT_EQ(members, world.nodes.blobs.size());
}

// Applies one random step to the graph and to the replayed owners.
void random_step(RandomWorld& random, Owners& replayed, Checked checked) {
  World& world = random.world;
  const size_t dice = random.below(100);
  if (dice < 8) {
    if (const uint64_t link = random.any_link()) replay(replayed, world.unmerge(link)->moves);
  } else if (dice < 14 && !checked.limits) {
    const auto outcome = world.merge(random.any_name(), random.any_name());
    if (outcome.ok()) replay(replayed, outcome->moves);
  } else if (dice < 30) {
    world.wait(Duration::hours(static_cast<int64_t>(random.below(1000)) - 400));
  } else {
    const Resolution resolution = world.resolve(random.event());
    replay(replayed, resolution.moves);
    for (const auto& [token, owner] : random.owners()) {
      if (!replayed.contains(token)) replayed[token] = resolution.customer;
    }
    EXPECT_EQ(world.graph.customer_of(resolution.part), resolution.customer);
  }
}

std::vector<std::string> crowd() { return names_of({{'U', 6}, {'W', 4}, {'P', 9}, {'A', 14}, {'F', 4}}); }

class GraphInvariants : public testing::TestWithParam<bool> {};

TEST_P(GraphInvariants, hold_after_every_random_step) {
  const Checked checked{.limits = GetParam()};
  for (uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomWorld random(seed, five_types(), crowd());
    Owners replayed;
    for (int i = 0; i < 250 && !HasFailure(); ++i) {
      random_step(random, replayed, checked);
      check_everything(random.world, replayed, checked);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(with_limits, GraphInvariants, testing::Values(true));
INSTANTIATE_TEST_SUITE_P(with_manual_merges, GraphInvariants, testing::Values(false));

// Owners of the tokens that were there before: new ones of the joining event stay with its strongest.
Owners restricted(const Owners& owners, const Owners& to) {
  Owners kept;
  for (const auto& [token, owner] : owners) {
    if (to.contains(token)) kept[token] = owner;
  }
  return kept;
}

TEST(graph_random, unmerge_right_after_a_join_restores_the_partition) {
  int joins = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomWorld random(seed, five_types(), crowd());
    Owners replayed;
    for (int i = 0; i < 150; ++i) {
      random_step(random, replayed, {.limits = false});
      const Owners before = random.owners();
      const bool manual = random.below(2) == 0;
      if (manual && !random.world.merge(random.any_name(), random.any_name()).ok()) continue;
      if (!manual) {
        const Resolution resolution = random.world.resolve(random.event());
        if (resolution.moves.empty() || !resolution.left_out.empty()) {
          replayed = random.owners();
          continue;
        }
      }
      ++joins;
      ASSERT_TRUE(random.world.unmerge(random.world.last.value()).ok());
      ASSERT_EQ(restricted(random.owners(), before), before);
      replayed = random.owners();
    }
  }
  EXPECT_GT(joins, 500);
}

TEST(graph_random, same_input_same_bytes) {
  const auto run = [](uint64_t seed) {
    RandomWorld random(seed, five_types(), crowd());
    Owners replayed;
    for (int i = 0; i < 400; ++i) random_step(random, replayed, {.limits = false});
    return std::pair(random.world.nodes.blobs, random.world.groups.blobs);
  };
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(run(seed), run(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace kehu::identity
