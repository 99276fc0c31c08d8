#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "definition/imported_files.h"
#include "definition/project.h"
#include "replica/definitions.h"
#include "replica/rejections.h"
#include "replica/stores.h"
#include "seal/key_ring.h"
#include "shard/shard.h"
#include "state/database.h"

namespace kehu::replica {

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

// What the archive must have when the state is at some position: positions of records, at or below it.
struct ArchiveNeeds {
  Sequence rows;              // the last record that is a row of `events`
  Sequence moves;             // the last one behind which parts had moved
  Sequence memberships = {};  // the last one that is a row of `segment_log`
  auto operator<=>(const ArchiveNeeds&) const = default;
};
// Of the last checkpoint; nullopt when a kehu wrote it that did not keep them.
absl::StatusOr<std::optional<ArchiveNeeds>> archive_needs(const state::Database& database);

// Everything that the log's records have made so far: customers, identities, definitions, keys, quarantine.
// State is a function of the log: the live engine, recovery and a fresh replay all call apply() with the same
// records and hold the same state.
//
// One owner thread, but for project(), which any thread may call.
class Replica {
 public:
  // Continues from the database's last checkpoint. Both outlive the replica. DataLoss when anything that is
  // read here is damaged.
  static absl::StatusOr<std::unique_ptr<Replica>> open(state::Database& database, seal::KeyRing& ring);

  // The last applied record.
  Sequence applied() const { return applied_; }
  Instant tick() const { return tick_; }
  // The last record that says how late it is; zero when there was none.
  struct LastTick {
    Sequence sequence;
    Instant time;
  };
  const LastTick& last_tick() const { return last_tick_; }
  // The last record that did more than say that time went on.
  Sequence last_work() const { return last_work_; }

  // The next records, without a gap. Not OK: what is in memory is worthless, open again.
  absl::Status apply(absl::Span<const shard::LogRecord> records, Instant tick, shard::Effects& effects);

  shard::Shard& shard() { return shard_; }
  const Rejections& rejections() const { return rejections_; }
  std::shared_ptr<const definition::Project> project() const { return definitions_.project(); }
  Definitions& definitions() { return definitions_; }
  const Totals& totals() const { return totals_; }
  // OK, or the first failure of a read from the database: what was computed or shown behind it may be wrong.
  absl::Status reads() const { return stores_.reads(); }
  std::vector<AuditEntry> audit();

  // A checkpoint freezes the state at applied() and is copied in steps between applies; see state/store.h.
  void begin_checkpoint();
  bool copy_some(size_t keys) { return stores_.copy_some(keys); }
  struct Checkpoint {
    Sequence position;
    std::unique_ptr<state::Changes> changes;
  };
  Checkpoint take_checkpoint();
  void finish_checkpoint(bool written) { stores_.finish_checkpoint(written); }

  const Stores& stores() const { return stores_; }
  Stores& stores() { return stores_; }

 private:
  Replica(state::Database& database, seal::KeyRing& ring);
  void use_project();
  void use_checks(Sequence position);
  void use_lists(Sequence position);
  void use_rules(Sequence position, std::vector<membership::RuleVersion> older = {});
  std::vector<membership::RuleVersion> older_rules();
  absl::Status load_keys();
  void load_totals();
  void save_totals();
  absl::Status apply_other(const shard::LogRecord& record, Instant tick);
  absl::Status apply_definition(const shard::LogRecord& record, Instant tick, shard::Effects& effects);
  void note_work(absl::Span<const shard::LogRecord> records, const shard::Effects& effects);
  void note_needs(const shard::Effects& effects);

  seal::KeyRing& ring_;
  Stores stores_;
  state::Store &keys_, &audit_, &totals_store_;  // of stores_
  Rejections rejections_;
  Definitions definitions_;
  shard::Shard shard_;
  Totals totals_;
  ArchiveNeeds needs_;
  Sequence applied_;
  Instant tick_;
  LastTick last_tick_;
  Sequence last_work_;
  Checkpoint checkpoint_;
};

}  // namespace kehu::replica
