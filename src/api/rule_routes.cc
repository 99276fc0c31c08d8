#include <charconv>

#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "definition/rules.h"
#include "document/members_file.h"
#include "document/segment_document.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "query/session.h"
#include "rule/check.h"
#include "rule/tree_json.h"
#include "survey/statement.h"
#include "trial/trial.h"
#include "trial/warnings.h"

// Segments and their members, and rules that nobody has saved yet.
namespace kehu::api {
namespace {

void answer_segments(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        return document::segments_document(replica, app.filling_pace());
                      });
}

void answer_segment(App& app, const Request& request, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, name = request.parameter("segment")](replica::Replica& replica) {
                        return document::segment_document(replica, name, app.filling_pace());
                      });
}

void answer_tags(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        return document::tags_document(replica, app.filling_pace());
                      });
}

void answer_tag(App& app, const Request& request, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [&app, name = request.parameter("tag")](replica::Replica& replica) {
                        return document::tag_document(replica, name, app.filling_pace());
                      });
}

void answer_checks(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        return document::checks_document(replica);
                      });
}

void answer_one_check(App& app, const Request& request, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [name = request.parameter("check")](replica::Replica& replica) {
                        return document::check_document(replica, name);
                      });
}

constexpr int kLongResultsMost = 16;
constexpr size_t kRuleFileBytes = 1u << 20;

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

// The file behind a body, read as it is sent; it is removed with it.
class FileBody final : public SlowBody {
 public:
  FileBody(App& app, std::unique_ptr<document::MembersFile> file) : app_(app), file_(std::move(file)) {}
  ~FileBody() override { --app_.long_results(); }

  absl::StatusOr<Piece> next() override {
    Piece piece;
    auto more = file_->read(piece.bytes);
    if (!more.ok()) return more.status();
    piece.last = !*more;
    return piece;
  }

 private:
  App& app_;
  const std::unique_ptr<document::MembersFile> file_;
};

absl::StatusOr<Response> members_file(App& app, const std::string& segment) {
  if (++app.long_results() > kLongResultsMost) {
    --app.long_results();
    return failure(absl::StatusCode::kUnavailable, kLongResultsMost,
                   " long results are being read already: try again when one is through");
  }
  auto file = document::MembersFile::make(app.engine(), segment);
  if (!file.ok()) {
    --app.long_results();
    return file.status();
  }
  Response response{.content_type = "application/vnd.apache.parquet"};
  response.source = app.readers().source(std::make_unique<FileBody>(app, *std::move(file)));
  return response;
}

