#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "feed/kafka_section.h"
#include "mapping/mapping.h"
#include "mapping/value_text.h"
#include "text/near_word.h"
#include "toml/section.h"

namespace kehu::mapping {
namespace {

const std::vector<std::string>& event_types() {
  static const std::vector<std::string> kTypes = {"track", "identify", "page", "screen", "group", "alias"};
  return kTypes;
}

// Reads a mapping section by section. [file] comes first: later sections name columns.
class MappingText {
 public:
  MappingText(const toml::table& root, std::string_view name) : errors_(name), root_(root, "", errors_) {
    mapping_.name = std::string(name);
  }

  absl::StatusOr<Mapping> read() {
    root_.allow({"file", "kafka", "mqtt", "lookup", "rows", "identifiers", "time", "properties", "traits",
                 "context", "event"});
    if (root_.has("kafka") || root_.has("mqtt")) {
      read_feed();
    } else if (const toml::table* table = root_.table("file")) {
      read_file(toml::Section(*table, "file", errors_), mapping_.file);
    } else {
      root_.fail(
          "there is no section [file], which says how the files are read: for CSV with a header write the "
          "line "
          "[file] and nothing more");
    }
    if (!errors_.any()) read_lookups();
    if (!errors_.any()) read_rows();
    const bool feed = mapping_.kafka || mapping_.mqtt;
    const bool plain = feed && !root_.has("event") && !root_.has("identifiers") && !root_.has("time");
    if (!errors_.any() && !plain) read_events();
    if (mapping_.mqtt && !mapping_.events.empty()) settle_mqtt_identity();
    if (errors_.any()) return errors_.status();
    mapping_.list_members = !mapping_.plain_texts.empty();
    note_identifying();
    return std::move(mapping_);
  }

 private:
  void note_identifying() {
    for (const EventSpec& event : mapping_.events) {
      for (const Field& field : event.identifiers) {
        for (const Value& value : field.choice) {
          for (const ColumnId column : value.columns) {
            if (column.value() < kFirstComputed)
              mapping_.identifying.push_back(mapping_.columns[column.value()]);
          }
        }
      }
    }
  }

  void read_file(const toml::Section& section, rows::FileSpec& file,
                 std::vector<std::string> more_keys = {}) {
    more_keys.insert(more_keys.end(),
                     {"format", "encoding", "delimiter", "quote", "header", "columns", "trim_header", "trim",
                      "skip_lines", "until", "list", "null", "pattern", "sheet"});
    section.allow(more_keys);
    read_format(section, file);
    if (const auto encoding = section.text("encoding")) file.encoding = *encoding;
    file.sheet = section.text("sheet").value_or("");
    if (const auto delimiter = section.character("delimiter")) file.delimiter = *delimiter;
    read_quote(section, file);
    file.names = section.texts("columns");
    file.header = section.flag("header").value_or(file.names.empty());
    const bool table = file.format == rows::FileFormat::kCsv || file.format == rows::FileFormat::kXlsx;
    if (table && !file.header && file.names.empty()) {
      section.fail("a file without a header needs its \"columns\"");
    }
    file.trim_header = section.flag("trim_header").value_or(false);
    file.trim = section.flag("trim").value_or(false);
    file.skip_lines = static_cast<uint64_t>(std::max(0.0, section.number("skip_lines").value_or(0)));
    file.until = section.text("until").value_or("");
    if (const auto list = section.text("list")) file.list = absl::StrSplit(*list, '.');
    if (!file.list.empty() && file.format != rows::FileFormat::kNdjson)
      section.fail("\"list\" names a list of JSON: write format = \"ndjson\"");
    if (!file.until.empty() && file.format != rows::FileFormat::kCsv)
      section.fail("\"until\" ends the rows of format = \"csv\" alone");
    if (section.has("null")) file.nulls = section.texts("null");
    read_pattern(section, file);
  }

  void read_lookups() {
    const toml::table* tables = root_.table("lookup");
    if (tables == nullptr) return;
    for (const auto& [key, node] : *tables) {
      const std::string name(key.str());
      const auto* table = node.as_table();
      if (table == nullptr) return errors_.add(node, cat("[lookup.", name, "]: a section is expected"));
      const toml::Section section(*table, cat("lookup.", name), errors_);
      LookupSpec lookup{.name = name, .path = {}, .file = {}, .key = {}, .columns = {}};
      read_file(section, lookup.file, {"file", "key"});
      lookup.path = section.text("file").value_or("");
      lookup.key = section.text("key").value_or("");
      if (lookup.path.empty()) section.fail("\"file\" is missing, for example \"products.csv\"");
      if (lookup.key.empty()) section.fail("\"key\" is missing: the column by which rows are looked up");
      mapping_.lookups.push_back(std::move(lookup));
    }
  }

