#include "load/bench.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "base/text.h"
#include "command/answers.h"
#include "demo/load_profile.h"
#include "gateway/intake_thread.h"
#include "host/runtime.h"
#include "host/server_options.h"
#include "json/writer.h"
#include "load/load_client.h"
#include "load/protocol_load.h"
#include "load/rule_load.h"
#include "load/stream_load.h"
#include "os/random.h"
#include "replica/consumer.h"

namespace kehu::load {
namespace {

constexpr size_t kBatch = 100;

// One measured figure beside what was aimed at. Rates: more is better; latencies and bytes: less is.
struct Figure {
  std::string name;
  std::string unit;
  double measured = 0;
  double target = 0;  // 0: none
  double stretch = 0;
  std::string note;  // batch size and the like
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long long pages = 0, resident = 0;
  const bool read = file != nullptr && std::fscanf(file, "%llu %llu", &pages, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  return read ? resident * 4096 : 0;
}

// Sees the effects of every slice at the moment when they are published, on the apply thread.
class AppliedEffects final : public replica::Consumer {
 public:
  using See = std::function<void(const shard::Effects&)>;
  AppliedEffects(replica::Consumers& consumers, See see) : consumers_(consumers), see_(std::move(see)) {
    consumers_.add(*this);
  }
  ~AppliedEffects() override { consumers_.remove(*this); }

  bool wants(const shard::Effects& effects) override {
    see_(effects);
    return false;  // the slice itself
  }
  void take(const std::shared_ptr<const replica::AppliedSlice>&) override {}

