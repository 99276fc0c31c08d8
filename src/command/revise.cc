#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "directory/data_directory.h"
#include "directory/revision.h"
#include "json/document.h"
#include "json/writer.h"
#include "os/posix_file_system.h"

namespace kehu::command {
namespace {

constexpr size_t kValuesShown = 20;

absl::StatusOr<directory::Revision> revise(const ReviseCommand& command) {
  os::FileSystem& files = os::posix_file_system();
  using Purpose = directory::DataDirectory::Purpose;
  const auto directory = directory::DataDirectory::open(
      files, command.data, command.dry_run ? Purpose::kReading : Purpose::kWriting);
  if (directory.status().code() == absl::StatusCode::kUnavailable) {
    return failure(absl::StatusCode::kUnavailable, "data directory ", command.data,
                   " is in use: history is revised while no server runs, because all customers are computed "
                   "anew");
  }
  if (!directory.ok()) return directory.status();
  return command.dry_run ? directory::foresee_revision(files, *directory)
                         : directory::revise(files, *directory);
}

// Opens the directory, and closes it again: what it lacks is computed.
absl::StatusOr<int64_t> count_customers(const ReviseCommand& command) {
  auto opened = open_caller({.where = {.data = command.data, .url = {}}});
  if (!opened.ok()) return opened.status();
  const auto body = body_of((*opened)->call({.path = "/api/v1/stats"}));
  absl::Status status = body.status();
  status.Update((*opened)->close());
  if (!status.ok()) return status;
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  return document->root().find("customers").as_int().value_or(0);
}

struct Customers {
  int64_t before = 0;
  int64_t after = 0;
};

std::string to_json(const directory::Revision& revision, const Customers& customers, bool dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("dry_run", dry_run).field("settings", revision.settings);
  writer.field("events", revision.events).key("values").begin_array();
  for (const auto& value : revision.values) {
    writer.begin_object().field("type", value.type);
    if (!value.value.empty()) writer.field("value", value.value);
    if (value.left_out != LeftOut::kNo) writer.field("left_out", to_string(value.left_out));
    if (!value.read_as.empty()) writer.field("read_as", value.read_as);
    writer.field("events", value.events).end_object();
  }
  writer.end_array().field("customers_before", customers.before);
  if (!dry_run) writer.field("customers", customers.after);
  writer.end_object();
  return out;
}

std::string to_text(const directory::Revision& revision, const Customers& customers, bool dry_run) {
  std::string out;
  size_t shown = 0;
  for (const auto& value : revision.values) {
    if (++shown > kValuesShown) break;
    out += cat("  ", value.type, " ", value.value.empty() ? "(personal)" : value.value, ": ",
               value.left_out != LeftOut::kNo ? cat("left out, ", to_string(value.left_out))
                                              : cat("read as ", value.read_as),
               " (", value.events, " events)\n");
  }
  if (shown > kValuesShown) out += cat("  and ", revision.values.size() - kValuesShown, " more: --json\n");
  out = cat(revision.events, " events have an identifier that is read differently today",
            out.empty() ? "" : ":\n", out.empty() ? "\n" : out);
  out += cat(revision.settings, " changes of the settings ", dry_run ? "would hold" : "hold",
             " from the beginning\n");
  return out += dry_run
                    ? cat(customers.before, " customers; nothing was changed: leave out --dry-run to do it")
                    : cat(customers.before, " customers became ", customers.after);
}

}  // namespace

absl::Status run_revise(const ReviseCommand& command) {
  if (!directory::DataDirectory::exists(os::posix_file_system(), command.data))
    return failure(absl::StatusCode::kNotFound, command.data, " is no data directory");
  Customers customers;
  const auto before = count_customers(command);
  if (!before.ok()) return before.status();
  customers.before = *before;
  const auto revision = revise(command);
  if (!revision.ok()) return revision.status();
  if (!command.dry_run) {
    const auto after = count_customers(command);
    if (!after.ok()) return after.status();
    customers.after = *after;
  }
  return print(command.json ? to_json(*revision, customers, command.dry_run)
                            : to_text(*revision, customers, command.dry_run));
}

}  // namespace kehu::command