  void read_feed() {
    mapping_.file.format = rows::FileFormat::kNdjson;
    const toml::table* kafka = root_.table("kafka");
    const toml::table* mqtt = root_.table("mqtt");
    if (root_.has("file") || (kafka != nullptr && mqtt != nullptr)) {
      root_.fail("only one of [file], [kafka] and [mqtt] can stand in a mapping");
    } else if (kafka != nullptr) {
      read_kafka(toml::Section(*kafka, "kafka", errors_));
    } else if (mqtt != nullptr) {
      read_mqtt(toml::Section(*mqtt, "mqtt", errors_));
    }
  }

  void read_kafka(const toml::Section& section) {
    section.allow({"brokers", "topics", "group", "properties", "source"});
    feed::KafkaSpec& kafka = mapping_.kafka.emplace();
    mapping_.source = section.text("source").value_or("");
    kafka.brokers = feed::kafka_brokers(section);
    kafka.topics = section.texts("topics");
    kafka.group = section.text("group").value_or(kafka.group);
    kafka.properties = feed::kafka_properties(section, errors_);
    if (kafka.topics.empty()) section.fail("\"topics\" are missing, for example [\"orders\"]");
  }

  void read_mqtt(const toml::Section& section) {
    section.allow({"host", "port", "topics", "client", "username", "password", "ca_file", "source"});
    feed::MqttSpec& mqtt = mapping_.mqtt.emplace();
    mapping_.source = section.text("source").value_or("");
    mqtt.host = section.text("host").value_or("");
    mqtt.port = static_cast<int>(section.number("port").value_or(mqtt.port));
    mqtt.topics = section.texts("topics");
    mqtt.client = section.text("client").value_or(mqtt.client);
    mqtt.username = section.text("username").value_or("");
    mqtt.password = section.text("password").value_or("");
    mqtt.ca_file = section.text("ca_file").value_or("");
    if (mqtt.host.empty()) section.fail("\"host\" is missing, for example \"127.0.0.1\"");
    if (mqtt.topics.empty()) section.fail("\"topics\" are missing, for example [\"devices/+/telemetry\"]");
  }

  // MQTT numbers nothing for good, so a message that comes again can only be known by its content; but where
  // the content does not even tell the time, two equal readings are two events.
  void settle_mqtt_identity() {
    const auto timed = [this](const EventSpec& event) {
      return std::any_of(event.time.columns.begin(), event.time.columns.end(),
                         [this](ColumnId id) { return mapping_.columns[id.value()] != "$time"; });
    };
    const toml::table* rows = root_.table("rows");
    if (rows != nullptr && rows->contains("identity")) return;
    const bool content = std::all_of(mapping_.events.begin(), mapping_.events.end(), timed);
    if (content) mapping_.identity.kind = RowKey::Kind::kContent;
  }

  void read_format(const toml::Section& section, rows::FileSpec& file) {
    static const std::vector<std::string> kNames = {"csv", "ndjson", "log", "parquet", "xlsx"};
    const std::string name = section.text("format").value_or("csv");
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at == kNames.end()) {
      section.fail(*section.find("format"),
                   cat("format: ", text::list_of(kNames), " are known", text::did_you_mean(name, kNames)));
      return;
    }
    file.format = static_cast<rows::FileFormat>(at - kNames.begin());
  }

  static void read_quote(const toml::Section& section, rows::FileSpec& file) {
    const toml::node* node = section.find("quote");
    if (node == nullptr) return;
    if (node->is_boolean() && !node->as_boolean()->get()) {
      file.quote.reset();
    } else if (const auto quote = section.character("quote")) {
      file.quote = quote;
    }
  }

  static void read_pattern(const toml::Section& section, rows::FileSpec& file) {
    if (file.format != rows::FileFormat::kLog) return;
    const auto expression = section.text("pattern");
    if (!expression) {
      section.fail("log lines need a \"pattern\" with named groups, such as '(?P<ip>\\S+) …'");
      return;
    }
    auto pattern = text::Pattern::compile(*expression);
    if (pattern.ok()) {
      file.pattern = *std::move(pattern);
    } else {
      section.fail(*section.find("pattern"), message_of(pattern.status()));
    }
  }

