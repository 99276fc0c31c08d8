#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace kehu::document {

// Everybody who is in a segment as a Parquet file, with identifiers masked as in every document: customer_id,
// since, identifiers (docs/rules.md). It stands in the directory for temporary files as long as this lives.
// Memory is that of a page of members and of DuckDB's row group, however many there are.
class MembersFile {
 public:
  // On a thread that may wait: pages are looks on the apply thread. NotFound: there is no such segment.
  static absl::StatusOr<std::unique_ptr<MembersFile>> make(engine::Engine& engine, std::string_view segment);
  ~MembersFile();
  MembersFile(const MembersFile&) = delete;

  // Replaces `bytes` with the next ones; false: these were the last.
  absl::StatusOr<bool> read(std::string& bytes);

 private:
  explicit MembersFile(std::string base) : base_(std::move(base)) {}
  absl::Status write_rows(engine::Engine& engine, std::string_view segment);
  absl::Status convert(const std::string& temporary);
  std::string rows() const { return base_ + ".ndjson"; }
  std::string parquet() const { return base_ + ".parquet"; }

  const std::string base_;
  std::unique_ptr<os::File> file_;
  uint64_t at_ = 0;
};

}  // namespace kehu::document
