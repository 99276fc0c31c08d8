#include <charconv>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "document/segment_document.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "query/session.h"
#include "rule/check.h"
#include "rule/tree_json.h"

// Segments and their members, and rules that nobody has saved yet.
namespace kehu::api {
namespace {

void answer_segments(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        return document::segments_document(replica);
                      });
}

void answer_segment(App& app, const Request& request, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [name = request.parameter("segment")](replica::Replica& replica) {
                        return document::segment_document(replica, name);
                      });
}

absl::StatusOr<document::MembersPage> page_of(const Request& request) {
  document::MembersPage page;
  if (const auto limit = request.query("limit")) {
    const auto read = parse_limit(*limit);
    if (!read) return wrong_parameter("limit", "between 1 and 1000");
    page.limit = *read;
  }
  if (const auto cursor = request.query("cursor")) {
    const char* end = cursor->data() + cursor->size();
    const auto [at, error] = std::from_chars(cursor->data(), end, page.from);
    if (error != std::errc() || at != end) return wrong_parameter("cursor", "the `next` of an earlier page");
  }
  return page;
}

void answer_members(App& app, const Request& request, Responder responder) {
  const auto page = page_of(request);
  if (!page.ok()) return responder.send(to_response(problem_of(page.status())));
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, name = request.parameter("segment"), page = *page](replica::Replica& replica) {
                        return document::members_document(app.engine(), replica, name, page);
                      });
}

constexpr Duration kArchivePatience = Duration::seconds(5);
constexpr int32_t kDaysShown = 30;

std::optional<CivilDay> parse_date(const std::string& text) {
  const auto time = parse_iso8601(text);
  if (text.size() != std::string_view("2026-11-22").size() || !time) return std::nullopt;
  return BusinessZone().day_of(*time);
}

absl::StatusOr<query::SegmentHistoryRequest> history_of(App& app, const Request& request) {
  query::SegmentHistoryRequest wanted{.segment = request.parameter("segment"), .from = {}, .to = {}};
  const auto project = app.engine().project();
  if (project->find(definition::kSegment, wanted.segment) == nullptr) {
    return failure(absl::StatusCode::kNotFound, "there is no segment ", wanted.segment);
  }
  wanted.to = project->settings()->zone.day_of(app.engine().clock().now());
  if (const auto to = request.query("to")) {
    const auto day = parse_date(*to);
    if (!day) return wrong_parameter("to", "a day, as 2026-11-22");
    wanted.to = *day;
  }
  wanted.from = CivilDay(wanted.to.value() - kDaysShown + 1);
  if (const auto from = request.query("from")) {
    const auto day = parse_date(*from);
    if (!day) return wrong_parameter("from", "a day, as 2026-11-22");
    wanted.from = *day;
  }
  if (wanted.from > wanted.to || wanted.to.value() - wanted.from.value() >= query::kHistoryDays) {
    return wrong_parameter("from",
                           cat("a day before `to`, and at most ", query::kHistoryDays, " days before it"));
  }
  return wanted;
}

absl::StatusOr<Response> history(App& app, const query::SegmentHistoryRequest& wanted) {
  app.engine().wait_archived(kArchivePatience);
  auto session = app.query().connect();
  if (!session.ok()) return session.status();
  const auto days = (*session)->segment_history(wanted);
  if (!days.ok()) return days.status();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("segment", wanted.segment);
  writer.field("time_zone", app.engine().project()->settings()->time_zone).key("days").begin_array();
  for (const query::SegmentDay& day : *days) {
    writer.begin_object().field("day", day.day).field("entered", day.entered).field("left", day.left);
    writer.field("size", day.size).end_object();
  }
  writer.end_array().end_object();
  return Response::json(std::move(out));
}

void answer_history(App& app, const Request& request, Responder responder) {
  auto wanted = history_of(app, request);
  if (absl::IsInvalidArgument(wanted.status())) {
    return responder.send(to_response(wrong_query(wanted.status())));
  }
  if (!wanted.ok()) return responder.send(to_response(problem_of(wanted.status())));
  app.statements().answer(std::move(responder),
                          [&app, wanted = *std::move(wanted)] { return to_answer(history(app, wanted)); });
}

void answer_why(App& app, const Request& request, Responder responder) {
  answer_about_customer(app, request, std::move(responder),
                        [name = request.parameter("segment")](
                            engine::Engine& engine, replica::Replica& replica, CustomerId customer) {
                          return document::why_document(engine, replica, name, customer);
                        });
}

