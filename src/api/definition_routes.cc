#include <algorithm>
#include <map>
#include <set>

#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/node.h"
#include "definition/difference.h"
#include "definition/project.h"
#include "definition/rules.h"
#include "definition/webhook.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"
#include "query/session.h"
#include "seal/webhook_secret.h"
#include "survey/statement.h"

// Definitions of every kind alike: as they were at any time, and as the files of a directory.
namespace kehu::api {
namespace {

using definition::Kind;
using definition::NamedVersion;
using definition::Project;
using definition::Version;

constexpr size_t kFilesMax = 10'000;
constexpr size_t kApplyBytesMax = 16u << 20;

absl::StatusOr<const Kind*> kind_of(std::string_view name) {
  std::string names;
  for (const Kind& kind : definition::kinds()) {
    if (kind.name == name) return &kind;
    names += cat(names.empty() ? "" : ", ", kind.name);
  }
  return failure(absl::StatusCode::kNotFound, "there are no definitions of the kind ", name,
                 "; there are: ", names);
}

// Kinds that are no files hold secrets, sealed or hashed, which stay inside.
void write_version(json::Writer& writer, const Kind& kind, const std::string& name, const Version& version) {
  writer.begin_object().field("name", name).field("version", version.sequence.value());
  if (version.time != Instant()) writer.field("time", format_utc(version.time));
  if (!version.actor.empty()) writer.field("actor", version.actor);
  writer.field("deleted", version.deleted);
  if (kind.to_file != nullptr && !version.deleted) writer.raw_field("body", kind.to_file(version));
  writer.end_object();
}

struct Wanted {
  const Kind* kind = nullptr;
  std::optional<std::string> name = {};
  std::optional<Instant> as_of = {};
};

absl::StatusOr<Wanted> wanted_by(const Request& request) {
  const auto kind = kind_of(request.parameter("kind"));
  if (!kind.ok()) return kind.status();
  Wanted wanted{.kind = *kind, .name = request.query("name")};
  if (const auto time = request.query("as_of")) {
    wanted.as_of = parse_iso8601(*time);
    if (!wanted.as_of) return wrong_parameter("as_of", "a time, such as 2026-11-30T08:00:00Z");
  }
  return wanted;
}

// Newest first; of one moment: the one of each name that was in force then.
std::vector<NamedVersion> versions_of(replica::Replica& replica, const Wanted& wanted) {
  auto versions = replica.definitions().versions(
      wanted.kind->name, wanted.name ? std::optional<std::string_view>(*wanted.name) : std::nullopt);
  if (!wanted.as_of) return versions;
  std::set<std::string> seen;
  std::erase_if(versions, [&](const NamedVersion& named) {
    return named.version->time > *wanted.as_of || !seen.insert(named.name).second || named.version->deleted;
  });
  return versions;
}

void answer_versions(App& app, const Request& request, Responder responder) {
  const auto wanted = wanted_by(request);
  if (!wanted.ok()) return responder.send(to_answer(wanted.status()));
  answer_from_replica(app.engine(), std::move(responder),
                      [wanted = *wanted](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        std::string out;
                        json::Writer writer(out);
                        writer.begin_object().key("versions").begin_array();
                        for (const NamedVersion& named : versions_of(replica, wanted)) {
                          write_version(writer, *wanted.kind, named.name, *named.version);
                        }
                        writer.end_array().end_object();
                        return out;
                      });
}

void answer_newest(App& app, const Request& request, Responder responder) {
  const auto wanted = wanted_by(request);
  if (!wanted.ok()) return responder.send(to_answer(wanted.status()));
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("definitions").begin_array();
  project->each(wanted->kind->name, [&](const std::string& name, const Version& version) {
    if (!wanted->name || *wanted->name == name) write_version(writer, *wanted->kind, name, version);
  });
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

void answer_files(App& app, const Request&, Responder responder) {
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("installation", app.key().fingerprint()).key("files").begin_array();
  for (const Kind& kind : definition::kinds()) {
    if (kind.to_file == nullptr) continue;
    project->each(kind.name, [&](const std::string& name, const Version& version) {
      writer.begin_object().field("files", kind.files).field("name", name);
      writer.field("version", version.sequence.value());
      writer.raw_field("body", kind.to_file(version)).end_object();
    });
  }
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

// One file against what is there.
struct Planned {
  const Kind* kind;
  std::string name;
  std::string body;  // as the project would have it
  std::string file;  // the same as a file
  definition::Value value = {};
  Sequence base = {};  // the version that its sender saw, or else the newest
  const Version* before = nullptr;

  bool changes() const { return before == nullptr || kind->to_file(*before) != file; }
};

// What of a request counts beside its files.
struct Asked {
  bool dry_run = false;
  bool of_others = false;  // its versions are those of another installation, and mean nothing here
};

absl::StatusOr<Planned> plan_file(const Project& project, const json::Value& file, const Asked& asked) {
  const std::string files = file.find("files").as_string().value_or("");
  const auto kinds = definition::kinds();
  const auto kind =
      std::ranges::find_if(kinds, [&](const Kind& each) { return !files.empty() && each.files == files; });
  if (kind == kinds.end()) {
    return failure(absl::StatusCode::kInvalidArgument, "there are no files of the kind \"", files, "\"");
  }
  Planned planned{.kind = &*kind, .name = file.find("name").as_string().value_or(""), .body = {}, .file = {}};
  const Version* newest = project.find(kind->name, planned.name);
  const std::string place = kind->single ? files : cat(files, "/", planned.name);
  const auto in_place = [&](const absl::Status& status) {
    return failure(status.code(), place, ": ", message_of(status));
  };
  const auto seen = seen_version(file);
  if (!seen.ok()) return in_place(seen.status());
  planned.base = newest == nullptr ? Sequence() : newest->sequence;
  if (*seen && !asked.of_others) planned.base = **seen;
  auto body = kind->from_file(planned.name, file.find("body").raw(), newest);
  if (!body.ok()) return in_place(body.status());
  auto value = kind->parse(*body);
  if (!value.ok()) return in_place(value.status());
  planned.body = *std::move(body);
  planned.file =
      kind->to_file({.sequence = {}, .time = {}, .actor = {}, .body = planned.body, .value = *value});
  planned.value = *std::move(value);
  if (newest != nullptr && !newest->deleted) planned.before = newest;
  return planned;
}

// `at` is the place of the file that an error is about; none behind the last.
absl::StatusOr<std::vector<Planned>> plan(const Project& project, const json::Value& files,
                                          const Asked& asked, std::optional<size_t>& at) {
  if (!files.is_array() || files.size() > kFilesMax) {
    return failure(absl::StatusCode::kInvalidArgument, "send {\"files\": […]} with at most ", kFilesMax,
                   " of them, each {\"files\": \"sources\", \"name\": \"web\", \"body\": {…}}");
  }
  std::vector<Planned> planned;
  std::set<std::pair<std::string_view, std::string>> seen;
  for (const auto& file : files) {
    at = planned.size();
    auto one = plan_file(project, file.value, asked);
    if (!one.ok()) return one.status();
    if (!seen.emplace(one->kind->name, one->name).second) {
      return failure(absl::StatusCode::kInvalidArgument, one->kind->files, "/", one->name,
                     " is there twice: as JSON and as TOML?");
    }
    planned.push_back(*std::move(one));
  }
  at.reset();
  return planned;
}

// A secret that was made for somebody's file, and is shown this once.
struct NewSecret {
  std::string webhook;
  std::string text;
};

// What no file says of a webhook: its secret, and since when it is enabled.
absl::Status complete(App& app, Planned& planned, std::vector<NewSecret>& secrets) {
  if (planned.kind->name != definition::kWebhook) return absl::OkStatus();
  auto webhook = definition::parse_webhook(planned.body);
  if (!webhook.ok()) return webhook.status();
  const Instant now = app.engine().clock().now();
  if (webhook->enabled_since == Instant()) webhook->enabled_since = now;
  if (webhook->secrets.empty()) {
    const std::string secret = seal::make_webhook_secret();
    const Cipher cipher = app.engine().project()->settings()->cipher;
    webhook->secrets = {
        {.sealed = seal::seal_webhook_secret(app.key(), cipher, planned.name, secret), .created = now}};
    secrets.push_back({planned.name, seal::webhook_secret_text(secret)});
  }
  planned.body = definition::to_json(*webhook);
  return absl::OkStatus();
}

// A refusal of one file of a request, and of a part of its body.
Response refuse_file(size_t at, const absl::Status& why, std::string_view pointer = "") {
  http::Problem problem = problem_of(why);
  problem.pointer = cat("/files/", at, pointer.empty() ? "" : "/body", pointer);
  return to_response(problem);
}

// nullptr: it is no segment, tag or check.
const rule::Definition* rule_of(const Planned& planned) {
  const std::string_view kind = planned.kind->name;
  const bool is_rule = kind == definition::kSegment || kind == definition::kTag || kind == definition::kCheck;
  return is_rule ? static_cast<const rule::Definition*>(planned.value.get()) : nullptr;
}

absl::Status refused_for(const definition::Objection::Part& part, absl::StatusCode code,
                         std::string_view message) {
  return failure(code, rule::to_string(part.kind), " ", part.name, ": ", message);
}

// DuckDB's opinion of the statement of a tag. An archive that cannot be asked now does not matter.
absl::Status check_statement(App& app, const rule::Definition& rule) {
  if (rule.body.op != rule::Op::kSql) return absl::OkStatus();
  const auto session = app.query().connect();
  if (!session.ok()) return absl::OkStatus();
  const absl::Status status = survey::check_statement(**session, rule.body.text);
  const bool is_wrong = absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status);
  return is_wrong ? failure(absl::StatusCode::kInvalidArgument, "tag ", rule.name, ": ", message_of(status))
                  : absl::OkStatus();
}

// Why a rule of the request is refused, with its place. What is said here again is decided at apply, where
// nobody knows of files, and of statements none.
std::optional<Response> refuse_rules(App& app, const Project& project, const std::vector<Planned>& planned) {
  std::map<std::pair<rule::Kind, std::string>, const rule::Definition*> all;
  const std::vector<definition::NamedRule> known = definition::rules_and_checks_of(project);
  for (const auto& rule : known) all[{rule.definition->kind, rule.definition->name}] = rule.definition.get();
  for (size_t i = 0; i < planned.size(); ++i) {
    const rule::Definition* rule = rule_of(planned[i]);
    if (rule == nullptr) continue;
    all[{rule->kind, rule->name}] = rule;
    if (!planned[i].changes()) continue;
    if (const auto objection = definition::objection_to(*rule)) {
      const auto& part = objection->parts[0];
      return refuse_file(i, refused_for(part, absl::StatusCode::kInvalidArgument, objection->message),
                         part.pointer);
    }
    if (const absl::Status status = check_statement(app, *rule); !status.ok())
      return refuse_file(i, status, "/body");
  }
  std::vector<const rule::Definition*> together;
  for (const auto& [key, rule] : all) together.push_back(rule);
  const auto objection = definition::objection_to(together, definition::Unlisted::kMissing);
  if (!objection) return std::nullopt;
  // All agreed before, so that one of the request has a part in it.
  constexpr auto kCode = absl::StatusCode::kFailedPrecondition;
  for (size_t i = 0; i < planned.size(); ++i) {
    const rule::Definition* rule = rule_of(planned[i]);
    for (const auto& part : objection->parts) {
      if (rule != nullptr && rule->kind == part.kind && rule->name == part.name && planned[i].changes())
        return refuse_file(i, refused_for(part, kCode, objection->message), part.pointer);
    }
  }
  return to_response(problem_of(failure(kCode, objection->message)));
}

std::vector<Definition> records_of(const std::vector<Planned>& planned, std::string_view actor) {
  std::vector<Definition> records;
  for (const Planned& one : planned) {
    if (!one.changes()) continue;
    records.push_back(
        {.kind = one.kind->name, .name = one.name, .body = one.body, .actor = actor, .base = one.base});
  }
  return records;
}

// `defined`: of what was changed.
void write_planned(json::Writer& writer, const Planned& one, std::optional<Sequence> defined) {
  const std::string before = one.before == nullptr ? "{}" : one.kind->to_file(*one.before);
  writer.begin_object().field("files", one.kind->files).field("name", one.name);
  writer.field("change", one.before == nullptr ? "made" : one.changes() ? "changed" : "same");
  writer.key("differences").begin_array();
  for (const definition::Difference& difference : definition::differences(before, one.file)) {
    writer.begin_object().field("at", difference.pointer);
    if (!difference.before.empty()) writer.raw_field("before", difference.before);
    if (!difference.after.empty()) writer.raw_field("after", difference.after);
    writer.end_object();
  }
  writer.end_array();
  if (!one.changes()) defined = one.before->sequence;
  if (defined) writer.field("version", defined->value());
  writer.end_object();
}

std::string plan_document(const Project& project, const std::vector<Planned>& planned,
                          const std::string& installation, std::optional<Sequence> defined,
                          const std::vector<NewSecret>& secrets = {}) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("installation", installation).key("files").begin_array();
  std::set<std::pair<std::string_view, std::string>> named;
  for (const Planned& one : planned) {
    write_planned(writer, one, defined);
    named.emplace(one.kind->name, one.name);
  }
  writer.end_array();
  if (!secrets.empty()) {
    writer.key("secrets").begin_array();
    for (const NewSecret& secret : secrets) {
      writer.begin_object().field("webhook", secret.webhook).field("secret", secret.text).end_object();
    }
    writer.end_array();
  }
  writer.key("only_here").begin_array();
  for (const Kind& kind : definition::kinds()) {
    if (kind.to_file == nullptr) continue;
    project.each(kind.name, [&](const std::string& name, const Version&) {
      if (named.contains({kind.name, name})) return;
      writer.begin_object().field("files", kind.files).field("name", name).end_object();
    });
  }
  writer.end_array().end_object();
  return out;
}

// A misspelt `dry_run` would make what somebody only wanted to see.
absl::StatusOr<Asked> read_asked(const json::Document& document, std::string_view installation) {
  codec::Reading reading{"the request"};
  const codec::Node root = codec::Node::root(document, reading);
  Asked asked;
  std::string theirs(installation);
  if (root.is_object()) {
    root.expect_only({"dry_run", "installation", "files"});
    root.find("dry_run").read(asked.dry_run);
    root.find("installation").read(theirs);
    root.find("files").each([](const std::string&, const codec::Node& file) {
      if (file.is_object()) file.expect_only({"files", "name", "version", "body"});
    });
  }
  if (!reading.status.ok()) return reading.status;
  asked.of_others = theirs != installation;
  return asked;
}

// The first definition of the directory that has a newer version than its sender knew.
Response refuse_stale(App& app, const std::vector<Definition>& records, const absl::Status& why) {
  http::Problem problem{.status = 409,
                        .code = "stale_version",
                        .title = "Somebody changed it meanwhile",
                        .detail = cat(message_of(why),
                                      "; nothing of the directory was applied. `kehu export` into another "
                                      "directory shows what is there now")};
  const auto project = app.engine().project();
  for (const Definition& record : records) {
    const Version* newest = project->find(record.kind, record.name);
    if (newest == nullptr || newest->deleted || newest->sequence <= *record.base) continue;
    problem.version = newest->sequence.value();
    break;
  }
  return to_response(problem);
}

absl::StatusOr<Response> apply_files(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const std::string installation = app.key().fingerprint();
  const auto asked = read_asked(*document, installation);
  if (!asked.ok()) return asked.status();
  const auto project = app.engine().project();
  std::optional<size_t> at;
  auto planned = plan(*project, document->root().find("files"), *asked, at);
  if (!planned.ok())
    return at ? refuse_file(*at, planned.status()) : to_response(problem_of(planned.status()));
  if (auto refusal = refuse_rules(app, *project, *planned)) return *std::move(refusal);
  std::vector<NewSecret> secrets;
  for (Planned& one : *planned) {
    if (auto status = complete(app, one, secrets); !status.ok()) return status;
  }
  const auto records = records_of(*planned, command.actor);
  // Whether they may stand beside each other shows only when all are there.
  const auto tried = project->apply(records, Sequence(UINT64_MAX), app.engine().clock().now());
  if (absl::IsAborted(tried.status())) return refuse_stale(app, records, tried.status());
  if (!tried.ok()) return tried.status();
  if (asked->dry_run || records.empty())
    return Response::json(plan_document(*project, *planned, installation, std::nullopt));
  const auto defined = app.engine().define(records);
  if (absl::IsAborted(defined.status())) return refuse_stale(app, records, defined.status());
  if (!defined.ok()) return defined.status();
  return Response::json(plan_document(*project, *planned, installation, defined->version, secrets));
}

}  // namespace

void add_definition_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc kind{FieldDoc::Where::kPath, "kind", "string", "settings, source or envelope_key", true};
  const FieldDoc name{FieldDoc::Where::kQuery, "name", "string", "only of this name"};
  const FieldDoc as_of{FieldDoc::Where::kQuery, "as_of", "string",
                       "those in force at this time, such as 2026-11-30T08:00:00Z"};
  const AnswerDoc unknown{404, "No such kind", "application/problem+json", "Problem"};
  routes.push_back(
      {.pattern = "/api/v1/definitions",
       .permission = Permission::kReadDefinitions,
       .action = NoBody{on_connection(app, answer_files)},
       .doc = {.summary = "All definitions as the files of a directory: what `kehu export` writes",
               .group = "definitions",
               .answers = with_admin_answers({{200, "The files"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/definitions",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{kApplyBytesMax, on_worker(app, apply_files)},
       .doc = {.summary = "Makes definitions as the files of a directory say: all of them or none",
               .text =
                   "With `dry_run` nothing is changed. The answer says for each file what "
                   "differs from what was there. Definitions without a file stay. A file with the "
                   "`version` that it was made of is refused when there is a newer one; an `installation` "
                   "of the request that is not this one says that its versions are another's.",
               .group = "definitions",
               .body_content_type = "application/json",
               .answers = with_admin_answers(
                   {{200, "What was, or would be, changed"},
                    {400, "A file is wrong; the detail names it", "application/problem+json", "Problem"},
                    {409, "Somebody changed one meanwhile, or it may not be changed so",
                     "application/problem+json", "Problem"}})}});
  routes.push_back({.pattern = "/api/v1/definitions/:kind",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_newest)},
                    .doc = {.summary = "The definitions of one kind as they are",
                            .group = "definitions",
                            .fields = {kind, name},
                            .answers = with_admin_answers({{200, "The definitions"}, unknown})}});
  routes.push_back({.pattern = "/api/v1/definitions/:kind/versions",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, answer_versions)},
                    .doc = {.summary = "Every version of the definitions of one kind, newest first",
                            .group = "definitions",
                            .fields = {kind, name, as_of},
                            .answers = with_admin_answers({{200, "The versions"}, unknown})}});
}

}  // namespace kehu::api
