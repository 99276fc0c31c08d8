#pragma once

#include <memory>
#include <vector>

#include "delta/data_file.h"
#include "duck/scan.h"
#include "lake/tables.h"
#include "model/ids.h"

namespace kehu::lake {

class Owners;

// The rows of one table: each exactly once, in `files` or in `tail`.
struct TableSnapshot {
  std::shared_ptr<const delta::FileSet> files;
  std::vector<duck::ChunkPart> tail;
};

// One consistent state of the lake. Immutable; keeps the tails' memory alive, and is right until Kehu vacuums
// its files (LakeOptions::retention).
struct Snapshot {
  PerTable<TableSnapshot> tables;
  std::shared_ptr<const Owners> owners;
  Sequence moved;  // owners as of this position, which `owners` holds

  const TableSnapshot& events() const { return tables[TableId::kEvents]; }
};

}  // namespace kehu::lake
