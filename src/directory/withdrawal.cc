#include "directory/withdrawal.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/text.h"
#include "codec/record.h"
#include "definition/imported_files.h"
#include "definition/project.h"
#include "directory/data_directory.h"
#include "directory/log_replacement.h"

// An import must go without a trace: counters, orders, links. Where a record of it stood, an empty one of
// the same number stands, so that positions hold. The events of an import are known in one of two ways.
// Rows with ids by position carry the file's key in their ids, however many others sent meanwhile. Rows
// with ids of their own are only told by the records between which the import ran, which is right when
// nobody else could send then; where somebody could, or an end is missing, nothing is withdrawn and the
// operator is told why.
namespace kehu::directory {
namespace {

constexpr std::string_view kWithdrawnRecord("\x01", 1);

struct Range {
  Sequence begun;
  Sequence ended;
  bool ids_by_position = true;
};

// What the log says about the imports of one key into one source. A file may be imported by several mappings,
// and they need not agree on what makes a row the same row: each import is judged by its own.
struct Imports {
  definition::ImportedFile file;  // as it was last defined
  std::vector<Range> ranges;
  bool open = false;         // the last one was begun, and did not end
  bool by_position = false;  // one had ids by position
  // These are of imports whose rows had ids of their own:
  bool gaps = false;    // one did not end
  bool shared = false;  // others could send during one

  // Neither the log nor their ids tell which events are the last one's.
  bool lost() const { return open && !ranges.back().ids_by_position; }
};

using ImportsBySource = std::map<SourceId, Imports>;

void note(definition::ImportedFile file, Sequence at, Imports& imports) {
  // One that begins has no end, or an earlier one.
  const bool begins = !file.ended || *file.ended < file.begun;
  if (begins) {
    imports.gaps = imports.gaps || imports.lost();
    imports.shared = imports.shared || (!file.ids_by_position && !file.alone);
    imports.by_position = imports.by_position || file.ids_by_position;
    imports.ranges.push_back(
        {.begun = at, .ended = Sequence(UINT64_MAX), .ids_by_position = file.ids_by_position});
  } else if (!imports.ranges.empty()) {
    imports.ranges.back().ended = at;
  }
  imports.open = begins;
  imports.file = std::move(file);
}

// Finds the imports of one source when it is named, else those of all. Definitions are applied as they
// were, because one that was refused began no import.
absl::StatusOr<ImportsBySource> find_imports(os::FileSystem& files, const DataDirectory& directory,
                                             const WithdrawnFile& what) {
  ImportsBySource imports;
  auto project =
      std::make_shared<const definition::Project>(std::make_shared<const Settings>(Settings::defaults()));
  absl::Status status = for_each_record(files, directory, [&](const log::RecordView& record) {
    if (record.kind != RecordKind::kDefinition) return absl::OkStatus();
    const auto changes = codec::decode_definitions(record.payload);
    if (!changes.ok()) return changes.status();
    const auto next = project->apply(*changes, record.sequence, Instant());
    if (absl::IsDataLoss(next.status())) return next.status();
    if (!next.ok()) return absl::OkStatus();
    project = next->project;
    for (const definition::ImportedFile& file : next->files) {
      if (file.key == what.key) note(file, record.sequence, imports[file.source]);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (!what.source.empty()) {
    std::erase_if(imports, [&](const auto& entry) { return project->name_of(entry.first) != what.source; });
  }
  if (!imports.empty()) return imports;
  return failure(absl::StatusCode::kNotFound, "no file is imported as ", what.key,
                 what.source.empty() ? std::string() : cat(" into source ", what.source),
                 ", or it was withdrawn already: `kehu import --list` shows those that are");
}

bool came_during_one(const Imports& imports, Sequence sequence) {
  return std::any_of(imports.ranges.begin(), imports.ranges.end(), [sequence](const Range& range) {
    return range.begun < sequence && sequence < range.ended;
  });
}

bool came_with_id_of_its_own(const Imports& imports, Sequence sequence) {
  return std::any_of(imports.ranges.begin(), imports.ranges.end(), [sequence](const Range& range) {
    return !range.ids_by_position && range.begun < sequence && sequence < range.ended;
  });
}

absl::Status check_told_apart(const Imports& imports) {
  if (imports.lost() || imports.gaps) {
    return failure(absl::StatusCode::kFailedPrecondition, "an import of ", imports.file.file,
                   " did not come to its end, and its rows have ids of their own: the log does not tell "
                   "which events were its");
  }
  if (!imports.shared) return absl::OkStatus();
  return failure(
      absl::StatusCode::kFailedPrecondition, imports.file.file,
      " was imported through a running server, and its rows have ids of their own: the log does not tell its "
      "events from those that came meanwhile. What was imported into a directory without a server, or by "
      "position, "
      "can be withdrawn");
}

class Rewriting {
 public:
  Rewriting(const ImportsBySource& imports, Withdrawn& out) : imports_(imports), out_(out) {}

  bool is_withdrawn(const log::RecordView& record) {
    switch (record.kind) {
      case RecordKind::kEvent: {
        if (!event_.decode(record.payload).ok()) return false;
        const Event& event = event_.event();
        const auto found = imports_.find(event.source);
        if (found == imports_.end()) return false;
        const Imports& imports = found->second;
        if (came_with_id_of_its_own(imports, record.sequence)) return true;
        return imports.by_position && event.message_id.starts_with(cat(imports.file.key, ":"));
      }
      case RecordKind::kRejection: {
        const auto rejection = codec::decode_rejection(record.payload);
        if (!rejection.ok()) return false;
        const auto found = imports_.find(rejection->source);
        return found != imports_.end() && came_during_one(found->second, record.sequence) &&
               rejection->origin.starts_with(cat(found->second.file.file, ":"));
      }
      case RecordKind::kDefinition: {
        const auto changes = codec::decode_definitions(record.payload);
        return changes.ok() && changes->size() == 1 && is_import(changes->front());
      }
      default:
        return false;
    }
  }

  Rewritten rewrite(const log::RecordView& record) {
    if (!is_withdrawn(record)) return {record.kind, record.payload};
    out_.events += record.kind == RecordKind::kEvent;
    out_.rejections += record.kind == RecordKind::kRejection;
    return {RecordKind::kWithdrawn, kWithdrawnRecord};
  }

 private:
  bool is_import(const Definition& change) const {
    if (change.kind != definition::kImportedFile || change.name != imports_.begin()->second.file.key)
      return false;
    const auto file = definition::parse_imported_file(change.body);
    return file.ok() && imports_.contains(file->source);
  }

  const ImportsBySource& imports_;  // not empty
  Withdrawn& out_;
  codec::EventRecord event_;
};

}  // namespace

absl::StatusOr<Withdrawn> withdraw(os::FileSystem& files, const DataDirectory& directory,
                                   const WithdrawnFile& what) {
  const auto imports = find_imports(files, directory, what);
  if (!imports.ok()) return imports.status();
  for (const auto& [source, of_source] : *imports) {
    if (auto status = check_told_apart(of_source); !status.ok()) return status;
  }
  Withdrawn out{.file = imports->begin()->second.file};
  Rewriting rewriting(*imports, out);
  const absl::Status status = replace_log(
      files, directory,
      [&](const log::RecordView& record) -> absl::StatusOr<Rewritten> { return rewriting.rewrite(record); });
  if (!status.ok()) return status;
  return out;
}

}  // namespace kehu::directory
