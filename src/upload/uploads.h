#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "command/caller.h"

// Rows of files and messages of brokers on their way into an installation. As for the other commands
// (command/commands.h), InvalidArgument counts as wrong usage.
namespace kehu::upload {

struct ImportCommand {
  command::Where where;
  std::string key;     // write key, with --url
  std::string source;  // name of the source, with --data
  std::string map;
  std::vector<std::string> files;
  std::optional<uint64_t> dry_run = {};  // only show this many mapped events
  bool list = false;                     // only show what was imported
  std::string undo = {};                 // only withdraw the import of this origin
  bool json = false;
};
absl::Status run_import(const ImportCommand& command);
absl::Status run_undo(const ImportCommand& command);

struct MapCommand {
  std::string file;
  std::string subject;  // orders, events, customers; empty: as the columns say
};
absl::Status run_map(const MapCommand& command);

struct ListCommand {
  command::Where where;
  std::string name;
  std::string file;
  std::string id;      // TYPE or TYPE=COLUMN
  std::string value;   // a column; empty: members have no value
  std::string source;  // name of the source; empty: default
  std::optional<std::string> owner, description;
  bool create = false;  // unknown identifiers become customers
  bool json = false;
};
absl::Status upload_list(const ListCommand& command);
absl::Status show_lists(const ListCommand& command);
absl::Status delete_list(const ListCommand& command);

struct AttachCommand {
  command::Where where;
  std::string key;     // write key, with --url
  std::string source;  // name of the source, with --data
  std::string map;     // a mapping with [kafka] or [mqtt]
};
// Until a stop signal.
absl::Status run_attach(const AttachCommand& command);

}  // namespace kehu::upload
