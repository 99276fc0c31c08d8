#include "directory/demo_file.h"

#include "base/crc32c.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "os/whole_file.h"

namespace kehu::directory {
namespace {

std::string demo_path(const std::string& directory) { return directory + "/demo.json"; }

struct DemoTexts {
  std::string plain;  // as older versions wrote it
  std::string sealed;
};

DemoTexts texts_of(const DemoFile& demo) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("seed", demo.seed).field("customers", demo.customers);
  writer.field("start", demo.start.micros()).field("days", demo.days);
  const std::string plain = text + "}";
  writer.field("crc32c", crc32c(text)).end_object();
  return {.plain = plain, .sealed = text};
}

}  // namespace

absl::StatusOr<std::optional<DemoFile>> read_demo_file(os::FileSystem& files, const std::string& directory) {
  const std::string path = demo_path(directory);
  if (!files.exists(path)) return std::nullopt;
  const auto text = os::read_whole_file(files, path);
  if (!text.ok()) return text.status();
  const auto document = json::Document::parse(*text);
  const auto number = [&](const char* name) {
    return document.ok() ? document->root().find(name).as_int() : std::nullopt;
  };
  const auto seed = number("seed"), customers = number("customers"), start = number("start"),
             days = number("days");
  if (seed && customers && start && days) {
    const DemoFile demo{.seed = static_cast<uint64_t>(*seed),
                        .customers = static_cast<uint32_t>(*customers),
                        .start = Instant(*start),
                        .days = static_cast<int>(*days)};
    const DemoTexts texts = texts_of(demo);
    if (*text == texts.sealed || *text == texts.plain) return demo;
  }
  return failure(absl::StatusCode::kDataLoss, path,
                 " is damaged: restore it, or start a new demo in another directory");
}

absl::Status write_demo_file(os::FileSystem& files, const std::string& directory, const DemoFile& demo) {
  return os::replace_whole_file(files, demo_path(directory), texts_of(demo).sealed);
}

}  // namespace kehu::directory
