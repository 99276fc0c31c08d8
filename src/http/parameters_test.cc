#include "http/parameters.h"

#include "base/text.h"
#include "gtest/gtest.h"

namespace kehu::http {
namespace {

TEST(Parameters, LimitsAreWholeNumbersInTheirRange) {
  const struct {
    const char* given;
    std::optional<size_t> want;
  } cases[] = {{"1", 1},   {"1000", 1000}, {"0", {}},   {"1001", {}}, {"", {}},
               {"-1", {}}, {"10x", {}},    {"1.5", {}}, {" 5", {}},   {"99999999999999999999", {}}};
  for (const auto& c : cases) EXPECT_EQ(parse_limit(c.given), c.want) << c.given;
}

TEST(Parameters, WhatARouteDoesNotDocumentIsRefused) {
  const Route route{.pattern = "/api/v1/things",
                    .action = NoBody{},
                    .doc = {.fields = {{FieldDoc::Where::kPath, "thing", "string", "", true},
                                       {FieldDoc::Where::kQuery, "event", "string", "", false},
                                       {FieldDoc::Where::kQuery, "from", "string", "", false}}}};
  const struct {
    const char* target;
    const char* want;  // the detail
  } cases[] = {
      {"/api/v1/things", ""},
      {"/api/v1/things?", ""},
      {"/api/v1/things?event=a&event=b&from=%20", ""},
      {"/api/v1/things?%65vent=a", ""},
      {"/api/v1/things?events=a", "there is no query parameter `events` here; known: event, from"},
      {"/api/v1/things?event=a&thing", "there is no query parameter `thing` here; known: event, from"},
  };
  for (const auto& c : cases) {
    const auto problem = unknown_parameter(route, {.target = c.target});
    EXPECT_EQ(problem ? problem->detail : "", c.want) << c.target;
    EXPECT_EQ(problem ? cat(problem->status, " ", problem->code) : "400 invalid_parameter",
              "400 invalid_parameter");
  }
  const auto none = unknown_parameter({.pattern = "/", .action = NoBody{}}, {.target = "/?a=1"});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->detail, "there is no query parameter `a` here; this path takes none");
}

}  // namespace
}  // namespace kehu::http
