#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "profile/folder.h"
#include "profile/view.h"

// Any bytes as a stored part: each reader answers with a status, and what counts as sound stays sound.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kehu;
  static const Settings settings = Settings::defaults();
  static const profile::Plan plan(settings);
  static profile::Folder folder;
  const std::string_view part(reinterpret_cast<const char*>(data), size);

  Event event;
  event.name = "Order Completed";
  event.time = Instant::from_seconds(1'793'404'800);
  event.properties = R"({"order_id":"A1","revenue":1,"products":[{"category":"c","product_id":"p"}]})";
  event.traits = R"({"city":"x"})";
  event.context = "{}";
  std::string folded;
  std::string twice;
  property::EventFields fields;
  fields.read(plan.fields(event), event.properties);
  const bool folds = folder.fold(plan, part, event, fields, folded).ok();
  const std::string_view parts[] = {part, part};
  (void)profile::view(settings, parts, event.time, [](NameId) { return std::string_view(); });
  if (profile::validate(part).ok()) {
    KEHU_CHECK(folder.merge(part, part, twice).ok() && profile::validate(twice).ok());
    KEHU_CHECK(!folds || profile::validate(folded).ok());
  }
  return 0;
}
