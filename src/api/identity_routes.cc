#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "document/customer_document.h"
#include "document/customer_name.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

void get_identities(App& app, const Request& request, Responder responder) {
  answer_about_customer(app, request, std::move(responder), document::identity_document);
}

absl::StatusOr<std::string> explain(replica::Replica& replica, const Token& from, const Token& to) {
  const auto project = replica.project();
  const auto links = replica.shard().identities().explain(from, to);
  if (!links.ok()) return links.status();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("links").begin_array();
  for (const identity::Link& link : *links) document::write_link(writer, link, *project);
  writer.end_array().end_object();
  return out;
}

void get_explanation(App& app, const Request& request, Responder responder) {
  const auto from = request.query("from");
  const auto to = request.query("to");
  if (!from || !to) {
    return responder.send(to_response(Problem::bad_request("missing_query", "Two identifiers are needed",
                                                           "give `?from=TYPE:VALUE&to=TYPE:VALUE`")));
  }
  const auto first = document::parse_token(gateway::intake_room(app.gateway()).names(), *from);
  if (!first.ok()) return responder.send(to_response(problem_of(first.status())));
  const auto second = document::parse_token(gateway::intake_room(app.gateway()).names(), *to);
  if (!second.ok()) return responder.send(to_response(problem_of(second.status())));
  answer_from_replica(
      app.engine(), std::move(responder),
      [from = *first, to = *second](replica::Replica& replica) { return explain(replica, from, to); });
}

absl::StatusOr<std::string> owner_as_of(replica::Replica& replica, const Token& token, Instant when) {
  const auto customer = replica.shard().identities().customer_as_of(token, when);
  if (!customer.ok()) return customer.status();
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("customer_id", customer->hash.hex())
      .field("as_of", format_utc(when))
      .end_object();
  return out;
}

void get_owner_as_of(App& app, const Request& request, Responder responder) {
  const auto when = parse_iso8601(request.query("as_of").value_or(""));
  if (!when) {
    return responder.send(to_response(
        Problem::bad_request("missing_query", "A time is needed", "give `?as_of=` an ISO 8601 time")));
  }
  const auto token =
      document::parse_token(gateway::intake_room(app.gateway()).names(), request.parameter("identifier"));
  if (!token.ok()) return responder.send(to_response(problem_of(token.status())));
  answer_from_replica(app.engine(), std::move(responder),
                      [token = *token, when = *when](replica::Replica& replica) {
                        return owner_as_of(replica, token, when);
                      });
}

std::string outcome_document(const identity::Outcome& outcome) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("customers").begin_array();
  for (const CustomerId& customer : outcome.customers) writer.value(customer.hash.hex());
  writer.end_array().key("moved").begin_array();
  for (const identity::Move& move : outcome.moves) {
    writer.begin_object().field("token", move.part.hash.hex()).field("from", move.from.hash.hex());
    writer.field("to", move.to.hash.hex()).end_object();
  }
  writer.end_array().end_object();
  return out;
}

absl::StatusOr<Response> run(App& app, RecordBatch batch) {
  const auto outcome = app.engine().run_command<identity::Outcome>(std::move(batch));
  if (!outcome.ok()) return outcome.status();
  return Response::json(outcome_document(*outcome));
}

// A token of the customer that `text`, the member `member` of a merge, names.
absl::StatusOr<Token> merged_token(App& app, std::string_view member, const std::string& text) {
  const auto name = document::parse_customer_name(gateway::intake_room(app.gateway()).names(), text);
  if (!name.ok()) return failure(name.status().code(), member, ": ", message_of(name.status()));
  std::optional<Token> token;
  const auto customer = ask_replica(app.engine(), [&](replica::Replica& replica) {
    token = document::token_of(replica, *name);
    return document::find_customer(replica, *name);
  });
  if (!customer.ok()) {
    return failure(customer.status().code(), member, ": ", message_of(customer.status()),
                   "; nothing was merged");
  }
  return token ? *token : Token{customer->hash};
}

