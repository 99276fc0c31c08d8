#include "state/table_checksum.h"

#include "base/crc32c.h"

namespace kehu::state {
namespace {

class Generator : public rocksdb::FileChecksumGenerator {
 public:
  void Update(const char* data, size_t size) override { crc_ = crc32c({data, size}, crc_); }
  void Finalize() override {
    for (int shift = 24; shift >= 0; shift -= 8) sum_.push_back(static_cast<char>(crc_ >> shift));
  }
  std::string GetChecksum() const override { return sum_; }
  const char* Name() const override { return TableChecksumFactory::kName; }

 private:
  uint32_t crc_ = 0;
  std::string sum_;
};

}  // namespace

std::unique_ptr<rocksdb::FileChecksumGenerator> TableChecksumFactory::CreateFileChecksumGenerator(
    const rocksdb::FileChecksumGenContext& context) {
  const bool other =
      !context.requested_checksum_func_name.empty() && context.requested_checksum_func_name != kName;
  return other ? nullptr : std::make_unique<Generator>();
}

}  // namespace kehu::state
