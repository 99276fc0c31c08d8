#include "property/field_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "property/event_fields.h"

namespace kehu::property {
namespace {

constexpr SourceId kWeb = SourceId(1);
constexpr SourceId kTill = SourceId(2);

json::FieldPath path(std::string_view text) { return *json::FieldPath::parse(text); }

TEST(FieldPlan, APathHasOneSlotWhateverTheEvent) {
  FieldPlan plan;
  const Slot total = plan.want({name_id("Order Completed"), {}}, path("total"));
  EXPECT_EQ(plan.want({name_id("Order Completed"), {}}, path("total")), total);
  EXPECT_EQ(plan.want({name_id("Order Updated"), {}}, path("total")), total);
  EXPECT_EQ(plan.want({name_id("Order Updated"), kTill}, path("total")), total);
  EXPECT_NE(plan.want({name_id("Order Updated"), {}}, path("total[]")), total);
}

TEST(FieldPlan, OnlyEventsThatAreAskedForAreWalked) {
  FieldPlan plan;
  plan.want({name_id("Order Completed"), {}}, path("total"));
  plan.want({name_id("Ticket"), kTill}, path("sum"));
  EXPECT_NE(plan.of(name_id("Order Completed"), kWeb), nullptr);
  EXPECT_EQ(plan.of(name_id("Home"), kWeb), nullptr);
  EXPECT_NE(plan.of(name_id("Ticket"), kTill), nullptr);
  EXPECT_EQ(plan.of(name_id("Ticket"), kWeb), nullptr);
}

TEST(FieldPlan, WhatIsAskedOfAllIsAskedOfEachSource) {
  FieldPlan plan;
  const Events all{name_id("Order"), {}};
  const Slot before = plan.want(all, path("before"));
  const Slot own = plan.want({name_id("Order"), kTill}, path("own"));
  const Slot after = plan.want(all, path("after"));

  constexpr std::string_view kProperties = R"({"before":1,"own":2,"after":3})";
  EventFields fields;
  fields.read(plan.of(name_id("Order"), kTill), kProperties);
  for (const Slot slot : {before, own, after}) EXPECT_EQ(fields.values(slot).size(), 1u);
  fields.read(plan.of(name_id("Order"), kWeb), kProperties);
  EXPECT_EQ(fields.values(before).size(), 1u);
  EXPECT_EQ(fields.values(own).size(), 0u);
  EXPECT_EQ(fields.values(after).size(), 1u);
}

// As many as 500 rules may ask for; some names differ in the middle only.
TEST(PathTree, FindsEachOfManyNames) {
  PathTree tree;
  for (uint32_t i = 0; i < 1000; ++i) tree.add(path(cat("name", i, "name")), Slot(i));
  std::string properties = "{\"other\":0";
  for (uint32_t i = 0; i < 1000; ++i) properties += cat(",\"name", i, "name\":", i);
  properties += "}";
  EventFields fields;
  fields.read(&tree, properties);
  for (uint32_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(fields.values(Slot(i)).size(), 1u) << i;
    EXPECT_EQ(fields.values(Slot(i))[0].raw().raw, cat(i));
  }
}

}  // namespace
}  // namespace kehu::property
