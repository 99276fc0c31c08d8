#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "base/time.h"
#include "definition/imported_files.h"
#include "definition/kind.h"
#include "definition/source.h"
#include "model/ids.h"
#include "model/record.h"
#include "model/settings.h"
#include "seal/envelope.h"

namespace kehu::definition {

// A version and what it is of.
struct NamedVersion {
  const Kind* kind = nullptr;
  std::string name;
  std::shared_ptr<const Version> version;
};

// What a command that changed definitions is answered.
struct Defined {
  Sequence version;  // of all that it changed
};

// A project's definitions at one moment. Immutable and shared: requests work with the one they started with.
class Project {
 public:
  static constexpr ProjectId kDefault{1};

  // Of a project for which nothing was defined; with these settings in force until some are.
  explicit Project(std::shared_ptr<const Settings> settings);
  // Of the newest version of everything.
  Project(std::shared_ptr<const Settings> settings, std::vector<NamedVersion> newest, ImportedFiles files);

  const std::shared_ptr<const Settings>& settings() const { return settings_; }
  // By id, without deleted ones.
  const std::vector<Source>& sources() const { return sources_; }
  // By version; clients are given the last.
  const std::vector<seal::EnvelopeKey>& envelope_keys() const { return envelope_keys_; }
  const ImportedFiles& imported_files() const { return *imported_files_; }

  // The enabled source that a write key's hash opens; nullptr when there is none.
  const Source* source_of_key(const Hash128& hash) const;
  const Source* find(SourceId id) const;
  const Source* find(std::string_view name) const;
  // Also when it is deleted; nullptr: no source ever had this id.
  const Source* source_ever(SourceId id) const;
  // The name of a source for people, deleted or not; empty when there never was one of this id.
  std::string_view name_of(SourceId id) const;
  SourceId next_source_id() const;

  // The newest version, which may say that it is deleted; nullptr when there never was one.
  const Version* find(std::string_view kind, std::string_view name) const;
  // Of one kind, by name; deleted ones are left out.
  void each(std::string_view kind,
            absl::FunctionRef<void(const std::string& name, const Version& version)> visit) const;
  // Deleted ones, too.
  void each_ever(std::string_view kind,
                 absl::FunctionRef<void(const std::string& name, const Version& version)> visit) const;

  // The project behind one record, and what has to be kept for it to be the same after a restart.
  struct Next {
    std::shared_ptr<const Project> project;
    std::vector<NamedVersion> versions;
    std::vector<ImportedFile> files, forgotten_files;
  };
  // All changes of a record, or, with an error, none. Aborted: somebody changed or made one meanwhile.
  // InvalidArgument, NotFound and FailedPrecondition: it cannot be, and the message says why. DataLoss: one
  // that was in force once (it has no base) cannot be read any more.
  absl::StatusOr<Next> apply(absl::Span<const Definition> changes, Sequence sequence, Instant time) const;

 private:
  using Versions = std::map<std::string, std::shared_ptr<const Version>, std::less<>>;
  using Drafts = std::map<std::string_view, std::shared_ptr<Versions>>;

  const Versions& versions(std::string_view kind) const;
  absl::StatusOr<std::shared_ptr<const Version>> next_version(const Kind& kind, const Definition& change,
                                                              Sequence sequence, Instant time) const;
  absl::Status add_file(const Definition& change, Next& next);
  void put(const NamedVersion& named, Drafts& mine);
  void drop_former_owner(const Source& source, Drafts& mine);
  void index();
  void index_sources();

  // By kind; those that did not change are shared with the project before.
  std::map<std::string_view, std::shared_ptr<const Versions>> kinds_;
  std::shared_ptr<const ImportedFiles> imported_files_;
  // Of kinds_:
  std::shared_ptr<const Settings> settings_;
  std::vector<Source> sources_;
  std::vector<seal::EnvelopeKey> envelope_keys_;
  std::map<SourceId, const Source*> every_source_;
  absl::flat_hash_map<Hash128, size_t> by_key_;
};

}  // namespace kehu::definition
