#include "mapping/row_mapper.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/fields.h"
#include "json/index.h"
#include "mapping/row_content.h"
#include "model/channel.h"
#include "model/personal_values.h"
#include "model/spreadsheet.h"

namespace kehu::mapping {
namespace {

// These bound what one row may become by `each`.
constexpr uint32_t kEachElementsMax = 10'000;
constexpr size_t kEachBytesMax = 64u << 20;
constexpr size_t kFileNameBytes = 48;  // leaves room for hash, line and ordinal in limits::kMessageIdBytes

// Places of elements that lack the value are for the mapping only.
void write_list(std::string_view list, json::Writer& writer) {
  writer.begin_array();
  json::FieldReader elements(list);
  for (json::Field element; elements.next(element);) {
    if (!element.value.is_null()) writer.raw(element.value.raw);
  }
  writer.end_array();
}

void write(const rows::Cell& cell, json::Writer& writer) {
  if (cell.kind == rows::CellKind::kText) {
    writer.value(cell.text);
  } else if (cell.kind == rows::CellKind::kList) {
    write_list(cell.text, writer);
  } else {
    writer.raw(cell.text);
  }
}

bool is_constant(const Choice& choice) {
  return choice.empty() ||
         (choice.size() == 1 && choice[0].from == Value::From::kConstant && choice[0].when.empty());
}

// A row's id with what tells its events apart.
std::string event_id(std::string_view row, std::string_view suffix) {
  if (row.size() + suffix.size() <= limits::kMessageIdBytes) return cat(row, suffix);
  return cat("row-", hash128(row).hex(), suffix);
}

// The name of what an id stands for, short.
std::string short_hash(std::string_view text) { return hash128(text).hex().substr(0, 6); }

}  // namespace

bool has_lost_digits(const rows::FileSpec& file, const rows::Cell& cell) {
  if (cell.kind == rows::CellKind::kText)
    return number_in_text(without_guards(cell.text)).left_out == LeftOut::kDigitsLost;
  if (cell.kind == rows::CellKind::kNumber) return plain_number(cell.text).left_out == LeftOut::kDigitsLost;
  if (!rows::is_list(cell)) return false;
  rows::Elements elements(file, cell);
  for (rows::Cell element; elements.next(element);) {
    if (!rows::is_list(element) && has_lost_digits(file, element)) return true;
  }
  return false;
}

absl::Status RowMapper::set_file(std::string_view path, Instant modified) {
  file_times_.assign(mapping_.events.size(), std::nullopt);
  const std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (size_t i = 0; i < mapping_.events.size(); ++i) {
    const TimeSpec& spec = mapping_.events[i].time;
    if (spec.where == TimeSpec::From::kFileModified) file_times_[i] = modified;
    if (spec.where != TimeSpec::From::kFileName) continue;
    file_times_[i] = spec.format.find_in(name);
    if (!file_times_[i]) {
      return failure(absl::StatusCode::kInvalidArgument, path, ": its name does not hold ",
                     spec.format.expectation(), ", which [time] file of ", mapping_.name, " looks for");
    }
  }
  return absl::OkStatus();
}

void RowMapper::map(const rows::Row& row, MappedRow& out) {
  out.line = row.line;
  out.text = row.text;
  out.events.clear();
  out.event_count = 0;
  out.former_ids.clear();
  out.rejections.clear();
  out.digits_lost.clear();
  if (row.fault) {
    out.rejections.push_back({row.fault->reason, "", row.fault->detail});
    return;
  }
  evaluator_.begin_row(row);
  const auto keep = evaluator_.all_hold(mapping_.keep, row);
  const auto skip = keep && *keep ? evaluator_.any_holds(mapping_.skip, row) : std::optional(false);
  if (!keep || !skip) {
    out.rejections.push_back(evaluator_.rejection());
    return;
  }
  if (!*keep || *skip) return;
  for (size_t i = 0; i < mapping_.events.size(); ++i) {
    const EventSpec& event = mapping_.events[i];
    if (event.each) {
      map_each(event, row, i, out);
    } else {
      map_one(event, row, {.position = i}, out);
    }
  }
}

void RowMapper::map_each(const EventSpec& event, const rows::Row& row, size_t position, MappedRow& out) {
  const std::string& column = mapping_.column_name(event.each->columns.front());
  const auto given = evaluator_.value(*event.each, row);
  if (!given) return out.rejections.push_back(evaluator_.rejection());
  if (given->kind == rows::CellKind::kNull) return;
  list_.assign(given->text);
  rows::Cell list{given->kind, list_};
  if (given->kind == rows::CellKind::kText && list_.starts_with('[') && !json::Index().scan(list_))
    list.kind = rows::CellKind::kJson;
  if (!rows::is_list(list)) {
    out.rejections.push_back({Reason::kInvalidField, column,
                              "each: a list is expected; for a text that is one, say what stands between the "
                              "elements: each = { column = …, split = \" \" }"});
    return;
  }
  const size_t events_begin = out.events.size(), rejections_before = out.rejections.size();
  const uint32_t events_before = out.event_count;
  rows::Elements elements(mapping_.file, list);
  uint32_t number = 0;
  for (rows::Cell element; elements.next(element);) {
    ++number;
    // Each event may hold the whole list.
    if (number > kEachElementsMax || out.events.size() - events_begin > kEachBytesMax) {
      out.events.resize(events_begin);
      out.event_count = events_before;
      out.former_ids.resize(events_before);
      out.rejections.erase(out.rejections.begin() + static_cast<std::ptrdiff_t>(rejections_before),
                           out.rejections.end());
      out.rejections.push_back({Reason::kInvalidField, column,
                                cat("each: a row may have ", kEachElementsMax, " elements and become ",
                                    kEachBytesMax >> 20, " MiB of events")});
      return;
    }
    if (element.kind == rows::CellKind::kNull) continue;
    evaluator_.begin_item(element, number);
    map_one(event, row, {.position = position, .item = number}, out);
  }
}

void RowMapper::map_one(const EventSpec& event, const rows::Row& row, Place place, MappedRow& out) {
  const auto wanted = evaluator_.all_hold(event.when, row);
  if (wanted && !*wanted) return;
  const size_t begin = out.events.size();
  if (wanted && append_event(event, row, place, out)) {
    // An event is one line. Within JSON that the row spreads over several, a line end is only a blank.
    std::replace(out.events.begin() + static_cast<std::ptrdiff_t>(begin), out.events.end(), '\n', ' ');
    out.events.push_back('\n');
    ++out.event_count;
    return;
  }
  out.events.resize(begin);
  out.former_ids.resize(out.event_count);
  out.rejections.push_back(wanted ? rejection_ : evaluator_.rejection());
}

bool RowMapper::reject() {
  rejection_ = evaluator_.rejection();
  return false;
}

bool RowMapper::append_event(const EventSpec& event, const rows::Row& row, Place place, MappedRow& out) {
  json::Writer writer(out.events);
  writer.begin_object();
  if (!append_kind(event, row, out.events, writer, kind_)) return false;
  const size_t ordinal = ordinal_among_its_kind(place.position, row);
  if (!append_identifiers(event, row, writer, out)) return false;
  if (!append_time(event, row, place.position, writer)) return false;
  if (!append_message_id(event, row, {.place = place, .ordinal = ordinal}, writer, out)) return false;
  if (!append_text("channel", event.channel, row, writer)) return false;
  if (!append_fields("properties", event.properties, row, writer) ||
      !append_fields("traits", event.traits, row, writer) ||
      !append_fields("context", event.context, row, writer)) {
    return false;
  }
  writer.end_object();
  return true;
}

// Type and name, which `writer` writes into `text`; `kind` is what it wrote of them.
bool RowMapper::append_kind(const EventSpec& event, const rows::Row& row, const std::string& text,
                            json::Writer& writer, std::string& kind) {
  const auto type = evaluator_.single(event.type, row);
  if (!type) return reject();
  if (type->kind == rows::CellKind::kNull) {
    rejection_ = {Reason::kMissingType, "", "no event type"};
    return false;
  }
  const bool track = type->text == "track";
  kind.assign(type->text);
  writer.field("type", type->text);
  const size_t before_name = text.size();
  if (!append_text(track ? "event" : "name", event.name, row, writer)) return false;
  if (track && text.size() == before_name) {
    rejection_ = {Reason::kMissingEventName, "", "the mapping finds no event name in this row"};
    return false;
  }
  kind.append(text, before_name);
  return true;
}

// How many [[event]] before this one make events of its kind of this row, whether or not they are wanted: so
// an event keeps its id when others come before it, and when what a condition asks for changes.
size_t RowMapper::ordinal_among_its_kind(size_t position, const rows::Row& row) {
  size_t ordinal = 0;
  for (size_t i = 0; i < position; ++i) ordinal += may_be_of_this_kind(mapping_.events[i], row) ? 1 : 0;
  return ordinal;
}

// What an event's elements make it nobody can say while another event's elements are gone through.
bool RowMapper::may_be_of_this_kind(const EventSpec& event, const rows::Row& row) {
  if (event.each && !(is_constant(event.type) && is_constant(event.name))) return true;
  other_text_.clear();
  json::Writer writer(other_text_);
  writer.begin_object();
  return append_kind(event, row, other_text_, writer, other_kind_) && other_kind_ == kind_;
}

bool RowMapper::append_text(std::string_view key, const Choice& choice, const rows::Row& row,
                            json::Writer& writer) {
  const auto cell = evaluator_.single(choice, row);
  if (!cell) return reject();
  std::string scratch;
  if (cell->kind == rows::CellKind::kNull) return true;
  const std::string_view text = rows::plain_text(*cell, scratch);
  // A dry run shows what will be stored.
  writer.field(key, key == "channel" ? to_string(read_channel(text).name()) : text);
  return true;
}

bool RowMapper::append_time(const EventSpec& event, const rows::Row& row, size_t position,
                            json::Writer& writer) {
  std::optional<Instant> time;
  switch (event.time.where) {
    case TimeSpec::From::kColumns:
      if (!(time = evaluator_.time(event.time, row))) return reject();
      break;
    case TimeSpec::From::kConstant:
      time = event.time.constant;
      break;
    case TimeSpec::From::kFileModified:
    case TimeSpec::From::kFileName:
      if (position < file_times_.size()) time = file_times_[position];
      if (!time) {
        rejection_ = {Reason::kInvalidTime, "", "the time of the file is not known"};
        return false;
      }
      break;
    case TimeSpec::From::kArrival:
      return true;  // the door's clock says it
  }
  const bool checked = event.time.where == TimeSpec::From::kColumns;
  if (!checked && !evaluator_.bounded(event.time, *time)) return reject();
  writer.field("time", format_utc(*time));
  // What is told of a customer by one file is told anew by a later one; what happened does not happen again.
  const bool of_file =
      event.time.where == TimeSpec::From::kFileModified || event.time.where == TimeSpec::From::kFileName;
  if (of_file && kind_.starts_with("identify")) kind_.append(cat("@", time->micros()));
  return true;
}

bool RowMapper::append_identifiers(const EventSpec& event, const rows::Row& row, json::Writer& writer,
                                   MappedRow& out) {
  writer.key("identifiers").begin_object();
  bool any = false;
  for (const Field& field : event.identifiers) {
    const bool many =
        std::any_of(field.choice.begin(), field.choice.end(), [](const Value& v) { return v.many; });
    const auto cell = many ? evaluator_.value(field.choice, row) : evaluator_.single(field.choice, row);
    if (!cell) return reject();
    look_for_lost_digits(field, *cell, row, out);
    any = (cell->kind != rows::CellKind::kNull && append_identifier(field, *cell, writer)) || any;
  }
  writer.end_object();
  if (!any) rejection_ = {Reason::kNoIdentifier, "", "every identifier of the mapping is empty in this row"};
  return any;
}

// The door leaves such an identifier out, and knows no columns: it can only count them.
void RowMapper::look_for_lost_digits(const Field& field, const rows::Cell& cell, const rows::Row& row,
                                     MappedRow& out) {
  if (!has_lost_digits(mapping_.file, cell)) return;
  std::string_view name = field.name;
  for (const Value& value : field.choice) {
    if (value.columns.empty()) continue;
    name = mapping_.column_name(value.columns.front());
    if (evaluator_.cell(value.columns.front(), row).kind != rows::CellKind::kNull) break;
  }
  if (std::ranges::find(out.digits_lost, name) == out.digits_lost.end()) out.digits_lost.push_back(name);
}

// What is no text goes to the door as it is: it reads the spellings of numbers, and refuses objects.
bool RowMapper::append_identifier(const Field& field, const rows::Cell& cell, json::Writer& writer) {
  if (!rows::is_list(cell)) {
    writer.key(field.name);
    cell.kind == rows::CellKind::kText ? writer.value(cell.text) : writer.raw(cell.text);
    return true;
  }
  text_.clear();
  rows::Elements elements(mapping_.file, cell);
  for (rows::Cell element; elements.next(element);) {
    if (element.kind == rows::CellKind::kNull) continue;
    if (text_.empty()) text_.push_back('[');
    rows::append_element(element, text_);
  }
  if (text_.empty()) return false;
  writer.key(field.name).raw(text_.append("]"));
  return true;
}

bool RowMapper::append_fields(std::string_view key, const std::vector<Field>& fields, const rows::Row& row,
                              json::Writer& writer) {
  bool any = false;
  for (const Field& field : fields) {
    const auto cell = evaluator_.value(field.choice, row);
    if (!cell) return reject();
    if (cell->kind == rows::CellKind::kNull) continue;
    if (!any) writer.key(key).begin_object();
    any = true;
    write(*cell, writer.key(field.name));
  }
  if (any) writer.end_object();
  return true;
}

// The row's own id, which says with the kind of event whose id it is: two mappings over one file, or over
// files with the same numbers, make events of their own. There is no more of the mapping in it, because
// then a property that is corrected and imported again would count twice, without a word; with the kind
// alone that is a conflict, which is seen.
//
// Files that earlier versions imported have other ids. Each event is sent with those as well, and the log's
// thread looks them up first, so that nothing counts twice after an upgrade
// (docs/decisions/row-identity.md).
bool RowMapper::append_message_id(const EventSpec& event, const rows::Row& row, Numbered place,
                                  json::Writer& writer, MappedRow& out) {
  const auto numbered = [](size_t number) { return number == 0 ? std::string() : cat("#", number); };
  const std::string position = numbered(place.place.position);
  std::string former;  // by the version that knew no kinds
  std::string bytes;   // by those that took JSON as it was spelt
  switch (mapping_.identity.kind) {
    case RowKey::Kind::kPosition:
      text_ = cat(row.key, ":", row.line);
      former = row.former_key.empty() ? text_ : cat(row.former_key, ":", row.line);
      break;
    case RowKey::Kind::kContent:
      former = text_ = cat("row-", hash128(row.text).hex());
      if (row.json == nullptr) break;
      bytes = std::move(text_);
      text_ = cat("row-", json_content(*row.json).hex());
      break;
    case RowKey::Kind::kColumns:
      text_ = "row:";
      if (!append_columns_key(row, text_, former)) return false;
      break;
  }
  const std::string kind = cat("~", short_hash(kind_));
  const std::string item = place.place.item == 0 ? "" : cat("/", place.place.item);
  const std::string id = event_id(text_, cat(kind, numbered(place.ordinal), item));
  writer.field("message_id", id);
  auto& earlier = out.former_ids.emplace_back();
  constexpr size_t kOrdinalBytes = 8;
  if (former.size() + kOrdinalBytes > limits::kMessageIdBytes) former = cat("row-", hash128(former).hex());
  if (!event.each) earlier.push_back(former.append(position));
  // The server looks up two: the one of the version before comes before those of older ones.
  const bool was_named_otherwise =
      !row.former_key.empty() && mapping_.identity.kind == RowKey::Kind::kPosition;
  if (was_named_otherwise) {
    earlier.push_back(event_id(cat(row.former_key, ":", row.line), cat(kind, numbered(place.ordinal), item)));
    return true;
  }
  std::string by_position = event_id(bytes.empty() ? text_ : bytes, cat(kind, position, item));
  if (by_position != id) earlier.push_back(std::move(by_position));
  return true;
}

// The values, a "|" within one escaped; and how earlier versions put them together.
bool RowMapper::append_columns_key(const rows::Row& row, std::string& key, std::string& former) {
  bool any = false;
  std::string scratch;
  for (const ColumnId column : mapping_.identity.columns) {
    const rows::Cell& cell = evaluator_.cell(column, row);
    any = any || cell.kind != rows::CellKind::kNull;
    if (!former.empty()) former.push_back('|');
    former.append(cell.text);
    if (column != mapping_.identity.columns.front()) key.push_back('|');
    for (const char c : rows::plain_text(cell, scratch)) {
      if (c == '|' || c == '\\') key.push_back('\\');
      key.push_back(c);
    }
  }
  if (any) return true;
  rejection_ = {Reason::kMissingColumn, mapping_.column_name(mapping_.identity.columns.front()),
                "the columns that tell the row from others are empty"};
  return false;
}

std::string stored_name(std::string_view path) {
  return without_personal_values(path.substr(path.find_last_of('/') + 1));
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
