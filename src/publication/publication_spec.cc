#include "publication/publication_spec.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "feed/kafka_section.h"

namespace kehu::publication {
namespace {

PublicationSpec::Start start_of(const toml::Section& section) {
  const std::string word = section.text("start").value_or("beginning");
  if (word != "beginning" && word != "now") {
    section.fail(*section.find("start"), "start: \"beginning\" or \"now\" is expected");
  }
  return word == "now" ? PublicationSpec::Start::kNow : PublicationSpec::Start::kBeginning;
}

// Figures carry the name.
bool can_be_label(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
}

PublicationSpec read(const toml::Section& section, toml::Errors& errors) {
  section.allow({"brokers", "events", "changes", "start", "properties"});
  PublicationSpec spec;
  spec.brokers = feed::kafka_brokers(section);
  spec.events = section.text("events").value_or("");
  spec.changes = section.text("changes").value_or("");
  spec.start = start_of(section);
  spec.properties = feed::kafka_properties(section, errors);
  if (spec.events.empty() && spec.changes.empty()) {
    section.fail(R"(a topic is missing: "events", "changes", or both)");
  } else if (spec.events == spec.changes) {
    section.fail("events and changes need a topic each");
  }
  return spec;
}

}  // namespace

absl::StatusOr<PublicationSpec> parse_publication(std::string_view text, std::string_view file) {
  try {
    const toml::table root = toml::parse(text);
    toml::Errors errors(file);
    const toml::Section top(root, "", errors);
    top.allow({"kafka"});
    const toml::table* kafka = top.table("kafka");
    if (errors.any()) return errors.status();
    if (kafka == nullptr) {
      return failure(absl::StatusCode::kInvalidArgument, file, ": there is no section [kafka]");
    }
    PublicationSpec spec = read(toml::Section(*kafka, "kafka", errors), errors);
    if (errors.any()) return errors.status();
    spec.name = std::filesystem::path(file).stem().string();
    if (!can_be_label(spec.name)) {
      return failure(
          absl::StatusCode::kInvalidArgument, file,
          ": the file's name is that of the publication, and must not have quotes in it: rename it");
    }
    return spec;
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return failure(absl::StatusCode::kInvalidArgument, file, ":", where.line, ":", where.column, ": ",
                   error.description());
  }
}

absl::StatusOr<PublicationSpec> load_publication(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return failure(absl::StatusCode::kNotFound, path, ": the publication cannot be read");
  return parse_publication(text.str(), path);
}

}  // namespace kehu::publication