absl::StatusOr<Response> merge(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto winner = document->root().find("winner").as_string();
  const auto loser = document->root().find("loser").as_string();
  const auto reason = document->root().find("reason").as_string();
  if (!winner || !loser || !reason || reason->empty()) {
    return to_response(Problem::bad_request(
        "missing_field", "Something is missing",
        R"(send {"winner": "user_id:u1", "loser": "phone:13800000000", "reason": "why they are one"})"));
  }
  const auto first = merged_token(app, "winner", *winner);
  if (!first.ok()) return first.status();
  const auto second = merged_token(app, "loser", *loser);
  if (!second.ok()) return second.status();
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kMerge, [&](std::string& out) {
    codec::append_merge({.winner = *first, .loser = *second, .reason = *reason, .actor = command.actor}, out);
  });
  return run(app, std::move(batch));
}

absl::StatusOr<Response> unmerge(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto text = document->root().find("customer").as_string();
  const auto link = document->root().find("link").as_int();
  const auto reason = document->root().find("reason").as_string();
  if (!text || !link || *link < 1 || !reason || reason->empty()) {
    return to_response(Problem::bad_request(
        "missing_field", "Something is missing",
        R"(send {"customer": "user_id:u1", "link": 1234, "reason": "why they are two"}; )"
        R"(the links are in /api/v1/customers/user_id:u1/identities)"));
  }
  const auto name = document::parse_customer_name(gateway::intake_room(app.gateway()).names(), *text);
  if (!name.ok()) return name.status();
  const auto customer = ask_replica(
      app.engine(), [&](replica::Replica& replica) { return document::find_customer(replica, *name); });
  if (!customer.ok()) return customer.status();
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kUnmerge, [&](std::string& out) {
    codec::append_unmerge({.link = Sequence(static_cast<uint64_t>(*link)),
                           .customer = *customer,
                           .reason = *reason,
                           .actor = command.actor},
                          out);
  });
  return run(app, std::move(batch));
}

}  // namespace

void add_identity_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc customer{FieldDoc::Where::kPath, "customer", "string", "TYPE:VALUE or a customer id", true};
  const AnswerDoc unknown{404, "Not known", "application/problem+json", "Problem"};
  routes.push_back(
      {.pattern = "/api/v1/customers/:customer/identities",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, get_identities)},
       .doc = {.summary = "The identity graph: identifiers, links with their evidence, refusals, history",
               .group = "identity",
               .fields = {customer},
               .answers = with_admin_answers({{200, "The graph"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/identities/explain",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, get_explanation)},
       .doc = {.summary = "Why two identifiers are one customer: the chain of evidence between them",
               .group = "identity",
               .fields = {{FieldDoc::Where::kQuery, "from", "string", "TYPE:VALUE", true},
                          {FieldDoc::Where::kQuery, "to", "string", "TYPE:VALUE", true}},
               .answers = with_admin_answers({{200, "The links in order"}, unknown})}});
  routes.push_back({.pattern = "/api/v1/identities/:identifier/owner",
                    .permission = Permission::kReadCustomers,
                    .action = NoBody{on_connection(app, get_owner_as_of)},
                    .doc = {.summary = "Whose an identifier was at a moment",
                            .group = "identity",
                            .fields = {{FieldDoc::Where::kPath, "identifier", "string", "TYPE:VALUE", true},
                                       {FieldDoc::Where::kQuery, "as_of", "string", "ISO 8601", true}},
                            .answers = with_admin_answers({{200, "The customer"}, unknown})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/identities/merge",
                    .permission = Permission::kChangeIdentities,
                    .action = BufferedBody{16 << 10, on_worker(app, merge)},
                    .doc = {.summary = "Makes two customers one",
                            .group = "identity",
                            .body_content_type = "application/json",
                            .body_schema = "Merge",
                            .answers = with_admin_answers({{200, "Done"},
                                                           {409, "A rule forbids it; the detail says which",
                                                            "application/problem+json", "Problem"},
                                                           unknown})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/identities/unmerge",
                    .permission = Permission::kChangeIdentities,
                    .action = BufferedBody{16 << 10, on_worker(app, unmerge)},
                    .doc = {.summary = "Takes apart what one link joined",
                            .group = "identity",
                            .body_content_type = "application/json",
                            .body_schema = "Unmerge",
                            .answers = with_admin_answers({{200, "Done"}, unknown})}});
}

}  // namespace kehu::api
