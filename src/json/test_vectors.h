#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Conformance data that lies beside the checkout, not in it. For tests.
namespace kehu {

inline std::filesystem::path shared_vectors() {
  return std::filesystem::path(KEHU_SOURCE_DIR) / ".." / "shared" / "vectors";
}

inline std::string read_whole_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace kehu

#define KEHU_SKIP_WITHOUT(needed)                                                                       \
  if (!std::filesystem::exists(needed)) {                                                               \
    GTEST_SKIP() << "SKIPPED: conformance data is missing: " << std::filesystem::path(needed).string(); \
  }
