#include <algorithm>
#include <charconv>
#include <optional>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "document/customer_document.h"
#include "document/customer_name.h"
#include "document/event_document.h"
#include "http/parameters.h"
#include "json/writer.h"
#include "seal/opener.h"

namespace kehu::api {
namespace {

constexpr Duration kArchivePatience = Duration::seconds(2);

void get_customer(App& app, const Request& request, Responder responder) {
  answer_about_customer(app, request, std::move(responder), document::customer_document);
}

// One reading of a searched text: as an identifier of some type, or as a customer id.
struct Reading {
  document::CustomerName name;
  std::string by;
};

std::vector<Reading> readings(document::NameReader names, const std::string& text) {
  std::vector<Reading> all;
  const auto add = [&](const std::string& candidate, const std::string& by) {
    if (auto name = document::parse_customer_name(names, candidate); name.ok())
      all.push_back({*std::move(name), by});
  };
  add(text, "id");
  for (const IdentifierRule& rule : names.settings.identifier_types) {
    add(cat(rule.name, ":", text), rule.name);
  }
  return all;
}

absl::StatusOr<std::string> search(App& app, replica::Replica& replica, const std::vector<Reading>& all) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("customers").begin_array();
  std::vector<CustomerId> seen;
  for (const Reading& reading : all) {
    const auto customer = document::find_customer(replica, reading.name);
    if (!customer.ok() || std::find(seen.begin(), seen.end(), *customer) != seen.end()) continue;
    seen.push_back(*customer);
    const auto profile = replica.shard().profile(*customer, app.engine().clock().now());
    if (!profile.ok()) continue;
    writer.begin_object().field("customer_id", customer->hash.hex()).field("matched", reading.by);
    writer.field("events", profile->events).field("last_seen", format_utc(profile->last_seen)).end_object();
  }
  writer.end_array().end_object();
  return out;
}

void search_customers(App& app, const Request& request, Responder responder) {
  const auto text = request.query("q");
  if (!text || text->empty()) {
    return responder.send(to_response(Problem::bad_request(
        "missing_query", "Nothing to search for", "give `?q=` an identifier's value or a customer id")));
  }
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, all = readings(gateway::intake_room(app.gateway()).names(), *text)](
                          replica::Replica& replica) { return search(app, replica, all); });
}

std::string cursor_text(const query::TimelineCursor& cursor) {
  return cat(cursor.time.micros(), "-", cursor.sequence.value());
}

std::optional<query::TimelineCursor> parse_cursor(std::string_view text) {
  int64_t micros = 0;
  uint64_t sequence = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, micros);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, sequence);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return query::TimelineCursor{Instant(micros), Sequence(sequence)};
}

bool is_event_type(std::string_view name) {
  constexpr EventType kTypes[] = {EventType::kTrack,  EventType::kIdentify, EventType::kPage,
                                  EventType::kScreen, EventType::kGroup,    EventType::kAlias};
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [name](EventType type) { return to_string(type) == name; });
}

// One query parameter of a timeline.
absl::Status read_filter(const engine::Project& project, std::string_view name, const std::string& value,
                         query::TimelineRequest& wanted) {
  if (name == "event") {
    wanted.events.push_back(value);
  } else if (name == "type") {
    if (!is_event_type(value)) {
      return wrong_parameter(name, "track, identify, page, screen, group or alias");
    }
    wanted.types.push_back(value);
  } else if (name == "source") {
    if (project.find(value) == nullptr) return wrong_parameter(name, "the name of a source");
    wanted.sources.push_back(value);
  } else if (name == "text") {
    wanted.text = value;
  } else if (name == "before") {
    wanted.before = parse_cursor(value);
    if (!wanted.before) return wrong_parameter(name, "the `next` of an earlier page");
  } else if (name == "from" || name == "to") {
    const auto time = parse_iso8601(value);
    if (!time) return wrong_parameter(name, "an ISO 8601 time");
    (name == "from" ? wanted.from : wanted.to) = time;
  } else if (name == "limit") {
    const auto limit = parse_limit(value);
    if (!limit) return wrong_parameter(name, "between 1 and 1000");
    wanted.limit = *limit;
  }
  return absl::OkStatus();
}

