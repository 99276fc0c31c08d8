#include "document/customer_name.h"

#include "base/text.h"
#include "identifier/normal_value.h"

namespace kehu::document {
namespace {

absl::Status unknown_type(std::string_view type, const Settings& settings) {
  std::string known;
  for (const IdentifierRule& rule : settings.identifier_types) {
    known += (known.empty() ? "" : ", ") + rule.name;
  }
  return failure(absl::StatusCode::kInvalidArgument, "\"", type,
                 "\" is no identifier type; this project has: ", known);
}

std::optional<Token> old_token(NameReader reader, std::string_view name) {
  const size_t colon = name.find(':');
  const Settings& settings = reader.settings;
  const auto type = settings.find_type(name.substr(0, colon));
  if (!type) return std::nullopt;
  const std::string_view value = name.substr(colon + 1);
  const auto old = old_spelling(settings.rule(*type).normaliser, value);
  if (!old || old == normalise(settings.rule(*type).normaliser, value)) return std::nullopt;
  return reader.door.token(*type, *old);
}

}  // namespace

absl::StatusOr<Token> parse_token(NameReader reader, std::string_view name) {
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos) {
    return failure(absl::StatusCode::kInvalidArgument,
                   "name an identifier as TYPE:VALUE, such as user_id:u1");
  }
  const std::string_view type_name = name.substr(0, colon);
  const std::string_view value = name.substr(colon + 1);
  if (type_name == "token") {
    if (const auto hash = Hash128::from_hex(value)) return Token{*hash};
    return failure(absl::StatusCode::kInvalidArgument, "a token has 32 hexadecimal digits");
  }
  const Settings& settings = reader.settings;
  const auto type = settings.find_type(type_name);
  if (!type) return unknown_type(type_name, settings);
  const auto normalised = normalise(settings.rule(*type).normaliser, value);
  if (!normalised) {
    return failure(absl::StatusCode::kInvalidArgument, "this value cannot be a ", type_name,
                   ": check its form");
  }
  return reader.door.token(*type, *normalised);
}

absl::StatusOr<CustomerName> parse_customer_name(NameReader reader, std::string_view name) {
  const std::string_view hex = name.starts_with("id:") ? name.substr(3) : name;
  if (const auto id = Hash128::from_hex(hex)) return CustomerName{CustomerId{*id}, cat("the id ", hex), {}};
  const auto token = parse_token(reader, name);
  if (!token.ok()) return token.status();
  return CustomerName{*token, cat("this ", name.substr(0, name.find(':'))), old_token(reader, name)};
}

std::optional<Token> token_of(replica::Replica& replica, const CustomerName& name) {
  const Token* token = std::get_if<Token>(&name.who);
  if (token == nullptr) return std::nullopt;
  const bool old = name.old_spelling && replica.shard().identities().customer_of(*name.old_spelling);
  return old ? *name.old_spelling : *token;
}

absl::StatusOr<CustomerId> find_customer(replica::Replica& replica, const CustomerName& name) {
  const identity::Graph& graph = replica.shard().identities();
  const auto token = token_of(replica, name);
  const auto customer = token ? graph.customer_of(*token) : graph.current(std::get<CustomerId>(name.who));
  if (customer) return *customer;
  return failure(absl::StatusCode::kNotFound, "no customer has ", name.word);
}

}  // namespace kehu::document
