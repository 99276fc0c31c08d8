// RocksDB alone: 400-byte values under random keys, its own log on, one sync per batch of 2,000.
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

int main() {
  constexpr int kBatch = 2000;
  const auto directory =
      std::filesystem::temp_directory_path() / ("kehu-yardstick-" + std::to_string(std::random_device{}()));
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  if (const auto status = rocksdb::DB::Open(options, directory.string(), &raw); !status.ok()) {
    std::fprintf(stderr, "rocksdb_yardstick: %s\n", status.ToString().c_str());
    return 1;
  }
  std::unique_ptr<rocksdb::DB> db(raw);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  std::mt19937_64 random(1);
  const std::string value(400, 'v');
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  uint64_t puts = 0;
  while (seconds < 5) {
    rocksdb::WriteBatch batch;
    for (int i = 0; i < kBatch; ++i) {
      const uint64_t key = random() % 1'000'000;
      (void)batch.Put({reinterpret_cast<const char*>(&key), sizeof(key)}, value);
    }
    if (!db->Write(synced, &batch).ok()) return 1;
    puts += kBatch;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::printf("rocksdb_puts_per_second             %12.0f  puts/s; 400 bytes, one sync per %d\n",
              static_cast<double>(puts) / seconds, kBatch);
  db.reset();
  std::filesystem::remove_all(directory);
  return 0;
}