absl::StatusOr<query::TimelineRequest> timeline_request(const engine::Project& project,
                                                        const Request& request) {
  query::TimelineRequest wanted;
  for (const auto& [name, value] : request.query_parameters()) {
    if (auto status = read_filter(project, name, value, wanted); !status.ok()) return status;
  }
  return wanted;
}

std::string timeline_document(App& app, CustomerId customer, const query::TimelinePage& page) {
  seal::Opener opener(app.engine().key(), app.engine().ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("customer_id", customer.hash.hex()).key("events").begin_array();
  for (const query::TimelineEvent& event : page.events) {
    writer.begin_object();
    document::write_event(writer, event, opener);
    writer.end_object();
  }
  writer.end_array();
  if (page.next) writer.field("next", cursor_text(*page.next));
  writer.end_object();
  return out;
}

struct Parts {
  CustomerId customer;
  std::vector<Token> tokens;
};

absl::StatusOr<Response> timeline(App& app, const document::CustomerName& name,
                                  query::TimelineRequest wanted) {
  const auto parts = ask_replica(app.engine(), [&](replica::Replica& replica) -> absl::StatusOr<Parts> {
    const auto customer = document::find_customer(replica, name);
    if (!customer.ok()) return customer.status();
    auto tokens = replica.shard().parts(*customer);
    if (!tokens.ok()) return tokens.status();
    return Parts{*customer, *std::move(tokens)};
  });
  if (!parts.ok()) return parts.status();
  app.engine().wait_archived(kArchivePatience);
  wanted.parts = parts->tokens;
  auto session = app.query().connect();
  if (!session.ok()) return session.status();
  const auto page = (*session)->timeline(wanted);
  if (!page.ok()) return page.status();
  return Response::json(timeline_document(app, parts->customer, *page));
}

void get_timeline(App& app, const Request& request, Responder responder) {
  auto wanted = timeline_request(*app.engine().project(), request);
  if (!wanted.ok()) return responder.send(to_response(wrong_query(wanted.status())));
  auto name = document::parse_customer_name(gateway::intake_room(app.gateway()).names(),
                                            request.parameter("customer"));
  if (!name.ok()) return responder.send(to_response(problem_of(name.status())));
  app.timelines().answer(std::move(responder), [&app, name = *std::move(name), wanted = *std::move(wanted)] {
    return to_answer(timeline(app, name, wanted));
  });
}

}  // namespace

void add_customer_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc customer{FieldDoc::Where::kPath, "customer", "string",
                          "TYPE:VALUE of any identifier (user_id:u1, phone:13800000000) or a customer id",
                          true};
  routes.push_back(
      {.pattern = "/api/v1/customers",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, search_customers)},
       .doc = {.summary = "Finds customers by the value of any identifier",
               .group = "customers",
               .fields = {{FieldDoc::Where::kQuery, "q", "string", "value or customer id", true}},
               .answers = with_admin_answers({{200, "Those found, perhaps none"}})}});
  routes.push_back(
      {.pattern = "/api/v1/customers/:customer",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, get_customer)},
       .doc = {.summary = "Everything known of one customer, live",
               .group = "customers",
               .fields = {customer},
               .answers = with_admin_answers({{200, "The customer", "application/json", "Customer"},
                                              {404, "Not known", "application/problem+json", "Problem"}})}});
  routes.push_back(
      {.pattern = "/api/v1/customers/:customer/timeline",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, get_timeline)},
       .doc = {
           .summary = "The customer's events, newest first",
           .group = "customers",
           .fields = {customer,
                      {FieldDoc::Where::kQuery, "limit", "integer", "1 to 1000; 50", false},
                      {FieldDoc::Where::kQuery, "before", "string", "`next` of an earlier page", false},
                      {FieldDoc::Where::kQuery, "event", "string", "only this event name; may repeat", false},
                      {FieldDoc::Where::kQuery, "type", "string", "only this type; may repeat", false},
                      {FieldDoc::Where::kQuery, "source", "string", "only this source; may repeat", false},
                      {FieldDoc::Where::kQuery, "text", "string", "part of the properties' text", false},
                      {FieldDoc::Where::kQuery, "from", "string", "ISO 8601, inclusive", false},
                      {FieldDoc::Where::kQuery, "to", "string", "ISO 8601, exclusive", false}},
           .answers = with_admin_answers(
               {{200, "One page"}, {404, "Not known", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
