#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "command/caller.h"

// Commands of `kehu` that ask an installation something, one per file. Each prints its result on standard
// output, everything else on standard error, and returns why it failed. InvalidArgument counts as wrong usage
// (exit code 2).
namespace kehu::command {

struct CustomerCommand {
  Where where;
  std::string name;              // TYPE:VALUE or a customer id
  std::string view = "profile";  // profile, timeline, identities
  bool json = false;
};
absl::Status run_customer(const CustomerCommand& command);

struct RejectionsCommand {
  Where where;
  std::string action = "list";  // list, counts, show, repair, replay, discard
  std::string id;
  std::string reason;
  std::string source;
  std::string state;
  std::string event_file;  // repair: the corrected event; "-" is standard input
  uint64_t limit = 50;
  bool all = false;  // replay: without a filter
  bool json = false;
};
absl::Status run_rejections(const RejectionsCommand& command);

struct SqlCommand {
  Where where;
  std::string sql;
  std::string format = "table";
};
absl::Status run_sql(const SqlCommand& command);

struct ScriptCommand {
  std::vector<std::string> files;
  bool json = false;     // a line for each file
  bool changes = false;  // and before it one for each change of membership
};
// Scripts of events and expectations on a clock of their own (docs/scripts.md); no installation is asked.
absl::Status run_script(const ScriptCommand& command);

struct CheckCommand {
  std::string data;
  bool json = false;
};
absl::Status run_check(const CheckCommand& command);

struct ReviseCommand {
  std::string data;
  bool dry_run = false;
  bool json = false;
};
absl::Status run_revise(const ReviseCommand& command);

struct BackupCommand {
  std::string data;
  std::string target;
};
absl::Status run_backup(const BackupCommand& command);

struct RestoreCommand {
  std::string from;
  std::string data;  // the new directory
};
absl::Status run_restore(const RestoreCommand& command);

}  // namespace kehu::command
