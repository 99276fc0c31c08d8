#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "command/caller.h"

// The commands with which an installation is looked after: each is one call of the API, or a few.
namespace kehu::command {

struct KeysCommand {
  std::string data;
  bool json = false;
};
// Prints the admin token and the write keys, as far as they can be known: those made later are kept as
// hashes.
absl::Status run_keys(const KeysCommand& command);

struct SourceCommand {
  Where where;
  std::string name;
  std::string channel;
  std::optional<bool> enabled = {};
  std::optional<uint64_t> events_per_second = {};
  std::optional<uint64_t> events_per_second_per_address = {};
  std::string hint;  // of a key to be revoked
  bool json = false;
};
absl::Status list_sources(const SourceCommand& command);
absl::Status add_source(const SourceCommand& command);
absl::Status set_source(const SourceCommand& command);
absl::Status add_source_key(const SourceCommand& command);
absl::Status revoke_source_key(const SourceCommand& command);
absl::Status delete_source(const SourceCommand& command);

struct DefinitionsCommand {
  Where where;
  std::string directory;
  bool dry_run = false;
  bool json = false;
};
// Settings, sources, segments and tags as the files of a directory, settings.json, sources/NAME.json or .toml
// and *.kehu: applied all together or not at all.
absl::Status run_apply(const DefinitionsCommand& command);
absl::Status run_export(const DefinitionsCommand& command);

struct SegmentCommand {
  Where where;
  std::string name;
  std::string customer;
  bool json = false;
};
absl::Status list_segments(const SegmentCommand& command);
absl::Status list_members(const SegmentCommand& command);
absl::Status show_why(const SegmentCommand& command);

struct SettingsCommand {
  Where where;
  std::string what;                       // get: a key or nothing; set: FILE, - or a key
  std::optional<std::string> value = {};  // set: of the key
};
absl::Status get_settings(const SettingsCommand& command);
absl::Status set_settings(const SettingsCommand& command);

struct IdentityCommand {
  Where where;
  std::string customer;  // the winner of a merge
  std::string other;     // the loser; the number of a link; the field to reveal
  std::string reason;
  bool json = false;
};
absl::Status run_merge(const IdentityCommand& command);
absl::Status run_unmerge(const IdentityCommand& command);
absl::Status run_reveal(const IdentityCommand& command);
absl::Status run_audit(const IdentityCommand& command);

}  // namespace kehu::command
