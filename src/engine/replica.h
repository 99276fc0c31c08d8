#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/project.h"
#include "engine/rejections.h"
#include "seal/key_ring.h"
#include "shard/shard.h"
#include "state/database.h"
#include "state/store.h"

namespace kehu::engine {

// A person looked at a sealed value.
struct AuditEntry {
  Sequence sequence;
  Instant time;
  CustomerId customer;
  std::string field;
  std::string reason;
  std::string actor;
};

// What has happened so far, in numbers that every page shows.
struct Totals {
  uint64_t events = 0;
  int64_t customers = 0;
  uint64_t rejections = 0;
};

// Everything that the log's records have made so far: customers, identities, definitions, keys, quarantine.
// State is a function of the log: the live engine, recovery and a fresh replay all call apply() with the same
// records and hold the same state.
//
// One owner thread, but for project(), which any thread may call.
class Replica {
 public:
  // Continues from the database's last checkpoint. Both outlive the replica.
  static absl::StatusOr<std::unique_ptr<Replica>> open(state::Database& database, seal::KeyRing& ring);

  // The last applied record.
  Sequence applied() const { return applied_; }
  Instant tick() const { return tick_; }

  // The next records, without a gap. Not OK: what is in memory is worthless, open again.
  absl::Status apply(absl::Span<const shard::LogRecord> records, Instant tick, shard::Effects& effects);

  shard::Shard& shard() { return shard_; }
  const Rejections& rejections() const { return rejections_; }
  std::shared_ptr<const Project> project() const;
  const Totals& totals() const { return totals_; }
  std::vector<AuditEntry> audit();

  // A checkpoint freezes the state at applied() and is copied in steps between applies; see state/store.h.
  void begin_checkpoint();
  bool copy_some(size_t keys);
  struct Checkpoint {
    Sequence position;
    std::unique_ptr<state::Changes> changes;
  };
  Checkpoint take_checkpoint();
  void finish_checkpoint(bool written);

  size_t memory_bytes() const;
  size_t dirty_blobs() const;
  // Drops clean blobs until the stores take at most `bytes`.
  void shrink_to(size_t bytes);

 private:
  Replica(state::Database& database, seal::KeyRing& ring, std::shared_ptr<const Settings> settings);
  absl::Status load_definitions();
  absl::Status load_keys();
  void load_totals();
  absl::Status apply_other(const shard::LogRecord& record, Instant tick);
  absl::Status apply_definition(const shard::LogRecord& record);
  absl::Status define(std::string_view kind, std::string_view body);
  void publish(std::shared_ptr<const Project> project);
  template <class Visit>
  void each_store(Visit&& visit);

  seal::KeyRing& ring_;
  state::Store nodes_, groups_, customers_, names_, keys_, rejected_, definitions_, audit_, totals_store_;
  Rejections rejections_;
  mutable std::mutex project_mutex_;
  std::shared_ptr<const Project> project_;
  shard::Shard shard_;
  Totals totals_;
  Sequence applied_;
  Instant tick_;
  Checkpoint checkpoint_;
};

}  // namespace kehu::engine
