#include "mapping/message.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/hash.h"
#include "base/text.h"
#include "json/fields.h"
#include "json/writer.h"

namespace kehu::mapping {
namespace {

constexpr size_t kStreamBytes = 64;  // leaves room for position and ordinal in limits::kMessageIdBytes

bool has_member(std::string_view object, std::string_view name) {
  json::FieldReader reader(object);
  for (json::Field field; reader.next(field);) {
    if (field.key == name) return true;
  }
  return false;
}

// "a/b" → {"$level1":"a","$level2":"b"}, into an object that is open.
void write_levels(std::string_view topic, json::Writer& writer) {
  for (int level = 1;; ++level) {
    const size_t end = std::min(topic.find('/'), topic.size());
    writer.field(cat("$level", level), topic.substr(0, end));
    if (end == topic.size()) return;
    topic.remove_prefix(end + 1);
  }
}

// A stream as part of message ids.
std::string id_of(const std::string& stream) {
  return stream.size() <= kStreamBytes ? stream : hash128(stream).hex();
}

}  // namespace

MessageMapper::MessageMapper(const Mapping& mapping, JsonCells cells)
    : mapping_(mapping),
      cells_(std::move(cells)),
      wants_time_(std::find(mapping.columns.begin(), mapping.columns.end(), "$time") !=
                  mapping.columns.end()),
      mapper_(mapping) {}

absl::StatusOr<MessageMapper> MessageMapper::make(const Mapping& mapping) {
  auto cells = JsonCells::make(mapping);
  if (!cells.ok()) return cells.status();
  return MessageMapper(mapping, *std::move(cells));
}

std::string MessageMapper::origin(const Message& message) {
  return cat(message.stream, "@", message.position);
}

void MessageMapper::map(const Message& message, MappedRow& row) {
  row_.line = message.position;
  row_.fault.reset();
  if (mapping_.events.empty()) return pass_on(message, row);
  write_row_text(message);
  row_.text = text_;
  row_.fault = cells_.read(row_);
  key_ = id_of(message.stream);
  row_.key = key_;
  mapper_.map(row_, row);
}

// What is no object cannot carry its place as a member, so it is rejected here.
void MessageMapper::pass_on(const Message& message, MappedRow& row) {
  row.line = message.position;
  row.text = message.payload;
  row.events = message.payload;
  row.event_count = 1;
  row.rejections.clear();
  if (const auto error = index_.scan(message.payload); error || index_[0].kind != json::Kind::kObject) {
    row.events.clear();
    row.event_count = 0;
    row.rejections.push_back({error ? Reason::kInvalidJson : Reason::kNotAnObject, "",
                              error ? error->to_string() : "a JSON object is expected"});
    return;
  }
  // Line feeds can only stand between tokens.
  std::replace_if(
      row.events.begin(), row.events.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  row.events.erase(0, row.events.find('{'));
  if (!has_member(message.payload, "message_id")) {
    std::string id;
    json::Writer(id).value(cat(id_of(message.stream), ":", message.position));
    const bool empty = row.events.find_first_not_of(" \t", 1) == row.events.find('}');
    row.events.replace(0, 1, cat("{\"message_id\":", id, empty ? "" : ","));
  }
  row.events.push_back('\n');
}

void MessageMapper::write_row_text(const Message& message) {
  text_.clear();
  json::Writer writer(text_);
  writer.begin_object().field("$topic", message.topic).field("$key", message.key);
  // Only for who asks: the moment of arrival is another one when the same message comes again.
  if (wants_time_) writer.field("$time", format_utc(message.time));
  write_levels(message.topic, writer);
  const auto error = index_.scan(message.payload);
  if (!error && index_[0].kind == json::Kind::kObject) {
    const size_t begin = message.payload.find('{') + 1;
    const size_t end = message.payload.rfind('}');
    const std::string_view members(message.payload.data() + begin, end - begin);
    if (members.find_first_not_of(" \t\r\n") != std::string_view::npos) text_.append(",").append(members);
    text_.push_back('}');
    return;
  }
  writer.key("$value");
  if (error) {
    writer.value(message.payload);
  } else {
    writer.raw(message.payload);
  }
  writer.end_object();
}

}  // namespace kehu::mapping
