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

// Gives a stream's name as message ids hold it.
std::string id_of(const std::string& stream) {
  return stream.size() <= kStreamBytes ? stream : hash128(stream).hex();
}

}  // namespace

MessageMapper::MessageMapper(const Mapping& mapping, rows::JsonCells cells)
    : mapping_(mapping),
      cells_(std::move(cells)),
      wants_time_(std::find(mapping.columns.begin(), mapping.columns.end(), "$time") !=
                  mapping.columns.end()),
      mapper_(mapping) {}

absl::StatusOr<MessageMapper> MessageMapper::make(const Mapping& mapping) {
  auto cells = rows::JsonCells::make(mapping);
  if (!cells.ok()) return cells.status();
  return MessageMapper(mapping, *std::move(cells));
}

std::string MessageMapper::origin(const feed::Message& message) {
  return cat(message.stream, "@", message.position);
}

void MessageMapper::map(const feed::Message& message, MappedRow& row) {
  row_.line = row_.number = message.position;
  row_.fault.reset();
  if (mapping_.events.empty()) return pass_on(message, row);
  write_row_text(message);
  row_.text = text_;
  row_.fault = cells_.read(row_);
  key_ = id_of(message.stream);
  row_.key = key_;
  mapper_.map(row_, row);
}

// What is no object cannot carry its place as a member, so it is rejected here. Each element of an array is
// an event, as it is in a stream.
void MessageMapper::pass_on(const feed::Message& message, MappedRow& row) {
  row.line = message.position;
  row.text = message.payload;
  row.events.clear();
  row.event_count = 0;
  row.former_ids.clear();
  row.rejections.clear();
  const auto error = index_.scan(message.payload);
  if (error) return row.rejections.push_back({Reason::kInvalidJson, "", error->to_string()});
  const std::string id = cat(id_of(message.stream), ":", message.position);
  if (index_[0].kind != json::Kind::kArray) return pass_on_value(0, id, "", row);
  size_t element = 0;
  for (uint32_t at = 1; at < index_[0].next; at = index_[at].next, ++element) {
    pass_on_value(at, cat(id, ":", element), cat(element), row);
  }
}

void MessageMapper::pass_on_value(uint32_t node, const std::string& id, const std::string& place,
                                  MappedRow& row) {
  if (index_[node].kind != json::Kind::kObject) {
    return row.rejections.push_back({Reason::kNotAnObject, place, "a JSON object is expected"});
  }
  const std::string_view object = index_.raw(index_[node]);
  std::string event(object);
  // Line feeds can only stand between tokens.
  std::replace_if(
      event.begin(), event.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (!has_member(object, "message_id")) {
    std::string named;
    json::Writer(named).value(id);
    const bool empty = index_[node].next == node + 1;
    event.replace(0, 1, cat("{\"message_id\":", named, empty ? "" : ","));
  }
  row.events.append(event).push_back('\n');
  ++row.event_count;
}

void MessageMapper::write_row_text(const feed::Message& message) {
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
