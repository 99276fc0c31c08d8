#include "http/credentials.h"

#include "coding/authorization.h"

namespace kehu::http {

std::string bearer_of(const Request& request) {
  if (const auto header = request.header("Authorization")) {
    const auto credential = coding::parse_authorization(*header);
    const bool bearer = credential && credential->scheme == coding::Credential::Scheme::kBearer;
    return bearer ? credential->key : std::string();
  }
  const bool upgrade = request.header("Upgrade").has_value();
  return upgrade ? request.query("access_token").value_or("") : std::string();
}

std::optional<std::string> write_key_of(const Request& request) {
  if (const auto header = request.header("Authorization")) {
    auto credential = coding::parse_authorization(*header);
    if (credential && credential->scheme == coding::Credential::Scheme::kBasic)
      return std::move(credential->key);
    if (credential && credential->key.starts_with("kwk_")) return std::move(credential->key);
  }
  return request.query("writeKey");
}

std::optional<std::string> visible_key(const Request& request) {
  if (auto key = write_key_of(request)) return key;
  for (const std::string_view name : {"token", "project"}) {
    if (auto key = request.query(name)) return key;
  }
  return std::nullopt;
}

}  // namespace kehu::http
