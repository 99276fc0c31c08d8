#include <algorithm>

#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/node.h"
#include "definition/list.h"
#include "definition/rules.h"
#include "enrolment/enrolment.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"
#include "os/random.h"
#include "rule/check.h"
#include "text/near_word.h"

// Lists that people upload (docs/rules.md): in three steps, so that a file of any size takes the place of the
// one before at one moment. Nobody reads an upload before it is finished.
namespace kehu::api {
namespace {

using definition::NamedList;
using list::Upload;
using list::Uploads;

constexpr size_t kRowsBytes = 4u << 20;
constexpr size_t kRowsMost = 5000;  // of one request
constexpr size_t kNonceBytes = 8;
constexpr size_t kFileBytes = 255;

void write_upload(json::Writer& writer, std::string_view key, const Upload& upload, bool finished) {
  writer.key(key).begin_object().field("number", upload.number).field("at", format_utc(upload.at));
  writer.field("source", upload.source);
  if (!upload.file.empty()) writer.field("file", upload.file);
  if (finished) {
    if (upload.finished) writer.field("finished", format_utc(*upload.finished));
    writer.field("rows", upload.rows).field("customers", upload.customers).field("repeats", upload.repeats);
    writer.field("unknown", upload.unknown).field("unreadable", upload.unreadable);
  }
  writer.end_object();
}

// Segments, tags and checks that name it.
std::vector<std::string> users_of(const engine::Project& project, const std::string& list) {
  std::vector<std::string> users;
  for (const definition::NamedRule& rule : definition::rules_and_checks_of(project)) {
    const auto names = rule::references(rule.definition->body).lists;
    if (std::ranges::find(names, list) == names.end()) continue;
    users.push_back(cat(rule::to_string(rule.definition->kind), " ", rule.definition->name));
  }
  return users;
}

void write_list(json::Writer& writer, replica::Replica& replica, const NamedList& list) {
  const auto project = replica.project();
  writer.begin_object().field("name", list.name);
  writer.field("version", project->find(definition::kList, list.name)->sequence.value());
  if (!list.list->owner.empty()) writer.field("owner", list.list->owner);
  if (!list.list->description.empty()) writer.field("description", list.list->description);
  const auto& [begun, in_force] = list.uploads;
  if (in_force) write_upload(writer, "upload", *in_force, true);
  if (begun && (!in_force || begun->number != in_force->number)) write_upload(writer, "begun", *begun, false);
  writer.key("used_by").begin_array();
  for (const std::string& user : users_of(*project, list.name)) writer.value(user);
  writer.end_array();
  if (const auto* quarantine = replica.shard().quarantine_of_list(list.name)) {
    writer.key("quarantined");
    document::write_quarantine(writer, *quarantine);
  }
  writer.end_object();
}

absl::StatusOr<std::string> list_document(replica::Replica& replica, std::string_view name) {
  std::vector<std::string> names;
  for (const NamedList& list : definition::lists_of(*replica.project())) {
    names.push_back(list.name);
    if (list.name != name) continue;
    std::string out;
    json::Writer writer(out);
    write_list(writer, replica, list);
    return out;
  }
  return failure(absl::StatusCode::kNotFound, "there is no list ", name, text::did_you_mean(name, names));
}

void list_all(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        std::string out;
                        json::Writer writer(out);
                        writer.begin_object().key("lists").begin_array();
                        for (const NamedList& list : definition::lists_of(*replica.project()))
                          write_list(writer, replica, list);
                        writer.end_array().end_object();
                        return out;
                      });
}

void show(App& app, const Request& request, Responder responder) {
  answer_from_replica(
      app.engine(), std::move(responder),
      [name = request.parameter("list")](replica::Replica& replica) { return list_document(replica, name); });
}

absl::StatusOr<Response> shown(App& app, const std::string& name, int status = 200) {
  const auto body =
      ask_replica(app.engine(), [&](replica::Replica& replica) { return list_document(replica, name); });
  if (!body.ok()) return body.status();
  return Response::json(*body, status);
}

// A record of definitions that the present ones were looked at for.
class Changes {
 public:
  Changes(App& app, std::string_view actor) : app_(app), project_(app.engine().project()), actor_(actor) {}

