#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "log/reader.h"
#include "log/writer.h"
#include "os/memory_file_system.h"

// A small log in memory for the tests of this folder.
namespace kehu::log {

inline constexpr uint64_t kTestLogId = 0x1122334455667788;

inline Options small_log(uint64_t retention_segments = 100) {
  return {.directory = "log",
          .segment_bytes = 4096,
          .retention_bytes = retention_segments * 4096,
          .preparation = Options::Preparation::kWhenNeeded,
          .packed_min = 1200,
          .log_id = kTestLogId};
}

// What a record of this sequence holds: 1 to 700 bytes that no other record begins with.
inline std::string payload_of(uint64_t sequence) {
  std::string text = std::to_string(sequence) + ":";
  text.append(sequence * 7919 % 700, static_cast<char>('a' + sequence % 26));
  return text;
}

inline absl::Status append_records(Writer& writer, uint32_t count) {
  BatchBuilder builder;
  const uint64_t first = writer.next_sequence().value();
  for (uint32_t i = 0; i < count; ++i) builder.add(RecordKind::kEvent, payload_of(first + i));
  return writer.commit(builder, Instant::from_seconds(static_cast<int64_t>(first)));
}

// The sequence after the last record that can be read; checks that every record is what payload_of says.
// Starts at the oldest.
inline absl::StatusOr<Sequence> read_all(os::FileSystem& files, std::vector<uint64_t>* sequences = nullptr) {
  auto reader = Reader::open(files, "log", Sequence(0));
  if (!reader.ok()) return reader.status();
  Sequence end(1);
  Batch batch;
  while (true) {
    const auto more = reader->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return end;
    for (const RecordView record : batch) {
      EXPECT_EQ(record.payload, payload_of(record.sequence.value()));
      EXPECT_EQ(record.kind, RecordKind::kEvent);
      if (sequences) sequences->push_back(record.sequence.value());
    }
    end = batch.end_sequence();
  }
}

}  // namespace kehu::log
