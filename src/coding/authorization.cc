#include "coding/authorization.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "base/text.h"

namespace kehu::coding {
std::optional<Credential> parse_authorization(std::string_view header) {
  header = trimmed(header);
  const size_t space = header.find(' ');
  if (space == header.npos) return std::nullopt;
  const std::string_view scheme = header.substr(0, space);
  const std::string_view value = trimmed(header.substr(space));
  if (value.empty()) return std::nullopt;
  if (absl::EqualsIgnoreCase(to_absl(scheme), "bearer")) {
    return Credential{Credential::Scheme::kBearer, std::string(value)};
  }
  if (!absl::EqualsIgnoreCase(to_absl(scheme), "basic")) return std::nullopt;
  std::string decoded;
  if (!absl::Base64Unescape(to_absl(value), &decoded) &&
      !absl::WebSafeBase64Unescape(to_absl(value), &decoded)) {
    return std::nullopt;
  }
  decoded.resize(decoded.substr(0, decoded.find(':')).size());
  if (decoded.empty()) return std::nullopt;
  return Credential{Credential::Scheme::kBasic, decoded};
}

}  // namespace kehu::coding
