#include "debugger/arrival.h"

#include <algorithm>

#include "base/text.h"
#include "codec/former_origin.h"
#include "coding/authorization.h"
#include "directory/credentials.h"
#include "http/credentials.h"
#include "http/parameters.h"
#include "seal/masked_text.h"
#include "seal/masks.h"

namespace kehu::debugger {
namespace {

constexpr size_t kValueBytes = 256;
constexpr size_t kValues = 40;

constexpr std::string_view kKeys[] = {"writeKey", "token", "project", "api_key", "access_token"};
constexpr std::string_view kPacked[] = {"data", "data_list", "data_base64"};
constexpr std::string_view kHeaders[] = {"Content-Type", "Content-Encoding", "Content-Length", "User-Agent",
                                         "Origin",       "Referer",          "X-Retry-Count",  "Dry-Run"};

// `kehu attach` and its kind send rows as events.
struct Attached {
  std::string_view user_agent, protocol;
};
constexpr Attached kAttached[] = {
    {"kehu attach kafka", "kafka"}, {"kehu attach mqtt", "mqtt"}, {"kehu import", "import"}};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::any_of(std::begin(list), std::end(list),
                     [name](std::string_view one) { return http::equals_ignore_case(one, name); });
}

// Keys that a client brought along may be short.
std::string hint_of(std::string_view key) {
  return key.size() >= 20 ? directory::credential_hint(key) : cat(key.substr(0, key.size() / 3), "…");
}

std::string shown_parameter(std::string_view name, std::string_view value, const Settings& settings) {
  if (holds(kKeys, name)) return hint_of(value);
  if (holds(kPacked, name)) return cat("(", value.size(), " characters)");
  // "traits.email" is an e-mail address.
  const std::string_view field = name.substr(name.rfind('.') + 1);
  if (seal::is_personal_field(field, settings) || seal::looks_personal(value)) return seal::mask(value);
  return seal::masked_text(value, settings, kValueBytes);
}

std::string shown_credential(std::string_view value) {
  const auto credential = coding::parse_authorization(value);
  return credential ? cat("the key ", hint_of(credential->key)) : std::string("not readable");
}

bool is_attribute(std::string_view name) {
  return name.size() > 3 && http::equals_ignore_case(name.substr(0, 3), "ce-");
}

size_t bytes_of(const http::Request& request) {
  if (!request.body.empty()) return request.body.size();
  return http::parse_number<size_t>(request.header("Content-Length").value_or("0")).value_or(0);
}

Arrival::Pairs headers_of(const http::Request& request, const Settings& settings) {
  Arrival::Pairs pairs;
  for (const http::Header& header : request.headers) {
    if (pairs.size() == kValues) break;
    const std::string name(header.name);
    if (http::equals_ignore_case(name, "Authorization"))
      pairs.emplace_back(name, shown_credential(header.value));
    if (!holds(kHeaders, name) && !is_attribute(name)) continue;
    // What follows the question mark of an address is somebody else's, and may be anything.
    const bool address = http::equals_ignore_case(name, "Referer");
    const std::string_view value =
        address ? header.value.substr(0, header.value.find_first_of("?#")) : header.value;
    const bool personal = is_attribute(name) && seal::is_personal_field(name.substr(3), settings);
    pairs.emplace_back(name, personal ? seal::mask(value) : seal::masked_text(value, settings, kValueBytes));
  }
  return pairs;
}

Arrival::Pairs parameters_of(const http::Request& request, const Settings& settings) {
  Arrival::Pairs pairs;
  for (const auto& [name, value] : request.query_parameters()) {
    if (pairs.size() == kValues) break;
    pairs.emplace_back(seal::masked_text(name, settings, kValueBytes),
                       shown_parameter(name, value, settings));
  }
  return pairs;
}

}  // namespace

std::string_view protocol_of(const http::Request& request) {
  const Protocol protocol =
      request.route.empty() ? codec::FormerOrigin::read(request.path()).protocol : request.protocol;
  // RudderStack's SDKs speak Segment's protocol on its paths, and have a header of their own.
  if (protocol == Protocol::kSegment && request.header("AnonymousId")) return to_string(Protocol::kRudder);
  if (protocol != Protocol::kEvents) return to_string(protocol);
  const auto* attached = std::find_if(std::begin(kAttached), std::end(kAttached), [&](const Attached& one) {
    return request.header("User-Agent").value_or("") == one.user_agent;
  });
  return attached == std::end(kAttached) ? to_string(protocol) : attached->protocol;
}

Arrival describe(const http::Request& request, const Settings& settings) {
  const auto key = http::visible_key(request);
  return {.protocol = std::string(protocol_of(request)),
          .method = std::string(to_string(request.method)),
          .path = seal::masked_text(request.path(), settings, kValueBytes),
          .remote = std::string(request.remote),
          .query = parameters_of(request, settings),
          .headers = headers_of(request, settings),
          .client = seal::masked_text(request.header("User-Agent").value_or(""), settings, kValueBytes),
          .key = key ? hint_of(*key) : std::string(),
          .bytes = bytes_of(request)};
}

}  // namespace kehu::debugger
