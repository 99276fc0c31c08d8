#include "intake/library.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/text.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kLanguages[] = {"node",   "nodejs",  "python", "ruby",   "go",     "golang",
                                           "java",   "php",     "net",    "dotnet", "csharp", "rust",
                                           "elixir", "clojure", "scala",  "perl",   "server"};

bool is_language(std::string_view word) {
  return std::any_of(std::begin(kLanguages), std::end(kLanguages), [word](std::string_view language) {
    return absl::EqualsIgnoreCase(to_absl(word), to_absl(language));
  });
}

}  // namespace

bool is_server_library(std::string_view name) {
  const auto in_word = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); };
  for (size_t at = 0; at < name.size();) {
    size_t end = at;
    while (end < name.size() && in_word(name[end])) ++end;
    if (end > at && is_language(name.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace kehu::intake
