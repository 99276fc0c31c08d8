#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kehu::coding {

// What an Authorization header carries.
struct Credential {
  enum class Scheme : uint8_t { kBasic, kBearer };
  Scheme scheme = Scheme::kBasic;
  // Basic: the user name, which is where SDKs put the write key (with or without the colon behind it).
  // Bearer: the token.
  std::string key;
};

// nullopt for other schemes and for what is no base64.
std::optional<Credential> parse_authorization(std::string_view header);

}  // namespace kehu::coding
