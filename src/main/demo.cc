#include <atomic>
#include <cstdio>
#include <future>
#include <thread>

#include "api/intake_thread.h"
#include "base/text.h"
#include "demo/retailer.h"
#include "intake/segment.h"
#include "main/answers.h"
#include "main/commands.h"
#include "main/demo_file.h"
#include "main/log_line.h"
#include "main/runtime.h"
#include "main/server_options.h"
#include "main/stop_signal.h"
#include "os/posix_file_system.h"

namespace kehu {
namespace {

constexpr Duration kLiveStep = Duration::millis(100);

// Feeds the retailer's batches through the same door as any client, without a socket.
class Feeder {
 public:
  explicit Feeder(Runtime& runtime) : engine_(runtime.engine()), room_(engine_) {}

  absl::Status send(const std::string& body, Instant received_at) {
    if (decoder_.open(intake::SegmentCall::kBatch, body))
      return absl::InternalError("the demo made a bad batch");
    const intake::Context context{.policy = &room_.policy,
                                  .door = &room_.door,
                                  .project = engine::Project::kDefault,
                                  .source = SourceId(1),
                                  .default_channel = Channel::kUnknown,
                                  .received_at = received_at,
                                  .retried = false,
                                  .remote_ip = {},
                                  .origin = "demo"};
    decoder_.decode(context, intake_);
    engine::Submission submission{.batch = std::move(intake_.records),
                                  .data_keys = std::move(intake_.new_key_ids),
                                  .done = [this](const engine::Ack& ack) { finish(ack); }};
    intake_ = {};
    wait_for_room();
    ++waiting_;
    auto status = engine_.submit(std::move(submission));
    if (!status.ok()) --waiting_;
    return status;
  }

  // Everything sent is durable.
  void drain() {
    while (waiting_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  bool failed() const { return failed_; }

 private:
  static constexpr int kWaitingMax = 32;

  void finish(const engine::Ack& ack) {
    if (!ack.status.ok()) failed_ = true;
    --waiting_;
  }
  void wait_for_room() {
    while (waiting_ >= kWaitingMax) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }

  engine::Engine& engine_;
  api::IntakeRoom room_;
  intake::SegmentDecoder decoder_;
  intake::Intake intake_;
  std::atomic<int> waiting_{0};
  std::atomic<bool> failed_{false};
};

absl::StatusOr<demo::RetailerOptions> retailer_options(const DemoCommand& command, const Settings& settings,
                                                       Instant now) {
  os::FileSystem& files = os::posix_file_system();
  auto known = read_demo_file(files, command.data);
  if (!known.ok()) return known.status();
  if (!*known) {
    const CivilDay first(settings.zone.day_of(now).value() - command.days);
    *known = DemoFile{.seed = command.seed,
                      .customers = command.customers,
                      .start = settings.zone.start_of(first),
                      .days = command.days + 365};
    if (auto status = write_demo_file(files, command.data, **known); !status.ok()) return status;
  }
  return demo::RetailerOptions{.seed = (*known)->seed,
                               .customers = (*known)->customers,
                               .start = (*known)->start,
                               .days = (*known)->days};
}

absl::Status fill_history(Feeder& feeder, demo::Retailer& retailer, Instant until, StopSignal& stop) {
  std::string body;
  uint64_t events = 0;
  const auto start = std::chrono::steady_clock::now();
  auto shown = start;
  for (;;) {
    const size_t count = retailer.next_batch({.until = until}, body);
    if (count == 0) break;
    if (auto status = feeder.send(body, retailer.now()); !status.ok()) return status;
    events += count;
    const auto now = std::chrono::steady_clock::now();
    if (now - shown > std::chrono::seconds(1)) {
      shown = now;
      if (stop.wait(Duration())) return absl::CancelledError("stopped while the history was being filled");
      log_line(server::Severity::kInfo,
               cat("history: ", events, " events, up to ", format_utc(retailer.now())));
    }
  }
  feeder.drain();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  log_line(server::Severity::kInfo,
           cat("history: ", events, " events in ", static_cast<int64_t>(seconds * 1000), " ms"));
  return feeder.failed() ? absl::UnavailableError("the log did not take the history") : absl::OkStatus();
}

void stream_live(Feeder& feeder, demo::Retailer& retailer, os::Clock& clock,
                 const std::atomic<bool>& stopping) {
  std::string body;
  while (!stopping) {
    const Instant now = clock.now();
    while (retailer.next_batch({.until = now, .events = 500}, body) > 0) {
      if (const auto status = feeder.send(body, now); !status.ok()) break;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(kLiveStep.micros()));
  }
  feeder.drain();
}

void print_welcome(const Runtime& runtime, const std::string& listen, const std::string& data) {
  const std::string url = cat("http://", listen);
  (void)print(cat(
      "\nKehu is running: ", url, "/#token=", runtime.admin_token(), "\n\n", "  data directory  ", data, "\n",
      "  write key       ", runtime.write_key(), "\n", "  admin token     ", runtime.admin_token(), "\n\n",
      "Send an event:\n  curl -u ", runtime.write_key(), ": ", url,
      "/v1/track -d '{\"userId\":\"me\",\"event\":\"Order Completed\",\"properties\":{\"revenue\":99}}'\n",
      "See the customer:\n  curl -H 'Authorization: Bearer ", runtime.admin_token(), "' ", url,
      "/api/v1/customers/user_id:me\n\nCtrl-C stops it; `make run` goes on where it was.\n"));
}

}  // namespace

absl::Status run_demo(const DemoCommand& command) {
  if (command.customers < 1 || command.days < 1 || command.live_traffic < 0) {
    return absl::InvalidArgumentError("--customers and --days must be at least 1, --live-traffic at least 0");
  }
  StopSignal stop;
  auto opened = Runtime::open({.directory = command.data, .progress = report_recovery});
  if (!opened.ok()) return opened.status();
  Runtime& runtime = **opened;
  auto server =
      server::Server::start(server_options(command.listen, command.data, 0), runtime.app().router());
  if (!server.ok()) return server.status();

  os::Clock& clock = runtime.engine().clock();
  const Instant now = clock.now();
  const auto options = retailer_options(command, *runtime.engine().project()->settings(), now);
  if (!options.ok()) return options.status();
  demo::Retailer retailer(*options);
  Feeder feeder(runtime);
  absl::Status status = fill_history(feeder, retailer, now - demo::Retailer::kRampUp, stop);
  // The last minutes have the live traffic already, so that the stream is at its full rate from the first
  // second.
  retailer.set_live_traffic(command.live_traffic);
  if (status.ok()) status = fill_history(feeder, retailer, now, stop);
  if (status.ok()) {
    print_welcome(runtime, command.listen, command.data);
    std::atomic<bool> stopping{false};
    std::thread live([&] { stream_live(feeder, retailer, clock, stopping); });
    while (!stop.wait(Duration::seconds(1))) report_health(runtime.engine().health());
    stopping = true;
    live.join();
  }
  log_line(server::Severity::kInfo, "stopping: finishing what was accepted");
  (*server)->stop();
  status.Update(runtime.stop());
  return status;
}

}  // namespace kehu
