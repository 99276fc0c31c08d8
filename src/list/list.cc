#include "list/list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/text.h"
#include "json/writer.h"

namespace kehu::list {
namespace {

constexpr size_t kNameBytes = 64;

bool is_nonce(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void write(std::string_view key, const std::optional<Upload>& upload, json::Writer& writer) {
  if (!upload) return;
  writer.key(key).begin_object().field("number", upload->number).field("nonce", upload->nonce);
  writer.field("slot", upload->slot).field("at", format_utc(upload->at)).field("source", upload->source);
  if (!upload->file.empty()) writer.field("file", upload->file);
  if (upload->finished) writer.field("finished", format_utc(*upload->finished));
  writer.field("rows", upload->rows).field("customers", upload->customers).field("repeats", upload->repeats);
  writer.field("unknown", upload->unknown).field("unreadable", upload->unreadable).end_object();
}

// False on damage.
bool read(const json::Value& value, std::optional<Upload>& upload) {
  if (!value.exists()) return true;
  const auto number = value.find("number").as_int();
  const auto slot = value.find("slot").as_int();
  const auto at = parse_iso8601(value.find("at").as_string().value_or(""));
  const auto count = [&](const char* name) {
    return static_cast<uint64_t>(std::max<int64_t>(0, value.find(name).as_int().value_or(0)));
  };
  Upload& read = upload.emplace();
  read.nonce = value.find("nonce").as_string().value_or("");
  if (!number || *number < 1 || !slot || (*slot != 1 && *slot != 2) || !at || read.nonce.empty() ||
      !is_nonce(read.nonce))
    return false;
  read.number = static_cast<uint64_t>(*number);
  read.slot = static_cast<int>(*slot);
  read.at = *at;
  read.source = value.find("source").as_string().value_or("");
  read.file = value.find("file").as_string().value_or("");
  if (const auto finished = value.find("finished").as_string()) read.finished = parse_iso8601(*finished);
  read.rows = count("rows");
  read.customers = count("customers");
  read.repeats = count("repeats");
  read.unknown = count("unknown");
  read.unreadable = count("unreadable");
  return true;
}

}  // namespace

bool is_list_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytes || !json::is_valid_utf8(name)) return false;
  const auto is_letter = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto is_joint = [](char c) { return c == '_' || c == '-' || c == ' '; };
  return is_letter(name.front()) && is_letter(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_joint(c); }) &&
         name.find("  ") == name.npos;
}

std::string to_json(const List& list) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("owner", list.owner)
      .field("description", list.description)
      .end_object();
  return out;
}

absl::StatusOr<List> parse_list(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  List list;
  for (const auto& member : document->root()) {
    const auto said = member.value.as_string();
    const bool owner = member.key == "owner";
    if (!said || (!owner && member.key != "description")) {
      return failure(absl::StatusCode::kInvalidArgument, "`", member.key,
                     "` is unknown or no text: a list has `owner` and `description`");
    }
    (owner ? list.owner : list.description) = *said;
  }
  return list;
}

std::string to_json(const Uploads& uploads) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write("begun", uploads.begun, writer);
  write("in_force", uploads.in_force, writer);
  writer.end_object();
  return out;
}

absl::StatusOr<Uploads> parse_uploads(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  Uploads uploads;
  const bool good = read(document->root().find("begun"), uploads.begun) &&
                    read(document->root().find("in_force"), uploads.in_force);
  if (good) return uploads;
  return absl::InvalidArgumentError("an upload of a list needs `number`, `nonce`, `slot`, `at` and `source`");
}

// A row's moment is a microsecond behind the one before, so that the later of two rows of one customer holds;
// and an upload begins behind the rows of the one before it, also by a clock that was set back.
Upload next_upload(const Uploads& uploads, Instant now) {
  Upload next{.number = 1, .slot = 1, .at = now};
  if (uploads.begun) {
    next.number = uploads.begun->number + 1;
    next.at = std::max(now, uploads.begun->at + Duration(static_cast<int64_t>(uploads.begun->rows) + 1));
  }
  if (uploads.in_force) next.slot = 3 - uploads.in_force->slot;
  return next;
}

std::string trait_of(std::string_view list, const Upload& upload) {
  return cat(kTraitPrefix, list, "/", upload.slot);
}

// Both members are always there: in SQL, a later value of a trait is laid over an earlier one.
std::string trait_json(const Upload& upload, std::optional<std::string_view> value) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field(kNonceMember, upload.nonce).key(kValueMember);
  value ? writer.value(*value) : writer.null();
  writer.end_object();
  return out;
}

std::optional<Standing> standing_of(std::string_view list, const Uploads& uploads) {
  if (!uploads.in_force) return std::nullopt;
  return Standing{.trait = trait_of(list, *uploads.in_force),
                  .nonce = uploads.in_force->nonce,
                  .since = uploads.in_force->finished.value_or(uploads.in_force->at)};
}

}  // namespace kehu::list
