#include "replica/definitions.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/record.h"
#include "codec/settings_json.h"
#include "definition/envelope_key.h"

// A definition is never overwritten. Each version is a blob of its own, whose place is the hash of kind and
// name and the record that made it, so what held at any record can be shown for ever. The project in force
// is made of the newest version of each name when it is loaded, and published as an immutable value:
// whoever holds it sees one state of all definitions, and takes no lock but for the pointer.
namespace kehu::replica {
namespace {

using definition::find_kind;
using definition::ImportedFile;
using definition::Kind;
using definition::NamedVersion;
using definition::Project;
using definition::Version;

// These are the places of blobs. Those below kVersions are of format 1, of which only the imported files
// are still written.
constexpr uint64_t kFormerSettings = 0, kFormerSources = 1, kFormerEnvelopeKeys = 2, kImportedFiles = 3;
constexpr uint64_t kVersions = 1ull << 63;

Hash128 file_place(const ImportedFile& file) {
  return Hash128{kImportedFiles, hash64(file.key, file.source.value())};
}

bool is_version(const Hash128& place) { return place.high >= kVersions; }

Hash128 version_place(const Kind& kind, std::string_view name, Sequence sequence) {
  return Hash128{kVersions | hash64(name, hash64(kind.name)), sequence.value()};
}

std::string version_blob(const NamedVersion& named) {
  const Version& version = *named.version;
  std::string blob;
  codec::ByteWriter(blob).fixed(version.time.micros());
  const Definition record{.kind = named.kind->name,
                          .name = named.name,
                          .body = version.body,
                          .actor = version.actor,
                          .base = version.sequence,
                          .deleted = version.deleted};
  codec::append_definitions({&record, 1}, blob);
  return blob;
}

struct Blob {
  Instant time;
  Definition record;
};

absl::StatusOr<Blob> parse_blob(std::string_view bytes) {
  codec::ByteReader reader(bytes);
  const Instant time(reader.fixed<int64_t>());
  if (reader.failed()) return absl::DataLossError("damaged version of a definition");
  const auto records = codec::decode_definitions(bytes.substr(sizeof(int64_t)));
  if (!records.ok()) return records.status();
  if (records->size() != 1) return absl::DataLossError("damaged version of a definition");
  return Blob{time, records->front()};
}

absl::StatusOr<NamedVersion> read_version(const Blob& blob, Sequence sequence) {
  const Kind* kind = find_kind(blob.record.kind);
  if (kind == nullptr) {
    return failure(absl::StatusCode::kDataLoss, "the state defines an unknown thing: ", blob.record.kind);
  }
  auto value = kind->parse(blob.record.body);
  if (!value.ok()) {
    return failure(absl::StatusCode::kDataLoss, kind->name, " ", blob.record.name, ": ",
                   message_of(value.status()));
  }
  auto version = std::make_shared<const Version>(Version{.sequence = sequence,
                                                         .time = blob.time,
                                                         .deleted = blob.record.deleted,
                                                         .actor = std::string(blob.record.actor),
                                                         .body = std::string(blob.record.body),
                                                         .value = *std::move(value)});
  return NamedVersion{kind, std::string(blob.record.name), std::move(version)};
}

// In format 1 the place tells the kind, and the blob is the body alone.
absl::StatusOr<NamedVersion> read_former(const Hash128& place, std::string_view body, Sequence position) {
  constexpr std::string_view kKinds[] = {definition::kSettings, definition::kSource,
                                         definition::kEnvelopeKey};
  if (place.high > kFormerEnvelopeKeys) return absl::DataLossError("the state defines an unknown thing");
  std::string name;
  if (place.high == kFormerEnvelopeKeys) name = cat(place.low);
  if (place.high == kFormerSources) {
    auto source = definition::parse_source(body);
    if (!source.ok()) return failure(absl::StatusCode::kDataLoss, message_of(source.status()));
    name = std::move(source->name);
  }
  return read_version(
      {.time = {}, .record = {.kind = kKinds[place.high], .name = name, .body = body, .actor = {}}},
      position);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Settings>> stored_settings(const state::Database& database) {
  Sequence newest;
  std::string body;
  absl::Status status;
  const auto scanned =
      database.scan(state::Space::kDefinitions, [&](const Hash128& place, std::string_view bytes) {
        if (place == Hash128{kFormerSettings, 0}) body = bytes;
        if (!is_version(place)) return true;
        const auto blob = parse_blob(bytes);
        if (!blob.ok()) status.Update(blob.status());
        const bool newer =
            blob.ok() && blob->record.kind == definition::kSettings && Sequence(place.low) >= newest;
        if (newer) {
          newest = Sequence(place.low);
          body = blob->record.body;
        }
        return status.ok();
      });
  status.Update(scanned);
  if (!status.ok()) return status;
  if (body.empty()) return nullptr;
  auto settings = codec::settings_from_json(body);
  if (!settings.ok()) return settings.status();
  return std::make_shared<const Settings>(*std::move(settings));
}

Definitions::Definitions(state::Store& store)
    : store_(store),
      project_(std::make_shared<const Project>(std::make_shared<const Settings>(Settings::defaults()))) {}

// A directory of format 1 holds only the last definitions. They become versions at the position at which it
// is first opened, and their old places are emptied in the same checkpoint.
absl::Status Definitions::load(Sequence position) {
  std::map<std::pair<std::string_view, std::string>, NamedVersion> newest;
  std::vector<ImportedFile> files;
  std::vector<Hash128> former;
  absl::Status status;
  const auto note = [&](absl::StatusOr<NamedVersion> named) {
    if (!named.ok()) return status.Update(named.status());
    NamedVersion& known = newest[{named->kind->name, named->name}];
    const bool newer = known.version == nullptr || known.version->sequence < named->version->sequence;
    if (newer) known = *std::move(named);
  };
  store_.for_each([&](const Hash128& place, std::string_view bytes) {
    if (place.high == kImportedFiles) {
      auto file = definition::parse_imported_file(bytes);
      file.ok() ? files.push_back(*std::move(file)) : status.Update(file.status());
    } else if (is_version(place)) {
      const auto blob = parse_blob(bytes);
      blob.ok() ? note(read_version(*blob, Sequence(place.low))) : status.Update(blob.status());
    } else {
      former.push_back(place);
      note(read_former(place, bytes, position));
    }
  });
  if (!status.ok()) return status;
  for (const Hash128& place : former) store_.erase(place);
  std::vector<NamedVersion> all;
  for (auto& [key, named] : newest) {
    if (!former.empty()) keep(named);
    all.push_back(std::move(named));
  }
  publish(std::make_shared<const Project>(project()->settings(), std::move(all),
                                          definition::ImportedFiles(std::move(files))));
  return absl::OkStatus();
}

absl::StatusOr<absl::StatusOr<Project::Next>> Definitions::apply(const shard::LogRecord& record,
                                                                 Instant time) {
  const auto changes = codec::decode_definitions(record.payload);
  if (!changes.ok()) return changes.status();
  auto next = project()->apply(*changes, record.sequence, time);
  if (!next.ok()) {
    if (absl::IsDataLoss(next.status())) return next.status();
    return absl::StatusOr<Project::Next>(next.status());
  }
  for (const NamedVersion& named : next->versions) keep(named);
  for (const ImportedFile& gone : next->forgotten_files) store_.erase(file_place(gone));
  for (const ImportedFile& file : next->files) store_.put(file_place(file), definition::to_json(file));
  publish(next->project);
  return next;
}

void Definitions::keep(const NamedVersion& named) {
  store_.put(version_place(*named.kind, named.name, named.version->sequence), version_blob(named));
}

std::shared_ptr<const Project> Definitions::project() const {
  const std::lock_guard lock(mutex_);
  return project_;
}

void Definitions::publish(std::shared_ptr<const Project> project) {
  const std::lock_guard lock(mutex_);
  project_ = std::move(project);
}

std::vector<NamedVersion> Definitions::versions(std::string_view kind, std::optional<std::string_view> name) {
  std::vector<NamedVersion> found;
  store_.for_each([&](const Hash128& place, std::string_view bytes) {
    if (!is_version(place)) return;
    const auto blob = parse_blob(bytes);
    if (!blob.ok() || blob->record.kind != kind || (name && blob->record.name != *name)) return;
    auto named = read_version(*blob, Sequence(place.low));
    if (named.ok()) found.push_back(*std::move(named));
  });
  std::ranges::sort(found, [](const NamedVersion& a, const NamedVersion& b) {
    return std::tie(b.version->sequence, a.name) < std::tie(a.version->sequence, b.name);
  });
  return found;
}

absl::StatusOr<std::vector<NamedVersion>> Definitions::versions_behind(Sequence position) const {
  std::vector<NamedVersion> found;
  absl::Status status;
  store_.for_each([&](const Hash128& place, std::string_view bytes) {
    if (!is_version(place) || Sequence(place.low) <= position) return;
    const auto blob = parse_blob(bytes);
    if (!blob.ok()) return status.Update(blob.status());
    auto named = read_version(*blob, Sequence(place.low));
    named.ok() ? found.push_back(*std::move(named)) : status.Update(named.status());
  });
  if (!status.ok()) return status;
  std::ranges::sort(found, [](const NamedVersion& a, const NamedVersion& b) {
    return std::tie(a.version->sequence, a.kind->name, a.name) <
           std::tie(b.version->sequence, b.kind->name, b.name);
  });
  return found;
}

}  // namespace kehu::replica
