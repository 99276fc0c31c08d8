#include "directory/revision.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "codec/record.h"
#include "definition/imported_files.h"
#include "definition/project.h"
#include "directory/data_directory.h"
#include "directory/log_replacement.h"
#include "identifier/identifier_value.h"
#include "os/random.h"
#include "seal/door.h"
#include "seal/key_ring.h"
#include "seal/opener.h"

// Today's settings are made to hold for the past by writing them where the first ones stood, and reading
// the identifiers of all events again. The log is then the log of a directory that had these settings from
// the beginning, and an ordinary replay gives its state. Replaying an unchanged log by other rules would
// make state a function of the log and of something else (docs/decisions/withdrawn-imports.md).
//
// The log is read twice. Definitions of today and the keys of personal values must be known before the
// first record is written, and both lie further on.
namespace kehu::directory {
namespace {

using definition::kFormerSettings;
using definition::kSettings;

// Holds what must be known before the first record is written: the definitions of today, and the keys of
// personal values.
struct Present {
  std::shared_ptr<const definition::Project> project =
      std::make_shared<const definition::Project>(std::make_shared<const Settings>(Settings::defaults()));
  absl::flat_hash_set<Sequence> refused;  // definitions that changed nothing
  std::unique_ptr<seal::KeyRing> ring;

  const definition::Version* settings() const { return project->find(kSettings, ""); }
};

absl::Status note_definitions(const log::RecordView& record, const seal::ProjectKey& key, Present& present) {
  const auto changes = codec::decode_definitions(record.payload);
  if (!changes.ok()) return changes.status();
  auto next = present.project->apply(*changes, record.sequence, Instant());
  if (absl::IsDataLoss(next.status())) return next.status();
  if (!next.ok()) {
    present.refused.insert(record.sequence);
    return absl::OkStatus();
  }
  present.project = next->project;
  if (present.ring != nullptr || present.settings() == nullptr) return absl::OkStatus();
  const Cipher cipher = present.project->settings()->cipher;  // stays what it was
  present.ring = std::make_unique<seal::KeyRing>(
      key, cipher, [](char* bytes, size_t size) { os::random_bytes(absl::MakeSpan(bytes, size)); });
  return absl::OkStatus();
}

absl::Status no_settings(const DataDirectory& directory) {
  return failure(absl::StatusCode::kFailedPrecondition, "the log in ", directory.log(),
                 " does not begin with settings: nothing was ever sent to this directory");
}

absl::StatusOr<Present> read_present(os::FileSystem& files, const DataDirectory& directory) {
  Present present;
  absl::Status status = for_each_record(files, directory, [&](const log::RecordView& record) {
    if (record.kind == RecordKind::kDefinition) return note_definitions(record, directory.key(), present);
    if (record.kind != RecordKind::kDataKey) return absl::OkStatus();
    if (present.ring == nullptr) return no_settings(directory);
    const auto key = codec::decode_data_key(record.payload);
    return key.ok() ? present.ring->load(*key) : key.status();
  });
  if (status.ok() && present.settings() == nullptr) status = no_settings(directory);
  if (!status.ok()) return status;
  return present;
}

class Reviser {
 public:
  Reviser(const seal::ProjectKey& key, const Present& present)
      : present_(present),
        settings_(*present.project->settings()),
        door_(definition::Project::kDefault, key, settings_, *present.ring),
        opener_(key, *present.ring) {}

  absl::StatusOr<Rewritten> rewrite(const log::RecordView& record) {
    bytes_.clear();
    absl::Status status;
    if (record.kind == RecordKind::kDefinition) status = revise_definition(record);
    if (record.kind == RecordKind::kEvent) status = revise_event(record);
    if (!status.ok()) return status;
    return Rewritten{record.kind, bytes_.empty() ? record.payload : std::string_view(bytes_)};
  }

  Revision take() {
    for (auto& [token, value] : values_) revision_.values.push_back(std::move(value));
    std::ranges::sort(revision_.values, [](const Revision::Value& a, const Revision::Value& b) {
      return std::tie(b.events, a.type, a.value) < std::tie(a.events, b.type, b.value);
    });
    return std::move(revision_);
  }

 private:
  // The first settings become those of today, and later ones change nothing, so that the same rules hold from
  // the first event on. What was refused stays without effect, also when what it clashed with is gone.
  absl::Status revise_definition(const log::RecordView& record) {
    auto changes = codec::decode_definitions(record.payload);
    if (!changes.ok()) return changes.status();
    const bool refused = present_.refused.contains(record.sequence);
    bool changed = false;
    for (Definition& change : *changes) {
      if (refused) {
        change.kind = kFormerSettings;
      } else if (change.kind != kSettings) {
        continue;
      } else if (std::exchange(began_, true)) {
        change.kind = kFormerSettings;
        ++revision_.settings;
      } else {
        change.body = present_.settings()->body;
        change.actor = present_.settings()->actor;
      }
      changed = true;
    }
    if (changed) codec::append_definitions(*changes, bytes_);
    return absl::OkStatus();
  }

