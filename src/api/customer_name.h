#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "api/intake_thread.h"
#include "engine/replica.h"
#include "model/ids.h"

namespace kehu::api {

// Whom a text from outside means; nobody has looked yet whether there is such a customer.
struct CustomerName {
  std::variant<Token, CustomerId> who;
  std::string word;  // "this phone": speaks of it without its value
};

// "TYPE:VALUE" with any identifier type ("phone:13800000000", "user_id:u1"), "token:HEX", or "id:HEX" or 32
// hexadecimal digits of a customer id, old ids included. InvalidArgument says what is wrong, without personal
// values. Hashes the value with the door of `room`: not for the apply thread, which others wait for.
absl::StatusOr<CustomerName> parse_customer_name(IntakeRoom& room, std::string_view name);

// The token of "TYPE:VALUE" or "token:HEX", known or not.
absl::StatusOr<Token> parse_token(IntakeRoom& room, std::string_view name);

// NotFound says what was looked for, without personal values. On the apply thread.
absl::StatusOr<CustomerId> find_customer(engine::Replica& replica, const CustomerName& name);

}  // namespace kehu::api