  const engine::Project& project() const { return *project_; }
  void put(std::string_view kind, const std::string& name, std::string body) {
    add(kind, name).body = bodies_.emplace_back(std::move(body));
  }
  void remove(std::string_view kind, const std::string& name) { add(kind, name).deleted = true; }
  absl::Status make() { return app_.engine().define(changes_).status(); }

 private:
  Definition& add(std::string_view kind, const std::string& name) {
    const definition::Version* newest = project_->find(kind, name);
    return changes_.emplace_back(Definition{.kind = kind,
                                            .name = name,
                                            .body = "",
                                            .actor = actor_,
                                            .base = newest == nullptr ? Sequence() : newest->sequence});
  }

  App& app_;
  std::shared_ptr<const engine::Project> project_;
  std::string_view actor_;
  std::deque<std::string> bodies_;
  std::vector<Definition> changes_;
};

struct Beginning {
  std::string source = "default";
  std::string file;
  std::optional<std::string> owner, description;
};

absl::StatusOr<Beginning> read_beginning(std::string_view body) {
  const auto document = json::Document::parse(body.empty() ? "{}" : body);
  if (!document.ok()) return document.status();
  codec::Reading reading{"the request"};
  const codec::Node root = codec::Node::root(*document, reading);
  Beginning beginning;
  std::string owner, description;
  if (root.is_object()) {
    root.expect_only({"source", "file", "owner", "description"});
    root.find("source").read(beginning.source);
    root.find("file").read(beginning.file);
    root.find("owner").read(owner);
    root.find("description").read(description);
  }
  if (!reading.status.ok()) return reading.status;
  if (beginning.file.size() > kFileBytes)
    return absl::InvalidArgumentError("`file` is a name: it has up to 255 bytes");
  if (document->root().find("owner").exists()) beginning.owner = owner;
  if (document->root().find("description").exists()) beginning.description = description;
  return beginning;
}

// The first upload of a list makes it. Somebody else who begins one at the same moment gets the next number.
absl::StatusOr<Response> begin(App& app, const Command& command) {
  const std::string& name = command.parameter("list");
  const auto beginning = read_beginning(command.body);
  if (!beginning.ok()) return beginning.status();
  absl::Status made = absl::AbortedError("");
  for (int i = 0; i < 100 && absl::IsAborted(made); ++i) {
    Changes changes(app, command.actor);
    list::List list;
    bool is_new = true;
    for (const NamedList& known : definition::lists_of(changes.project())) {
      if (known.name != name) continue;
      list = *known.list;
      is_new = false;
    }
    list.owner = beginning->owner.value_or(list.owner);
    list.description = beginning->description.value_or(list.description);
    Uploads uploads = definition::uploads_of(changes.project(), name);
    uploads.begun = list::next_upload(uploads, app.engine().clock().now());
    uploads.begun->nonce = os::random_hex(kNonceBytes);
    uploads.begun->source = beginning->source;
    uploads.begun->file = beginning->file;
    if (is_new || beginning->owner || beginning->description)
      changes.put(definition::kList, name, list::to_json(list));
    changes.put(definition::kListUploads, name, list::to_json(uploads));
    made = changes.make();
  }
  if (!made.ok()) return made;
  return shown(app, name, 201);
}

// The upload that a request is about. NotFound, or FailedPrecondition: it is another one's turn by now.
absl::StatusOr<Upload> upload_of(const engine::Project& project, const Command& command) {
  const std::string& name = command.parameter("list");
  if (!definition::has_list(project, name)) {
    return failure(absl::StatusCode::kNotFound, "there is no list ", name,
                   ": POST /api/v1/lists/NAME/uploads begins one");
  }
  const auto number = http::parse_number<uint64_t>(command.parameter("upload"));
  const Uploads uploads = definition::uploads_of(project, name);
  if (number && uploads.begun && uploads.begun->number == *number) return *uploads.begun;
  const bool was = number && uploads.begun && *number > 0 && *number < uploads.begun->number;
  if (!was) {
    return failure(absl::StatusCode::kNotFound, "the list ", name, " has no upload ",
                   command.parameter("upload"));
  }
  return failure(absl::StatusCode::kFailedPrecondition, "upload ", uploads.begun->number, " of the list ",
                 name, " was begun since: this one, ", *number, ", is over");
}

