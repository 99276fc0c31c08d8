#include "translation/translate.h"

#include <gtest/gtest.h>

#include "query/test_rule_tables.h"

namespace kehu::translation {
namespace {

TEST(Translate, EmptyTables) {
  query::RuleTables tables;
  EXPECT_TRUE(tables.ask({.op = rule::Op::kBool}, {}).empty());
}

}  // namespace
}  // namespace kehu::translation