void answer_members(App& app, const Request& request, Responder responder) {
  const std::string format = request.query("format").value_or("json");
  if (format == "parquet") {
    return app.statements().answer(std::move(responder), [&app, name = request.parameter("segment")] {
      return to_answer(members_file(app, name));
    });
  }
  if (format != "json") {
    return responder.send(to_response(problem_of(wrong_parameter("format", "json or parquet"))));
  }
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

constexpr size_t kOverlapMost = 16;

void answer_overlap(App& app, const Request& request, Responder responder) {
  std::vector<std::string> names;
  const std::string list = request.query("segments").value_or("");
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    if (end > at) names.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  if (names.empty() || names.size() > kOverlapMost) {
    return responder.send(
        to_response(problem_of(wrong_parameter("segments", "names with commas between them, at most 16"))));
  }
  answer_from_replica(app.engine(), std::move(responder),
                      [names = std::move(names)](replica::Replica& replica) {
                        return document::overlap_document(replica, names);
                      });
}

void answer_why(App& app, const Request& request, Responder responder) {
  answer_about_customer(app, request, std::move(responder),
                        [name = request.parameter("segment")](
                            engine::Engine& engine, replica::Replica& replica, CustomerId customer) {
                          return document::why_document(engine, replica, name, customer);
                        });
}

Response to_answer(const rule::Problem& problem, std::string pointer = "/rule") {
  return to_response(Problem{.status = 400,
                             .code = "wrong_rule",
                             .title = "The rule cannot be read",
                             .detail = problem.message,
                             .pointer = std::move(pointer),
                             .place = {.line = problem.place.line,
                                       .column = problem.place.column,
                                       .expected = problem.expected,
                                       .suggestion = problem.suggestion}});
}
// Of a tree, whose parts have no lines.
Response refused_tree(const std::string& detail, std::string_view pointer = "") {
  return to_response(Problem{.status = 400,
                             .code = "wrong_rule",
                             .title = "The rule cannot be read",
                             .detail = detail,
                             .pointer = cat("/tree", pointer)});
}

rule::KnownNames known_names(const engine::Project& project) {
  rule::KnownNames known;
  project.each(definition::kSegment,
               [&](const std::string& name, const definition::Version&) { known.segments.push_back(name); });
  project.each(definition::kTag,
               [&](const std::string& name, const definition::Version&) { known.tags.push_back(name); });
  known.lists.emplace();
  project.each(definition::kList,
               [&](const std::string& name, const definition::Version&) { known.lists->push_back(name); });
  return known;
}

// `segment neu = …` would be read as the segment neu, compared with something.
std::optional<rule::Problem> whole_definition(std::string_view text) {
  std::vector<rule::Definition> whole;
  if (notation::parse_file(text, whole) || whole.empty()) return std::nullopt;
  const rule::Definition& first = whole[0];
  const bool alone = whole.size() == 1;
  return rule::Problem{first.place,
                       cat(alone ? "this is a whole definition" : "these are whole definitions",
                           ", and a condition or a value is expected: leave out all up to the = behind ",
                           rule::to_string(first.kind), " ", first.name),
                       "a condition or a value",
                       alone ? notation::format(first.body, notation::Language::kEnglish) : ""};
}

// Whether a statement may stand in place of a rule.
enum class Statements : uint8_t { kRefused, kAllowed };

std::optional<Response> read_text(std::string_view text, Statements statements, rule::Node& rule) {
  if (const auto problem = whole_definition(text)) return to_answer(*problem);
  const auto problem = statements == Statements::kAllowed ? notation::parse_body(text, rule)
                                                          : notation::parse_expression(text, rule);
  if (problem) return to_answer(*problem);
  return std::nullopt;
}

std::optional<Response> read_tree(std::string_view json, Statements statements, rule::Node& rule) {
  auto node = rule::node_from_json(json, rule::Origin::kSent);
  if (!node.ok()) return refused_tree(message_of(node.status()));
  rule = *std::move(node);
  if (rule.op != rule::Op::kSql || statements == Statements::kAllowed) return std::nullopt;
  return refused_tree("a statement stands where a rule is expected");
}

// A misspelt member would be passed over.
std::optional<Response> refuse_members(const json::Value& body) {
  const std::vector<std::string> known = {"rule", "tree", "time_zone", "segment"};
  for (const json::Value::Member& member : body) {
    const bool is_known = std::ranges::find(known, member.key) != known.end();
    if (is_known && (member.key == "tree" || member.value.as_string())) continue;
    Problem problem = Problem::bad_request(
        "unknown_member", "The request has a member that means nothing",
        is_known ? cat("\"", member.key, "\" is no text")
                 : cat("unknown member \"", member.key, "\"; known here: rule, tree, time_zone, segment"));
    problem.pointer = cat("/", member.key);
    return to_response(problem);
  }
  return std::nullopt;
}

// The rule that a body has, as a definition without a name; or why there is none.
std::optional<Response> read_rule(App& app, const json::Value& body, Statements statements,
                                  rule::Definition& definition) {
  if (auto refusal = refuse_members(body)) return refusal;
  const auto text = body.find("rule").as_string();
  const json::Value tree = body.find("tree");
  if (text.has_value() == tree.exists()) {
    return to_response(
        Problem::bad_request("missing_rule", text ? "There are two rules" : "There is no rule",
                             "send {\"rule\": \"count(\\\"Note Viewed\\\", last 30 days) >= 3\"}, or the "
                             "same as {\"tree\": {\"op\": …}}"));
  }
  definition.name = "x";
  definition.time_zone = body.find("time_zone").as_string().value_or("");
  if (!definition.time_zone.empty() && !BusinessZone::load(definition.time_zone)) {
    return to_response(
        Problem::bad_request("wrong_time_zone", "There is no such time zone", "Asia/Shanghai is one"));
  }
  if (auto refusal = text ? read_text(*text, statements, definition.body)
                          : read_tree(tree.raw(), statements, definition.body))
    return refusal;
  // A tag may be any value, and so may what is only looked at.
  definition.kind =
      rule::static_type(definition.body) == rule::Type::kBool ? rule::Kind::kSegment : rule::Kind::kTag;
  if (tree.exists()) {
    if (const auto objection = definition::objection_to(definition)) {
      const std::string& pointer = objection->parts[0].pointer;
      constexpr std::string_view kBody = "/body";
      return refused_tree(objection->message,
                          std::string_view(pointer).substr(pointer.empty() ? 0 : kBody.size()));
    }
  }
  const auto problem = rule::check(definition, known_names(*app.engine().project()));
  if (!problem) return std::nullopt;
  return tree.exists() ? refused_tree(rule::to_text(*problem)) : to_answer(*problem);
}

// What a file says that another one, or the project, does not: segments and tags that it names may be there.
absl::StatusOr<Response> check_file(App& app, const std::string& text) {
  std::vector<rule::Definition> definitions;
  if (const auto problem = notation::parse_file(text, definitions)) return to_answer(*problem, "/file");
  std::vector<rule::Problem> all;
  for (const rule::Definition& definition : definitions) {
    if (const auto problem = rule::check(definition, {})) return to_answer(*problem, "/file");
    const auto warnings = trial::warnings_of(app.engine(), definition);
    if (!warnings.ok()) return warnings.status();
    all.insert(all.end(), warnings->begin(), warnings->end());
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("ok", true).field("definitions", definitions.size());
  trial::write_warnings(writer, all);
  writer.end_object();
  return Response::json(std::move(out));
}

// The statement of a tag is DuckDB's to judge.
absl::StatusOr<std::optional<Response>> refuse_statement(App& app, const rule::Definition& definition) {
  if (definition.body.op != rule::Op::kSql) return std::nullopt;
  auto session = app.query().connect();
  if (!session.ok()) return session.status();
  const absl::Status status = survey::check_statement(**session, definition.body.text);
  if (status.ok()) return std::nullopt;
  if (!absl::IsInvalidArgument(status) && !absl::IsPermissionDenied(status)) return status;
  return to_answer(rule::Problem{definition.body.place, message_of(status), "", ""});
}

absl::StatusOr<Response> check_rule(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  const json::Value body = document.ok() ? document->root() : json::Value();
  if (const auto file = body.find("file").as_string()) return check_file(app, *file);
  rule::Definition definition;
  if (auto unread = read_rule(app, body, Statements::kAllowed, definition)) return *std::move(unread);
  auto refusal = refuse_statement(app, definition);
  if (!refusal.ok()) return refusal.status();
  if (*refusal) return **std::move(refusal);
  const auto warnings = trial::warnings_of(app.engine(), definition);
  if (!warnings.ok()) return warnings.status();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("ok", true);
  writer.field("english", notation::format(definition.body, notation::Language::kEnglish));
  writer.field("chinese", notation::format(definition.body, notation::Language::kChinese));
  writer.raw_field("tree", rule::to_json(definition.body));
  trial::write_warnings(writer, *warnings);
  writer.end_object();
  return Response::json(std::move(out));
}

// Asks the archive on a thread of statements, until whoever asked has left.
template <class Ask>
void answer_trial(App& app, Responder responder, Ask ask) {
  const auto trial = std::make_shared<trial::Trial>(app.engine(), app.query());
  responder.on_leave([trial] { trial->end(); });
  app.statements().answer(std::move(responder), [trial, ask = std::move(ask)] {
    auto body = ask(*trial);
    return body.ok() ? Response::json(*std::move(body)) : to_response(problem_of(body.status()));
  });
}

void preview(App& app, const Request& request, Responder responder, std::string segment) {
  const auto document = json::Document::parse(request.body);
  const json::Value body = document.ok() ? document->root() : json::Value();
  trial::PreviewRequest asked;
  if (auto refusal = read_rule(app, body, Statements::kRefused, asked.definition))
    return responder.send(*std::move(refusal));
  asked.segment = body.find("segment").as_string().value_or(std::move(segment));
  if (!asked.segment.empty()) {
    asked.definition.kind = rule::Kind::kSegment;
    if (const auto problem = rule::check(asked.definition, {})) return responder.send(to_answer(*problem));
  }
  answer_trial(app, std::move(responder),
               [asked = std::move(asked)](trial::Trial& trial) { return trial.preview(asked); });
}

void answer_preview(App& app, const Request& request, Responder responder) {
  preview(app, request, std::move(responder), "");
}

void answer_dry_run(App& app, const Request& request, Responder responder) {
  preview(app, request, std::move(responder), request.parameter("segment"));
}

void answer_verify(App& app, const Request& request, Responder responder) {
  const auto document = json::Document::parse(request.body);
  const json::Value body = document.ok() ? document->root() : json::Value();
  const auto segment = body.find("segment").as_string();
  const auto tag = body.find("tag").as_string();
  if (segment.has_value() == tag.has_value()) {
    return responder.send(to_response(Problem::bad_request("missing_field", "There is no name",
                                                           R"(send {"segment": "…"} or {"tag": "…"})")));
  }
  trial::ComparisonRequest asked{.kind = segment ? rule::Kind::kSegment : rule::Kind::kTag,
                                 .name = segment ? *segment : *tag};
  answer_trial(app, std::move(responder),
               [asked = std::move(asked)](trial::Trial& trial) { return trial.compare(asked); });
}

// Refused with the list of those that name it (definition/rules.h).
absl::StatusOr<Response> remove(App& app, std::string_view kind, const Command& command) {
  const DefinitionChange change{.kind = kind, .name = command.parameter("name"), .actor = command.actor};
  const definition::Version* newest = app.engine().project()->find(kind, change.name);
  if (newest == nullptr || newest->deleted) {
    return failure(absl::StatusCode::kNotFound, "there is no ", kind, " ", change.name);
  }
  const auto deleted = delete_definition(app, change);
  if (!deleted.ok()) return refused(app, change, deleted.status());
  return Response::no_content();
}
absl::StatusOr<Response> remove_segment(App& app, const Command& command) {
  return remove(app, definition::kSegment, command);
}
absl::StatusOr<Response> remove_check(App& app, const Command& command) {
  return remove(app, definition::kCheck, command);
}
absl::StatusOr<Response> remove_tag(App& app, const Command& command) {
  return remove(app, definition::kTag, command);
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
      {.pattern = "/api/v1/checks",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer_checks)},
       .doc = {.summary = "Which facts of others are compared with own ones, and whether they agree",
               .group = "rules",
               .answers = with_admin_answers({{200, "The checks"}})}});
  routes.push_back(
      {.pattern = "/api/v1/checks/:check",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer_one_check)},
       .doc = {.summary = "One check, and how often both agreed over time",
               .group = "rules",
               .fields = {{FieldDoc::Where::kPath, "check", "string", "name of the check", true}},
               .answers = with_admin_answers({{200, "The check"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/tags",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer_tags)},
       .doc = {.summary = "The tags", .group = "rules", .answers = with_admin_answers({{200, "The tags"}})}});
  routes.push_back({.pattern = "/api/v1/tags/:tag",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_tag)},
                    .doc = {.summary = "One tag",
                            .group = "rules",
                            .fields = {{FieldDoc::Where::kPath, "tag", "string", "name of the tag", true}},
                            .answers = with_admin_answers({{200, "The tag"}, unknown})}});
  routes.push_back(
      {.pattern = "/api/v1/segments/:segment/members",
       .permission = Permission::kReadCustomers,
       .action = NoBody{on_connection(app, answer_members)},
       .doc = {.summary = "Who is in a segment now, page by page, or all of them as a Parquet file",
               .text = "Members who enter or leave while the file is made may be in it or not.",
               .group = "rules",
               .fields = {segment,
                          {FieldDoc::Where::kQuery, "limit", "integer", "1 to 1000; 100", false},
                          {FieldDoc::Where::kQuery, "cursor", "string", "`next` of an earlier page", false},
                          {FieldDoc::Where::kQuery, "format", "string", "json or parquet; json", false}},
               .answers = with_admin_answers({{200, "One page, or the file"}, unknown})}});
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
       .action = BufferedBody{kRuleFileBytes, on_worker(app, check_rule)},
       .doc = {
           .summary = "Reads a rule without saving it: its tree, and how it is written in either language",
           .text =
               "`warnings` name events and traits that were never seen while one of nearly that name was, "
               "and conditions that never hold. With {\"file\"} in place of a rule it reads the text of a "
               "*.kehu file, and says how many `definitions` it has, and their warnings.",
           .group = "rules",
           .body_content_type = "application/json",
           .body_schema = "RuleOrFile",
           .answers = with_admin_answers(
               {{200, "The rule"},
                {400, "It cannot be read; says where", "application/problem+json", "Problem"}})}});
  for (const auto& [pattern, action, what] :
       {std::tuple("/api/v1/segments/:name", on_worker(app, remove_segment), "segment"),
        std::tuple("/api/v1/tags/:name", on_worker(app, remove_tag), "tag"),
        std::tuple("/api/v1/checks/:name", on_worker(app, remove_check), "check")}) {
    routes.push_back({.method = Method::kDelete,
                      .pattern = pattern,
                      .permission = Permission::kChangeDefinitions,
                      .action = NoBody{action},
                      .doc = {.summary = cat("Deletes a ", what, "; its versions stay readable"),
                              .group = "rules",
                              .fields = {{FieldDoc::Where::kPath, "name", "string", "its name", true}},
                              .answers = with_admin_answers(
                                  {{204, "It is deleted"},
                                   unknown,
                                   {409, "Another rule uses it", "application/problem+json", "Problem"}})}});
  }
  const AnswerDoc wrong{400, "It cannot be read; says where", "application/problem+json", "Problem"};
  const AnswerDoc slow{504, "It took too long", "application/problem+json", "Problem"};
  routes.push_back({.pattern = "/api/v1/segments/overlap",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_overlap)},
                    .doc = {.summary = "How many are in each of some segments, and in all of them",
                            .group = "rules",
                            .fields = {{FieldDoc::Where::kQuery, "segments", "string",
                                        "names with commas between them, at most 16", true}},
                            .answers = with_admin_answers({{200, "The sizes"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rules/preview",
       .permission = Permission::kReadCustomers,
       .action = BufferedBody{64 << 10, on_connection(app, answer_preview)},
       .doc = {.summary =
                   "What a rule comes to by all stored events, without saving it: how many customers, and "
                   "ten of them",
               .text = "The body is {\"rule\" or \"tree\", \"time_zone\", \"segment\"}. With a segment, also "
                       "who would enter and "
                       "leave it if this were its rule.",
               .group = "rules",
               .body_content_type = "application/json",
               .body_schema = "Rule",
               .answers = with_admin_answers({{200, "Size and examples"}, wrong, unknown, slow})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/segments/:segment/preview",
                    .permission = Permission::kReadCustomers,
                    .action = BufferedBody{64 << 10, on_connection(app, answer_dry_run)},
                    .doc = {.summary = "Who would enter and leave a segment if another rule were its own",
                            .group = "rules",
                            .fields = {segment},
                            .body_content_type = "application/json",
                            .body_schema = "Rule",
                            .answers = with_admin_answers(
                                {{200, "Size, who enters, who leaves"}, wrong, unknown, slow})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rules/verify",
       .permission = Permission::kReadCustomers,
       .action = BufferedBody{64 << 10, on_connection(app, answer_verify)},
       .doc = {
           .summary = "Compares the live answers of a segment or tag with what all stored events come to",
           .text =
               "The body is {\"segment\"} or {\"tag\"}. Up to twenty customers of each kind of difference.",
           .group = "rules",
           .body_content_type = "application/json",
           .body_schema = "RuleName",
           .answers = with_admin_answers({{200, "The comparison"}, unknown})}});
}

}  // namespace kehu::api
