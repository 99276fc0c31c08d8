#include "http/content_coding.h"

#include "base/text.h"
#include "gtest/gtest.h"

namespace kehu::http {
namespace {

TEST(ContentCoding, OnlyWhatIsReadIsTaken) {
  const Route intake{.pattern = "/v1/batch", .action = BufferedBody{}, .doc = {.group = "intake"}};
  const Route sql{.pattern = "/api/v1/sql", .action = BufferedBody{}, .doc = {.group = "sql"}};
  const Route page{.pattern = "/", .action = NoBody{}, .doc = {.group = "status"}};
  const struct {
    const char* coding;
    bool by_intake;
    bool by_sql;
  } cases[] = {
      {"identity", true, true}, {"", true, true},           {"gzip", true, false},
      {"GZIP", true, false},    {"x-gzip", true, false},    {"br", false, false},
      {"deflate", true, false}, {"gzip, br", false, false}, {"zstd", false, false},
  };
  for (const auto& c : cases) {
    const Header headers[] = {{"content-encoding", c.coding}};
    const Request request{.headers = headers};
    EXPECT_EQ(!unsupported_coding(intake, request), c.by_intake) << c.coding;
    EXPECT_EQ(!unsupported_coding(sql, request), c.by_sql) << c.coding;
    EXPECT_FALSE(unsupported_coding(page, request)) << c.coding;
  }
  EXPECT_FALSE(unsupported_coding(intake, {}));
  const Header brotli[] = {{"Content-Encoding", "br"}};
  const auto problem = unsupported_coding(intake, {.headers = brotli});
  EXPECT_EQ(problem->status, 415);
  EXPECT_EQ(
      problem->detail,
      "this path does not read Content-Encoding: br; send the body as it is, or compressed with gzip or "
      "deflate");
}

}  // namespace
}  // namespace kehu::http
