#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "host/stop_signal.h"
#include "upload/attachment.h"
#include "upload/uploads.h"

namespace kehu::upload {
namespace {

constexpr Duration kPatience = Duration::millis(200);

std::string line_of(const Attachment& attachment) {
  const UploadTotals& totals = attachment.totals();
  const std::string empty =
      attachment.passed_over() == 0 ? "" : cat(", ", attachment.passed_over(), " were empty and passed over");
  return cat(attachment.messages(), " messages: ", totals.accepted, " events are new, ", totals.repeats,
             " were there already, ", totals.rejected, " went into quarantine", empty);
}

// A line every few seconds, and at once when something stands in the way.
class Report {
 public:
  void show(const Attachment& attachment) {
    const auto now = std::chrono::steady_clock::now();
    const std::string trouble = attachment.trouble();
    const bool news = trouble != trouble_;
    if (!news && (now - shown_ < std::chrono::seconds(5) || attachment.messages() == messages_)) return;
    shown_ = now;
    trouble_ = trouble;
    messages_ = attachment.messages();
    std::fprintf(stderr, "%s: %s\n", attachment.name().c_str(),
                 trouble.empty() ? line_of(attachment).c_str() : trouble.c_str());
  }

 private:
  std::chrono::steady_clock::time_point shown_;
  std::string trouble_;
  uint64_t messages_ = 0;
};

}  // namespace

absl::Status run_attach(const AttachCommand& command) {
  host::StopSignal stop;
  auto caller = command::open_caller({.where = command.where, .create = true});
  if (!caller.ok()) return caller.status();
  auto attachment = Attachment::open(command.map, **caller,
                                     MappedUpload::Sender::of(command.where, command.key, command.source));
  absl::Status status = attachment.status();
  Report report;
  Duration pause;
  while (status.ok() && !stop.wait(pause)) {
    const auto any = (*attachment)->step(kPatience);
    status = any.status();
    report.show(**attachment);
    // What passes is tried again, but not as fast as it fails.
    const bool troubled = any.ok() && !*any && !(*attachment)->trouble().empty();
    pause = troubled ? Duration::millis(500) : Duration();
  }
  if (attachment.ok()) std::fprintf(stderr, "%s: %s\n", command.map.c_str(), line_of(**attachment).c_str());
  status.Update((*caller)->close());
  return status;
}

}  // namespace kehu::upload
