#include "engine/archive_repair.h"

#include <algorithm>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"
#include "directory/tree_copy.h"
#include "engine/archive_rows.h"
#include "engine/words.h"
#include "log/reader.h"
#include "replica/last_moves.h"
#include "replica/replica.h"
#include "replica/segment_rows.h"

// Rows that the archive lacks are made from the log, in one of two ways (docs/decisions/fit.md). Which part
// an event belongs to depends on what identity knew at that moment, and the state of that moment is gone.
// While the log begins with record 1 it is made again in memory, and gives rows and moves as the first
// time. Behind a shorter log the part is what identity says today, checked against the parts that do hold
// events, and the customer is today's: right wherever somebody looks by present owner. Checkpoints of old
// positions would make that exact, too, but double the state for a case that no healthy machine meets.
namespace kehu::engine {

// Knows which customer has each part that holds events.
class PartOwners {
 public:
  explicit PartOwners(shard::Shard& shard) {
    status_ = shard.for_each_part([this](Token part, CustomerId customer) { owners_[part.hash] = customer; });
  }
  const absl::Status& status() const { return status_; }
  std::optional<CustomerId> find(Token part) const {
    const auto found = owners_.find(part.hash);
    return found == owners_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  absl::Status status_;
  absl::flat_hash_map<Hash128, CustomerId> owners_;
};

namespace {

// Slices are as long as the first time, because they give moves their positions; see Engine.
constexpr size_t kSlice = 1024;
constexpr size_t kScratchCacheBytes = 1 << 20;

// Visits the records of (after, up_to] in order.
template <class Visit>
absl::Status each_batch(os::FileSystem& files, const std::string& directory, Sequence after, Sequence up_to,
                        Visit&& visit) {
  auto reader = log::Reader::open(files, directory, after.next());
  if (!reader.ok()) return reader.status();
  log::Batch batch;
  std::vector<shard::LogRecord> records;
  while (true) {
    const auto more = reader->next(batch);
    if (!more.ok()) return more.status();
    if (!*more || batch.first_sequence() > up_to) return absl::OkStatus();
    records.clear();
    for (const log::RecordView record : batch) {
      if (record.sequence <= after || record.sequence > up_to) continue;
      records.push_back({record.sequence, record.kind, record.payload});
    }
    if (absl::Status status = visit(records, batch.tick()); !status.ok()) return status;
  }
}

}  // namespace

absl::Status ArchiveRepair::run(const Fit& fit, Sequence log_first) {
  return log_first == Sequence(1) ? replay_from_the_start() : work_out(fit);
}

absl::Status ArchiveRepair::replay_from_the_start() {
  const std::string scratch = cat(in_.directory.path(), "/", kRepairFolder);
  if (in_.files.exists(scratch)) {
    if (absl::Status status = remove_tree(in_.files, scratch); !status.ok()) return status;
  }
  absl::Status status;
  {
    auto empty = state::Database::open(scratch, kScratchCacheBytes);
    if (!empty.ok()) return empty.status();
    auto replica = Replica::open(**empty, in_.ring);
    if (!replica.ok()) return replica.status();
    // The archive may be ahead of the state, and then its moves are wanted up to there.
    status = replay_into(**replica, std::max(in_.database.position(), in_.lake.committed()));
  }
  status.Update(remove_tree(in_.files, scratch));
  return status;
}

absl::Status ArchiveRepair::replay_into(Replica& replica, Sequence up_to) {
  uint64_t done = 0;
  const auto visit = [&](const std::vector<shard::LogRecord>& all, Instant tick) {
    const absl::Span<const shard::LogRecord> records(all);
    for (size_t at = 0; at < records.size(); at += kSlice) {
      absl::Status status = archive_slice(replica, records.subspan(at, kSlice), tick);
      if (!status.ok()) return status;
    }
    done += records.size();
    if (in_.progress) in_.progress(done);
    return absl::OkStatus();
  };
  if (absl::Status status = each_batch(in_.files, in_.directory.log(), Sequence(0), up_to, visit);
      !status.ok())
    return status;
  return in_.lake.commit(up_to);
}

// Everything is handed to the lake from the first record on. It passes over what it has, by record number,
// so nothing counts twice.
absl::Status ArchiveRepair::archive_slice(Replica& replica, absl::Span<const shard::LogRecord> slice,
                                          Instant tick) {
  effects_.clear();
  if (absl::Status status = replica.apply(slice, tick, effects_); !status.ok()) return status;
  in_.lake.set_settings(replica.project()->settings());
  const auto moves = last_moves(effects_.moves, slice.back().sequence, tick);
  in_.lake.move(moves);
  const lake::TableRows other_rows = archive_rows(effects_);
  for (const lake::TableId table : lake::kAllTables) {
    if (!other_rows[table].empty()) in_.lake.append(table, other_rows[table]);
  }
  in_.lake.append(segment_rows(effects_));
  rows_.clear();
  const auto project = replica.project();
  for (const shard::Applied& applied : effects_.events) {
    rows_.push_back({.sequence = applied.sequence,
                     .customer = applied.customer,
                     .part = applied.part,
                     .source = project->name_of(applied.event->source),
                     .event = applied.event});
  }
  return append_rows(slice.back().sequence);
}

absl::Status ArchiveRepair::append_rows(Sequence up_to) {
  in_.lake.append(rows_);
  return in_.lake.full() ? in_.lake.commit(up_to) : absl::OkStatus();
}

absl::Status ArchiveRepair::work_out(const Fit& fit) {
  auto replica = Replica::open(in_.database, in_.ring);
  if (!replica.ok()) return replica.status();
  const PartOwners owners((*replica)->shard());
  absl::Status status = owners.status();
  status.Update((*replica)->reads());
  if (!status.ok()) return status;
  if (fit.memberships_missing) {
    status = restore_segment_log(**replica, in_.lake, in_.clock.now());
    if (!status.ok()) return status;
  }
  if (fit.moves_missing) {
    // This comes first, while the rows are those that the lost moves were about.
    status =
        in_.lake.restore_moves((*replica)->applied(), [&owners](Token part) { return owners.find(part); });
    if (!status.ok()) return status;
  }
  return fit.rows_missing ? work_out_rows(**replica, owners) : absl::OkStatus();
}

// Identity finds the part of an event by itself. What else it makes of the events counts for nothing,
// because the state knows them already: the state says who has a part. Where identity would choose a part
// that never got an event, it has learned since that an identifier is shared. Then the part is that of the
// strongest identifier that did get some.
absl::Status ArchiveRepair::work_out_rows(Replica& replica, const PartOwners& owners) {
  const auto project = replica.project();
  const Sequence state = replica.applied();
  std::vector<shard::LogRecord> events;
  uint64_t done = 0;
  const auto visit = [&](const std::vector<shard::LogRecord>& records, Instant tick) {
    events.clear();
    for (const shard::LogRecord& record : records) {
      if (record.kind == RecordKind::kEvent) events.push_back(record);
    }
    effects_.clear();
    absl::Status status = replica.shard().apply(events, tick, effects_);
    status.Update(replica.reads());
    if (!status.ok()) return status;
    rows_.clear();
    for (const shard::Applied& applied : effects_.events) {
      Token part = applied.part;
      for (const Identifier& identifier : applied.event->identifiers) {
        if (applied.customer.hash.is_zero() || owners.find(part)) break;
        if (identifier.left_out == LeftOut::kNo && owners.find(identifier.token)) part = identifier.token;
      }
      rows_.push_back({.sequence = applied.sequence,
                       .customer = owners.find(part).value_or(applied.customer),
                       .part = part,
                       .source = project->name_of(applied.event->source),
                       .event = applied.event});
    }
    done += records.size();
    if (in_.progress) in_.progress(done);
    if (records.empty()) return absl::OkStatus();
    return append_rows(records.back().sequence);
  };
  if (absl::Status status = each_batch(in_.files, in_.directory.log(), in_.lake.committed(), state, visit);
      !status.ok())
    return status;
  return in_.lake.commit(state);
}

// Directories of older kehus do not say what the archive must have, so the log is read for it, as far as it
// reaches back.
absl::StatusOr<ArchiveNeeds> needs_by_log(os::FileSystem& files, const std::string& log_directory,
                                          const Positions& at) {
  ArchiveNeeds needs;
  const Sequence after = std::max(at.archive_rows, Sequence(at.log_first.value() - 1));
  if (after >= at.state) return needs;
  absl::Status status = each_batch(files, log_directory, after, at.state,
                                   [&needs](const std::vector<shard::LogRecord>& records, Instant) {
                                     for (const shard::LogRecord& record : records) {
                                       if (record.kind == RecordKind::kEvent) needs.rows = record.sequence;
                                     }
                                     return absl::OkStatus();
                                   });
  if (!status.ok()) return status;
  // Rows that are missing were of another archive, whose moves are missing, too.
  needs.moves = needs.rows;
  return needs;
}

}  // namespace kehu::engine
