#include "toml/to_json.h"

#include <sstream>

#include "base/text.h"
#include "json/writer.h"
#include "toml/section.h"

namespace kehu::toml {
namespace {

void write(const toml::node& node, json::Writer& writer);

void write(const toml::table& table, json::Writer& writer) {
  writer.begin_object();
  for (const auto& [key, value] : table) {
    writer.key(key.str());
    write(value, writer);
  }
  writer.end_object();
}

void write(const toml::array& array, json::Writer& writer) {
  writer.begin_array();
  for (const toml::node& value : array) write(value, writer);
  writer.end_array();
}

template <class Time>
void write_time(const Time& time, json::Writer& writer) {
  std::ostringstream text;
  text << time;
  writer.value(text.str());
}

void write(const toml::node& node, json::Writer& writer) {
  if (const auto* table = node.as_table()) return write(*table, writer);
  if (const auto* array = node.as_array()) return write(*array, writer);
  if (const auto text = node.value_exact<std::string_view>()) {
    writer.value(*text);
  } else if (const auto integer = node.value_exact<int64_t>()) {
    writer.value(*integer);
  } else if (const auto flag = node.value_exact<bool>()) {
    writer.value(*flag);
  } else if (const auto number = node.value_exact<double>()) {
    writer.value(*number);
  } else if (const auto date = node.value_exact<toml::date>()) {
    write_time(*date, writer);
  } else if (const auto time = node.value_exact<toml::time>()) {
    write_time(*time, writer);
  } else if (const auto moment = node.value_exact<toml::date_time>()) {
    write_time(*moment, writer);
  }
}

}  // namespace

absl::StatusOr<std::string> to_json(std::string_view text, std::string_view file) {
  try {
    const toml::table table = toml::parse(text);
    std::string out;
    json::Writer writer(out);
    write(table, writer);
    return out;
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return failure(absl::StatusCode::kInvalidArgument, file, ":", at.line, ":", at.column, ": ",
                   std::string(error.description()));
  }
}

}  // namespace kehu::toml
