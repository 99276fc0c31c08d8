#pragma once

#include <mutex>
#include <random>
#include <string>

#include "base/check.h"
#include "seal/key_ring.h"
#include "seal/project_key.h"

// What the tests of this folder share: a project key and random bytes that are the same in every run.
namespace kehu::seal {

inline ProjectKey test_project_key(char filler = 'k') {
  auto key = ProjectKey::from_bytes(std::string(ProjectKey::kBytes, filler));
  KEHU_CHECK(key.ok());
  return *key;
}

inline RandomBytes seeded_bytes(uint64_t seed) {
  struct Source {
    std::mutex mutex;
    std::mt19937_64 random;
  };
  auto source = std::make_shared<Source>();
  source->random.seed(seed);
  return [source](char* bytes, size_t size) {
    const std::lock_guard lock(source->mutex);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(source->random());
  };
}

inline std::string random_text(std::mt19937_64& random, size_t size_max) {
  std::string text(random() % (size_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

}  // namespace kehu::seal
