#include "debugger/stored_in_clear.h"

#include <gtest/gtest.h>

namespace kehu::debugger {
namespace {

TEST(StoredInClear, NamesThePlaceAndWhatToDo) {
  Event event;
  event.name = "call 13912345678";
  event.message_id = "m-1";
  event.properties =
      R"({"contact":"13912345678","note":"write to bob@example.com","order_id":"13912345678",)"
      R"("sealed":"sealed:v1:0000000000000000:AAAA","n":{"list":[11010519491231002,"11010519491231002X"]}})";
  event.traits = "{}";
  event.context = R"({"page":{"url":"https://x.cn/?e=bob%40example.com"}})";
  const std::vector<std::string> want = {
      "stored in clear: the name of the event has a phone number in it: send it without",
      "stored in clear: properties.contact is a phone number: declare \"contact\" in personal_fields, or "
      "take it "
      "out of the exceptions",
      "stored in clear: properties.note has an e-mail address in it: declare \"note\" in personal_fields, or "
      "set "
      "free_text",
      "stored in clear: properties.list is the number of an ID card: declare \"list\" in personal_fields, or "
      "take it "
      "out of the exceptions",
      "stored in clear: context.url has an e-mail address in it: declare \"url\" in personal_fields, or set "
      "free_text"};
  EXPECT_EQ(stored_in_clear(event), want);
}

TEST(StoredInClear, NothingToSay) {
  Event event;
  event.name = "Order Completed";
  event.message_id = "5f3b2c1d-8e4a-4b6f-9c7d-0123456789ab";
  event.properties = R"({"total":99.5,"time":1795308540000,"sku":"13912345678"})";
  EXPECT_TRUE(stored_in_clear(event).empty());
}

TEST(StoredInClear, IsBounded) {
  Event event;
  std::string list = R"({"people":[)";
  for (int i = 0; i < 100; ++i) list += i == 0 ? R"("13912345678")" : R"(,"13912345678")";
  event.properties = list += "]}";
  EXPECT_EQ(stored_in_clear(event).size(), 10u);
}

}  // namespace
}  // namespace kehu::debugger