 private:
  replica::Consumers& consumers_;
  See see_;
};

// A server in this process on a fresh directory, with whatever depth is measured.
class Stage {
 public:
  static absl::StatusOr<std::unique_ptr<Stage>> open(const std::string& directory, engine::Depth depth) {
    std::unique_ptr<Stage> stage(new Stage(cat(directory, "/", os::random_hex(6))));
    auto runtime = host::Runtime::open({.directory = stage->directory_, .depth = depth});
    if (!runtime.ok()) return runtime.status();
    stage->runtime_ = *std::move(runtime);
    stage->write_key_ = stage->runtime_->write_key();
    auto server = server::Server::start(host::server_options("127.0.0.1:0", stage->directory_, 1),
                                        stage->runtime_->app().router());
    if (!server.ok()) return server.status();
    stage->server_ = *std::move(server);
    return stage;
  }
  ~Stage() {
    if (server_) server_->stop();
    if (runtime_) (void)runtime_->stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  uint16_t port() const { return server_->port(); }
  host::Runtime& runtime() { return *runtime_; }
  std::string post(std::string_view path, std::string_view body) const {
    return cat("POST ", path, "?writeKey=", write_key_,
               " HTTP/1.1\r\nHost: kehu\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
               "\r\n\r\n", body);
  }
  // Requests of `events` events each, as a profile makes them now. What it refers to must outlive it.
  NextRequest batches(demo::LoadProfile& profile, size_t events) {
    return [this, &profile, events](std::string& out) {
      profile.next_batch(events, runtime_->engine().clock().now(), body_);
      out = post("/v1/batch", body_);
      return events;
    };
  }
  NextRequest calls(demo::LoadProfile& profile) {
    return [this, &profile](std::string& out) {
      profile.next_call(runtime_->engine().clock().now(), body_);
      out = post("/v1/track", body_);
      return size_t{1};
    };
  }
  // Until everything durable is applied and archived: the work of the whole pipeline counts.
  void settle() { runtime_->engine().wait_archived(Duration::seconds(60)); }

 private:
  explicit Stage(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
  std::string body_;
  std::string write_key_;
  std::unique_ptr<host::Runtime> runtime_;
  std::unique_ptr<server::Server> server_;
};

class Bench {
 public:
  explicit Bench(const BenchCommand& command, std::string directory)
      : command_(command), directory_(std::move(directory)) {}

  absl::Status run() {
    static constexpr std::pair<std::string_view, absl::Status (Bench::*)()> kAll[] = {
        {"intake", &Bench::intake},
        {"pipeline", &Bench::pipeline},
        {"stream", &Bench::stream},
        {"stream_single", &Bench::stream_single},
        {"single", &Bench::single},
        {"protocols", &Bench::protocols},
        {"latency", &Bench::latency},
        {"rules", &Bench::rules},
        {"rule_latency", &Bench::rule_latency},
        {"memory", &Bench::memory}};
    const auto wanted = [this](std::string_view name) {
      return command_.only.empty() ||
             std::find(command_.only.begin(), command_.only.end(), name) != command_.only.end();
    };
    for (const auto& [name, measure] : kAll) {
      if (!wanted(name)) continue;
      std::fprintf(stderr, "bench: %s …\n", std::string(name).c_str());
      if (auto status = (this->*measure)(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const std::vector<Figure>& figures() const { return figures_; }

 private:
  struct Aim {
    double target;
    double stretch;
  };

  absl::Status throughput(const std::string& name, engine::Depth depth, const Aim& aim) {
    auto stage = Stage::open(directory_, depth);
    if (!stage.ok()) return stage.status();
    demo::LoadProfile profile({.seed = os::random_u64(), .customers = command_.customers});
    const NextRequest next = (*stage)->batches(profile, kBatch);
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const auto load = run_load({.port = (*stage)->port(), .connections = 32, .length = length()}, next);
    if (!load.ok()) return load.status();
    (*stage)->settle();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double used = cpu_seconds() - cpu;
    const double events = static_cast<double>(load->events);
    const std::string note =
        cat("batch ", kBatch, ", 32 connections, fdatasync before ack, generator included");
    figures_.push_back(
        {cat(name, "_events_per_second"), "events/s", events / seconds, aim.target, aim.stretch, note});
    figures_.push_back({cat(name, "_cpu_seconds_per_million"), "CPU-s", used * 1e6 / events, 0, 0, note});
    figures_.push_back({cat(name, "_ack_p50_ms"), "ms", ms(percentile(load->ack_micros, 0.5)), 0, 0, note});
    figures_.push_back({cat(name, "_ack_p99_ms"), "ms", ms(percentile(load->ack_micros, 0.99)), 0, 0, note});
    return check(*load);
  }

  absl::Status intake() { return throughput("intake", engine::Depth::kLog, {1.0e6, 1.4e6}); }
  absl::Status pipeline() { return throughput("pipeline", engine::Depth::kAll, {500e3, 1.0e6}); }

  // The whole pipeline over events of twenty names, without rules and with many, one after the other.
  absl::Status rules() {
    double without = 0;
    for (const size_t count : {0, 50, 500}) {
      const double cpu = cpu_seconds();
      uint64_t events = 0;
      auto rate = rate_with_rules(count, events);
      if (!rate.ok()) return rate.status();
      const std::string note =
          "20 names of events, rules of 10 kinds over them; batch 100, generator included";
      figures_.push_back({cat("rules_", count, "_events_per_second"), "events/s", *rate, 0, 0, note});
      figures_.push_back({cat("rules_", count, "_cpu_seconds_per_million"), "CPU-s",
                          (cpu_seconds() - cpu) * 1e6 / static_cast<double>(events), 0, 0, note});
      if (count == 0) without = *rate;
      if (count == 0) continue;
      figures_.push_back({cat("rules_", count, "_share"), "%", 100 * *rate / without,
                          count == 50 ? 70.0 : 35.0, 0, "of the rate without rules"});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<double> rate_with_rules(size_t count, uint64_t& events) {
    auto stage = Stage::open(directory_, engine::Depth::kAll);
    if (!stage.ok()) return stage.status();
    if (auto status = define_rules((*stage)->runtime().engine(), count); !status.ok()) return status;
    demo::LoadProfile profile({.seed = 11, .customers = command_.customers, .mixed = true});
    const NextRequest next = (*stage)->batches(profile, kBatch);
    const auto start = std::chrono::steady_clock::now();
    const auto load = run_load({.port = (*stage)->port(), .connections = 32, .length = length()}, next);
    if (!load.ok()) return load.status();
    (*stage)->settle();
    if (auto status = check(*load); !status.ok()) return status;
    events = load->events;
    return static_cast<double>(load->events) /
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  absl::Status stream() { return stream_of(100, "stream_events_per_second", {400e3, 0}); }
  absl::Status stream_single() { return stream_of(1, "stream_single_events_per_second", {400e3, 0}); }

  absl::Status stream_of(size_t events_per_message, const std::string& name, const Aim& aim) {
    auto stage = Stage::open(directory_, engine::Depth::kLog);
    if (!stage.ok()) return stage.status();
    demo::LoadProfile profile({.seed = os::random_u64(), .customers = command_.customers});
    os::Clock& clock = (*stage)->runtime().engine().clock();
    std::string event;
    const NextMessage next = [&](std::string& out) {
      for (size_t i = 0; i < events_per_message; ++i) {
        profile.next_call(clock.now(), event);
        out.append(event).push_back('\n');
      }
      return events_per_message;
    };
    const double cpu = cpu_seconds();
    const auto load =
        run_stream_load({.port = (*stage)->port(),
                         .path = cat("/api/v1/stream?writeKey=", (*stage)->runtime().write_key()),
                         .length = length()},
                        next);
    if (!load.ok()) return load.status();
    const double events = static_cast<double>(load->events);
    const std::string note = cat("WebSocket, ", events_per_message,
                                 " to a frame, 4 connections, fdatasync before ack, generator included");
    figures_.push_back({name, "events/s", events / load->seconds, aim.target, aim.stretch, note});
    figures_.push_back({cat(name.substr(0, name.find("_events")), "_cpu_seconds_per_million"), "CPU-s",
                        (cpu_seconds() - cpu) * 1e6 / events, 0, 0, note});
    if (load->failures == 0) return absl::OkStatus();
    return failure(absl::StatusCode::kInternal, load->failures, " of the stream's events were not accepted");
  }

  absl::Status protocols() {
    for (const Protocol protocol : kProtocols) {
      if (auto status = requests_of(protocol); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status requests_of(Protocol protocol) {
    auto stage = Stage::open(directory_, engine::Depth::kLog);
    if (!stage.ok()) return stage.status();
    constexpr size_t kEvents = 50;
    constexpr size_t kRequests = 30'000;
    ProtocolLoad requests(protocol, (*stage)->runtime().write_key(), command_.customers);
    requests.prepare(kRequests, kEvents, (*stage)->runtime().engine().clock().now());
    const double cpu = cpu_seconds();
    const auto load = run_load({.port = (*stage)->port(), .connections = 32, .length = length()},
                               [&requests](std::string& out) { return requests.next(out); });
    if (!load.ok()) return load.status();
    const double events = static_cast<double>(load->events);
    const std::string note =
        cat(packing_of(protocol), ", batch ", kEvents,
            ", 32 connections, fdatasync before ack, requests made before the clock starts");
    const double target = protocol == Protocol::kSensors ? 150e3 : 0;
    const std::string name(to_string(protocol));
    figures_.push_back({name + "_events_per_second", "events/s", events / load->seconds, target, 0, note});
    figures_.push_back(
        {name + "_cpu_seconds_per_million", "CPU-s", (cpu_seconds() - cpu) * 1e6 / events, 0, 0, note});
    return check(*load);
  }

  absl::Status single() {
    auto stage = Stage::open(directory_, engine::Depth::kAll);
    if (!stage.ok()) return stage.status();
    demo::LoadProfile profile({.seed = os::random_u64(), .customers = command_.customers});
    const auto load =
        run_load({.port = (*stage)->port(), .connections = 32, .length = length()}, (*stage)->calls(profile));
    if (!load.ok()) return load.status();
    const std::string note = "one event per POST, 32 connections, fdatasync before ack";
    figures_.push_back({"single_posts_per_second", "posts/s",
                        static_cast<double>(load->events) / load->seconds, 60e3, 84e3, note});
    figures_.push_back({"single_ack_p99_ms", "ms", ms(percentile(load->ack_micros, 0.99)), 0, 0, note});
    return check(*load);
  }

  // From the moment a batch of an open loop should have been sent to the moment the observer of applied
  // batches, which feeds profile reads and WebSockets, has seen its last event. The events carry the first
  // moment as their time, in milliseconds, so one base of a whole millisecond loses nothing.
  absl::Status latency() {
    return latency_under(0, [this](const Seen& seen, const std::string& note) {
      add_latency("visible", seen.events, {10, 3}, 50, note);
    });
  }

  // The same until a change of a segment or tag was published, with 50 rules: of the event that made it, and
  // of the moment at which time did.
  absl::Status rule_latency() {
    return latency_under(50, [this](const Seen& seen, const std::string& note) {
      add_latency("membership", seen.changes, {5, 0}, 100, note + ", changes by events");
      add_latency("membership_due", seen.due, {1000, 0}, 0,
                  note + ", changes by time, from when they were due");
    });
  }

  // Microseconds.
  struct Seen {
    std::vector<int64_t> events, changes, due;
  };

  static void add_changes(const shard::Effects& effects, Instant now, Seen& seen) {
    auto applied = effects.events.begin();
    for (const shard::MembershipChange& change : effects.memberships) {
      while (applied != effects.events.end() && applied->sequence < change.sequence) ++applied;
      const bool of_event = applied != effects.events.end() && applied->sequence == change.sequence &&
                            change.change.at >= applied->event->time;
      (of_event ? seen.changes : seen.due)
          .push_back((now - (of_event ? applied->event->time : change.change.at)).micros());
    }
  }

  void add_latency(const std::string& name, std::vector<int64_t> micros, const Aim& p99, double max,
                   const std::string& note) {
    std::sort(micros.begin(), micros.end());
    const auto figure = [&](const char* of, double part, double target, double stretch) {
      figures_.push_back({name + of, "ms", ms(percentile(micros, part)), target, stretch, note});
    };
    figure("_p50_ms", 0.5, 0, 0);
    figure("_p99_ms", 0.99, p99.target, p99.stretch);
    figure("_p999_ms", 0.999, 0, 0);
    figure("_max_ms", 1, max, 0);
  }

  absl::Status latency_under(size_t rules,
                             const std::function<void(const Seen&, const std::string&)>& report) {
    auto stage = Stage::open(directory_, engine::Depth::kAll);
    if (!stage.ok()) return stage.status();
    engine::Engine& engine = (*stage)->runtime().engine();
    if (auto status = define_rules(engine, rules); !status.ok()) return status;
    os::Clock& clock = engine.clock();
    demo::LoadProfile profile({.seed = os::random_u64(), .customers = command_.customers});
    const double requests_per_second = static_cast<double>(command_.rate) / kBatch;
    Seen seen;
    seen.events.reserve(static_cast<size_t>(command_.seconds * command_.rate));
    std::atomic<int64_t> below_millis{0};
    std::optional<AppliedEffects> watch;
    watch.emplace(engine.consumers(), [&](const shard::Effects& effects) {
      const Instant now = clock.now() - Duration(below_millis.load(std::memory_order_relaxed));
      for (const shard::Applied& applied : effects.events) {
        seen.events.push_back((now - applied.event->time).micros());
      }
      add_changes(effects, now, seen);
    });
    std::string body;
    std::optional<Instant> first;
    uint64_t sent = 0;
    const NextRequest next = [&](std::string& out) {
      if (!first) {
        first = clock.now();
        below_millis = first->micros() % 1000;
      }
      const double due = static_cast<double>(sent++) * 1e6 / requests_per_second;
      profile.next_batch(kBatch, *first + Duration(static_cast<int64_t>(due) - below_millis), body);
      out = (*stage)->post("/v1/batch", body);
      return kBatch;
    };
    const auto load = run_load({.port = (*stage)->port(),
                                .connections = 32,
                                .length = length(),
                                .requests_per_second = requests_per_second},
                               next);
    if (!load.ok()) return load.status();
    (*stage)->settle();
    watch.reset();
    const std::string note = cat("open loop, batches of ", kBatch, " at ", command_.rate,
                                 " events a second, from when each was due until applied and published");
    report(seen, note);
    const std::string rate = rules == 0 ? "visible_rate" : "membership_rate";
    figures_.push_back({rate, "events/s", static_cast<double>(load->events) / load->seconds,
                        static_cast<double>(command_.rate), 0, note});
    return check(*load);
  }

  // Customers with a user id and a device, three events each: resident memory before and after; the same with
  // tags that all events touch.
  absl::Status memory() {
    auto status = memory_with(0, "");
    return status.ok() ? memory_with(20, "_with_20_tags") : status;
  }

  absl::Status memory_with(size_t tags, const std::string& suffix) {
    auto stage = Stage::open(directory_, engine::Depth::kApply);
    if (!stage.ok()) return stage.status();
    engine::Engine& engine = (*stage)->runtime().engine();
    if (auto status = define_rules(engine, tags, bench_tag); !status.ok()) return status;
    const uint64_t before = resident_bytes();
    const auto customers = static_cast<uint32_t>(command_.memory_customers);
    demo::LoadProfile profile({.seed = 7, .customers = customers, .mixed = tags > 0});
    const NextRequest next = (*stage)->batches(profile, 1000);
    // Three draws a customer reach 95 % of them.
    uint64_t events = 0;
    while (events < uint64_t{3} * customers) {
      const auto load =
          run_load({.port = (*stage)->port(), .connections = 8, .length = Duration::seconds(1)}, next);
      if (!load.ok()) return load.status();
      events += load->events;
    }
    const auto known = engine.ask<std::pair<int64_t, size_t>>([](replica::Replica& replica) {
      return std::pair<int64_t, size_t>(replica.totals().customers, replica.stores().memory_bytes());
    });
    if (!known.ok()) return known.status();
    const double count = static_cast<double>(known->first);
    const std::string note = cat(known->first, " customers, ", events, " events");
    figures_.push_back({"memory_bytes_per_customer" + suffix, "bytes",
                        static_cast<double>(known->second) / count, 600, 300, note});
    figures_.push_back(
        {"resident_bytes_per_customer" + suffix, "bytes",
         static_cast<double>(resident_bytes() - std::min(before, resident_bytes())) / count, 0, 0,
         note + ", resident growth of the whole process, duplicate filter and caches included"});
    return absl::OkStatus();
  }

  static double ms(int64_t micros) { return static_cast<double>(micros) / 1000.0; }
  Duration length() const { return Duration::seconds(static_cast<int64_t>(command_.seconds)); }
  static absl::Status check(const LoadResult& load) {
    if (load.failures == 0) return absl::OkStatus();
    return failure(absl::StatusCode::kInternal, load.failures, " of the load's requests failed");
  }

  const BenchCommand& command_;
  std::string directory_;
  std::vector<Figure> figures_;
};

std::string to_json(const std::vector<Figure>& figures) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (const Figure& figure : figures) {
    writer.key(figure.name).begin_object().field("value", figure.measured).field("unit", figure.unit);
    if (figure.target > 0) writer.field("target", figure.target);
    if (figure.stretch > 0) writer.field("stretch", figure.stretch);
    writer.field("note", figure.note).end_object();
  }
  writer.end_object();
  return out;
}

std::string to_table(const std::vector<Figure>& figures) {
  std::string out;
  char line[512];
  std::snprintf(line, sizeof(line), "%-34s %14s %12s %12s  %s\n", "figure", "measured", "target", "stretch",
                "unit, how");
  out += line;
  const auto number = [](double n) {
    char text[32];
    std::snprintf(text, sizeof(text), n >= 1000 ? "%.0f" : "%.2f", n);
    return n > 0 ? std::string(text) : std::string("–");
  };
  for (const Figure& figure : figures) {
    std::snprintf(line, sizeof(line), "%-34s %14s %12s %12s  %s; %s\n", figure.name.c_str(),
                  number(figure.measured).c_str(), number(figure.target).c_str(),
                  number(figure.stretch).c_str(), figure.unit.c_str(), figure.note.c_str());
    out += line;
  }
  return out;
}

}  // namespace

absl::Status run_bench(const BenchCommand& command) {
  const bool temporary = command.data.empty();
  const std::string directory =
      temporary ? cat(std::filesystem::temp_directory_path().string(), "/kehu-bench-", os::random_hex(4))
                : command.data;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return failure(absl::StatusCode::kUnavailable, "cannot make ", directory, ": ", error.message());
  Bench bench(command, directory);
  absl::Status status = bench.run();
  status.Update(command::print(command.json ? to_json(bench.figures()) : to_table(bench.figures())));
  if (temporary) std::filesystem::remove_all(directory, error);
  return status;
}

}  // namespace kehu::load
