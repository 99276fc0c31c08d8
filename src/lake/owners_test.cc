#include "lake/owners.h"

#include <gtest/gtest.h>

namespace kehu::lake {
namespace {

Token part(uint64_t n) { return Token{Hash128{1, n}}; }
CustomerId customer(uint64_t n) { return CustomerId{Hash128{2, n}}; }

class OwnersTest : public testing::Test {
 protected:
  void move(uint64_t sequence, uint64_t of, uint64_t to) {
    owners_->set(part(of), customer(to), Sequence(sequence));
    owners_->show(Sequence(sequence));
  }
  std::shared_ptr<const Owners> hold(uint64_t as_of) { return Owners::hold(owners_, Sequence(as_of)); }

  std::shared_ptr<Owners> owners_ = std::make_shared<Owners>();
};

TEST_F(OwnersTest, a_part_that_never_moved_is_nobody_elses) {
  move(5, 1, 7);
  EXPECT_EQ(owners_->find(part(2), Sequence(5)), std::nullopt);
  EXPECT_EQ(owners_->size(), 1u);
}

TEST_F(OwnersTest, each_holder_sees_its_own_position) {
  const auto before = hold(0);
  move(10, 1, 3);
  const auto first = hold(10);
  move(20, 1, 4);
  move(30, 1, 5);
  const auto last = hold(30);
  move(40, 1, 6);
  EXPECT_EQ(before->find(part(1), Sequence(0)), std::nullopt);
  EXPECT_EQ(first->find(part(1), Sequence(10)), customer(3));
  EXPECT_EQ(last->find(part(1), Sequence(30)), customer(5));
  EXPECT_EQ(owners_->find(part(1), Sequence(40)), customer(6));
}

TEST_F(OwnersTest, what_is_set_but_not_shown_does_not_hide_what_is_shown) {
  move(10, 1, 3);
  owners_->set(part(1), customer(4), Sequence(20));
  owners_->set(part(1), customer(5), Sequence(25));
  EXPECT_EQ(hold(10)->find(part(1), Sequence(10)), customer(3));
}

TEST_F(OwnersTest, moves_that_nobody_looks_at_take_no_memory) {
  for (uint64_t n = 1; n <= 10'000; ++n) move(n, n % 10, n);
  EXPECT_EQ(owners_->size(), 10u);
  EXPECT_LE(owners_->earlier(), 10u);
  EXPECT_EQ(owners_->find(part(0), Sequence(10'000)), customer(10'000));
}

TEST_F(OwnersTest, a_look_that_ended_is_forgotten) {
  move(1, 1, 1);
  for (uint64_t n = 2; n <= 1000; ++n) {
    const auto look = hold(n - 1);
    move(n, 1, n);
    EXPECT_EQ(look->find(part(1), Sequence(n - 1)), customer(n - 1));
  }
  EXPECT_LE(owners_->earlier(), 2u);
}

TEST_F(OwnersTest, a_long_look_keeps_one_owner) {
  move(1, 1, 1);
  const auto look = hold(1);
  for (uint64_t n = 2; n <= 1000; ++n) move(n, 1, n);
  EXPECT_EQ(look->find(part(1), Sequence(1)), customer(1));
  EXPECT_LE(owners_->earlier(), 2u);
}

TEST_F(OwnersTest, rows_of_files_come_in_any_order) {
  owners_->set(part(1), customer(9), Sequence(9));
  owners_->set(part(1), customer(4), Sequence(4));
  owners_->show(Sequence(9));
  EXPECT_EQ(owners_->find(part(1), Sequence(9)), customer(9));
}

TEST_F(OwnersTest, of_two_moves_at_one_position_the_later_holds) {
  move(7, 1, 3);
  move(7, 1, 4);
  EXPECT_EQ(owners_->find(part(1), Sequence(7)), customer(4));
  EXPECT_EQ(owners_->earlier(), 0u);
}

}  // namespace
}  // namespace kehu::lake