bool is_in_force(const engine::Project& project, const std::string& list, const Upload& upload) {
  const Uploads uploads = definition::uploads_of(project, list);
  return uploads.in_force && uploads.in_force->number == upload.number;
}

struct Rows {
  std::vector<enrolment::Row> rows;
  enrolment::Options options;
};

absl::StatusOr<Rows> read_rows(std::string_view body) {
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  Rows rows;
  codec::Reading reading{"the request"};
  const codec::Node root = codec::Node::root(*document, reading);
  if (root.is_object()) {
    root.expect_only({"create", "rows"});
    root.find("create").read(rows.options.create);
  }
  if (!reading.status.ok()) return reading.status;
  for (const auto& member : document->root().find("rows")) {
    const auto number = member.value.find("row").as_int();
    const auto who = member.value.find("customer").as_string();
    const json::Value value = member.value.find("value");
    const bool plain = value.is_null() || value.is_string() || value.is_number() || value.is_bool();
    if (!number || *number < 1 || !who || !plain) {
      return absl::InvalidArgumentError(
          R"(send {"rows": [{"row": 1, "customer": "TYPE:VALUE", "value": "…"}]}; `row` is the row's number in )"
          R"(the whole upload, and `value` a text or number, or left out)");
    }
    auto text = value.as_string();
    if (!text && !value.is_null()) text = std::string(value.raw());
    rows.rows.push_back({.number = static_cast<uint64_t>(*number), .who = *who, .value = std::move(text)});
  }
  if (rows.rows.empty() || rows.rows.size() > kRowsMost) {
    return failure(absl::StatusCode::kInvalidArgument, "send 1 to ", kRowsMost, " `rows` at a time");
  }
  return rows;
}

absl::StatusOr<Response> add_rows(App& app, const Command& command) {
  const auto project = app.engine().project();
  const auto upload = upload_of(*project, command);
  if (!upload.ok()) return upload.status();
  const std::string& list = command.parameter("list");
  if (is_in_force(*project, list, *upload)) {
    return failure(absl::StatusCode::kFailedPrecondition, "upload ", upload->number, " of the list ", list,
                   " is finished: begin another one");
  }
  const auto rows = read_rows(command.body);
  if (!rows.ok()) return rows.status();
  const auto outcome = enrolment::enrol(app.engine(), list, *upload, rows->rows, rows->options);
  if (!outcome.ok()) return outcome.status();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("rows", rows->rows.size()).field("customers", outcome->customers);
  writer.field("created", outcome->created).field("repeats", outcome->repeats);
  writer.field("unknown", outcome->unknown).field("unreadable", outcome->unreadable);
  writer.key("unknown_rows").begin_array();
  for (const uint64_t row : outcome->unknown_rows) writer.value(row);
  writer.end_array().key("faults").begin_array();
  for (const enrolment::Fault& fault : outcome->faults) {
    writer.begin_object().field("row", fault.row).field("reason", fault.reason).end_object();
  }
  writer.end_array().end_object();
  return Response::json(std::move(out));
}

// What the sender has counted, over all of its requests.
absl::Status read_counts(std::string_view body, Upload& upload) {
  const auto document = json::Document::parse(body.empty() ? "{}" : body);
  if (!document.ok()) return document.status();
  for (const auto& member : document->root()) {
    const auto number = member.value.as_int();
    uint64_t* count = member.key == "rows"         ? &upload.rows
                      : member.key == "customers"  ? &upload.customers
                      : member.key == "repeats"    ? &upload.repeats
                      : member.key == "unknown"    ? &upload.unknown
                      : member.key == "unreadable" ? &upload.unreadable
                                                   : nullptr;
    if (count == nullptr || !number || *number < 0) {
      return failure(absl::StatusCode::kInvalidArgument, "`", member.key,
                     "` is unknown or no number: send what the answers to your rows add up to, `rows`, "
                     "`customers`, `repeats`, `unknown`, `unreadable`");
    }
    *count = static_cast<uint64_t>(*number);
  }
  return absl::OkStatus();
}

