#include <charconv>
#include <optional>

#include "api/answers.h"
#include "api/app.h"
#include "api/customer_document.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/masks.h"
#include "seal/opener.h"

namespace kehu::api {
namespace {

constexpr size_t kTimelineLimitMax = 1000;
constexpr Duration kArchivePatience = Duration::seconds(2);

void get_customer(App& app, const Request& request, Responder responder) {
  answer_from_replica(
      app, std::move(responder),
      [&app, name = request.parameter("customer")](engine::Replica& replica) -> absl::StatusOr<std::string> {
        const auto customer = find_customer(app.engine(), replica, name);
        if (!customer.ok()) return customer.status();
        return customer_document(app.engine(), replica, *customer);
      });
}

// Every reading of the text as an identifier of some type, or as a customer id.
absl::StatusOr<std::string> search(App& app, engine::Replica& replica, const std::string& text) {
  const auto project = replica.project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("customers").begin_array();
  std::vector<CustomerId> seen;
  const auto add = [&](const absl::StatusOr<CustomerId>& customer, std::string_view by) {
    if (!customer.ok() || std::find(seen.begin(), seen.end(), *customer) != seen.end()) return;
    seen.push_back(*customer);
    const auto profile = replica.shard().profile(*customer, app.engine().clock().now());
    if (!profile.ok()) return;
    writer.begin_object().field("customer_id", customer->hash.hex()).field("matched", by);
    writer.field("events", profile->events).field("last_seen", format_utc(profile->last_seen)).end_object();
  };
  add(find_customer(app.engine(), replica, text), "id");
  for (const IdentifierRule& rule : project->settings()->identifier_types) {
    add(find_customer(app.engine(), replica, cat(rule.name, ":", text)), rule.name);
  }
  writer.end_array().end_object();
  return out;
}

void search_customers(App& app, const Request& request, Responder responder) {
  auto text = request.query("q");
  if (!text || text->empty()) {
    return responder.send(to_response(Problem::bad_request(
        "missing_query", "Nothing to search for", "give `?q=` an identifier's value or a customer id")));
  }
  answer_from_replica(app, std::move(responder), [&app, text = *std::move(text)](engine::Replica& replica) {
    return search(app, replica, text);
  });
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

absl::Status wrong_parameter(std::string_view name, std::string_view want) {
  return failure(absl::StatusCode::kInvalidArgument, "`", name, "` must be ", want);
}

absl::StatusOr<query::TimelineRequest> timeline_request(const Request& request) {
  query::TimelineRequest wanted;
  for (auto& [name, value] : request.query_parameters()) {
    if (name == "event") wanted.events.push_back(value);
    if (name == "type") wanted.types.push_back(value);
    if (name == "source") wanted.sources.push_back(value);
    if (name == "text") wanted.text = value;
    if (name == "before" && !(wanted.before = parse_cursor(value))) {
      return wrong_parameter(name, "the `next` of an earlier page");
    }
    if (name == "from" && !(wanted.from = parse_iso8601(value)))
      return wrong_parameter(name, "an ISO 8601 time");
    if (name == "to" && !(wanted.to = parse_iso8601(value))) return wrong_parameter(name, "an ISO 8601 time");
    if (name == "limit") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), wanted.limit);
      const bool good = parsed.ec == std::errc() && wanted.limit >= 1 && wanted.limit <= kTimelineLimitMax;
      if (!good) return wrong_parameter(name, "between 1 and 1000");
    }
  }
  return wanted;
}

