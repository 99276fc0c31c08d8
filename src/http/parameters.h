#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/router.h"

namespace kehu::http {

// The whole text as a number of type T, in its range; nullopt for anything else.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// The `limit` of a page: 1 to 1000.
std::optional<size_t> parse_limit(std::string_view text);

// "`name` must be want"; for wrong_query().
absl::Status wrong_parameter(std::string_view name, std::string_view want);

// 400 invalid_parameter for what the reading of query parameters found.
Problem wrong_query(const absl::Status& status);

// The problem of a request to `route` with a query parameter that its documentation does not have: it would
// be passed over in silence, and a misspelt filter would show everything.
std::optional<Problem> unknown_parameter(const Route& route, const Request& request);

}  // namespace kehu::http
