#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  bool verbose = false;  // apply: also what has no file
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
  std::string format = "text";  // members: text, csv, ndjson or parquet
  std::vector<std::string> others = {};
  bool json = false;
};
absl::Status list_segments(const SegmentCommand& command);
absl::Status list_members(const SegmentCommand& command);
absl::Status show_why(const SegmentCommand& command);
// How many are in each of `others`, and in all of them.
absl::Status show_overlap(const SegmentCommand& command);

struct BackfillCommand {
  Where where;
  std::string name;  // cancel: of a segment or tag
  bool tag = false;
  bool json = false;
};
absl::Status show_backfill(const BackfillCommand& command);
absl::Status pause_backfill(const BackfillCommand& command);
absl::Status resume_backfill(const BackfillCommand& command);
// Withdraws the version that is being filled in.
absl::Status cancel_backfill(const BackfillCommand& command);
// Until all rules are in force, or they rest: while standard error is a terminal, with a bar there; elsewhere
// only where no server goes on. Unavailable: no server goes on, and the same
// failure has lasted for a minute, or a statement failed.
absl::Status watch_backfill(Caller& caller);

struct WebhookCommand {
  Where where;
  std::string name;
  std::string url = {};
  // Names, or "all", or "none".
  std::vector<std::string> segments = {};
  std::vector<std::string> tags = {};
  std::optional<bool> enabled = {};
  std::optional<uint64_t> give_up_after_s = {};
  std::string secret = {};  // that the receiver has already
  std::optional<uint64_t> overlap_s = {};
  bool json = false;
};
absl::Status list_webhooks(const WebhookCommand& command);
absl::Status create_webhook(const WebhookCommand& command);
absl::Status set_webhook(const WebhookCommand& command);
absl::Status rotate_webhook(const WebhookCommand& command);
absl::Status delete_webhook(const WebhookCommand& command);
// An error when the sample was not taken.
absl::Status test_webhook(const WebhookCommand& command);

struct VerifyCommand {
  Where where;
  std::string name;  // of a segment or tag; empty: all that are in force
  bool json = false;
};
// Compares live segments and tags with what all stored events come to; an error when they differ.
absl::Status run_verify(const VerifyCommand& command);

struct RulesCommand {
  Where where;  // check: an installation that knows which events were seen; neither: none
  std::vector<std::string> files;
  bool chinese = false;  // format: in Chinese keywords
  bool write = false;    // format: into the files
};
// Reads *.kehu files: whether each definition means something by itself, and, where an installation is named,
// what it warns of…
absl::Status check_rules(const RulesCommand& command);
// …and how they are written, on standard output.
absl::Status format_rules(const RulesCommand& command);

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
