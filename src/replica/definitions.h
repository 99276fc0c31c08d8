#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "definition/project.h"
#include "shard/shard.h"
#include "state/store.h"

namespace kehu::replica {

// The settings of the last checkpoint, for what must be known before anything else is read; nullptr when
// there is none.
absl::StatusOr<std::shared_ptr<const Settings>> stored_settings(const state::Database& database);

// Every version of every definition, as the log's records made them. One owner thread, but for project().
class Definitions {
 public:
  explicit Definitions(state::Store& store);

  // What the store holds, which is the state at `position`. A directory of format 1 has only the last
  // versions, and not where they were made: they become versions made at `position`.
  absl::Status load(Sequence position);

  // The next record of the kind. The inner error: it is refused, and changes nothing. The outer one: what it
  // says was in force once and cannot be read.
  absl::StatusOr<absl::StatusOr<definition::Project::Next>> apply(const shard::LogRecord& record,
                                                                  Instant time);

  // Any thread.
  std::shared_ptr<const definition::Project> project() const;

  // The versions of one kind, newest first: of all names or, when it is given, of one. Reads all of them.
  std::vector<definition::NamedVersion> versions(std::string_view kind, std::optional<std::string_view> name);
  // Those of all kinds that records behind `position` made, oldest first. DataLoss when one cannot be read.
  absl::StatusOr<std::vector<definition::NamedVersion>> versions_behind(Sequence position) const;

 private:
  void keep(const definition::NamedVersion& named);
  void publish(std::shared_ptr<const definition::Project> project);

  state::Store& store_;
  mutable std::mutex mutex_;
  std::shared_ptr<const definition::Project> project_;
};

}  // namespace kehu::replica
