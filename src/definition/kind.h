#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "definition/version.h"

namespace kehu::definition {

class Project;

inline constexpr std::string_view kSettings = "settings";
inline constexpr std::string_view kSource = "source";
inline constexpr std::string_view kSegment = "segment";
inline constexpr std::string_view kTag = "tag";
inline constexpr std::string_view kCheck = "check";
inline constexpr std::string_view kList = "list";
inline constexpr std::string_view kListUploads = "list_uploads";
inline constexpr std::string_view kEnvelopeKey = "envelope_key";
inline constexpr std::string_view kWebhook = "webhook";
inline constexpr std::string_view kBackfillPause = "backfill";
// No definitions of the table: what was in force once, until a revision (directory/revision.h)…
inline constexpr std::string_view kFormerSettings = "former_settings";
// …and a register of its own (imported_files.h), of which only the last version is kept.
inline constexpr std::string_view kImportedFile = "imported_file";

// A definition that somebody asks for.
struct Candidate {
  std::string_view name;
  std::string body;                 // as asked for; admission may complete it
  Value value;                      // of that body
  const Version* before = nullptr;  // which it replaces; nullptr: it is new, or was deleted
};

// Everything that differs between kinds of definitions. A new kind is one more row of the table.
struct Kind {
  std::string_view name;  // in records: never change it
  bool single = false;    // a project has exactly one, without a name
  bool deletable = false;
  int format = 1;  // of data directories (directory/data_directory.h): kehus of older ones do not know it

  // A body that was admitted once is read for ever: stricter rules belong into `admit`. InvalidArgument says
  // what is wrong and where.
  absl::StatusOr<Value> (*parse)(std::string_view body) = nullptr;
  // Whether it may stand beside the other definitions of the project; completes body and value. Errors say
  // why not, and what to do.
  absl::Status (*admit)(Candidate& candidate, const Project& project) = nullptr;
  // Whether all definitions agree once a record with one of this kind holds: what one names is there. Also
  // asked behind deletions. FailedPrecondition says who needs what.
  absl::Status (*agree)(const Project& project) = nullptr;

  // As files of a directory (`kehu export`): "sources" is a folder with a file for each, and "settings" the
  // file itself of a single one. Empty: secrets and registers, which stay inside.
  std::string_view files = {};
  std::string (*to_file)(const Version& version) = nullptr;
  // The body that a file asks for.
  absl::StatusOr<std::string> (*from_file)(std::string_view name, std::string_view json,
                                           const Version* before) = nullptr;
};

// In the order in which they are applied: a kind refers only to those before it.
absl::Span<const Kind> kinds();
// nullptr: there is no such kind.
const Kind* find_kind(std::string_view name);
// The format that a data directory with these definitions must have, deleted ones included.
int format_of(const Project& project);

}  // namespace kehu::definition
