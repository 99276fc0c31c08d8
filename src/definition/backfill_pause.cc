#include "definition/backfill_pause.h"

#include "base/text.h"
#include "definition/project.h"
#include "json/document.h"

namespace kehu::definition {

std::string to_json(const BackfillPause& pause) {
  return cat("{\"paused\":", pause.paused ? "true" : "false", "}");
}

absl::StatusOr<Value> read_backfill_pause(std::string_view body) {
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  const auto paused = document->root().find("paused").as_bool();
  if (!paused) return absl::InvalidArgumentError("backfill definition: it needs `paused`, true or false");
  return Value(std::make_shared<const BackfillPause>(BackfillPause{*paused}));
}

absl::Status admit_backfill_pause(Candidate&, const Project&) { return absl::OkStatus(); }

bool is_backfill_paused(const Project& project) {
  const Version* version = project.find(kBackfillPause, "");
  return version != nullptr && static_cast<const BackfillPause*>(version->value.get())->paused;
}

}  // namespace kehu::definition
