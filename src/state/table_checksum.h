#pragma once

#include <rocksdb/file_checksum.h>

#include <memory>
#include <string>

namespace kehu::state {

// CRC-32C of a table file by our own hardware version; RocksDB's may be the portable one, which takes ten
// times as long.
class TableChecksumFactory : public rocksdb::FileChecksumGenFactory {
 public:
  static constexpr char kName[] = "FileChecksumCrc32c";  // RocksDB's name of the same sum

  std::unique_ptr<rocksdb::FileChecksumGenerator> CreateFileChecksumGenerator(
      const rocksdb::FileChecksumGenContext& context) override;
  const char* Name() const override { return "kehu"; }
};

}  // namespace kehu::state
