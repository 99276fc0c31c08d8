#include "definition/kind.h"

#include <algorithm>

#include "base/text.h"
#include "codec/settings_json.h"
#include "definition/backfill_pause.h"
#include "definition/envelope_key.h"
#include "definition/list.h"
#include "definition/project.h"
#include "definition/rules.h"
#include "definition/source.h"
#include "definition/webhook.h"
#include "rule/tree_json.h"

namespace kehu::definition {
namespace {

template <class T>
absl::StatusOr<Value> shared(absl::StatusOr<T> value) {
  if (!value.ok()) return value.status();
  return Value(std::make_shared<const T>(*std::move(value)));
}

template <class T>
const T& as(const Value& value) {
  return *static_cast<const T*>(value.get());
}

absl::StatusOr<Value> read_settings(std::string_view body) { return shared(codec::settings_from_json(body)); }
absl::StatusOr<Value> read_source(std::string_view body) { return shared(parse_source(body)); }
absl::StatusOr<Value> read_envelope_key(std::string_view body) { return shared(parse_envelope_key(body)); }

absl::Status admit_settings(Candidate& candidate, const Project& project) {
  const Settings& settings = as<Settings>(candidate.value);
  candidate.body = codec::settings_to_json(settings);
  // A project may begin with any settings: there are no customers yet who would not be found.
  if (candidate.before == nullptr) return absl::OkStatus();
  return codec::check_settings_change({.from = *project.settings(), .to = settings});
}

// Whoever deleted a source closed its keys, and a file that makes it again opens none of them: files stay
// where `kehu export` wrote them, and know of no deletion.
void keep_closed(const std::vector<WriteKey>& keys, Instant deleted, Source& source) {
  for (const WriteKey& key : keys) {
    auto mine = std::ranges::find(source.keys, key.hash, &WriteKey::hash);
    if (mine == source.keys.end()) mine = source.keys.insert(mine, key);
    if (!mine->revoked) mine->revoked = deleted;
  }
}

// Ids stand in every event of the source: each is given once, also when its source is deleted. They are
// given here, at apply, where all records are seen in one order. Two sources that were made at once had
// one id before, and the key of the first opened nothing (docs/decisions/definitions.md).
absl::Status admit_source(Candidate& candidate, const Project& project) {
  Source source = as<Source>(candidate.value);
  if (source.name != candidate.name) {
    return failure(absl::StatusCode::kInvalidArgument, "the definition of source ", candidate.name,
                   " names it ", source.name, ": a source keeps its name");
  }
  if (candidate.before == nullptr && !is_source_name(source.name)) {
    return failure(absl::StatusCode::kInvalidArgument, "\"", source.name,
                   "\" is no name for a source: it has 1 to 64 bytes, letters and digits of "
                   "any script, and between them ., _, - and single spaces");
  }
  const Version* last = project.find(kSource, candidate.name);  // a deleted one had an id, too
  if (source.id == SourceId()) source.id = last ? as<Source>(last->value).id : project.next_source_id();
  const Source* other = project.source_ever(source.id);
  const bool taken = other != nullptr && other->name != source.name;
  if (taken || (last != nullptr && as<Source>(last->value).id != source.id)) {
    return failure(absl::StatusCode::kFailedPrecondition, "source ", source.name, " cannot have the id ",
                   source.id.value(),
                   taken ? cat(", which is that of ", other->name) : ", since it has another",
                   ": leave it out");
  }
  if (last != nullptr && last->deleted) keep_closed(as<Source>(last->value).keys, last->time, source);
  candidate.body = to_json(source);
  candidate.value = std::make_shared<const Source>(std::move(source));
  return absl::OkStatus();
}

absl::Status admit_envelope_key(Candidate& candidate, const Project&) {
  const std::string version = cat(as<seal::EnvelopeKey>(candidate.value).version.value());
  if (candidate.before != nullptr) {
    return failure(absl::StatusCode::kFailedPrecondition, "the project has a key pair pkv ", version,
                   " already: what was encrypted for it could not be read any more");
  }
  if (candidate.name == version) return absl::OkStatus();
  return failure(absl::StatusCode::kInvalidArgument, "the key pair ", candidate.name, " is of pkv ", version);
}

std::string body_of(const Version& version) { return version.body; }

absl::StatusOr<std::string> body_from_file(std::string_view, std::string_view text, const Version*) {
  return std::string(text);
}

absl::StatusOr<std::string> rule_from_file(std::string_view, std::string_view text, const Version*) {
  const auto rule = rule::definition_from_json(text, rule::Origin::kSent);
  if (!rule.ok()) return rule.status();
  return std::string(text);
}

absl::StatusOr<std::string> settings_from_file(std::string_view, std::string_view text, const Version*) {
  const auto settings = codec::settings_from_json(text);
  if (!settings.ok()) return settings.status();
  return codec::settings_to_json(*settings);
}

std::string source_file(const Version& version) { return to_file(as<Source>(version.value)); }

absl::StatusOr<std::string> source_body(std::string_view name, std::string_view text, const Version* before) {
  const auto source = source_from_file(name, text, before == nullptr ? nullptr : &as<Source>(before->value));
  if (!source.ok()) return source.status();
  return to_json(*source);
}

// What can be defined is one table. `parse` reads what was admitted once and has to read it for ever;
// whatever becomes stricter belongs into `admit`, or an old log could not be replayed
// (docs/decisions/definitions.md).
constexpr Kind kKinds[] = {
    {.name = kSettings,
     .single = true,
     .parse = read_settings,
     .admit = admit_settings,
     .files = "settings",
     .to_file = body_of,
     .from_file = settings_from_file},
    {.name = kSource,
     .deletable = true,
     .parse = read_source,
     .admit = admit_source,
     .files = "sources",
     .to_file = source_file,
     .from_file = source_body},
    {.name = kList,
     .deletable = true,
     .format = 3,
     .parse = read_list,
     .admit = admit_list,
     .agree = check_rules,
     .files = "lists",
     .to_file = body_of,
     .from_file = body_from_file},
    {.name = kListUploads, .deletable = true, .format = 3, .parse = read_uploads, .admit = admit_uploads},
    {.name = kSegment,
     .deletable = true,
     .format = 3,
     .parse = parse_segment,
     .admit = admit_rule,
     .agree = check_rules,
     .files = "segments",
     .to_file = body_of,
     .from_file = rule_from_file},
    {.name = kTag,
     .deletable = true,
     .format = 3,
     .parse = parse_tag,
     .admit = admit_rule,
     .agree = check_rules,
     .files = "tags",
     .to_file = body_of,
     .from_file = rule_from_file},
    {.name = kCheck,
     .deletable = true,
     .parse = parse_check,
     .admit = admit_rule,
     .agree = check_rules,
     .files = "checks",
     .to_file = body_of,
     .from_file = rule_from_file},
    // What was encrypted for a pair can come years later, so none is ever deleted.
    {.name = kEnvelopeKey, .parse = read_envelope_key, .admit = admit_envelope_key},
    {.name = kWebhook,
     .deletable = true,
     .format = 3,
     .parse = read_webhook,
     .admit = admit_webhook,
     .files = "webhooks",
     .to_file = webhook_file,
     .from_file = webhook_from_file},
    {.name = kBackfillPause,
     .single = true,
     .format = 3,
     .parse = read_backfill_pause,
     .admit = admit_backfill_pause},
};

}  // namespace

absl::Span<const Kind> kinds() { return kKinds; }

int format_of(const Project& project) {
  int format = 1;
  for (const Kind& kind : kKinds) {
    project.each_ever(kind.name,
                      [&](const std::string&, const Version&) { format = std::max(format, kind.format); });
  }
  return format;
}

const Kind* find_kind(std::string_view name) {
  const auto* found = std::ranges::find(kKinds, name, &Kind::name);
  return found == std::end(kKinds) ? nullptr : found;
}

}  // namespace kehu::definition