  absl::Status revise_event(const log::RecordView& record) {
    if (auto status = event_.decode(record.payload); !status.ok()) return status;
    Event event = event_.event();
    identifiers_.assign(event.identifiers.begin(), event.identifiers.end());
    bool changed = false;
    for (Identifier& identifier : identifiers_) changed |= read_again(identifier);
    revision_.events += changed;
    if (!sort_by_strength() && !changed) return absl::OkStatus();
    event.identifiers = identifiers_;
    codec::append_event(event, bytes_);
    return absl::OkStatus();
  }

  // The value is read as it was written, so reading it twice by the same rules changes nothing. A sealed
  // value keeps its token: only whether it is left out can change. One whose key was erased cannot be read,
  // and stays as it is.
  bool read_again(Identifier& identifier) {
    if (identifier.left_out != LeftOut::kNo) return false;
    const IdentifierRule& rule = settings_.rule(identifier.type);
    std::string_view written = identifier.value;
    if (identifier.sealed) {
      opened_ = opener_.open_identifier(identifier.token, identifier.value);
      if (!opened_.ok()) return false;  // erased
      written = opened_.value;
    }
    const IdentifierValue value = read_identifier(settings_, rule, written, Written::kAsText, scratch_);
    const Token before = identifier.token;
    if (value.left_out != LeftOut::kNo) {
      identifier.left_out = value.left_out;
    } else if (!identifier.sealed) {
      identifier.token = door_.token(identifier.type, value.text);
    }
    if (identifier.left_out == LeftOut::kNo && identifier.token == before) return false;
    note(before, identifier, value);
    return true;
  }

  void note(Token before, const Identifier& now, const IdentifierValue& value) {
    const auto found = values_.find(before.hash);
    if (found != values_.end()) {
      ++found->second.events;
    } else if (values_.size() < kRevisedValuesMax) {
      Revision::Value& noted = values_[before.hash];
      noted.type = settings_.rule(now.type).name;
      noted.left_out = now.left_out;
      noted.events = 1;
      if (now.sealed) return;
      noted.value = now.value;
      if (now.left_out == LeftOut::kNo) noted.read_as = value.text;
    }
  }

  // Orders the identifiers as the door does; true when that was another order. An alternative names another
  // identifier by its place, and that moves with it.
  bool sort_by_strength() {
    const auto strength = [this](const Identifier& identifier) {
      return std::pair(settings_.rule(identifier.type).priority, identifier.type.value());
    };
    if (std::ranges::is_sorted(identifiers_, {}, strength)) return false;
    std::vector<uint8_t> from(identifiers_.size());
    std::iota(from.begin(), from.end(), 0);
    std::stable_sort(from.begin(), from.end(), [&](uint8_t a, uint8_t b) {
      return strength(identifiers_[a]) < strength(identifiers_[b]);
    });
    std::vector<Identifier> sorted;
    for (const uint8_t place : from) sorted.push_back(identifiers_[place]);
    for (Identifier& identifier : sorted) {
      if (!identifier.alternative) continue;
      identifier.named =
          static_cast<uint8_t>(std::find(from.begin(), from.end(), identifier.named) - from.begin());
    }
    identifiers_ = std::move(sorted);
    return true;
  }

  const Present& present_;
  const Settings& settings_;
  seal::Door door_;
  seal::Opener opener_;
  codec::EventRecord event_;
  std::vector<Identifier> identifiers_;
  std::string scratch_;
  seal::Opened opened_;
  std::string bytes_;  // of the record that takes another's place; empty when it stays
  bool began_ = false;
  absl::flat_hash_map<Hash128, Revision::Value> values_;  // by the token that they had
  Revision revision_;
};

}  // namespace

absl::StatusOr<Revision> foresee_revision(os::FileSystem& files, const DataDirectory& directory) {
  const auto present = read_present(files, directory);
  if (!present.ok()) return present.status();
  Reviser reviser(directory.key(), *present);
  const absl::Status status = for_each_record(
      files, directory, [&](const log::RecordView& record) { return reviser.rewrite(record).status(); });
  if (!status.ok()) return status;
  return reviser.take();
}

absl::StatusOr<Revision> revise(os::FileSystem& files, const DataDirectory& directory) {
  const auto present = read_present(files, directory);
  if (!present.ok()) return present.status();
  Reviser reviser(directory.key(), *present);
  const absl::Status status =
      replace_log(files, directory, [&](const log::RecordView& record) { return reviser.rewrite(record); });
  if (!status.ok()) return status;
  return reviser.take();
}

}  // namespace kehu::directory
