#include <atomic>
#include <cstdio>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "command/answers.h"
#include "definition/kind.h"
#include "definition/rules.h"
#include "demo/retailer.h"
#include "directory/demo_file.h"
#include "gateway/intake_thread.h"
#include "host/log_line.h"
#include "host/runtime.h"
#include "host/server_options.h"
#include "host/stop_signal.h"
#include "host/welcome.h"
#include "intake/segment.h"
#include "json/document.h"
#include "main/demo_lists.h"
#include "main/retail_rules.h"
#include "main/servers.h"
#include "notation/parse.h"
#include "os/posix_file_system.h"
#include "os/unused_memory.h"

namespace kehu {
namespace {

constexpr Duration kLiveStep = Duration::millis(100);

// Feeds the retailer's batches through the same door as any client, without a socket.
class Feeder {
 public:
  explicit Feeder(host::Runtime& runtime) : engine_(runtime.engine()), room_(engine_) {}

  absl::Status send(const std::string& body, Instant received_at) {
    if (decoder_.open(intake::SegmentCall::kBatch, body))
      return absl::InternalError("the demo made a bad batch");
    const intake::Sender sender{.policy = &room_.policy,
                                .door = &room_.door,
                                .project = engine::Project::kDefault,
                                .source = SourceId(1),
                                .default_channel = Channel::kUnknown,
                                .received_at = received_at,
                                .retried = false,
                                .remote_ip = {},
                                .origin = "demo"};
    decoder_.decode(sender, intake_);
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
  gateway::IntakeRoom room_;
  intake::SegmentDecoder decoder_;
  intake::Intake intake_;
  std::atomic<int> waiting_{0};
  std::atomic<bool> failed_{false};
};

// A definition that neither a start nor the demo made.
std::optional<std::string> made_by_somebody(const definition::Project& project) {
  std::optional<std::string> found;
  for (const definition::Kind& kind : definition::kinds()) {
    project.each(kind.name, [&](const std::string& name, const definition::Version& version) {
      if (version.actor == "kehu" || version.actor == "demo") return;
      found = name.empty() ? std::string(kind.name) : cat(kind.name, " \"", name, "\"");
    });
  }
  return found;
}

// What was invented cannot be taken out of what is real.
absl::Status check_directory(host::Runtime& runtime, const std::string& data) {
  const auto known = directory::read_demo_file(os::posix_file_system(), data);
  if (!known.ok()) return known.status();
  if (*known) return absl::OkStatus();
  const auto stats = command::body_of(command::caller_of(runtime)->call({.path = "/api/v1/stats"}));
  if (!stats.ok()) return stats.status();
  const auto document = json::Document::parse(*stats);
  if (!document.ok()) return document.status();
  const int64_t events = document->root().find("events").as_int().value_or(0);
  const int64_t rejections = document->root().find("rejections").as_int().value_or(0);
  const auto definition = made_by_somebody(*runtime.engine().project());
  if (events + rejections == 0 && !definition) return absl::OkStatus();
  const std::string held = events + rejections == 0 ? cat("definitions (", *definition, ")")
                                                    : cat(events, " events and ", rejections, " rejections");
  return failure(
      absl::StatusCode::kFailedPrecondition, data, " holds ", held,
      " that the demo did not make, and what it invents could not be taken out again: name another "
      "directory with --data, or serve this one: `kehu serve --data ",
      data, "`");
}

absl::StatusOr<demo::RetailerOptions> retailer_options(const DemoCommand& command, const Settings& settings,
                                                       Instant now) {
  os::FileSystem& files = os::posix_file_system();
  auto known = directory::read_demo_file(files, command.data);
  if (!known.ok()) return known.status();
  if (!*known) {
    const CivilDay first(settings.zone.day_of(now).value() - command.days);
    *known = directory::DemoFile{.seed = command.seed,
                                 .customers = command.customers,
                                 .start = settings.zone.start_of(first),
                                 .days = command.days + 365};
    if (auto status = directory::write_demo_file(files, command.data, **known); !status.ok()) return status;
  }
  const directory::DemoFile& used = **known;
  if (used.seed != command.seed || used.customers != command.customers) {
    host::log_line(server::Severity::kWarning,
                   cat(command.data, " goes on with the retailer it was made with: --seed ", used.seed,
                       ", --customers ", used.customers, "; another one needs another directory"));
  }
  return demo::RetailerOptions{.seed = (*known)->seed,
                               .customers = (*known)->customers,
                               .start = (*known)->start,
                               .days = (*known)->days};
}

// Before the first event, so that they are in force from it on and nothing has to be filled in. Later the
// rules are whoever's who changed them.
absl::Status define_rules(engine::Engine& engine) {
  std::vector<rule::Definition> rules;
  if (const auto problem = notation::parse_file(kRetailRules, rules))
    return absl::InternalError(to_absl(problem->message));
  std::erase_if(rules, [&](const rule::Definition& rule) {
    return engine.project()->find(rule::to_string(rule.kind), rule.name) != nullptr;
  });
  const definition::RuleChanges record(rules, "demo", Sequence());
  std::vector<Definition> changes;
  for (const std::string_view list : {kCardList, kOptOutList}) {
    if (engine.project()->find(definition::kList, list) != nullptr) continue;
    changes.push_back(
        {.kind = definition::kList, .name = list, .body = "{}", .actor = "demo", .base = Sequence()});
  }
  changes.insert(changes.end(), record.changes().begin(), record.changes().end());
  return changes.empty() ? absl::OkStatus() : engine.define(changes).status();
}

absl::Status fill_history(Feeder& feeder, demo::Retailer& retailer, Instant until, host::StopSignal& stop) {
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
      host::log_line(server::Severity::kInfo,
                     cat("history: ", events, " events, up to ", format_utc(retailer.now())));
    }
  }
  feeder.drain();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  host::log_line(server::Severity::kInfo,
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

void print_welcome(const host::Runtime& runtime, const std::string& url, const std::string& data) {
  const std::string key = runtime.write_key();
  (void)command::print(cat(
      "\nKehu is running: ", url, "/#token=", runtime.admin_token(), "\n\n", "  data directory  ", data, "\n",
      "  write key       ", key.empty() ? cat("none opens a source: see `kehu keys --data ", data, "`") : key,
      "\n", "  admin token     ", runtime.admin_token(), "\n\n", "Send an event:\n  curl -u ",
      key.empty() ? "KEY" : key, ": ", url,
      "/v1/track -d '{\"userId\":\"me\",\"event\":\"Order Completed\",\"properties\":{\"revenue\":99}}'\n",
      "See the customer:\n  curl -H 'Authorization: Bearer ", runtime.admin_token(), "' ", url,
      "/api/v1/customers/user_id:me\n\nCtrl-C stops it; `kehu demo --data ", data,
      "` goes on where it was.\n"));
}

}  // namespace

absl::Status run_demo(const DemoCommand& command) {
  if (command.customers < 1 || command.days < 1 || command.live_traffic < 0) {
    return absl::InvalidArgumentError("--customers and --days must be at least 1, --live-traffic at least 0");
  }
  host::StopSignal stop;
  auto opened = host::Runtime::open({.directory = command.data, .progress = host::report_recovery});
  if (!opened.ok()) return opened.status();
  host::Runtime& runtime = **opened;
  if (auto status = check_directory(runtime, command.data); !status.ok()) {
    (void)runtime.stop();
    return status;
  }
  const auto filled = directory::read_demo_file(os::posix_file_system(), command.data);
  if (!filled.ok()) return filled.status();
  if (!*filled) {
    if (auto status = define_rules(runtime.engine()); !status.ok()) return status;
  }
  auto server =
      server::Server::start(host::server_options(command.listen, command.data, 0), runtime.app().router());
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
  if (status.ok() && !*filled) status = upload_demo_lists(runtime);
  if (status.ok()) {
    print_welcome(runtime, host::page_of(command.listen, (*server)->port()), command.data);
    std::atomic<bool> stopping{false};
    std::thread live([&] { stream_live(feeder, retailer, clock, stopping); });
    os::UnusedMemory unused;  // of filling the history, above all
    while (!stop.wait(Duration::seconds(1))) {
      unused.look();
      host::report_health(runtime.engine().health());
    }
    stopping = true;
    live.join();
  }
  host::log_line(server::Severity::kInfo, "stopping: finishing what was accepted");
  (*server)->stop();
  status.Update(runtime.stop());
  return status;
}

}  // namespace kehu