absl::StatusOr<Response> finish(App& app, const Command& command) {
  const std::string& name = command.parameter("list");
  Changes changes(app, command.actor);
  auto upload = upload_of(changes.project(), command);
  if (!upload.ok()) return upload.status();
  if (is_in_force(changes.project(), name, *upload)) return shown(app, name);  // it is sent again
  if (auto status = read_counts(command.body, *upload); !status.ok()) return status;
  upload->finished = app.engine().clock().now();
  changes.put(definition::kListUploads, name, list::to_json(Uploads{.begun = *upload, .in_force = *upload}));
  if (auto status = changes.make(); !status.ok()) return status;
  return shown(app, name);
}

absl::StatusOr<Response> remove(App& app, const Command& command) {
  const std::string& name = command.parameter("list");
  Changes changes(app, command.actor);
  if (!definition::has_list(changes.project(), name)) {
    return failure(absl::StatusCode::kNotFound, "there is no list ", name);
  }
  changes.remove(definition::kList, name);
  const definition::Version* uploads = changes.project().find(definition::kListUploads, name);
  if (uploads != nullptr && !uploads->deleted) changes.remove(definition::kListUploads, name);
  if (auto status = changes.make(); !status.ok()) return status;
  return Response::no_content();
}

}  // namespace

void add_list_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc list{FieldDoc::Where::kPath, "list", "string", "name of the list", true};
  const FieldDoc upload{FieldDoc::Where::kPath, "upload", "integer", "its number", true};
  const AnswerDoc unknown{404, "No such list or upload", "application/problem+json", "Problem"};
  const AnswerDoc wrong{400, "A member is wrong; the detail names it", "application/problem+json", "Problem"};
  const AnswerDoc over{409, "Another upload was begun since, or this one is finished",
                       "application/problem+json", "Problem"};
  routes.push_back({.pattern = "/api/v1/lists",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, list_all)},
                    .doc = {.summary = "Uploaded lists: the upload in force of each, and which rules use it",
                            .group = "lists",
                            .answers = with_admin_answers({{200, "The lists"}})}});
  routes.push_back({.pattern = "/api/v1/lists/:list",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, show)},
                    .doc = {.summary = "An uploaded list",
                            .group = "lists",
                            .fields = {list},
                            .answers = with_admin_answers({{200, "The list"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/lists/:list/uploads",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, begin)},
       .doc = {.summary = "Begins an upload of a list, and makes the list if there is none",
               .text = "`source` (default: `default`) is whose events the rows will be, `file` a name for "
                       "people. `begun.number` of the answer is the upload's.",
               .group = "lists",
               .fields = {list},
               .body_content_type = "application/json",
               .answers = with_admin_answers({{201, "The list"}, wrong})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/lists/:list/uploads/:upload/rows",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{kRowsBytes, on_worker(app, add_rows)},
       .doc = {.summary = "Rows of an upload that is begun, up to 5,000 at a time",
               .text = "Each is {\"row\", \"customer\", \"value\"}: its number in the upload, from 1, "
                       "TYPE:VALUE or a customer's id, and a text or nothing. Sent again with the same "
                       "number, a row counts once. With `create`, an identifier that nobody has makes a "
                       "customer; else its row is counted as unknown.",
               .group = "lists",
               .fields = {list, upload},
               .body_content_type = "application/json",
               .answers = with_admin_answers({{200, "What became of the rows"}, wrong, over, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/lists/:list/uploads/:upload/finish",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, finish)},
       .doc = {.summary = "Puts an upload in the place of the one before",
               .text = "From this record on who is in no row of it is not on the list. What the answers "
                       "to the rows add up to may be sent along, and is shown with the list.",
               .group = "lists",
               .fields = {list, upload},
               .body_content_type = "application/json",
               .answers = with_admin_answers({{200, "The list"}, wrong, over, unknown})}});
  routes.push_back({.method = Method::kDelete,
                    .pattern = "/api/v1/lists/:list",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_worker(app, remove)},
                    .doc = {.summary = "Deletes a list that no rule uses",
                            .group = "lists",
                            .fields = {list},
                            .answers = with_admin_answers({{204, "Deleted"},
                                                           {409, "Rules use it; the detail names them",
                                                            "application/problem+json", "Problem"},
                                                           unknown})}});
}

}  // namespace kehu::api
