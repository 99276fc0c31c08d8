#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/record.h"
#include "fields/policy.h"
#include "intake/sender.h"
#include "seal/door.h"
#include "seal/key_ring.h"
#include "seal/opener.h"
#include "seal/project_key.h"

namespace kehu::intake {

// A project with default settings, a key and a door, as intake threads have them. For tests, benchmarks and
// fuzzers.
struct TestDoor {
  static constexpr ProjectId kProject = ProjectId(1);

  explicit TestDoor(std::shared_ptr<const Settings> with = std::make_shared<Settings>(Settings::defaults()))
      : settings(std::move(with)),
        key(*seal::ProjectKey::from_bytes(std::string(seal::ProjectKey::kBytes, 'k'))),
        ring(key, settings->cipher, [this](char* bytes, size_t size) { fill(bytes, size); }),
        door(kProject, key, *settings, ring),
        policy(settings) {
    sender.policy = &policy;
    sender.door = &door;
    sender.project = kProject;
    sender.source = SourceId(7);
    sender.default_channel = Channel::kServer;
    sender.received_at = Instant::from_seconds(1'795'308'600);  // 2026-11-22T00:50:00Z
    sender.remote_ip = "203.0.113.9";
    sender.origin = "/v1/batch";
  }

  // Not random: the same keys in every run.
  void fill(char* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      bytes[i] = static_cast<char>(state >> 56);
    }
  }

  std::shared_ptr<const Settings> settings;
  uint64_t state = 42;
  seal::ProjectKey key;
  seal::KeyRing ring;
  seal::Door door;
  fields::Policy policy;
  Sender sender;
};

}  // namespace kehu::intake
