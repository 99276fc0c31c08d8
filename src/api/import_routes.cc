#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gateway/intake_call.h"
#include "gateway/intake_thread.h"
#include "gateway/source_claim.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"
#include "model/characters.h"

// The files of `kehu import`: which of them are known, and what became of them. The importer asks before it
// sends a file's rows, because only the installation knows what came before.
namespace kehu::api {
namespace {

constexpr size_t kBodyBytes = 1u << 20;
constexpr size_t kNameBytesMax = 255;
constexpr size_t kFirstRowBytesMax = 4096;

// Names are shown in terminals and lists.
bool has_controls(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (is_control(character.point)) return true;
    text.remove_prefix(character.bytes);
  }
  return false;
}

Response refused(std::string_view what) {
  return to_response(
      Problem::bad_request("invalid_import", "The file cannot be recorded", std::string(what)));
}

// Who speaks for a source: with its write key, which is public, or as an administrator.
struct Caller {
  SourceId source;
  std::string address;
  bool keyed = false;
};

absl::Status define(App& app, const engine::ImportedFile& file) {
  const std::string body = engine::to_json(file);
  const Definition change{.kind = engine::kImportedFile, .name = file.key, .body = body, .actor = "import"};
  return app.engine().define({&change, 1}).status();
}

bool read_heads(const json::Value& list, std::vector<Hash128>& heads) {
  for (const auto& member : list) {
    const auto head = Hash128::from_hex(member.value.as_string().value_or(""));
    if (!head) return false;
    heads.push_back(*head);
  }
  return true;
}

// How long the source's limit lets no event in from now on; this call was one.
std::optional<int> wait_of(App& app, const engine::Project& project, const Caller& caller) {
  const engine::Source* source = caller.keyed ? project.find(caller.source) : nullptr;
  if (source == nullptr) return std::nullopt;
  return app.limits().refuses(*source, caller.address, app.engine().clock().now());
}

absl::StatusOr<Response> begin(App& app, const Caller& caller, const std::string& body) {
  const SourceId source = caller.source;
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  engine::FileBeginning beginning{.source = source,
                                  .file = root.find("file").as_string().value_or(""),
                                  .heads = {},
                                  .own_times = root.find("own_times").as_bool().value_or(false)};
  if (!read_heads(root.find("heads"), beginning.heads) ||
      !read_heads(root.find("former_heads"), beginning.former_heads)) {
    return refused("`heads` is a list of hashes of 32 hexadecimal digits");
  }
  // Hashed for each file that began with an unfinished row: importers send no more than this of it.
  beginning.first_row = root.find("first_row").as_string().value_or("").substr(0, kFirstRowBytesMax);
  engine::ImportedFile file{.source = source,
                            .key = root.find("key").as_string().value_or(""),
                            .file = beginning.file,
                            .mapping = root.find("mapping").as_string().value_or(""),
                            .head_rows = beginning.heads.size(),
                            .head = beginning.heads.empty() ? Hash128{} : beginning.heads.back(),
                            .whole = root.find("whole").as_bool().value_or(false)};
  // The last row is no evidence while more of it may come. Of the only one, its beginning is.
  if (root.find("last_may_grow").as_bool().value_or(false)) {
    if (file.head_rows > 1) {
      file.head = beginning.heads[--file.head_rows - 1];
    } else if (!beginning.first_row.empty()) {
      file.open_first_bytes = beginning.first_row.size();
      file.open_first = hash128(beginning.first_row);
    }
  }
  if (file.key.empty() || file.key.size() > limits::kMessageIdBytes || file.file.empty() ||
      file.file.size() > kNameBytesMax || file.mapping.size() > kNameBytesMax) {
    return refused("`key` and `file` name the file: 1 to 100 and 1 to 255 bytes");
  }
  if (has_controls(file.key) || has_controls(file.file) || has_controls(file.mapping)) {
    return to_response(
        Problem::bad_request("invalid_field", "The file cannot be recorded",
                             "`key`, `file` and `mapping` are names: they have no control characters"));
  }
  file.ids_by_position = root.find("ids_by_position").as_bool().value_or(true);
  const auto project = app.engine().project();
  const engine::ImportedFile* known = project->imported_files().recognise(beginning);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("key", known ? known->key : file.key);
  writer.field("file", known ? known->file : file.file).field("known", known != nullptr);
  if (known != nullptr) writer.field("begun", format_utc(known->begun));
  if (const auto wait = wait_of(app, *project, caller)) writer.field("wait_s", *wait);
  if (known != nullptr && known->open_line > 0) {
    writer.key("open_row").begin_object().field("line", known->open_line);
    writer.field("hash", known->open_row.hex()).end_object();
  }
  writer.end_object();
  file.alone = root.find("alone").as_bool().value_or(false);
  if (known != nullptr) {
    file.key = known->key;
    file.file = known->file;
    // What is known of its first row while that was being written, the file itself knows better now.
    if (known->open_first_bytes == 0) {
      file.head_rows = known->head_rows;
      file.head = known->head;
      file.whole = known->whole;
    }
    file.open_line = known->open_line;
    file.open_row = known->open_row;
    file.rows = known->rows;
    file.events = known->events;
  }
  file.begun = app.engine().clock().now();
  if (auto status = define(app, file); !status.ok()) return status;
  return Response::json(std::move(out));
}

absl::StatusOr<Response> end(App& app, const Caller& caller, const std::string& body) {
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  const std::string key = root.find("key").as_string().value_or("");
  const auto project = app.engine().project();
  const engine::ImportedFile* begun = project->imported_files().find(caller.source, key);
  if (begun == nullptr) return failure(absl::StatusCode::kNotFound, "no import of ", key, " was begun");
  if (begun->ended && *begun->ended >= begun->begun) return Response::json("{}");  // it is sent again
  const auto number = [&](const char* name) {
    return static_cast<uint64_t>(std::max<int64_t>(0, root.find(name).as_int().value_or(0)));
  };
  engine::ImportedFile file = *begun;
  file.ended = app.engine().clock().now();
  file.rows = number("rows");
  file.events = number("events");
  file.complete = root.find("complete").as_bool().value_or(false);
  const json::Value open = root.find("open_row");
  file.open_line = static_cast<uint64_t>(std::max<int64_t>(0, open.find("line").as_int().value_or(0)));
  file.open_row = Hash128::from_hex(open.find("hash").as_string().value_or("")).value_or(Hash128{});
  if (auto status = define(app, file); !status.ok()) return status;
  return Response::json("{}");
}

using Call = absl::StatusOr<Response> (*)(App& app, const Caller& caller, const std::string& body);

Handler for_source(App& app, Call call) {
  return [&app, call](const Request& request, Responder responder) {
    const auto project = app.engine().project();
    const auto claim = gateway::SourceClaim::of(app.gateway(), request);
    const engine::Source* source = claim.find(app.gateway(), *project);
    if (source == nullptr)
      return responder.send(to_response(Problem::unauthorized("send the write key of a source")));
    const Caller caller{source->id, std::string(request.remote), !claim.name};
    // The end of an import is recorded once for each beginning: it needs no limit, and comes behind events
    // that may have used it up.
    if (caller.keyed && call == begin) {
      const Instant now = app.engine().clock().now();
      if (auto refusal = gateway::refuse_beyond_limit(
              app.gateway(), {.source = *source, .received_at = now, .request = &request})) {
        return responder.send(*std::move(refusal));
      }
      app.limits().charge(*source, caller.address, 1, now);
    }
    app.workers().answer(std::move(responder), [&app, call, caller, body = std::string(request.body)] {
      return to_answer(call(app, caller, body));
    });
  };
}

void list(App& app, const Request&, Responder responder) {
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("imports").begin_array();
  const engine::ImportedFiles& files = project->imported_files();
  for (size_t i = files.size(); i-- > 0;) {
    const engine::ImportedFile& file = files[i];
    writer.begin_object().field("origin", file.key).field("file", file.file);
    writer.field("source", project->name_of(file.source)).field("mapping", file.mapping);
    writer.field("begun", format_utc(file.begun));
    if (file.ended) writer.field("ended", format_utc(*file.ended));
    writer.field("rows", file.rows).field("events", file.events).field("complete", file.complete);
    writer.end_object();
  }
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

}  // namespace

void add_import_routes(App& app, std::vector<Route>& routes) {
  const std::vector<FieldDoc> credentials = {
      {FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization", false},
      {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators", false}};
  const AnswerDoc unknown_key{401, "Unknown write key", "application/problem+json", "Problem"};
  const AnswerDoc too_fast{429, "The source sends more than it may", "application/problem+json", "Problem"};
  const AnswerDoc wrong{400, "The body names no file", "application/problem+json", "Problem"};
  routes.push_back({.pattern = "/api/v1/imports",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "Imported files, the last one first",
                            .group = "imports",
                            .answers = with_admin_answers({{200, "The files"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/imports",
       .access = Access::kWriteKey,
       .action = BufferedBody{kBodyBytes, for_source(app, begin)},
       .doc = {.summary = "Records a file that is about to be imported, and says whether it is known",
               .text =
                   "`heads` are hashes of the file's first row, its first two rows, and so on. The "
                   "answer's `key` is what the message ids of its rows begin with, its `open_row` the last "
                   "row that was read while its line had no end. Counts as an event against "
                   "the limits of its source; `wait_s` says for how long they let no further one in. Of all "
                   "sources the last 10,000 files are remembered; beyond, the "
                   "source with most of them forgets its oldest.",
               .group = "imports",
               .fields = credentials,
               .body_content_type = "application/json",
               .answers = {{200, "Recorded"}, wrong, unknown_key, too_fast}}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/imports/end",
       .access = Access::kWriteKey,
       .action = BufferedBody{16 << 10, for_source(app, end)},
       .doc = {.summary = "Records what became of a file",
               .group = "imports",
               .fields = credentials,
               .body_content_type = "application/json",
               .answers = {{200, "Recorded"},
                           unknown_key,
                           {404, "No import of it was begun", "application/problem+json", "Problem"}}}});
}

}  // namespace kehu::api