  void read_rows() {
    const toml::table* table = root_.table("rows");
    if (table == nullptr) return;
    const toml::Section section(*table, "rows", errors_);
    section.allow({"identity", "keep", "skip", "number", "each"});
    if (const auto number = section.text("number")) values_.name_row_number(*number);
    if (const toml::node* node = section.find("keep")) mapping_.keep = values_.conditions(*node, "rows");
    if (const toml::node* node = section.find("skip")) mapping_.skip = values_.conditions(*node, "rows");
    const toml::node* identity = section.find("identity");
    if (identity == nullptr) return;
    const auto word = identity->value<std::string_view>();
    if (word == "content") {
      mapping_.identity.kind = RowKey::Kind::kContent;
    } else if (identity->is_array()) {
      mapping_.identity = {RowKey::Kind::kColumns, values_.columns(section, "identity")};
    } else if (word != "position") {
      section.fail(*identity, "identity: \"position\", \"content\" or a list of columns is expected");
    }
  }

  void read_events() {
    const toml::node* node = root_.find("event");
    if (node == nullptr) {
      root_.fail("there is no section [event] with the name of the event");
    } else if (const auto* one = node->as_table()) {
      read_event(*one);
    } else if (const auto* many = node->as_array()) {
      for (const toml::node& element : *many) {
        if (const auto* table = element.as_table()) {
          read_event(*table);
        } else {
          errors_.add(element, "[[event]]: a table is expected");
        }
      }
    } else {
      errors_.add(*node, "event: a section [event] is expected");
    }
  }

  void read_event(const toml::table& table) {
    const toml::Section section(table, "event", errors_);
    section.allow({"each", "type", "name", "channel", "when", "time", "identifiers", "properties", "traits",
                   "context"});
    EventSpec event;
    const toml::table* rows = root_.table("rows");
    const toml::node* each = section.find("each");
    if (each == nullptr && rows != nullptr) each = rows->get("each");
    if (each != nullptr) event.each = values_.begin_each(*each);
    read_type(section, event);
    if (const toml::node* node = section.find("name")) event.name = text_choice(*node, "name");
    if (const toml::node* node = section.find("channel")) event.channel = text_choice(*node, "channel");
    if (const toml::node* node = section.find("when")) event.when = values_.conditions(*node, "event");
    event.identifiers = fields(section, "identifiers");
    event.properties = fields(section, "properties");
    event.traits = fields(section, "traits");
    event.context = fields(section, "context");
    read_time(section, event.time);
    if (event.identifiers.empty()) {
      section.fail("there are no [identifiers]: say which column tells whose event it is");
    }
    values_.end_each();
    mapping_.events.push_back(std::move(event));
  }

  void read_type(const toml::Section& section, EventSpec& event) {
    const toml::node* node = section.find("type");
    if (node == nullptr) {
      Value track;
      track.from = Value::From::kConstant;
      track.constant_kind = rows::CellKind::kText;
      track.constant = "track";
      event.type = {track};
    } else {
      event.type = text_choice(*node, "type");
    }
    const Value& only = event.type.front();
    if (event.type.size() > 1 || only.from != Value::From::kConstant) return;
    const auto& types = event_types();
    if (std::find(types.begin(), types.end(), only.constant) == types.end()) {
      section.fail(
          *node, cat("type: ", text::list_of(types), " are known", text::did_you_mean(only.constant, types)));
    } else if (only.constant == "track" && !section.has("name")) {
      section.fail("a track event needs a \"name\"");
    }
  }

  Choice text_choice(const toml::node& node, const char* key) {
    const auto remember = [&](const toml::node& text) {
      if (text.is_string())
        mapping_.plain_texts.push_back({key, text.as_string()->get(), text.source().begin.line});
    };
    remember(node);
    if (const auto* list = node.as_array()) std::for_each(list->begin(), list->end(), remember);
    return values_.choice(node, "event", ValueText::PlainText::kConstant);
  }

  // Of the whole mapping, then of this event, which wins.
  std::vector<Field> fields(const toml::Section& event, const std::string& key) {
    std::vector<Field> out;
    add_fields(root_.table(key), key, out);
    add_fields(event.table(key), cat("event.", key), out);
    return out;
  }

  void add_fields(const toml::table* table, const std::string& where, std::vector<Field>& out) {
    if (table == nullptr) return;
    for (const auto& [key, node] : *table) {
      const std::string name(key.str());
      Field field{name, values_.choice(node, where, ValueText::PlainText::kColumn)};
      const auto same =
          std::find_if(out.begin(), out.end(), [&](const Field& other) { return other.name == name; });
      if (same == out.end()) {
        out.push_back(std::move(field));
      } else {
        *same = std::move(field);
      }
    }
  }