Response to_answer(const rule::Problem& problem) {
  return to_response(Problem{.status = 400,
                             .code = "wrong_rule",
                             .title = "The rule cannot be read",
                             .detail = problem.message,
                             .pointer = "/rule",
                             .place = {.line = problem.place.line,
                                       .column = problem.place.column,
                                       .expected = problem.expected,
                                       .suggestion = problem.suggestion}});
}

rule::KnownNames known_names(const engine::Project& project) {
  rule::KnownNames known;
  project.each(definition::kSegment,
               [&](const std::string& name, const definition::Version&) { known.segments.push_back(name); });
  project.each(definition::kTag,
               [&](const std::string& name, const definition::Version&) { known.tags.push_back(name); });
  return known;
}

void answer_check(App& app, const Request& request, Responder responder) {
  const auto document = json::Document::parse(request.body);
  const auto text = document.ok() ? document->root().find("rule").as_string() : std::nullopt;
  if (!text) {
    return responder.send(to_response(
        Problem::bad_request("missing_rule", "There is no rule",
                             "send {\"rule\": \"count(\\\"Note Viewed\\\", last 30 days) >= 3\"}")));
  }
  rule::Definition definition{.name = "x"};
  if (const auto problem = notation::parse_expression(*text, definition.body))
    return responder.send(to_answer(*problem));
  // A tag may be any value, and so may what is only looked at.
  definition.kind =
      rule::static_type(definition.body) == rule::Type::kBool ? rule::Kind::kSegment : rule::Kind::kTag;
  if (const auto problem = rule::check(definition, known_names(*app.engine().project()))) {
    return responder.send(to_answer(*problem));
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("ok", true);
  writer.field("english", notation::format(definition.body, notation::Language::kEnglish));
  writer.field("chinese", notation::format(definition.body, notation::Language::kChinese));
  writer.raw_field("tree", rule::to_json(definition.body)).end_object();
  responder.send(Response::json(std::move(out)));
}

}  // namespace

void add_rule_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc segment{FieldDoc::Where::kPath, "segment", "string", "name of the segment", true};
  const AnswerDoc unknown{404, "Not known", "application/problem+json", "Problem"};
  routes.push_back({.pattern = "/api/v1/segments",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_segments)},
                    .doc = {.summary = "The segments and how many are in each",
                            .group = "rules",
                            .answers = with_admin_answers({{200, "The segments"}})}});
  routes.push_back({.pattern = "/api/v1/segments/:segment",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_segment)},
                    .doc = {.summary = "One segment",
                            .group = "rules",
                            .fields = {segment},
                            .answers = with_admin_answers({{200, "The segment"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/segments/:segment/members",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, answer_members)},
       .doc = {.summary = "Who is in a segment now, page by page",
               .group = "rules",
               .fields = {segment,
                          {FieldDoc::Where::kQuery, "limit", "integer", "1 to 1000; 100", false},
                          {FieldDoc::Where::kQuery, "cursor", "string", "`next` of an earlier page", false}},
               .answers = with_admin_answers({{200, "One page"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/segments/:segment/history",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer_history)},
       .doc = {.summary = "A segment day by day: how many entered, how many left, and its size at the end",
               .group = "rules",
               .fields = {segment,
                          {FieldDoc::Where::kQuery, "from", "string",
                           "first day, as 2026-11-22; 30 days up to `to`", false},
                          {FieldDoc::Where::kQuery, "to", "string", "last day; today", false}},
               .answers = with_admin_answers({{200, "The days, in the project's time zone"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/segments/:segment/why/:customer",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, answer_why)},
       .doc = {.summary = "Why a customer is in a segment or not: what each part of the rule comes to",
               .group = "rules",
               .fields = {segment,
                          {FieldDoc::Where::kPath, "customer", "string",
                           "TYPE:VALUE of any identifier or a customer id", true}},
               .answers = with_admin_answers({{200, "The reasons"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rules/check",
       .permission = Permission::kReadDefinitions,
       .action = BufferedBody{64 << 10, on_connection(app, answer_check)},
       .doc = {
           .summary = "Reads a rule without saving it: its tree, and how it is written in either language",
           .group = "rules",
           .body_content_type = "application/json",
           .body_schema = "Rule",
           .answers = with_admin_answers(
               {{200, "The rule"},
                {400, "It cannot be read; says where", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
