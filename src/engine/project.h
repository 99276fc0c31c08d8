#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"
#include "seal/envelope.h"

namespace kehu::engine {

// A write key of a source as it is kept: never the key, only its keyed hash and what a person needs to
// recognise it.
struct WriteKey {
  Hash128 hash;
  std::string hint;  // its first characters, "kwk_3f9a…"
  Instant created;
  std::optional<Instant> revoked;
};

// Where events come from: one app, site, import or partner.
struct Source {
  static constexpr int64_t kEventsPerSecondMax = 1'000'000'000;

  SourceId id;
  std::string name;  // unique in the project
  Channel channel = Channel::kUnknown;
  bool enabled = true;
  // What is let in of it; 0 = no limit.
  uint32_t events_per_second = 0;
  uint32_t events_per_second_per_address = 0;  // of each sender's address
  std::vector<WriteKey> keys;
};

std::string to_json(const Source& source);
absl::StatusOr<Source> parse_source(std::string_view json);

std::string to_json(const seal::EnvelopeKey& key);
absl::StatusOr<seal::EnvelopeKey> parse_envelope_key(std::string_view json);

// A project's definitions at one moment. Immutable and shared: requests work with the one they started with.
class Project {
 public:
  static constexpr ProjectId kDefault{1};

  Project(std::shared_ptr<const Settings> settings, std::vector<Source> sources,
          std::vector<seal::EnvelopeKey> envelope_keys = {});

  const std::shared_ptr<const Settings>& settings() const { return settings_; }
  const std::vector<Source>& sources() const { return sources_; }
  // By version; clients are given the last.
  const std::vector<seal::EnvelopeKey>& envelope_keys() const { return envelope_keys_; }

  // The enabled source that a write key's hash opens; nullptr when there is none.
  const Source* source_of_key(const Hash128& hash) const;
  const Source* find(SourceId id) const;
  const Source* find(std::string_view name) const;
  // The name of a source for people; empty when there is none of this id.
  std::string_view name_of(SourceId id) const;
  SourceId next_source_id() const;

  std::shared_ptr<const Project> with(std::shared_ptr<const Settings> settings) const;
  std::shared_ptr<const Project> with(Source source) const;
  std::shared_ptr<const Project> with(seal::EnvelopeKey key) const;

 private:
  std::shared_ptr<const Settings> settings_;
  std::vector<Source> sources_;  // by id
  std::vector<seal::EnvelopeKey> envelope_keys_;
  absl::flat_hash_map<Hash128, size_t> by_key_;
};

}  // namespace kehu::engine
