#include "intake/personal_text.h"

#include <gtest/gtest.h>

namespace kehu::intake {
namespace {

TEST(PersonalText, MessageIds) {
  const struct {
    const char* id;
    bool personal;
  } cases[] = {
      {"13912345678", true},
      {"row:13912345678~fc2732", true},
      {"row:2026-11-01|13912345678~fc2732", true},
      {"bob@example.com", true},
      {"row:bob@example.com~fc2732", true},
      {"11010519491231002X-1", true},
      {"order-7/8613912345678", true},
      {"5f3b2c1d-8e4a-4b6f-9c7d-012345678910", false},
      {"ajs-next-1795308540000-5f3b2c1d-8e4a-4b6f-9c7d-0123456789ab", false},
      {"139-1234-5678", true},
      {"+86 139 1234 5678", true},
      {"139.1234.5678", true},
      {"order 139 1234 5678/2", true},
      {"row:139-1234-5678~fc2732", true},
      {"１３９１２３４５６７８", true},
      {"row:１３９１２３４５６７８~fc2732", true},
      {"1.3912345678E10", true},
      {"13912345678.0", true},
      {"bob＠example.com", true},
      {"reset:bob%40example.com", true},
      {"110105 19491231 002X", true},
      {"card-11010519491231002X", true},
      {"110105194912310021", false},
      {"2026-11-22-001-7781", false},
      {"2026-11-22 10:00:00 139", false},
      {"100%25", false},
      {"13912345-8e4a-4b6f-9c7d-012345678910", false},
      {"01234567-0123-4567-8901-012345678910", false},
      {"订单-17", false},
      {"a-long-id-of-a-library-that-writes-its-name-before-every-number-0123 139 1234 5678", true},
      {"a-long-id-of-a-library-that-writes-its-name-before-every-number-0123456789abcdef", false},
      {"12912345678", false},
      {"1391234567", false},
      {"orders.csv@3f9a0c1b2d4e:17~a1b0f4", false},
      {"13912345678.csv@3f9a0c1b2d4e:17~a1b0f4", false},
      {"bob@example.com.csv@3f9a0c1b2d4e:17", false},
      {"m@1", false},
      {"", false},
  };
  Settings settings;
  for (const auto& c : cases) EXPECT_EQ(id_is_personal(settings, c.id), c.personal) << c.id;
  settings.personal_values.phone = false;
  EXPECT_FALSE(id_is_personal(settings, "13912345678"));
  EXPECT_FALSE(is_personal(settings, "13912345678"));
  EXPECT_TRUE(is_personal(settings, "bob@example.com"));
  EXPECT_FALSE(is_personal(settings, "write to bob@example.com"));
}

}  // namespace
}  // namespace kehu::intake
