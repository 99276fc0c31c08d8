#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "duck/scan.h"
#include "model/ids.h"

namespace kehu::lake {

class Owners;

// A live data file of a table, as its Delta log describes it.
struct DataFile {
  std::string path;       // absolute
  std::string partition;  // month of the business day, "2026-11"; empty in tables without partitions
  uint64_t size = 0;
  uint64_t rows = 0;               // 0: unknown (an outside writer's file without statistics)
  int64_t first_time = INT64_MIN;  // micros, inclusive bounds of `time`; the widest when unknown
  int64_t last_time = INT64_MAX;
  Sequence last_sequence{UINT64_MAX};  // of its rows; the greatest when unknown
};

// The files of one version of a table. Immutable.
struct FileSet {
  uint64_t id = 0;  // differs between any two file sets of this process
  uint64_t version = 0;
  std::vector<std::shared_ptr<const DataFile>> files;
};

// One consistent state of the lake: each row exactly once, in `files` or in `tail`. Immutable; keeps the
// tail's memory alive, and is right until Kehu vacuums its files (LakeOptions::retention).
struct Snapshot {
  std::shared_ptr<const FileSet> events;
  std::shared_ptr<const FileSet> identity_log;
  std::vector<duck::ChunkPart> events_tail;
  std::vector<duck::ChunkPart> identity_tail;
  std::shared_ptr<const Owners> owners;
  Sequence moved;  // owners as of this position
};

}  // namespace kehu::lake
