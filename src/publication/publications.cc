#include "publication/publications.h"

#include <algorithm>

#include "base/text.h"
#include "os/thread_name.h"
#include "os/thread_priority.h"
#include "publication/customers.h"
#include "publication/delivered_mark.h"
#include "publication/events.h"

namespace kehu::publication {

absl::StatusOr<std::unique_ptr<Publications>> Publications::start(const std::vector<std::string>& files,
                                                                  const Ground& ground) {
  auto publications = std::make_unique<Publications>();
  const std::string directory = marks_directory(ground.engine.directory());
  if (!files.empty()) {
    if (auto status = ground.files.create_directories(directory); !status.ok()) return status;
  }
  for (const std::string& file : files) {
    const auto spec = load_publication(file);
    if (!spec.ok()) return spec.status();
    if (auto status = publications->add(*spec, ground); !status.ok()) return status;
  }
  for (Running& running : publications->running_) {
    running.thread = std::jthread([follower = running.follower.get()](const std::stop_token& stop) {
      os::name_this_thread("kehu-publish");
      os::lower_this_thread_priority();
      follower->run(stop);
    });
  }
  return publications;
}

// Each topic follows the log for itself, with a position of its own. A customer's document is made on the
// apply thread, and publishing takes a fifth of that thread at most; events must not wait for that
// (docs/decisions/publishing.md).
absl::Status Publications::add(const PublicationSpec& spec, const Ground& ground) {
  for (const Running& running : running_) {
    if (running.publication != spec.name) continue;
    return failure(absl::StatusCode::kInvalidArgument, "two publications are called ", spec.name,
                   ", after their files: rename one, because what was delivered is kept under that name");
  }
  const auto add_topic = [&](const std::string& topic, const std::string& stream) -> absl::Status {
    if (topic.empty()) return absl::OkStatus();
    auto session = ground.query.connect();
    if (!session.ok()) return session.status();
    std::unique_ptr<Content> content;
    if (stream == "events") {
      content = std::make_unique<Events>(ground.engine, *std::move(session));
    } else {
      content = std::make_unique<Customers>(ground.engine, *std::move(session));
    }
    auto follower = Follower::open(
        ground.engine,
        {.producer = {.brokers = spec.brokers, .topic = topic, .properties = spec.properties},
         .mark_file = cat(marks_directory(ground.engine.directory()), "/", spec.name, ".", stream),
         .from_now = spec.start == PublicationSpec::Start::kNow,
         .files = &ground.files,
         .notify = ground.notify},
        std::move(content));
    if (!follower.ok()) return follower.status();
    running_.push_back({spec.name, stream, *std::move(follower), {}});
    return absl::OkStatus();
  };
  if (auto status = add_topic(spec.events, "events"); !status.ok()) return status;
  return add_topic(spec.changes, "changes");
}

void Publications::stop() {
  for (Running& running : running_) running.thread.request_stop();
  for (Running& running : running_) {
    if (running.thread.joinable()) running.thread.join();
  }
}

void Publications::append_metrics(std::string& out) const {
  if (running_.empty()) return;
  struct Metric {
    const char* name;
    const char* type;
    const char* help;
    uint64_t Figures::*figure;
  };
  constexpr Metric kMetrics[] = {
      {"kehu_published_messages_total", "counter", "Messages that the broker has since the start.",
       &Figures::messages},
      {"kehu_publish_errors_total", "counter", "Times that publishing broke off and was begun again.",
       &Figures::errors},
      {"kehu_publish_behind", "gauge", "Records of the log that are not published yet.", &Figures::behind},
  };
  for (const Metric& metric : kMetrics) {
    out += cat("# HELP ", metric.name, " ", metric.help, "\n# TYPE ", metric.name, " ", metric.type, "\n");
    for (const Running& running : running_) {
      out += cat(metric.name, "{publication=\"", running.publication, "\",stream=\"", running.stream, "\"} ",
                 running.follower->figures().*metric.figure, "\n");
    }
  }
}

}  // namespace kehu::publication
