#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "definition/kind.h"

namespace kehu::definition {

// Whether back-fills rest (docs/rules.md): one definition of the project, so that it outlives a restart.
struct BackfillPause {
  bool paused = false;
};

std::string to_json(const BackfillPause& pause);
absl::StatusOr<Value> read_backfill_pause(std::string_view body);
// Whatever the project was, back-fills may rest.
absl::Status admit_backfill_pause(Candidate& candidate, const Project& project);
bool is_backfill_paused(const Project& project);

}  // namespace kehu::definition
