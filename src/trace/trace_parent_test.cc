#include "trace/trace_parent.h"

#include <gtest/gtest.h>

#include <string>

namespace kehu::trace {
namespace {

TEST(TraceParentTest, Accepted) {
  struct Case {
    const char* name;
    std::string given;
    bool sampled;
  };
  const Case cases[] = {
      {"sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"not sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false},
      {"other flags are not ours", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", false},
      {"a later version", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"a later version with more", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto parent = parse_trace_parent(c.given);
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace.hex(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(parent->span.value(), 0xb7ad6b7169203331);
    EXPECT_EQ(parent->sampled, c.sampled);
  }
}

TEST(TraceParentTest, Ignored) {
  const std::string cases[] = {
      "",
      "00",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
      "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-B7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
      "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1",
  };
  for (const std::string& given : cases) EXPECT_FALSE(parse_trace_parent(given)) << given;
}

}  // namespace
}  // namespace kehu::trace
