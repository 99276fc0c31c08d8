#include "definition/project.h"

#include <algorithm>
#include <set>

#include "base/civil_day.h"
#include "base/text.h"

namespace kehu::definition {
namespace {

template <class T>
const T& as(const Version& version) {
  return *static_cast<const T*>(version.value.get());
}

std::string title(const Kind& kind, std::string_view name) {
  return kind.single ? std::string(kind.name) : cat(kind.name, " ", name);
}

// OK when no other version came behind what the change knew of. A base is a position in the log and not a
// counter: it is stale when a version stands behind it, so "all that I knew up to record 5,000" is a base
// too. The apply thread decides, which sees all records in one order; nothing is locked, and a replay
// refuses the same records. A mutex in the route would hold for one process and one route, and a replay
// would not know of it (docs/decisions/definitions.md).
absl::Status check_base(const Kind& kind, const Definition& change, const Version* newest) {
  const bool there = newest != nullptr && !newest->deleted;
  if (!there && change.deleted) {
    return failure(absl::StatusCode::kNotFound, "there is no ", title(kind, change.name), " to delete");
  }
  // Nothing is there, or no longer: the change makes it anew, whatever its sender knew of the deletion.
  if (!there) return absl::OkStatus();
  if (*change.base == Sequence()) {
    return failure(absl::StatusCode::kAborted, title(kind, change.name), " exists already, as version ",
                   newest->sequence.value());
  }
  if (newest->sequence <= *change.base) return absl::OkStatus();
  return failure(absl::StatusCode::kAborted, title(kind, change.name), " was changed meanwhile: version ",
                 newest->sequence.value(), ", made ", format_utc(newest->time), " by ", newest->actor,
                 ", is newer than ", change.base->value(), "; read it and make the change again");
}

}  // namespace

Project::Project(std::shared_ptr<const Settings> settings)
    : imported_files_(std::make_shared<const ImportedFiles>()), settings_(std::move(settings)) {}

Project::Project(std::shared_ptr<const Settings> settings, std::vector<NamedVersion> newest,
                 ImportedFiles files)
    : imported_files_(std::make_shared<const ImportedFiles>(std::move(files))),
      settings_(std::move(settings)) {
  std::map<std::string_view, Versions> kinds;
  for (NamedVersion& named : newest) {
    kinds[named.kind->name].insert_or_assign(std::move(named.name), std::move(named.version));
  }
  for (auto& [kind, versions] : kinds) {
    kinds_.emplace(kind, std::make_shared<const Versions>(std::move(versions)));
  }
  index();
}

const Project::Versions& Project::versions(std::string_view kind) const {
  static const Versions kNone;
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? kNone : *found->second;
}

const Version* Project::find(std::string_view kind, std::string_view name) const {
  const Versions& all = versions(kind);
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second.get();
}

void Project::each(std::string_view kind,
                   absl::FunctionRef<void(const std::string&, const Version&)> visit) const {
  each_ever(kind, [&](const std::string& name, const Version& version) {
    if (!version.deleted) visit(name, version);
  });
}

void Project::each_ever(std::string_view kind,
                        absl::FunctionRef<void(const std::string&, const Version&)> visit) const {
  for (const auto& [name, version] : versions(kind)) visit(name, *version);
}

// All changes of a record hold or none does: they are made in a draft, which is dropped at the first
// error. Later changes of one record are checked against the draft, and so see those before them. A
// project is immutable, and the maps that a record does not change are shared with the one before, so a
// change costs what it changes.
absl::StatusOr<Project::Next> Project::apply(absl::Span<const Definition> changes, Sequence sequence,
                                             Instant time) const {
  Next next;
  auto draft = std::make_shared<Project>(*this);
  Drafts mine;
  for (const Definition& change : changes) {
    if (change.kind == kFormerSettings) continue;
    if (change.kind == kImportedFile) {
      if (auto status = draft->add_file(change, next); !status.ok()) return status;
      continue;
    }
    const Kind* kind = find_kind(change.kind);
    if (kind == nullptr) {
      return failure(change.base ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kDataLoss,
                     "there are no definitions of the kind ", change.kind);
    }
    auto version = draft->next_version(*kind, change, sequence, time);
    if (!version.ok()) return version.status();
    if (!change.base && kind->name == kSource) draft->drop_former_owner(as<Source>(**version), mine);
    next.versions.push_back({kind, std::string(change.name), *std::move(version)});
    draft->put(next.versions.back(), mine);
  }
  if (!next.versions.empty()) draft->index();
  // Those without a base were in force once.
  const bool is_asked_for =
      std::ranges::any_of(changes, [](const Definition& change) { return change.base.has_value(); });
  std::set<absl::Status (*)(const Project&)> asked;  // each once, however many definitions a record has
  for (const NamedVersion& named : next.versions) {
    if (named.kind->agree == nullptr || !is_asked_for || !asked.insert(named.kind->agree).second) continue;
    if (auto status = named.kind->agree(*draft); !status.ok()) return status;
  }
  next.project = std::move(draft);
  return next;
}

// A change without a base takes the place of whatever is there, as records of format 1 do, and is not
// admitted anew: it was in force once, so a body that cannot be read is damage of the log and no mistake
// of a sender. A deletion is a version too. It keeps the body, since name and id of a deleted source stay
// its own.
absl::StatusOr<std::shared_ptr<const Version>> Project::next_version(const Kind& kind,
                                                                     const Definition& change,
                                                                     Sequence sequence, Instant time) const {
  const Version* newest = find(kind.name, change.name);
  if (change.base) {
    if (auto status = check_base(kind, change, newest); !status.ok()) return status;
    if (kind.single != change.name.empty()) {
      return failure(absl::StatusCode::kInvalidArgument, "a definition of the kind ", kind.name,
                     kind.single ? " has no name" : " needs a name");
    }
  }
  Version version{.sequence = sequence,
                  .time = time,
                  .deleted = change.deleted,
                  .actor = std::string(change.actor),
                  .body = std::string(change.body),
                  .value = {}};
  if (change.deleted) {
    if (!kind.deletable || newest == nullptr) {
      return failure(absl::StatusCode::kFailedPrecondition, title(kind, change.name), " cannot be deleted");
    }
    version.body = newest->body;
    version.value = newest->value;
    return std::make_shared<const Version>(std::move(version));
  }
  auto value = kind.parse(change.body);
  if (!value.ok()) {
    if (change.base) return value.status();
    return failure(absl::StatusCode::kDataLoss, title(kind, change.name), ": ", message_of(value.status()));
  }
  Candidate candidate{.name = change.name,
                      .body = std::move(version.body),
                      .value = *std::move(value),
                      .before = newest == nullptr || newest->deleted ? nullptr : newest};
  if (change.base) {
    if (auto status = kind.admit(candidate, *this); !status.ok()) return status;
  }
  version.body = std::move(candidate.body);
  version.value = std::move(candidate.value);
  return std::make_shared<const Version>(std::move(version));
}

absl::Status Project::add_file(const Definition& change, Next& next) {
  auto file = parse_imported_file(change.body);
  if (!file.ok()) return failure(absl::StatusCode::kDataLoss, message_of(file.status()));
  if (const ImportedFile* gone = imported_files_->forgotten_for(*file)) next.forgotten_files.push_back(*gone);
  imported_files_ = std::make_shared<const ImportedFiles>(imported_files_->with(*file));
  next.files.push_back(*std::move(file));
  return absl::OkStatus();
}

// `mine` are the maps that this draft does not share; each is copied once, however many changes a record has.
void Project::put(const NamedVersion& named, Drafts& mine) {
  const std::string_view kind = named.kind->name;
  std::shared_ptr<Versions>& all = mine[kind];
  if (all == nullptr) {
    all = std::make_shared<Versions>(versions(kind));
    kinds_.insert_or_assign(kind, all);
  }
  all->insert_or_assign(named.name, named.version);
  if (kind == kSource) {
    const Source& source = as<Source>(*named.version);
    every_source_.insert_or_assign(source.id, &source);
  }
}

// Records without a base could give one id to two sources, of which the later one had it from then on. A
// replay of such a log has to come to the same.
void Project::drop_former_owner(const Source& source, Drafts& mine) {
  const Source* former = source_ever(source.id);
  if (former == nullptr || former->name == source.name) return;
  auto kept = std::make_shared<Versions>(versions(kSource));
  kept->erase(former->name);
  mine[kSource] = kept;
  kinds_.insert_or_assign(kSource, std::move(kept));
}

void Project::index() {
  if (const Version* settings = find(kSettings, "")) {
    settings_ = std::static_pointer_cast<const Settings>(settings->value);
  }
  envelope_keys_.clear();
  each(kEnvelopeKey, [this](const std::string&, const Version& version) {
    envelope_keys_.push_back(as<seal::EnvelopeKey>(version));
  });
  std::ranges::sort(envelope_keys_, {}, &seal::EnvelopeKey::version);
  index_sources();
}

void Project::index_sources() {
  every_source_.clear();
  sources_.clear();
  by_key_.clear();
  for (const auto& [name, version] : versions(kSource)) {
    const Source& source = as<Source>(*version);
    every_source_.emplace(source.id, &source);
    if (!version->deleted) sources_.push_back(source);
  }
  std::ranges::sort(sources_, {}, &Source::id);
  for (size_t i = 0; i < sources_.size(); ++i) {
    for (const WriteKey& key : sources_[i].keys) {
      if (sources_[i].enabled && !key.revoked) by_key_.emplace(key.hash, i);
    }
  }
}

const Source* Project::source_of_key(const Hash128& hash) const {
  const auto it = by_key_.find(hash);
  return it == by_key_.end() ? nullptr : &sources_[it->second];
}

const Source* Project::find(SourceId id) const {
  const auto it = std::ranges::lower_bound(sources_, id, {}, &Source::id);
  return it == sources_.end() || it->id != id ? nullptr : &*it;
}

const Source* Project::find(std::string_view name) const {
  const auto it = std::ranges::find(sources_, name, &Source::name);
  return it == sources_.end() ? nullptr : &*it;
}

const Source* Project::source_ever(SourceId id) const {
  const auto it = every_source_.find(id);
  return it == every_source_.end() ? nullptr : it->second;
}

std::string_view Project::name_of(SourceId id) const {
  const Source* source = source_ever(id);
  return source == nullptr ? std::string_view() : std::string_view(source->name);
}

SourceId Project::next_source_id() const {
  return every_source_.empty() ? SourceId(1) : every_source_.rbegin()->first.next();
}

}  // namespace kehu::definition
