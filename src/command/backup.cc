#include "engine/backup.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "directory/data_directory.h"
#include "json/document.h"
#include "json/writer.h"
#include "os/posix_file_system.h"

namespace kehu::command {
namespace {

constexpr std::chrono::milliseconds kLookPause{50};

// A line that is written over, on a terminal only.
class ProgressLine {
 public:
  void show(uint64_t bytes, uint64_t total) {
    if (!shown_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    std::fprintf(stderr, "\r%llu of %llu MiB copied ", static_cast<unsigned long long>(bytes >> 20),
                 static_cast<unsigned long long>(std::max(bytes, total) >> 20));
    std::fflush(stderr);
    written_ = true;
  }
  ~ProgressLine() {
    if (written_) std::fputs("\r\033[K", stderr);
  }

 private:
  const bool shown_ = isatty(STDERR_FILENO) != 0;
  bool written_ = false;
  std::chrono::steady_clock::time_point next_;
};

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::string begin_body(const std::string& target) {
  std::string out;
  json::Writer(out).begin_object().field("directory", target).end_object();
  return out;
}

absl::Status follow(Caller& caller, const std::string& target) {
  auto begun = body_of(caller.call(
      {.method = "POST", .path = "/api/v1/backup", .headers = kJson, .body = begin_body(target)}));
  if (!begun.ok()) return begun.status();
  ProgressLine line;
  while (true) {
    const auto body = body_of(caller.call({.path = "/api/v1/backup"}));
    if (!body.ok()) return body.status();
    const auto document = json::Document::parse(*body);
    if (!document.ok()) return document.status();
    const auto state = document->root().find("state").as_string();
    if (state == "done") return absl::OkStatus();
    if (state != "running") {
      return failure(absl::StatusCode::kUnavailable,
                     "the backup failed: ", document->root().find("error").as_string().value_or(*body));
    }
    line.show(static_cast<uint64_t>(document->root().find("bytes").as_int().value_or(0)),
              static_cast<uint64_t>(document->root().find("bytes_total").as_int().value_or(0)));
    std::this_thread::sleep_for(kLookPause);
  }
}

// A service may have a /tmp of its own that goes when it stops (PrivateTmp= of systemd). A copy there is
// none.
absl::Status check_seen(const std::string& target) {
  std::error_code error;
  if (std::filesystem::exists(target, error) || error) return absl::OkStatus();
  return failure(
      absl::StatusCode::kFailedPrecondition, "the server has written ", target,
      ", but that is not to be seen here: as a service it has a /tmp and /var/tmp of its own, which "
      "go with it. Give it another target, which ReadWritePaths= of the service must allow");
}

}  // namespace

absl::Status run_backup(const BackupCommand& command) {
  const std::string target = absolute(command.target);
  auto caller = open_caller({.where = {.data = command.data, .url = {}}});
  if (!caller.ok()) return caller.status();
  absl::Status status = follow(**caller, target);
  status.Update((*caller)->close());
  status.Update(status.ok() ? check_seen(target) : absl::OkStatus());
  if (!status.ok()) return status;
  return print(
      cat("backed up to ", target, "; it holds the project's key: keep it as safe as ", command.data));
}

absl::Status run_restore(const RestoreCommand& command) {
  ProgressLine line;
  const absl::Status status = engine::restore(
      os::posix_file_system(), {.from = absolute(command.from), .to = absolute(command.data)},
      [&line](const engine::CopyProgress& progress) { line.show(progress.bytes, progress.bytes_total); });
  if (!status.ok()) return status;
  return print(cat("restored to ", command.data, " and checked: start it with `kehu serve --data ",
                   command.data, "`"));
}

}  // namespace kehu::command
