#include <optional>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "document/customer_name.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/opener.h"

namespace kehu::api {
namespace {

// A sealed value that somebody asks to see in clear.
struct SealedValue {
  std::optional<Token> token;  // of an identifier
  std::string trait;           // else the name of the trait
  std::string text;
};

struct SealedValues {
  CustomerId customer;
  std::vector<SealedValue> values;  // at least one
};

// The sealed values of an identifier type ("phone") or a trait ("traits.email").
absl::StatusOr<SealedValues> sealed_values(App& app, replica::Replica& replica,
                                           const document::CustomerName& name, std::string_view field) {
  const auto customer = document::find_customer(replica, name);
  if (!customer.ok()) return customer.status();
  SealedValues found{.customer = *customer, .values = {}};
  if (field.starts_with("traits.")) {
    const auto profile = replica.shard().profile(*customer, app.engine().clock().now());
    if (!profile.ok()) return profile.status();
    for (const TraitView& trait : profile->traits) {
      if (trait.name != field.substr(7) || trait.value.size() < 2) continue;
      const std::string_view text = std::string_view(trait.value).substr(1, trait.value.size() - 2);
      if (seal::Opener::is_sealed(text)) found.values.push_back({{}, trait.name, std::string(text)});
    }
  } else {
    const auto project = replica.project();
    for (const identity::KnownIdentifier& known : replica.shard().identities().identifiers_of(*customer)) {
      if (project->settings()->rule(known.type).name != field || !known.sealed) continue;
      found.values.push_back({known.token, {}, known.value});
    }
  }
  if (!found.values.empty()) return found;
  return failure(absl::StatusCode::kNotFound, "this customer has no sealed ", field,
                 ": name an identifier type (phone) or a trait (traits.email)");
}

// As a JSON array; values whose key was dropped are left out.
std::string clear_values(App& app, const std::vector<SealedValue>& values) {
  seal::Opener opener(app.engine().key(), app.engine().ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const SealedValue& sealed : values) {
    const seal::Opened opened = sealed.token ? opener.open_identifier(*sealed.token, sealed.text)
                                             : opener.open_field({.json_key = sealed.trait}, sealed.text);
    if (!opened.ok()) continue;
    sealed.token ? writer.value(opened.value) : writer.raw(opened.value);
  }
  writer.end_array();
  return out;
}

absl::StatusOr<Response> reveal(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  const auto field = document.ok() ? document->root().find("field").as_string() : std::nullopt;
  const auto reason = document.ok() ? document->root().find("reason").as_string() : std::nullopt;
  const bool blank = reason && reason->find_first_not_of(" \t\r\n") == std::string::npos;
  if (!field || !reason || blank) {
    return to_response(
        Problem::bad_request("missing_field", "A field or a reason is missing",
                             R"(send {"field": "phone", "reason": "why you need to see it"})"));
  }
  const auto name = document::parse_customer_name(gateway::intake_room(app.gateway()).names(),
                                                  command.parameter("customer"));
  if (!name.ok()) return name.status();
  const auto sealed = ask_replica(
      app.engine(), [&](replica::Replica& replica) { return sealed_values(app, replica, *name, *field); });
  if (!sealed.ok()) return sealed.status();
  // The record before the opening: who looked is durable before anything is shown. A request that shows
  // nothing leaves none, so that the audit lists looks and not misspelt fields.
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kReveal, [&](std::string& out) {
    codec::append_reveal(
        {.customer = sealed->customer, .field = *field, .reason = *reason, .actor = command.actor}, out);
  });
  const auto ack = app.engine().submit_and_wait(std::move(batch));
  if (!ack.ok()) return ack.status();
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("field", *field)
      .raw_field("values", clear_values(app, sealed->values))
      .field("record", ack->last.value())
      .end_object();
  return Response::json(std::move(out));
}

void get_audit(App& app, const Request&, Responder responder) {
  answer_from_replica(
      app.engine(), std::move(responder), [](replica::Replica& replica) -> absl::StatusOr<std::string> {
        std::string out;
        json::Writer writer(out);
        writer.begin_object().key("reveals").begin_array();
        for (const replica::AuditEntry& entry : replica.audit()) {
          writer.begin_object().field("record", entry.sequence.value()).field("time", format_utc(entry.time));
          writer.field("customer_id", entry.customer.hash.hex()).field("field", entry.field);
          writer.field("reason", entry.reason).field("actor", entry.actor).end_object();
        }
        writer.end_array().end_object();
        return out;
      });
}

}  // namespace

void add_reveal_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc customer{FieldDoc::Where::kPath, "customer", "string", "TYPE:VALUE or a customer id", true};
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/customers/:customer/reveal",
       .permission = Permission::kReveal,
       .action = BufferedBody{16 << 10, on_worker(app, reveal)},
       .doc = {.summary = "Shows a sealed value in clear; who asked and why is recorded first",
               .group = "customers",
               .fields = {customer},
               .body_content_type = "application/json",
               .body_schema = "Reveal",
               .answers = with_admin_answers(
                   {{200, "The values"}, {404, "Not known", "application/problem+json", "Problem"}})}});
  routes.push_back({.pattern = "/api/v1/audit",
                    .permission = Permission::kAudit,
                    .action = NoBody{on_connection(app, get_audit)},
                    .doc = {.summary = "Who looked at sealed values, newest first",
                            .group = "customers",
                            .answers = with_admin_answers({{200, "The entries"}})}});
}

}  // namespace kehu::api
