#include "mapping/row_mapper.h"

#include "base/civil_day.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"

namespace kehu::mapping {
namespace {

constexpr size_t kFileNameBytes = 48;  // leaves room for hash, line and ordinal in limits::kMessageIdBytes

void write(Cell cell, json::Writer& writer) {
  if (cell.kind == CellKind::kText) {
    writer.value(cell.text);
  } else {
    writer.raw(cell.text);
  }
}

}  // namespace

void RowMapper::map(const Row& row, MappedRow& out) {
  out.line = row.line;
  out.text = row.text;
  out.events.clear();
  out.event_count = 0;
  out.rejections.clear();
  if (row.fault) {
    out.rejections.push_back({row.fault->reason, "", row.fault->detail});
    return;
  }
  if (!all_hold(mapping_.keep, row) || any_holds(mapping_.skip, row)) return;
  for (size_t i = 0; i < mapping_.events.size(); ++i) {
    const EventSpec& event = mapping_.events[i];
    if (!all_hold(event.when, row)) continue;
    const size_t begin = out.events.size();
    if (append_event(event, row, i, out.events)) {
      out.events.push_back('\n');
      ++out.event_count;
    } else {
      out.events.resize(begin);
      out.rejections.push_back(rejection_);
    }
  }
}

bool RowMapper::append_event(const EventSpec& event, const Row& row, size_t ordinal, std::string& out) {
  json::Writer writer(out);
  writer.begin_object();
  const auto type = evaluator_.value(event.type, row);
  if (!type || type->kind == CellKind::kNull) {
    rejection_ = type ? RowRejection{Reason::kMissingType, "", "no event type"} : evaluator_.rejection();
    return false;
  }
  const bool track = type->text == "track";
  writer.field("type", type->text);
  const size_t before_name = out.size();
  if (!append_text(track ? "event" : "name", event.name, row, writer)) return false;
  if (track && out.size() == before_name) {
    rejection_ = {Reason::kMissingEventName, "", "the mapping finds no event name in this row"};
    return false;
  }
  if (!append_identifiers(event, row, writer)) return false;
  const auto time = evaluator_.time(event.time, row);
  if (!time) {
    rejection_ = evaluator_.rejection();
    return false;
  }
  writer.field("time", format_utc(*time));
  append_message_id(row, ordinal, writer);
  if (!append_text("channel", event.channel, row, writer)) return false;
  if (!append_fields("properties", event.properties, row, writer) ||
      !append_fields("traits", event.traits, row, writer) ||
      !append_fields("context", event.context, row, writer)) {
    return false;
  }
  writer.end_object();
  return true;
}

bool RowMapper::append_text(std::string_view key, const Choice& choice, const Row& row,
                            json::Writer& writer) {
  const auto cell = evaluator_.value(choice, row);
  if (!cell) {
    rejection_ = evaluator_.rejection();
    return false;
  }
  if (cell->kind != CellKind::kNull) writer.field(key, cell->text);
  return true;
}

bool RowMapper::append_identifiers(const EventSpec& event, const Row& row, json::Writer& writer) {
  writer.key("identifiers").begin_object();
  bool any = false;
  for (const Field& field : event.identifiers) {
    const auto cell = evaluator_.value(field.choice, row);
    if (!cell) {
      rejection_ = evaluator_.rejection();
      return false;
    }
    if (cell->kind == CellKind::kNull) continue;
    writer.field(field.name, cell->text);
    any = true;
  }
  writer.end_object();
  if (!any) rejection_ = {Reason::kNoIdentifier, "", "every identifier of the mapping is empty in this row"};
  return any;
}

bool RowMapper::append_fields(std::string_view key, const std::vector<Field>& fields, const Row& row,
                              json::Writer& writer) {
  bool any = false;
  for (const Field& field : fields) {
    const auto cell = evaluator_.value(field.choice, row);
    if (!cell) {
      rejection_ = evaluator_.rejection();
      return false;
    }
    if (cell->kind == CellKind::kNull) continue;
    if (!any) writer.key(key).begin_object();
    any = true;
    write(*cell, writer.key(field.name));
  }
  if (any) writer.end_object();
  return true;
}

void RowMapper::append_message_id(const Row& row, size_t ordinal, json::Writer& writer) {
  switch (mapping_.identity.kind) {
    case Identity::Kind::kPosition:
      text_ = cat(row.key, ":", row.line);
      break;
    case Identity::Kind::kContent:
      text_ = cat("row-", hash128(row.text).hex());
      break;
    case Identity::Kind::kColumns:
      text_ = columns_key(row);
      break;
  }
  if (ordinal > 0) text_.append(cat("#", ordinal));
  writer.field("message_id", text_);
}

std::string RowMapper::columns_key(const Row& row) const {
  std::string key;
  for (const ColumnId column : mapping_.identity.columns) {
    if (!key.empty()) key.push_back('|');
    key.append(row.cells[column.value()].text);
  }
  constexpr size_t kOrdinalBytes = 8;
  if (key.size() + kOrdinalBytes <= limits::kMessageIdBytes) return key;
  return cat("row-", hash128(key).hex());
}

std::string file_key(std::string_view path, std::string_view first_bytes) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.size() > kFileNameBytes) name = name.substr(name.size() - kFileNameBytes);
  // The cut may have left half a character.
  while (!name.empty() && (static_cast<unsigned char>(name.front()) & 0xc0) == 0x80) name.remove_prefix(1);
  return cat(name, "@", hash128(first_bytes).hex().substr(0, 12));
}

std::string pretty(std::string_view json) {
  std::string out;
  std::string indent = "\n";
  bool in_text = false;
  for (size_t i = 0; i < json.size() && json[i] != '\n'; ++i) {
    const char c = json[i];
    if (in_text || c == '"') {
      in_text = in_text ? c != '"' : true;
      out.push_back(c);
      if (c == '\\') out.push_back(json[++i]);
    } else if ((c == '{' || c == '[') && i + 1 < json.size() && json[i + 1] != c + 2) {
      indent.append("  ");
      out.append(1, c).append(indent);
    } else if (c == '{' || c == '[') {
      out.append(1, c).append(1, json[++i]);
    } else if (c == '}' || c == ']') {
      indent.resize(indent.size() - 2);
      out.append(indent).append(1, c);
    } else if (c == ',') {
      out.append(1, c).append(indent);
    } else {
      out.append(1, c).append(c == ':' ? " " : "");
    }
  }
  return out;
}

}  // namespace kehu::mapping
