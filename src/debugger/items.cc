#include "debugger/items.h"

#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "debugger/stored_in_clear.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/masked_text.h"
#include "seal/masks.h"

namespace kehu::debugger {
namespace {

constexpr size_t kTextBytes = 2048;
constexpr size_t kDetailBytes = 512;

// What is personal by its name is masked already; what remains is told by its look.
Settings no_names() {
  Settings settings;
  settings.personal_values.names = false;
  return settings;
}
const Settings& by_look() {
  static const Settings settings = no_names();
  return settings;
}

// A JSON object for display; beyond a bound it is a text, which is no whole document any more.
void write_document(json::Writer& writer, std::string_view name, std::string_view text,
                    const Reading& reading) {
  if (text.empty() || text == "{}") return;
  const std::string open = seal::mask_json(text, reading.opener);
  const std::string shown = seal::masked_text(open, by_look(), kTextBytes);
  if (open.size() > kTextBytes) {
    writer.field(name, cat(shown, "…"));
  } else {
    writer.raw_field(name, shown);
  }
}

void write_identifiers(json::Writer& writer, const Event& event, const Reading& reading) {
  writer.key("identifiers").begin_array();
  for (const Identifier& identifier : event.identifiers) {
    if (identifier.alternative) continue;
    std::string value = seal::mask_identifier(identifier.value, reading.opener);
    if (!identifier.sealed && seal::looks_personal(value)) value = seal::mask(value);
    writer.begin_object().field("type", reading.settings.rule(identifier.type).name).field("value", value);
    if (identifier.left_out != LeftOut::kNo) writer.field("left_out", to_string(identifier.left_out));
    writer.end_object();
  }
  writer.end_array();
}

std::string shown_text(std::string_view text) { return seal::masked_text(text, Settings{}, kDetailBytes); }

// Without the braces, which the reader of an Item writes.
std::string without_braces(const std::string& object) { return object.substr(1, object.size() - 2); }

void write_warnings(json::Writer& writer, const Event& event) {
  const std::vector<std::string> warnings = stored_in_clear(event);
  if (warnings.empty()) return;
  writer.key("warnings").begin_array();
  for (const std::string& warning : warnings) writer.value(warning);
  writer.end_array();
}

std::string event_members(const Event& event, const Reading& reading) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", to_string(event.type)).field("event", shown_text(event.name));
  writer.field("message_id", shown_text(event.message_id)).field("channel", to_string(event.channel));
  writer.field("time", format_utc(event.time));
  if (event.time != event.original_time) {
    writer.field("original_time", format_utc(event.original_time));
    writer.field("corrected_ms", (event.time - event.original_time).micros() / 1000);
  }
  write_identifiers(writer, event, reading);
  write_document(writer, "properties", event.properties, reading);
  write_document(writer, "traits", event.traits, reading);
  write_document(writer, "context", event.context, reading);
  write_warnings(writer, event);
  writer.end_object();
  return without_braces(out);
}

std::string library_of(std::string_view context) {
  const auto document = json::Document::parse(context);
  if (!document.ok()) return {};
  const json::Value library = document->root().find("library");
  const std::string name = library.find("name").as_string().value_or("");
  const std::string version = library.find("version").as_string().value_or("");
  return shown_text(version.empty() ? name : cat(name, " ", version));
}

std::string rejection_members(const Rejection& rejection) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("reason", to_string(rejection.reason))
      .field("path", shown_text(rejection.path));
  writer.field("detail", shown_text(rejection.detail)).field("origin", shown_text(rejection.origin));
  writer.end_object();
  return without_braces(out);
}

std::optional<Item> item_of(const RecordBatch& batch, size_t at, const Reading& reading) {
  const RecordBatch::Entry& entry = batch.entries[at];
  if (entry.kind == RecordKind::kRejection) {
    const auto rejection = codec::decode_rejection(batch.payload(entry));
    if (!rejection.ok()) return std::nullopt;
    return Item{.entry = at, .rejected = true, .members = rejection_members(*rejection)};
  }
  codec::EventRecord record;
  if (!record.decode(batch.payload(entry)).ok()) return std::nullopt;
  return Item{.entry = at,
              .members = event_members(record.event(), reading),
              .library = library_of(record.event().context)};
}

}  // namespace

Part items_of(const RecordBatch& batch, size_t first_entry, const Reading& reading) {
  Part part{.first_entry = first_entry};
  for (size_t at = first_entry; at < batch.entries.size(); ++at) {
    const RecordKind kind = batch.entries[at].kind;
    part.kinds.push_back(kind);
    if (kind != RecordKind::kEvent && kind != RecordKind::kRejection) continue;
    ++(kind == RecordKind::kEvent ? part.accepted : part.rejected);
    if (part.items.size() == RequestSteps::kItems) continue;
    if (auto item = item_of(batch, at, reading)) part.items.push_back(*std::move(item));
  }
  return part;
}

}  // namespace kehu::debugger
