#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kehu::definition {

// One place at which two JSON texts differ; `before` or `after` is empty where one has nothing.
struct Difference {
  std::string pointer;  // JSON Pointer (RFC 6901), "/identifier_types/2/limit"
  std::string before;   // JSON
  std::string after;
};

// Both must be JSON. Objects and arrays are compared member by member; `limit` bounds the list.
std::vector<Difference> differences(std::string_view before, std::string_view after, size_t limit = 1000);

}  // namespace kehu::definition
