#include "base/text.h"
#include "command/answers.h"
#include "directory/data_directory.h"
#include "directory/withdrawal.h"
#include "json/writer.h"
#include "os/posix_file_system.h"
#include "upload/uploads.h"

namespace kehu::upload {
namespace {

absl::StatusOr<directory::Withdrawn> withdraw(const ImportCommand& command) {
  os::FileSystem& files = os::posix_file_system();
  const auto directory = directory::DataDirectory::open(files, command.where.data);
  if (directory.status().code() == absl::StatusCode::kUnavailable) {
    return failure(
        absl::StatusCode::kUnavailable, "data directory ", command.where.data,
        " is in use: an import is withdrawn while no server runs, because all customers are computed anew");
  }
  if (!directory.ok()) return directory.status();
  return directory::withdraw(files, *directory, {.key = command.undo, .source = command.source});
}

}  // namespace

absl::Status run_undo(const ImportCommand& command) {
  if (command.where.data.empty()) {
    return absl::InvalidArgumentError(
        "name the directory with --data: an import is withdrawn while no server runs");
  }
  if (!directory::DataDirectory::exists(os::posix_file_system(), command.where.data))
    return failure(absl::StatusCode::kNotFound, command.where.data, " is no data directory");
  const auto done = withdraw(command);
  if (!done.ok()) return done.status();
  // Customers and archive are computed now, so that whoever comes next need not wait for it.
  auto opened = command::open_caller({.where = command.where});
  if (!opened.ok()) return opened.status();
  if (auto status = (*opened)->close(); !status.ok()) return status;
  if (command.json) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .field("origin", done->file.key)
        .field("file", done->file.file)
        .field("withdrawn_events", done->events)
        .field("withdrawn_rejections", done->rejections)
        .end_object();
    return command::print(out);
  }
  return command::print(cat(done->events, " events and ", done->rejections, " rejections of ",
                            done->file.file, " are withdrawn, as if the file had never come"));
}

}  // namespace kehu::upload
