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
    {"equal_types_the_earlier_wins_whatever_the_ids", {"A2", "A1", "A1 A2"}, "A2/A1", "A2 A1"},
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
    {"what_a_person_made_too_large_gains_in_other_periods",
     {"U1 P1 P2 P3", "P4", "merge U1 P4", "+30d", "U1 P5"},
     "U1/U1",
     "U1 P1 P2 P3 P4 P5"},
    {"but_not_in_the_same",
     {"U1 P1 P2 P3", "P4", "merge U1 P4", "+29d", "U1 P5"},
     "U1/U1 -P5:limit",
     "U1 P1 P2 P3 P4"},
    {"one_event_cannot_pass_it_either", {"U1 P1 P2 P3 P4"}, "U1/U1 -P4:limit", "U1 P1 P2 P3"},
    {"other_types_are_not_counted", {"U1 P1 P2 P3", "U1 A1"}, "U1/U1", "U1 A1 P1 P2 P3"},
};

const Scenario kWeak[] = {
    {"a_fingerprint_finds_a_newcomer_again", {"A1 F1", "A2 F1"}, "A1/A2", "A1 A2 F1"},
    {"but_never_joins_two_known", {"A1 F1", "A2", "A2 F1"}, "A2/A2 -F1:weak", "A1 F1 | A2"},
    {"nor_through_a_newcomer", {"A1 F1", "A2", "P1 A2 F1"}, "A2/P1 -F1:weak", "A1 F1 | A2 P1"},
    {"nor_by_a_priority_of_its_own", {"F1 A1", "A2", "F1 U1 A2"}, "A2/U1 -F1:weak", "A1 F1 | A2 U1"},
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

// A sender with one name space for users and visitors.
const Scenario kOneNameSpace[] = {
    {"an_alias_names_the_old_id_first", {"=U7 ?A7", "=U8 ?A8", "=U7 <U8 ?A7 <A8"}, "U7/U7", "U7 U8"},
    {"an_alias_names_the_new_id_first", {"=U7 ?A7", "=U8 ?A8", "=U8 <U7 ?A8 <A7"}, "U7/U8", "U7 U8"},
    {"an_alias_before_the_events", {"=U7 <U8 ?A7 <A8", "=U8 ?A8", "=U7 ?A7"}, "U7/U7", "U7 A8 U8"},
    {"an_alias_between_the_events", {"=U7 ?A7", "=U7 <U8 ?A7 <A8", "=U8 ?A8"}, "U7/U8", "U7 A8 U8"},
    {"an_alias_of_a_visitor", {"?U7 A7", "=U8 ?A8", "=U7 <U8 ?A7 <A8"}, "U8/U8", "U8 A7"},
    {"an_alias_of_a_visitor_the_other_way", {"?U7 A7", "=U8 ?A8", "=U8 <U7 ?A8 <A7"}, "U8/U8", "U8 A7"},
    {"an_alias_again", {"=U7 ?A7", "=U7 <U8 ?A7 <A8", "=U7 <U8 ?A7 <A8"}, "U7/U7", "U7 A8"},
    {"a_chain_of_aliases",
     {"=U1 ?A1", "=U2 ?A2", "=U3 ?A3", "=U2 <U3 ?A2 <A3", "=U1 <U2 ?A1 <A2"},
     "U2/U1",  // the larger side keeps its id
     "U2 U1 U3"},
    {"two_identified_users",
     {"U7 ?A7", "U8 ?A8", "=U7 <U8 ?A7 <A8"},
     "U7/U7 -<U8:unique_conflict",
     "U7 | U8"},
    {"users_that_were_assumed_first",
     {"=U7 ?A7", "=U8 ?A8", "U7", "U8", "=U7 <U8 ?A7 <A8"},
     "U7/U7 -<U8:unique_conflict",
     "U7 | U8"},
    {"one_user_is_certain", {"U7 ?A7", "=U8 ?A8", "=U8 <U7 ?A8 <A7"}, "U7/U8", "U7 U8"},
    {"identify_of_an_id_that_was_taken_for_a_user", {"=U7 ?A7", "U8 ?U7 ?A8 A7"}, "U7/U8", "U7 U8"},
    {"a_visitors_event_of_a_user", {"=U7 ?A7", "?U7 A7"}, "U7/U7", "U7"},
    {"a_visitors_event_of_nobody", {"?U7 A7"}, "A7/A7", "A7"},
    {"a_visitor_who_was_a_user_all_along", {"?U7 A7", "=U7 ?A7", "?U7 A7"}, "A7/A7", "A7 U7"},
    {"the_user_of_another_sender", {"U7", "?U7 A7"}, "U7/U7", "U7"},
    {"a_group_is_nobody", {"?U7 ?A7"}, "?/?", ""},
    {"a_group_under_a_users_id", {"=U7 ?A7", "?U7 ?A7"}, "U7/U7", "U7"},
};

// Visitors' ids that a server's library may have made up.
const Scenario kPassing[] = {
    {"a_real_one_seen_before", {"A1", "U1 ~A1"}, "A1/U1", "A1 U1"},
    {"a_real_one_seen_later", {"U1 ~A1", "A1"}, "U1/A1", "U1 A1"},
    {"alone_it_is_a_visitor", {"!U0 ~A1", "A1"}, "A1/A1", "A1"},
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
INSTANTIATE_TEST_SUITE_P(one_name_space, GraphScenario, testing::ValuesIn(kOneNameSpace), name_of);
INSTANTIATE_TEST_SUITE_P(passing, GraphScenario, testing::ValuesIn(kPassing), name_of);
INSTANTIATE_TEST_SUITE_P(commands, GraphScenario, testing::ValuesIn(kCommands), name_of);

}  // namespace
}  // namespace kehu::identity
