#include "enrolment/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/test_engine.h"
#include "list/list.h"

// Rows on their way into an engine on a disk.
namespace kehu::enrolment {
namespace {

using testing::ElementsAre;

class EnrolmentTest : public testing::Test {
 protected:
  EnrolmentTest() : engine_(engine::open_engine(engine::engine_options(directory_.path()))) {}
  void TearDown() override { EXPECT_TRUE(engine_->stop().ok()); }

  static list::Upload upload(uint64_t number, int slot = 1) {
    return {.number = number,
            .nonce = cat("a", number),
            .slot = slot,
            .at = Instant(1'780'000'000'000'000),
            .source = "default"};
  }
  Outcome enrol(const list::Upload& upload, const std::vector<Row>& rows, Options options = {}) {
    const auto outcome = enrolment::enrol(*engine_, "VIP", upload, rows, options);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.value_or(Outcome());
  }
  // Customers with these numbers, and what the trait of an upload says of each.
  std::map<std::string, std::string> values(const list::Upload& upload) {
    const std::string trait = list::trait_of("VIP", upload);
    return engine_
        ->ask<std::map<std::string, std::string>>([&](replica::Replica& replica) {
          std::map<std::string, std::string> all;
          const auto visit = [&](CustomerId customer, const membership::Members&) {
            const auto profile = replica.shard().profile(customer, replica.tick());
            const auto at = std::ranges::find(profile->traits, trait, &TraitView::name);
            if (at == profile->traits.end()) return;
            all[replica.shard().identities().identifiers_of(customer)[0].value] = at->value;
          };
          EXPECT_TRUE(replica.shard().for_each_member(visit).ok());
          return all;
        })
        .value();
  }

  engine::TestDirectory directory_;
  std::unique_ptr<engine::Engine> engine_;
};

TEST_F(EnrolmentTest, CountsWhatBecomesOfRows) {
  const Outcome first = enrol(upload(1),
                              {{.number = 1, .who = "user_id:u1", .value = "金"},
                               {.number = 2, .who = "user_id:u2"},
                               {.number = 3, .who = "user_id:u1", .value = "银"},
                               {.number = 4, .who = "shoe:42"},
                               {.number = 5, .who = "user_id:u3", .value = std::string(257, 'x')}},
                              {.create = true});
  EXPECT_EQ(first.customers, 2u);
  EXPECT_EQ(first.created, 2u);
  EXPECT_EQ(first.repeats, 1u);
  EXPECT_EQ(first.unreadable, 2u);
  ASSERT_EQ(first.faults.size(), 2u);
  EXPECT_EQ(first.faults[0].row, 4u);
  EXPECT_EQ(first.faults[1].row, 5u);
  EXPECT_THAT(values(upload(1)), ElementsAre(std::pair("u1", R"({"upload":"a1","text":"银"})"),
                                             std::pair("u2", R"({"upload":"a1","text":null})")));

  const CustomerId u1 = *engine_->ask<CustomerId>([](replica::Replica& replica) {
    CustomerId found;
    (void)replica.shard().for_each_member([&](CustomerId customer, const membership::Members&) {
      if (replica.shard().identities().identifiers_of(customer)[0].value == "u1") found = customer;
    });
    return found;
  });
  const Outcome second = enrol(upload(2, 2), {{.number = 1, .who = cat("id:", u1.hash.hex())},
                                              {.number = 2, .who = "user_id:nobody"},
                                              {.number = 3, .who = cat("id:", std::string(32, '0'))}});
  EXPECT_EQ(second.customers, 1u);
  EXPECT_EQ(second.unknown, 2u);
  EXPECT_THAT(second.unknown_rows, ElementsAre(2u, 3u));
  EXPECT_THAT(values(upload(2, 2)), ElementsAre(std::pair("u1", R"({"upload":"a2","text":null})")));
}

// Requests may overtake each other, and come twice.
TEST_F(EnrolmentTest, TheLaterRowOfACustomerHolds) {
  const Row later{.number = 2, .who = "user_id:u1", .value = "later"};
  const Row earlier{.number = 1, .who = "user_id:u1", .value = "earlier"};
  EXPECT_EQ(enrol(upload(1), {later}, {.create = true}).created, 1u);
  EXPECT_EQ(enrol(upload(1), {earlier}).repeats, 1u);
  EXPECT_EQ(enrol(upload(1), {later}).repeats, 1u);
  EXPECT_THAT(values(upload(1)), ElementsAre(std::pair("u1", R"({"upload":"a1","text":"later"})")));
  const auto events = engine_->ask<uint64_t>(
      [](replica::Replica& replica) { return static_cast<uint64_t>(replica.totals().events); });
  EXPECT_EQ(*events, 2u);
}

TEST_F(EnrolmentTest, TheSourceIsThere) {
  list::Upload elsewhere = upload(1);
  elsewhere.source = "gone";
  const Row row{.number = 1, .who = "user_id:u1"};
  EXPECT_TRUE(
      absl::IsFailedPrecondition(enrolment::enrol(*engine_, "VIP", elsewhere, {&row, 1}, {}).status()));
}

}  // namespace
}  // namespace kehu::enrolment
