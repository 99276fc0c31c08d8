#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "log/check.h"
#include "log/reader.h"
#include "log/writer.h"
#include "os/memory_file_system.h"

// Any bytes as a segment, as its successor and as the mark of orderly close: reading ends, with an error or without;
// what the reader gives is inside the batch; and where check() finds nothing wrong, a writer can go on.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kehu;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = size == 0 ? 0 : bytes[0] * size_t{64} % size;
  os::MemoryFileSystem files;
  if (!files.create_directories("log").ok()) std::abort();
  const auto put = [&files](const char* path, std::string_view content) {
    auto file = files.open(path, os::OpenMode::kCreateNew);
    if (!file.ok() || !(*file)->append(content).ok()) std::abort();
  };
  put("log/0000000001.log", bytes.substr(0, cut));
  put("log/0000000002.log", bytes.substr(cut));
  if (size % 7 == 0) put("log/closed", bytes.substr(0, 40));

  size_t total = 0;
  if (auto reader = log::Reader::open(files, "log", Sequence(0)); reader.ok()) {
    log::Batch batch;
    for (auto more = reader->next(batch); more.ok() && *more; more = reader->next(batch)) {
      for (const log::RecordView record : batch) {
        for (const char byte : record.payload) total += static_cast<uint8_t>(byte);
      }
    }
  }
  const auto report = log::check(files, "log");
  if (!report.ok() || !report->sound()) return static_cast<int>(total & 0);
  auto writer = log::Writer::open(files, {.directory = "log",
                                          .segment_bytes = 4096,
                                          .preparation = log::Options::Preparation::kWhenNeeded,
                                          .log_id = 1});
  log::BatchBuilder builder;
  if (writer.ok() && !(*writer)->commit(builder, Instant(1)).ok()) std::abort();
  return 0;
}
