#include "identity/graph.h"

#include "gmock/gmock.h"
#include "identity/bounds.h"
#include "identity/testing.h"

namespace kehu::identity {
namespace {

TEST(graph, moves_are_in_order_and_name_every_token_of_the_loser) {
  World world;
  world.step("A1 F1");
  world.step("U1");
  const Resolution joined = world.resolve("U1 A1");
  const CustomerId a1 = CustomerId::named_after(world.token("A1")),
                   u1 = CustomerId::named_after(world.token("U1"));
  EXPECT_EQ(joined.moves, (Moves{{world.token("A1"), a1, u1}, {world.token("F1"), a1, u1}}));
  const auto parted = world.unmerge(3);
  ASSERT_TRUE(parted.ok());
  EXPECT_EQ(parted->moves, (Moves{{world.token("A1"), u1, a1}, {world.token("F1"), u1, a1}}));
  EXPECT_THAT((std::vector<CustomerId>(parted->customers.begin(), parted->customers.end())),
              testing::ElementsAre(u1, a1));
}

TEST(graph, a_shared_device_named_after_keeps_its_own_part) {
  World world;
  for (const char* step : {"A1", "U1 A1", "U2 A1", "U3 A1"}) world.step(step);
  const CustomerId a1 = CustomerId::named_after(world.token("A1")),
                   u1 = CustomerId::named_after(world.token("U1"));
  EXPECT_EQ(world.resolve("U4 A1").moves, (Moves{{world.token("U1"), a1, u1}}));
}

TEST(graph, new_customer_is_said_once) {
  World world;
  EXPECT_TRUE(world.resolve("A1").new_customer);
  EXPECT_FALSE(world.resolve("A1").new_customer);
  EXPECT_FALSE(world.resolve("U1 A1").new_customer);
}

TEST(graph, known_identifiers_write_nothing) {
  World world;
  for (const char* step : {"U1 A1", "U2 A1", "U3 A1", "U4 A1", "A2 F2", "A3"}) world.step(step);
  world.step("A3 F2");
  const int before = world.nodes.writes + world.groups.writes;
  for (const char* step : {"U1", "U2 A1", "A3 F2", "A2 F2", "A1"}) world.step(step);
  EXPECT_EQ(world.nodes.writes + world.groups.writes, before);
}

TEST(graph, repeated_refusals_write_nothing) {
  World world;
  for (const char* step : {"U1 A1", "U2 A1", "U3 W3", "U3 W4"}) world.step(step);
  const int before = world.nodes.writes + world.groups.writes;
  for (const char* step : {"U2 A1", "U3 W4"}) world.step(step);
  EXPECT_EQ(world.nodes.writes + world.groups.writes, before);
}

TEST(graph, alias_to_the_same_value_is_no_operation) {
  World world;
  Identifier user{.type = IdentifierTypeId(0), .token = world.token("U1"), .value = "zhang"};
  Identifier guess{
      .type = IdentifierTypeId(3), .previous = true, .token = world.token("A1"), .value = "zhang"};
  const Identifier identifiers[] = {user, guess};
  Event event;
  event.type = EventType::kAlias;
  event.identifiers = identifiers;
  const Resolution resolution = world.graph.resolve(event, Sequence(1));
  EXPECT_EQ(resolution.customer, CustomerId::named_after(user.token));
  EXPECT_EQ(world.graph.customer_of(guess.token), std::nullopt);
}

TEST(graph, an_alias_storm_stops_at_the_limit) {
  World world;
  world.step("U1");
  for (int i = 0; i < 1000; ++i) world.step("U1 <A" + std::to_string(i));
  const CustomerId customer = CustomerId::named_after(world.token("U1"));
  EXPECT_EQ(world.graph.identifiers_of(customer).size(), 101u);
  EXPECT_EQ(world.graph.refusals(customer).size(), kRefusalsPerCustomer);
  EXPECT_EQ(world.graph.refusals(customer).back().token, world.token("A999"));
  EXPECT_EQ(world.graph.links(customer).front().kind, LinkKind::kAlias);
}

TEST(graph, tokens_of_a_customer_are_bounded) {
  World world;
  for (size_t i = 0; i < kTokensPerCustomer + 20; ++i) {
    world.wait(Duration::hours(8));
    const std::string answer = world.step("U1 A" + std::to_string(i));
    EXPECT_EQ(answer.ends_with("limit"), i + 1 >= kTokensPerCustomer) << answer;
  }
  EXPECT_EQ(world.graph.identifiers_of(CustomerId::named_after(world.token("U1"))).size(),
            kTokensPerCustomer);
}

TEST(graph, made_up_ids_of_servers_use_nothing_up) {
  World world;
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(world.step("U1 ~A" + std::to_string(i)), "U1/U1");
  const CustomerId customer = CustomerId::named_after(world.token("U1"));
  EXPECT_EQ(world.graph.identifiers_of(customer).size(), 1 + kPassingPerCustomer);
  EXPECT_EQ(world.graph.links(customer).size(), kPassingPerCustomer);
  EXPECT_THAT(world.graph.refusals(customer), testing::IsEmpty());
  EXPECT_EQ(world.graph.customer_of(world.token("A1")), std::nullopt);
  EXPECT_EQ(world.graph.customer_of(world.token("A1999")), customer);
  world.step("A5000");
  EXPECT_EQ(world.step("U1 A5000"), "U1/U1");
  EXPECT_EQ(world.graph.customer_of(world.token("A5000")), customer);
}

TEST(graph, an_id_of_a_server_that_is_seen_again_stays) {
  World world;
  for (const char* step : {"U1 ~A1", "A1", "U1 ~A2", "U1 ~A2"}) world.step(step);
  for (int i = 10; i < 50; ++i) world.step("U1 ~A" + std::to_string(i));
  const CustomerId customer = CustomerId::named_after(world.token("U1"));
  EXPECT_EQ(world.graph.customer_of(world.token("A1")), customer);
  EXPECT_EQ(world.graph.customer_of(world.token("A2")), customer);
  EXPECT_EQ(world.graph.identifiers_of(customer).size(), 3 + kPassingPerCustomer);
}

TEST(graph, explains_by_the_events_on_the_way) {
  World world;
  for (const char* step : {"U1 A1", "P1 A2", "U1 P1", "merge U1 F9", "F1", "merge U1 F1"}) world.step(step);
  const auto way = world.graph.explain(world.token("A1"), world.token("A2"));
  ASSERT_TRUE(way.ok());
  std::string events;
  for (const Link& link : *way)
    events += world.name(link.a.hash) + "-" + world.name(link.b.hash) + ":" + link.message_id + " ";
  EXPECT_EQ(events, "U1-A1:m1 U1-P1:m3 P1-A2:m2 ");
  EXPECT_EQ((*way)[1].absorbed, CustomerId::named_after(world.token("P1")));
  EXPECT_EQ((*way)[0].source, SourceId(7));
  const auto manual = world.graph.explain(world.token("U1"), world.token("F1"));
  ASSERT_TRUE(manual.ok());
  EXPECT_EQ(manual->front().actor, "ann");
  EXPECT_EQ(manual->front().reason, "same person");
  EXPECT_EQ(world.graph.explain(world.token("U1"), world.token("U8")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(graph, identifiers_are_listed_strongest_first) {
  World world;
  for (const char* step : {"A1 F1", "A2", "P1 A1", "U1 P1 A2"}) world.step(step);
  std::string names;
  for (const KnownIdentifier& known :
       world.graph.identifiers_of(*world.graph.customer_of(world.token("F1")))) {
    names += known.value + "@" + std::to_string(known.first_seen.value()) + " ";
  }
  EXPECT_EQ(names, "U1@4 P1@3 A1@1 A2@2 F1@1 ");
}

TEST(graph, ids_of_merged_customers_stay_good) {
  World world;
  for (const char* step : {"A1", "U1", "U1 A1"}) world.step(step);
  const CustomerId a1 = CustomerId::named_after(world.token("A1"));
  EXPECT_EQ(world.graph.current(a1), CustomerId::named_after(world.token("U1")));
  EXPECT_TRUE(world.unmerge(3, a1).ok());
  EXPECT_EQ(world.graph.current(a1), a1);
  EXPECT_EQ(world.graph.current(CustomerId{hash128("nobody")}), std::nullopt);
}

TEST(graph, answers_as_of_a_record_and_as_of_a_time) {
  World world;
  const Instant start = world.now;
  for (const char* step : {"+1d", "A1", "+1d", "U1", "+1d", "U1 A1", "+1d", "unmerge 3"}) world.step(step);
  const Token a1 = world.token("A1"), u1 = world.token("U1");
  struct Case {
    uint64_t record;
    std::string want;
  };
  for (const auto& [record, want] : {Case{1, "A1"}, {2, "A1"}, {3, "U1"}, {4, "A1"}, {9, "A1"}}) {
    EXPECT_EQ(world.name(world.graph.customer_as_of(a1, Sequence(record))->hash), want) << record;
    EXPECT_EQ(
        world.name(world.graph.customer_as_of(a1, start + Duration::days(static_cast<int>(record)))->hash),
        want)
        << record;
  }
  EXPECT_EQ(world.graph.customer_as_of(a1, Sequence(0)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world.graph.customer_as_of(a1, start).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world.graph.customer_as_of(u1, Sequence(1)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*world.graph.customer_as_of(u1, Sequence(3)), CustomerId::named_after(u1));
}

TEST(graph, everybody_who_had_a_token_is_known) {
  World world;
  for (const char* step : {"A1", "U1", "U1 A1", "unmerge 3"}) world.step(step);
  const Token a1 = world.token("A1"), u1 = world.token("U1");
  const CustomerId a(CustomerId::named_after(a1)), u(CustomerId::named_after(u1));
  EXPECT_EQ(world.graph.owners_of(a1), (std::vector<CustomerId>{a, u, a}));
  EXPECT_EQ(world.graph.owners_of(u1), std::vector<CustomerId>{u});
  EXPECT_TRUE(world.graph.owners_of(world.token("A2")).empty());
}

TEST(graph, log_time_never_goes_back_within_a_token) {
  World world;
  const Instant start = world.now;
  for (const char* step : {"A1", "U1", "+5d", "U1 A1", "+-3d", "unmerge 3", "merge U1 A1"}) world.step(step);
  EXPECT_EQ(world.name(world.graph.customer_as_of(world.token("A1"), start + Duration::days(3))->hash), "A1");
  EXPECT_EQ(world.name(world.graph.customer_as_of(world.token("A1"), start + Duration::days(5))->hash), "U1");
}

TEST(graph, forgotten_history_is_said_to_be_unknown) {
  World world;
  for (const char* step : {"A1", "U1"}) world.step(step);
  for (size_t i = 0; i < kHistoryPerToken; ++i) {
    ASSERT_TRUE(world.merge("U1", "A1").ok());
    ASSERT_TRUE(world.unmerge(world.last.value()).ok());
  }
  EXPECT_EQ(world.graph.customer_as_of(world.token("A1"), Sequence(1)).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(world.name(world.graph.customer_as_of(world.token("A1"), world.last)->hash), "A1");
  EXPECT_EQ(world.graph.history(CustomerId::named_after(world.token("U1"))).size(), kChangesPerCustomer);
}

TEST(graph, remembers_refusals_separations_and_changes) {
  World world;
  for (const char* step : {"U1 A1", "U2 A1", "A2", "U2 A2", "unmerge 4"}) world.step(step);
  const CustomerId u2 = CustomerId::named_after(world.token("U2")),
                   a2 = CustomerId::named_after(world.token("A2"));
  EXPECT_THAT(world.graph.refusals(u2),
              testing::ElementsAre(
                  Refusal{IdentifierTypeId(3), LeftOut::kUniqueConflict, Sequence(2), world.token("A1")}));
  EXPECT_THAT(world.graph.separations(u2),
              testing::ElementsAre(Separation{world.token("U2"), world.token("A2"), Sequence(5), world.now,
                                              "bob", "not the same"}));
  EXPECT_THAT(world.graph.separations(a2), testing::SizeIs(1));
  EXPECT_THAT(
      world.graph.history(u2),
      testing::ElementsAre(Change{ChangeKind::kJoined, Sequence(4), world.now, world.token("A2"), a2},
                           Change{ChangeKind::kSeparated, Sequence(5), world.now, world.token("A2"), a2}));
  EXPECT_THAT(world.graph.history(a2), testing::ElementsAre(Change{ChangeKind::kSeparated, Sequence(5),
                                                                   world.now, world.token("A2"), u2}));
}

TEST(graph, long_command_texts_are_cut_at_a_character) {
  World world;
  for (const char* step : {"U1", "A1"}) world.step(step);
  std::string reason;
  while (reason.size() < 2 * kCommandTextBytes) reason += "同一个人";
  ASSERT_TRUE(
      world.graph.merge({world.token("U1"), world.token("A1"), reason, "ann"}, Sequence(3), world.now).ok());
  const std::string kept = world.graph.links(CustomerId::named_after(world.token("U1"))).front().reason;
  EXPECT_EQ(kept.size(), kCommandTextBytes / 3 * 3);
  EXPECT_TRUE(reason.starts_with(kept));
}

TEST(graph, prefetch_asks_for_groups_only_of_events_that_join) {
  struct Recorder : MapStore {
    void prefetch(absl::Span<const Hash128> keys) override {
      asked.insert(asked.end(), keys.begin(), keys.end());
    }
    std::vector<Hash128> asked;
  };
  Settings settings = five_types();
  Recorder nodes, groups;
  Graph graph(settings, nodes, groups);
  const Token u1{hash128("U1")}, a1{hash128("A1")}, a2{hash128("A2")};
  const Identifier user{.type = IdentifierTypeId(0), .token = u1, .value = "U1"},
      known{.type = IdentifierTypeId(3), .token = a1, .value = "A1"},
      unknown{.type = IdentifierTypeId(3), .token = a2, .value = "A2"};
  const Identifier first[] = {user, known}, second[] = {user, unknown};
  Event known_only, with_new;
  known_only.identifiers = first;
  with_new.identifiers = second;
  graph.resolve(known_only, Sequence(1));
  const Event* one[] = {&known_only};
  graph.prefetch(one);
  EXPECT_THAT(nodes.asked, testing::ElementsAre(u1.hash, a1.hash));
  EXPECT_THAT(groups.asked, testing::IsEmpty());
  const Event* both[] = {&known_only, &with_new};
  graph.prefetch(both);
  EXPECT_THAT(groups.asked, testing::ElementsAre(u1.hash));
}

}  // namespace
}  // namespace kehu::identity
