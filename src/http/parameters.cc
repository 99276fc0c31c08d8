#include "http/parameters.h"

#include <algorithm>

#include "base/text.h"

namespace kehu::http {
namespace {

constexpr size_t kLimitMax = 1000;
constexpr size_t kShownBytes = 100;

bool is_documented(const Route& route, std::string_view name) {
  return std::any_of(route.doc.fields.begin(), route.doc.fields.end(), [name](const FieldDoc& field) {
    return field.where == FieldDoc::Where::kQuery && field.name == name;
  });
}

std::string documented_names(const Route& route) {
  std::string names;
  for (const FieldDoc& field : route.doc.fields) {
    if (field.where == FieldDoc::Where::kQuery) names += cat(names.empty() ? "" : ", ", field.name);
  }
  return names;
}

}  // namespace

std::optional<size_t> parse_limit(std::string_view text) {
  const auto limit = parse_number<size_t>(text);
  return limit && *limit >= 1 && *limit <= kLimitMax ? limit : std::nullopt;
}

absl::Status wrong_parameter(std::string_view name, std::string_view want) {
  return failure(absl::StatusCode::kInvalidArgument, "`", name, "` must be ", want);
}

Problem wrong_query(const absl::Status& status) {
  return Problem::bad_request("invalid_parameter", "A query parameter is wrong", message_of(status));
}

std::optional<Problem> unknown_parameter(const Route& route, const Request& request) {
  if (request.query_string().empty()) return std::nullopt;
  for (const auto& [name, value] : request.query_parameters()) {
    if (is_documented(route, name)) continue;
    const std::string known = documented_names(route);
    return wrong_query(failure(absl::StatusCode::kInvalidArgument, "there is no query parameter `",
                               name.substr(0, kShownBytes), "` here; ",
                               known.empty() ? "this path takes none" : cat("known: ", known)));
  }
  return std::nullopt;
}

}  // namespace kehu::http
