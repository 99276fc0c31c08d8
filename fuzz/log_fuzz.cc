#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/crc32c.h"
#include "log/batch_format.h"
#include "log/check.h"
#include "log/reader.h"
#include "log/writer.h"
#include "os/memory_file_system.h"

namespace {

using namespace kehu;

// A mutation never hits a checksum by chance, so wherever something looks like a batch, its place and its
// checksum are put right. Then the fields behind them are read.
void mend(std::string& segment, uint32_t number) {
  for (size_t at = 0; at + log::kBatchHeaderBytes <= segment.size(); at += log::kBatchAlignment) {
    log::BatchHeader header;
    std::memcpy(&header, segment.data() + at, sizeof(header));
    if (header.magic != log::kBatchMagic || header.size < sizeof(header)) continue;
    if (header.size > segment.size() - at) continue;
    header.log_id = 1;
    header.segment = number;
    header.offset = static_cast<uint32_t>(at);
    std::memcpy(segment.data() + at, &header, sizeof(header));
    const std::string_view batch(segment.data() + at, header.size);
    header.crc =
        crc32c(batch.substr(sizeof(header)), crc32c(batch.substr(0, offsetof(log::BatchHeader, crc))));
    std::memcpy(segment.data() + at, &header, sizeof(header));
  }
}

void put(os::FileSystem& files, const char* path, std::string_view content) {
  auto file = files.open(path, os::OpenMode::kCreateNew);
  if (!file.ok() || !(*file)->append(content).ok()) std::abort();
}

// Touches every byte, so that the sanitizer sees one that is not the reader's.
size_t read_all(os::FileSystem& files) {
  size_t total = 0;
  auto reader = log::Reader::open(files, "log", Sequence(0));
  if (!reader.ok()) return total;
  log::Batch batch;
  for (auto more = reader->next(batch); more.ok() && *more; more = reader->next(batch)) {
    for (const log::RecordView record : batch) {
      for (const char byte : record.payload) total += static_cast<uint8_t>(byte);
    }
  }
  return total;
}

}  // namespace

// Any bytes as two segments, the mark of orderly close and a sidecar: reading ends, with an error or without,
// and where check() finds nothing wrong a writer can go on. The first byte says how to cut them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t cut = std::min<size_t>((data[0] & 15u) * log::kBatchAlignment, bytes.size());
  std::string first(bytes.substr(0, cut)), second(bytes.substr(cut));
  if (data[0] & 16) mend(first, 1);
  if (data[0] & 16) mend(second, 2);
  os::MemoryFileSystem files;
  if (!files.create_directories("log").ok()) std::abort();
  put(files, "log/0000000001.log", first);
  put(files, "log/0000000002.log", second);
  if (data[0] & 32) put(files, "log/closed", bytes.substr(0, 40));
  if (data[0] & 64) put(files, "log/0000000001.keys", bytes);

  const size_t total = read_all(files);
  const auto report = log::check(files, "log");
  if (!report.ok() || !report->sound()) return static_cast<int>(total & 0);
  auto writer = log::Writer::open(files, {.directory = "log",
                                          .segment_bytes = 4096,
                                          .preparation = log::Options::Preparation::kWhenNeeded,
                                          .log_id = 1});
  log::BatchBuilder builder;
  if (!writer.ok() || !(*writer)->commit(builder, Instant(1)).ok()) std::abort();
  return 0;
}