std::string timeline_document(App& app, CustomerId customer, const query::TimelinePage& page) {
  seal::Opener opener(app.engine().key(), app.engine().ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("customer_id", customer.hash.hex()).key("events").begin_array();
  for (const query::TimelineEvent& event : page.events) {
    writer.begin_object().field("record", event.sequence.value()).field("time", format_utc(event.time));
    writer.field("received_at", format_utc(event.received_at)).field("event", event.event);
    writer.field("type", event.type).field("source", event.source).field("channel", event.channel);
    writer.field("message_id", event.message_id);
    writer.raw_field("properties", seal::mask_json(event.properties, opener));
    writer.raw_field("traits", seal::mask_json(event.traits, opener));
    writer.raw_field("context", seal::mask_json(event.context, opener));
    writer.raw_field("identifiers", seal::mask_json(event.identifiers, opener)).end_object();
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

void get_timeline(App& app, const Request& request, Responder responder) {
  auto wanted = timeline_request(request);
  if (!wanted.ok()) return responder.send(to_response(problem_of(wanted.status())));
  app.workers().answer(
      std::move(responder),
      [&app, wanted = *std::move(wanted), name = request.parameter("customer")]() mutable -> Response {
        const auto parts =
            app.engine().ask<absl::StatusOr<Parts>>([&](engine::Replica& replica) -> absl::StatusOr<Parts> {
              const auto customer = find_customer(app.engine(), replica, name);
              if (!customer.ok()) return customer.status();
              auto tokens = replica.shard().parts(*customer);
              if (!tokens.ok()) return tokens.status();
              return Parts{*customer, *std::move(tokens)};
            });
        if (!parts.ok()) return to_response(problem_of(parts.status()));
        if (!parts->ok()) return to_response(problem_of(parts->status()));
        app.engine().wait_archived(kArchivePatience);
        wanted.parts = (*parts)->tokens;
        auto session = app.query().connect();
        if (!session.ok()) return to_response(problem_of(session.status()));
        const auto page = (*session)->timeline(wanted);
        if (!page.ok()) return to_response(problem_of(page.status()));
        return Response::json(timeline_document(app, (*parts)->customer, *page));
      });
}

// The clear value of an identifier ("phone") or a trait ("traits.email").
absl::StatusOr<std::string> clear_value(App& app, engine::Replica& replica, CustomerId customer,
                                        std::string_view field) {
  seal::Opener opener(app.engine().key(), app.engine().ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  size_t found = 0;
  const auto add = [&](const seal::Opened& opened) {
    ++found;
    if (opened.ok()) writer.value(opened.value);
  };
  if (field.starts_with("traits.")) {
    const auto profile = replica.shard().profile(customer, app.engine().clock().now());
    if (!profile.ok()) return profile.status();
    for (const TraitView& trait : profile->traits) {
      if (trait.name != field.substr(7) || trait.value.size() < 2) continue;
      const std::string_view text = std::string_view(trait.value).substr(1, trait.value.size() - 2);
      if (!seal::Opener::is_sealed(text)) continue;
      const seal::Opened opened = opener.open_field({.json_key = trait.name, .owner = {}}, text);
      ++found;
      if (opened.ok()) writer.raw(opened.value);
    }
  } else {
    const auto project = replica.project();
    for (const identity::KnownIdentifier& known : replica.shard().identities().identifiers_of(customer)) {
      if (project->settings()->rule(known.type).name != field || !known.sealed) continue;
      add(opener.open_identifier(known.token, known.value));
    }
  }
  writer.end_array();
  if (found == 0) {
    return failure(absl::StatusCode::kNotFound, "this customer has no sealed ", field,
                   ": name an identifier type (phone) or a trait (traits.email)");
  }
  return out;
}

Response reveal(App& app, const std::string& name, const std::string& field, const std::string& reason,
                const std::string& actor) {
  const auto customer = app.engine().ask<absl::StatusOr<CustomerId>>(
      [&](engine::Replica& replica) { return find_customer(app.engine(), replica, name); });
  if (!customer.ok()) return to_response(problem_of(customer.status()));
  if (!customer->ok()) return to_response(problem_of(customer->status()));
  // The record first: who looked is durable before anything is shown.
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kReveal, [&](std::string& out) {
    codec::append_reveal({.customer = **customer, .field = field, .reason = reason, .actor = actor}, out);
  });
  const auto ack = app.engine().submit_and_wait(std::move(batch));
  if (!ack.ok()) return to_response(problem_of(ack.status()));
  const auto value = app.engine().ask<absl::StatusOr<std::string>>(
      [&](engine::Replica& replica) { return clear_value(app, replica, **customer, field); });
  if (!value.ok()) return to_response(problem_of(value.status()));
  if (!value->ok()) return to_response(problem_of(value->status()));
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("field", field)
      .raw_field("values", **value)
      .field("record", ack->last.value())
      .end_object();
  return Response::json(std::move(out));
}

void post_reveal(App& app, const Request& request, Responder responder) {
  const auto document = json::Document::parse(request.body);
  const auto field = document.ok() ? document->root().find("field").as_string() : std::nullopt;
  const auto reason = document.ok() ? document->root().find("reason").as_string() : std::nullopt;
  const bool blank = reason && reason->find_first_not_of(" \t\r\n") == std::string::npos;
  if (!field || !reason || blank) {
    return responder.send(
        to_response(Problem::bad_request("missing_field", "A field or a reason is missing",
                                         R"(send {"field": "phone", "reason": "why you need to see it"})")));
  }
  app.workers().answer(std::move(responder), [&app, name = request.parameter("customer"), field = *field,
                                              reason = *reason, actor = app.admin(request)->name] {
    return reveal(app, name, field, reason, actor);
  });
}

void get_audit(App& app, const Request&, Responder responder) {
  answer_from_replica(app, std::move(responder), [](engine::Replica& replica) -> absl::StatusOr<std::string> {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("reveals").begin_array();
    for (const engine::AuditEntry& entry : replica.audit()) {
      writer.begin_object().field("record", entry.sequence.value()).field("time", format_utc(entry.time));
      writer.field("customer_id", entry.customer.hash.hex()).field("field", entry.field);
      writer.field("reason", entry.reason).field("actor", entry.actor).end_object();
    }
    writer.end_array().end_object();
    return out;
  });
}

}  // namespace

void add_customer_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc customer{FieldDoc::Where::kPath, "customer", "string",
                          "TYPE:VALUE of any identifier (user_id:u1, phone:13800000000) or a customer id",
                          true};
  const auto handle = [&app](auto function) {
    return [&app, function](const Request& request, Responder responder) {
      function(app, request, std::move(responder));
    };
  };
  routes.push_back(
      {.pattern = "/api/v1/customers",
       .action = NoBody{handle(search_customers)},
       .doc = {.summary = "Finds customers by the value of any identifier",
               .group = "customers",
               .fields = {{FieldDoc::Where::kQuery, "q", "string", "value or customer id", true}},
               .answers = with_admin_answers({{200, "Those found, perhaps none"}})}});
  routes.push_back(
      {.pattern = "/api/v1/customers/:customer",
       .action = NoBody{handle(get_customer)},
       .doc = {.summary = "Everything known of one customer, live",
               .group = "customers",
               .fields = {customer},
               .answers = with_admin_answers({{200, "The customer", "application/json", "Customer"},
                                              {404, "Not known", "application/problem+json", "Problem"}})}});
  routes.push_back(
      {.pattern = "/api/v1/customers/:customer/timeline",
       .action = NoBody{handle(get_timeline)},
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
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/customers/:customer/reveal",
       .action = BufferedBody{16 << 10, handle(post_reveal)},
       .doc = {.summary = "Shows a sealed value in clear; who asked and why is recorded first",
               .group = "customers",
               .fields = {customer},
               .body_content_type = "application/json",
               .body_schema = "Reveal",
               .answers = with_admin_answers(
                   {{200, "The values"}, {404, "Not known", "application/problem+json", "Problem"}})}});
  routes.push_back({.pattern = "/api/v1/audit",
                    .action = NoBody{handle(get_audit)},
                    .doc = {.summary = "Who looked at sealed values, newest first",
                            .group = "customers",
                            .answers = with_admin_answers({{200, "The entries"}})}});
}

}  // namespace kehu::api