  void read_time(const toml::Section& event, TimeSpec& time) {
    const toml::table* table = event.table("time");
    if (table == nullptr) table = root_.table("time");
    if (table == nullptr) {
      event.fail(
          "there is no [time]: say which column tells when it happened, or, for a file without times, "
          "constant = \"2026-11-01\", file = \"modified\" or now = true");
      return;
    }
    const toml::Section section(*table, "time", errors_);
    section.allow({"column", "constant", "file", "now", "format", "zone", "from", "until"});
    if (section.has("column") + section.has("constant") + section.has("file") + section.has("now") != 1) {
      section.fail("a time needs exactly one of \"column\", \"constant\", \"file\" and \"now\"");
      return;
    }
    const auto zone = section.text("zone").value_or("UTC");
    TimeFormat::Spec spec{section.text("format").value_or("iso"), zone};
    time.columns = values_.columns(section, "column");
    if (section.has("file")) read_file_time(section, time, spec);
    auto format = TimeFormat::make(spec);
    if (!format.ok()) {
      const char* key = !is_time_zone(spec.zone) ? "zone" : section.has("file") ? "file" : "format";
      section.fail(*section.find(key), cat(key, ": ", message_of(format.status())));
      return;
    }
    time.format = *format;
    if (section.has("constant")) {
      time.where = TimeSpec::From::kConstant;
      time.constant = bound(section, "constant", zone).value_or(Instant());
    }
    if (section.has("now")) {
      time.where = TimeSpec::From::kArrival;
      if (!section.flag("now").value_or(true))
        section.fail(*section.find("now"), "now: only true has a meaning");
    }
    time.from = bound(section, "from", zone);
    time.until = bound(section, "until", zone);
  }

  // file = "modified", or the form in which the file's name has its date.
  void read_file_time(const toml::Section& section, TimeSpec& time, TimeFormat::Spec& spec) {
    if (mapping_.kafka || mapping_.mqtt) {
      section.fail(*section.find("file"), "file: messages come from no file; their time is \"$time\"");
    }
    const std::string form = section.text("file").value_or("modified");
    time.where = form == "modified" ? TimeSpec::From::kFileModified : TimeSpec::From::kFileName;
    if (form == "modified") return;
    if (form.find('%') == form.npos) {
      section.fail(*section.find("file"),
                   "file: \"modified\", or the form of the date in the file's name, such as \"%Y%m%d\"");
    }
    spec.format = form;
  }

  // A date or time in ISO spelling; without an offset it is a time in the column's zone.
  std::optional<Instant> bound(const toml::Section& section, const char* key, const std::string& zone) {
    const toml::node* node = section.find(key);
    if (node == nullptr) return std::nullopt;
    std::ostringstream text;
    if (const auto* date = node->as_date()) text << date->get();
    if (const auto* time = node->as_date_time()) text << time->get();
    if (const auto* quoted = node->as_string()) text << quoted->get();
    const auto format = TimeFormat::make({"iso", zone});
    const auto instant = format.ok() ? format->parse(text.str()) : std::nullopt;
    if (!instant)
      section.fail(*node, cat(key, ": a date or time such as 2026-11-22T10:00:00+08:00 is expected"));
    return instant;
  }

  Mapping mapping_;
  toml::Errors errors_;
  toml::Section root_;
  ValueText values_{mapping_, errors_};
};

}  // namespace

absl::StatusOr<Mapping> Mapping::parse(std::string_view toml, std::string_view name) {
  try {
    const toml::table root = toml::parse(toml);
    return MappingText(root, name).read();
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return failure(absl::StatusCode::kInvalidArgument, name, ":", where.line, ":", where.column, ": ",
                   error.description());
  }
}

std::vector<std::string> Mapping::warnings(const std::vector<std::string>& file_columns) const {
  std::vector<std::string> out;
  for (const PlainText& plain : plain_texts) {
    if (std::find(file_columns.begin(), file_columns.end(), plain.text) == file_columns.end()) continue;
    out.push_back(cat(name, ":", plain.line, ": ", plain.key, " = \"", plain.text, "\" makes \"", plain.text,
                      "\" the ", plain.key,
                      " of every event. The file has a column of this name: to take its value, write ",
                      plain.key, " = { column = \"", plain.text,
                      "\" }; if the text is meant, { constant = \"", plain.text, "\" } says so"));
  }
  return out;
}

absl::StatusOr<Mapping> Mapping::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return failure(absl::StatusCode::kNotFound, path, ": the mapping cannot be read");
  auto mapping = parse(text.str(), path);
  if (!mapping.ok()) return mapping;
  for (LookupSpec& lookup : mapping->lookups) {
    const auto beside = std::filesystem::path(path).parent_path() / lookup.path;
    auto table = LookupTable::read(lookup, beside);
    if (!table.ok()) {
      return failure(table.status().code(), path, ": [lookup.", lookup.name, "] ",
                     message_of(table.status()));
    }
    lookup.table = std::make_shared<const LookupTable>(*std::move(table));
  }
  return mapping;
}

}  // namespace kehu::mapping
