#include "identity/graph.h"

#include "gmock/gmock.h"
#include "identity/bounds.h"
#include "identity/testing.h"

namespace kehu::identity {
namespace {

struct Scenario {
  std::string name;
  std::vector<std::string> given;
  std::string answer;  // of the last step
  std::string want;    // the partition after it
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

class GraphScenario : public testing::TestWithParam<Scenario> {};

TEST_P(GraphScenario, ends_in_the_wanted_partition) {
  World world;
  std::string answer;
  for (const std::string& step : GetParam().given) answer = world.step(step);
  EXPECT_EQ(answer, GetParam().answer);
  EXPECT_EQ(world.partition(), GetParam().want);
}

const Scenario kEvidence[] = {
    {"first_event_names_the_customer", {"A1"}, "A1/A1", "A1"},
    {"all_new_identifiers_are_one_customer", {"U1 P1 A1"}, "U1/U1", "U1 A1 P1"},
    {"anonymous_becomes_known", {"A1", "A1", "U1 A1"}, "A1/U1", "A1 U1"},
    {"known_stays_known", {"A1", "U1 A1", "U1"}, "A1/U1", "A1 U1"},
    {"two_devices", {"U1 A1", "A2", "U1 A2"}, "U1/U1", "U1 A1 A2"},
    {"the_stronger_side_wins", {"A1", "A2", "P1 A1", "P1 A2"}, "A1/P1", "A1 A2 P1"},
    {"a_user_id_wins_over_an_older_customer", {"A1", "U1", "U1 A1"}, "U1/U1", "U1 A1"},
    {"equal_types_the_earlier_wins", {"A1", "A2", "A1 A2"}, "A1/A1", "A1 A2"},
    {"equal_types_the_earlier_wins_in_any_order", {"A1", "A2", "A2 A1"}, "A1/A2", "A1 A2"},
    {"three_customers_in_one_event", {"P1", "A1", "A2", "P1 A1 A2"}, "P1/P1", "P1 A1 A2"},
    {"repeated_identifier", {"A1 A1"}, "A1/A1", "A1"},
    {"blocked_at_the_door", {"A1", "!U0 A1", "!U0 A2"}, "A2/A2", "A1 | A2"},
    {"nothing_usable", {"A1", "!U0"}, "?/?", "A1"},
};

const Scenario kUnique[] = {
    {"two_users_on_one_device", {"U1 A1", "U2 A1"}, "U2/U2 -A1:unique_conflict", "U1 A1 | U2"},
    {"two_known_users_never_merge",
     {"U1 A1", "U2 A2", "U2 A1"},
     "U2/U2 -A1:unique_conflict",
     "U1 A1 | U2 A2"},
    {"second_union_id_stays_outside", {"U1 W1", "U1 W2"}, "U1/U1 -W2:unique_conflict", "U1 W1"},
    {"refused_value_seen_alone_is_a_customer", {"U1 W1", "U1 W2", "W2"}, "W2/W2", "U1 W1 | W2"},
    {"conflict_behind_the_identifier",
     {"U1 P1", "U2 P2", "P1 P2"},
     "U1/P1 -P2:unique_conflict",
     "U1 P1 | U2 P2"},
    {"weakest_is_left_out_the_rest_joins",
     {"U1 A1", "A2", "U2 A1 A2"},
     "A2/U2 -A1:unique_conflict",
     "A2 U2 | U1 A1"},
    {"two_users_in_one_event", {"U1 U2 A1"}, "U1/U1 -U2:unique_conflict", "U1 A1"},
};

const Scenario kLimits[] = {
    {"within_the_limit", {"U1 P1", "U1 P2", "U1 P3"}, "U1/U1", "U1 P1 P2 P3"},
    {"beyond_the_limit", {"U1 P1", "U1 P2", "U1 P3", "U1 P4"}, "U1/U1 -P4:limit", "U1 P1 P2 P3"},
    {"the_period_slides", {"U1 P1", "+10d", "U1 P2", "U1 P3", "+20d", "U1 P4"}, "U1/U1", "U1 P1 P2 P3 P4"},
    {"not_before_it_slides",
     {"U1 P1", "+10d", "U1 P2", "U1 P3", "+19d", "U1 P4"},
     "U1/U1 -P4:limit",
     "U1 P1 P2 P3"},
    {"joining_customers_counts_both",
     {"U1 P1 P2", "P3 A1", "P4 A1", "U1 A1"},
     "U1/U1 -A1:limit",
     "P3 A1 P4 | U1 P1 P2"},
    {"one_event_cannot_pass_it_either", {"U1 P1 P2 P3 P4"}, "U1/U1 -P4:limit", "U1 P1 P2 P3"},
    {"other_types_are_not_counted", {"U1 P1 P2 P3", "U1 A1"}, "U1/U1", "U1 A1 P1 P2 P3"},
};

const Scenario kWeak[] = {
    {"a_fingerprint_finds_a_newcomer_again", {"A1 F1", "A2 F1"}, "A1/A2", "A1 A2 F1"},
    {"but_never_joins_two_known", {"A1 F1", "A2", "A2 F1"}, "A2/A2 -F1:weak", "A1 F1 | A2"},
    {"nor_through_a_newcomer", {"A1 F1", "A2", "P1 A2 F1"}, "A2/P1 -F1:weak", "A1 F1 | A2 P1"},
    {"alone_it_is_a_customer", {"F1", "F1"}, "F1/F1", "F1"},
};

const Scenario kShared[] = {
    {"three_other_users_make_a_device_shared",
     {"U1 A1", "U2 A1", "U3 A1", "U4 A1"},
     "U4/U4 -A1:unique_conflict",
     "A1 | U1 | U2 | U3 | U4"},
    {"the_same_user_counts_once",
     {"U1 A1", "U2 A1", "U2 A1", "U2 A1", "U2 A1"},
     "U2/U2 -A1:unique_conflict",
     "U1 A1 | U2"},
    {"a_shared_device_joins_nobody",
     {"U1 A1", "U2 A1", "U3 A1", "U4 A1", "U5 A1"},
     "U5/U5 -A1:shared",
     "A1 | U1 | U2 | U3 | U4 | U5"},
    {"not_even_its_first_owner",
     {"U1 A1", "U2 A1", "U3 A1", "U4 A1", "U1 A1"},
     "U1/U1 -A1:shared",
     "A1 | U1 | U2 | U3 | U4"},
    {"alone_it_is_its_own_customer",
     {"U1 A1", "U2 A1", "U3 A1", "U4 A1", "A1"},
     "A1/A1",
     "A1 | U1 | U2 | U3 | U4"},
    {"the_customer_named_after_it_is_renamed",
     {"A1", "U1 A1", "U2 A1", "U3 A1", "U4 A1"},
     "U4/U4 -A1:unique_conflict",
     "A1 | U1 | U2 | U3 | U4"},
    {"others_it_held_together_part",
     {"A1", "P1 A1", "U1 A1", "U2 A1", "U3 A1", "U4 A1"},
     "U4/U4 -A1:unique_conflict",
     "A1 | P1 | U1 | U2 | U3 | U4"},
    {"others_with_links_of_their_own_stay",
     {"U1 P1", "A1", "P1 A1", "U2 A1", "U3 A1", "U4 A1"},
     "U4/U4 -A1:unique_conflict",
     "A1 | U1 P1 | U2 | U3 | U4"},
    {"two_shared_ones_alone_the_stronger_is_taken",
     {"U1 P1 A1", "U2 P1 A1", "U3 P1 A1", "U4 P1 A1", "P1 A1"},
     "P1/P1 -A1:shared",
     "A1 | P1 | U1 | U2 | U3 | U4"},
    {"a_person_cannot_merge_by_it",
     {"U1 A1", "U2 A1", "U3 A1", "U4 A1", "merge U1 A1"},
     "FAILED_PRECONDITION",
     "A1 | U1 | U2 | U3 | U4"},
};

const Scenario kAlias[] = {
    {"previous_anonymous_id_joins", {"A1", "U1 <A1"}, "A1/U1", "A1 U1"},
    {"both_unknown", {"U1 <A1"}, "U1/U1", "U1 A1"},
    {"a_previous_user_id_is_refused", {"U1", "U2", "U2 <U1"}, "U2/U2 -<U1:unique_conflict", "U1 | U2"},
    {"the_guess_that_is_known_is_taken", {"A1", "U1 <W1 <A1"}, "A1/U1", "A1 U1"},
    {"of_two_unknown_guesses_the_weakest", {"U1 <W1 <A1"}, "U1/U1", "U1 A1"},
    {"alias_to_a_celebrity_with_a_user_of_ones_own",
     {"U1", "U9 A9", "U1 <A9"},
     "U1/U1 -<A9:unique_conflict",
     "U1 | U9 A9"},
    {"aliases_cannot_take_a_user_id_away",
     {"U1 P1", "U2 <U1", "U3 <U1", "U4 <U1", "U5 <U1", "U1"},
     "U1/U1",
     "U1 P1 | U2 | U3 | U4 | U5"},
    {"a_chain_of_anonymous_ids_is_one", {"A1", "A2", "A2 <A1", "A3 <A2", "U1 <A3"}, "A1/U1", "A1 A2 A3 U1"},
    {"a_chain_never_joins_two_users",
     {"U1 <A1", "A2 <A1", "A3 <A2", "U2 <A3"},
     "U2/U2 -<A3:unique_conflict",
     "U1 A1 A2 A3 | U2"},
    {"to_oneself", {"U1", "U1 <U1"}, "U1/U1", "U1"},
};

const Scenario kCommands[] = {
    {"merge", {"U1", "A1", "merge U1 A1"}, "ok", "U1 A1"},
    {"the_named_winner_wins", {"U1", "A1", "merge A1 U1"}, "ok", "A1 U1"},
    {"weak_types_may", {"A1", "F1", "merge A1 F1"}, "ok", "A1 F1"},
    {"limits_do_not_count", {"U1 P1 P2 P3", "P4", "merge U1 P4"}, "ok", "U1 P1 P2 P3 P4"},
    {"two_users_are_refused", {"U1 A1", "U2 A2", "merge A1 A2"}, "FAILED_PRECONDITION", "U1 A1 | U2 A2"},
    {"unknown_is_refused", {"U1", "merge U1 A9"}, "NOT_FOUND", "U1"},
    {"merged_already", {"U1 A1", "merge U1 A1"}, "ALREADY_EXISTS", "U1 A1"},
    {"unmerge_gives_the_ids_back", {"U1 P1", "A1 F1", "U1 A1", "unmerge 3"}, "ok", "A1 F1 | U1 P1"},
    {"unmerge_of_a_manual_merge", {"U1", "A1", "merge A1 U1", "unmerge 3"}, "ok", "A1 | U1"},
    {"evidence_does_not_join_them_again",
     {"U1", "A1", "U1 A1", "unmerge 3", "U1 A1"},
     "U1/U1 -A1:unmerged",
     "A1 | U1"},
    {"nor_by_way_of_others",
     {"U1 P1", "A1 F1", "U1 A1", "unmerge 3", "A2", "P1 A2", "A1 A2"},
     "A1/A1 -A2:unmerged",
     "A1 F1 | U1 A2 P1"},
    {"a_person_may_join_them_again",
     {"U1", "A1", "U1 A1", "unmerge 3", "merge U1 A1", "U1 A1"},
     "U1/U1",
     "U1 A1"},
    {"and_apart_again",
     {"U1", "A1", "U1 A1", "unmerge 3", "merge U1 A1", "unmerge 5", "U1 A1"},
     "U1/U1 -A1:unmerged",
     "A1 | U1"},
    {"unmerge_of_an_attached_identifier", {"U1", "U1 A1", "unmerge 2"}, "ok", "A1 | U1"},
    {"unmerge_takes_what_joined_not_what_was_new", {"U1", "A1", "U1 A1 F1", "unmerge 3"}, "ok", "A1 | U1 F1"},
    {"unmerge_in_a_chain", {"A1", "A2", "A3", "A1 A2", "A2 A3", "unmerge 4"}, "ok", "A1 | A2 A3"},
    {"unmerge_at_the_end_of_a_chain", {"A1", "A2", "A3", "A1 A2", "A2 A3", "unmerge 5"}, "ok", "A1 A2 | A3"},
    {"the_side_without_its_old_name_takes_the_strongest",
     {"A1", "P1 A1", "P1 A2", "unmerge 2"},
     "ok",
     "A1 | P1 A2"},
    {"unmerge_of_an_event_that_joined_three",
     {"P1", "A1", "A2", "P1 A1 A2", "unmerge 4"},
     "ok",
     "A1 | A2 | P1"},
    {"no_such_link", {"U1 A1", "unmerge 9"}, "NOT_FOUND", "U1 A1"},
};

std::string name_of(const testing::TestParamInfo<Scenario>& scenario) { return scenario.param.name; }
INSTANTIATE_TEST_SUITE_P(evidence, GraphScenario, testing::ValuesIn(kEvidence), name_of);
INSTANTIATE_TEST_SUITE_P(unique, GraphScenario, testing::ValuesIn(kUnique), name_of);
INSTANTIATE_TEST_SUITE_P(limits, GraphScenario, testing::ValuesIn(kLimits), name_of);
INSTANTIATE_TEST_SUITE_P(weak, GraphScenario, testing::ValuesIn(kWeak), name_of);
INSTANTIATE_TEST_SUITE_P(shared, GraphScenario, testing::ValuesIn(kShared), name_of);
INSTANTIATE_TEST_SUITE_P(alias, GraphScenario, testing::ValuesIn(kAlias), name_of);
INSTANTIATE_TEST_SUITE_P(commands, GraphScenario, testing::ValuesIn(kCommands), name_of);

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
