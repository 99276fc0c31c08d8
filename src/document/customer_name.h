#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "model/ids.h"
#include "model/settings.h"
#include "replica/replica.h"
#include "seal/door.h"

namespace kehu::document {

// What names are read with: the types of a project's identifiers, and the door that hashes their values.
struct NameReader {
  const Settings& settings;
  seal::Door& door;
};

// Whom a text from outside means; nobody has looked yet whether there is such a customer.
struct CustomerName {
  std::variant<Token, CustomerId> who;
  std::string word;  // "this phone": speaks of it without its value
  // Of a value that used to be read otherwise (docs/settings.md): comes first where it is known.
  std::optional<Token> old_spelling = {};
};

// "TYPE:VALUE" with any identifier type ("phone:13800000000", "user_id:u1"), "token:HEX", or "id:HEX" or 32
// hexadecimal digits of a customer id, old ids included. InvalidArgument says what is wrong, without personal
// values. Hashes the value with the door of `reader`: not for the apply thread, which others wait for.
absl::StatusOr<CustomerName> parse_customer_name(NameReader reader, std::string_view name);

// The token of "TYPE:VALUE" or "token:HEX", known or not.
absl::StatusOr<Token> parse_token(NameReader reader, std::string_view name);

// The token that the name stands for; nullopt for a customer's id. On the apply thread.
std::optional<Token> token_of(replica::Replica& replica, const CustomerName& name);

// NotFound says what was looked for, without personal values. On the apply thread.
absl::StatusOr<CustomerId> find_customer(replica::Replica& replica, const CustomerName& name);

}  // namespace kehu::document
