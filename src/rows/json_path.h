#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "json/text.h"
#include "rows/cell.h"

namespace kehu::rows {

// A way into a JSON value, as mappings write it:
//
//   total, address.city    members
//   items[0].sku           the first element; items[-1] the last
//   items[].sku, tags[]    of every element: a list. Of lists in lists (orders[].items[].sku) one flat list
//
// What is no array where [] stands is a list of one, as exports write it that fold single elements.
class JsonPath {
 public:
  static absl::StatusOr<JsonPath> parse(std::string_view text);
  // What stands behind the name of a column: "", ".sku", "[].sku", "[0]".
  static absl::StatusOr<JsonPath> parse_rest(std::string_view text);

  // A path with [] gives a kList in `scratch`, in which null holds the place of an element that the path ends
  // early in; any other the value it leads to, which may lie in `scratch`. kNull when it leads nowhere.
  Cell cell(const FileSpec& file, const json::RawValue& root, std::string& scratch) const;

 private:
  struct Step {
    enum class Kind : uint8_t { kMember, kIndex, kEach } kind = Kind::kMember;
    std::string name{};
    int index = 0;  // below 0: from the end
  };
  static absl::StatusOr<Step> bracket(std::string_view& text, std::string_view whole);
  absl::Status append_steps(std::string_view text, std::string_view whole);
  bool collect(const FileSpec& file, size_t step, json::RawValue value, bool in_list, std::string& out) const;
  bool ends_alone(size_t step) const;

  std::vector<Step> steps_;
};

}  // namespace kehu::rows
