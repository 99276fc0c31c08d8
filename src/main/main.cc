// The command line of Kehu: what may be said, and nothing of what is then done.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "main/commands.h"

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr uint64_t kDryRunEvents = 5;

void add_where(CLI::App* command, kehu::Where& where) {
  auto* data = command->add_option("--data", where.data, "data directory (its server, if one runs, is used)");
  auto* url = command->add_option("--url", where.url,
                                  "server, e.g. http://127.0.0.1:7000; admin token from KEHU_ADMIN_TOKEN");
  data->excludes(url);
}

// What brings events in by a mapping: from which source, and which mapping.
template <class Command>
void add_mapping(CLI::App* command, Command& options, const std::string& what) {
  add_where(command, options.where);
  command->add_option("--key", options.key, "write key of the source (with --url)");
  command->add_option("--source", options.source, "name of the source (with --data); default: default");
  command->add_option("--map", options.map, what)->required()->check(CLI::ExistingFile);
}

int finish(const absl::Status& status) {
  if (status.ok()) return kDone;
  std::fprintf(stderr, "kehu: %s\n", kehu::message_of(status).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? kWrongUsage : kFailed;
}

void add_serve(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::ServeCommand>();
  CLI::App* command = app.add_subcommand("serve", "Run a server on a data directory");
  command->add_option("--data", options->data, "data directory; made if missing")->required();
  command->add_option("--listen", options->listen, "HOST:PORT")->capture_default_str();
  command->add_option("--tls", options->tls_listen, "HOST:PORT for TLS, besides --listen");
  command->add_option("--tls-cert", options->tls_certificate_file,
                      "PEM file with certificate and chain; without it Kehu makes one for itself");
  command->add_option("--tls-key", options->tls_key_file, "PEM file with the certificate's key");
  command->add_flag("--tls13-only", options->only_tls13, "no TLS 1.2");
  command->add_option("--settings", options->settings, "JSON file with the settings of a new directory");
  command->add_option("--threads", options->threads, "HTTP threads; 0 = by the number of cores")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command->add_option("--memory-mb", options->memory_mb, "memory for customers, in MiB")
      ->capture_default_str();
  command->add_flag("--access-log", options->access_log, "one log line per request");
  command
      ->add_option("--attach", options->attach,
                   "mapping of a Kafka or MQTT feed, see docs/attach.md; repeatable")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--publish", options->publish,
                   "Kafka topics for events and changed customers, see docs/publish.md; repeatable")
      ->check(CLI::ExistingFile);
  command->add_option("--otlp", options->otlp,
                      "send traces of the server's own work to this OpenTelemetry collector, e.g. "
                      "http://127.0.0.1:4318; see docs/observability.md");
  command->callback([options, &result] { result = kehu::run_serve(*options); });
}

void add_demo(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::DemoCommand>();
  CLI::App* command = app.add_subcommand("demo", "Run a server with a simulated Chinese retailer");
  command->add_option("--data", options->data, "data directory")->capture_default_str();
  command->add_option("--listen", options->listen, "HOST:PORT")->capture_default_str();
  command->add_option("--seed", options->seed, "same seed, same events")->capture_default_str();
  command->add_option("--customers", options->customers, "of the retailer")->capture_default_str();
  command->add_option("--days", options->days, "of history")->capture_default_str();
  command->add_option("--live-traffic", options->live_traffic, "times the ordinary traffic")
      ->capture_default_str();
  command->callback([options, &result] { result = kehu::run_demo(*options); });
}

// The word behind --dry-run: a number, or already the first file.
void read_dry_run(const std::string& word, kehu::ImportCommand& options) {
  uint64_t count = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), count);
  const bool number = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  options.dry_run = number ? count : kDryRunEvents;
  if (number) return;
  if (!word.empty()) options.files.insert(options.files.begin(), word);
}

void add_import(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::ImportCommand>();
  CLI::App* command = app.add_subcommand("import", "Import files: CSV, NDJSON, Parquet, log lines");
  add_mapping(command, *options, "TOML mapping, see docs/import.md");
  command->add_option("files", options->files, "files, also .gz");
  auto dry_run = std::make_shared<std::string>();
  CLI::Option* first = command->add_option(
      "--dry-run", *dry_run, "show the first N mapped events (5 when no number follows) and change nothing");
  first->type_name("N")->expected(0, 1);
  command->add_flag("--json", options->json, "report as JSON");
  command->callback([options, dry_run, first, &result] {
    if (first->count() > 0) read_dry_run(*dry_run, *options);
    result = kehu::run_import(*options);
  });
}

void add_attach(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::AttachCommand>();
  CLI::App* command = app.add_subcommand("attach", "Take events from Kafka topics or MQTT, until stopped");
  add_mapping(command, *options, "TOML mapping with [kafka] or [mqtt], see docs/attach.md");
  command->callback([options, &result] { result = kehu::run_attach(*options); });
}

void add_customer(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::CustomerCommand>();
  CLI::App* command = app.add_subcommand("customer", "Show one customer");
  add_where(command, options->where);
  command
      ->add_option("name", options->name,
                   "TYPE:VALUE, e.g. user_id:u1 or phone:13800000000, or a customer id")
      ->required();
  command->add_option("--view", options->view, "what to show")
      ->check(CLI::IsMember({"profile", "timeline", "identities"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "as the API answers it");
  command->callback([options, &result] { result = kehu::run_customer(*options); });
}

void add_rejections(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::RejectionsCommand>();
  CLI::App* command =
      app.add_subcommand("rejections", "List, repair, replay or discard events in quarantine");
  add_where(command, options->where);
  command->add_option("action", options->action, "what to do")
      ->check(CLI::IsMember({"list", "counts", "show", "repair", "replay", "discard"}))
      ->capture_default_str();
  command->add_option("id", options->id, "number of the rejection (show, repair, discard)");
  command->add_option("--reason", options->reason, "only this reason");
  command->add_option("--source", options->source, "only this source");
  command->add_option("--state", options->state, "open, repaired or discarded");
  command->add_option("--event", options->event_file,
                      "repair: file with the corrected event, - for standard input");
  command->add_option("--limit", options->limit, "at most this many")->capture_default_str();
  command->add_flag("--json", options->json, "as the API answers it");
  command->callback([options, &result] { result = kehu::run_rejections(*options); });
}

void add_sql(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::SqlCommand>();
  CLI::App* command =
      app.add_subcommand("sql", "Run one read-only statement over `events` and `identity_log`");
  add_where(command, options->where);
  command->add_option("--format", options->format, "of the result")
      ->check(CLI::IsMember({"table", "csv", "json", "ndjson"}))
      ->capture_default_str();
  command->add_option("statement", options->sql, "e.g. \"SELECT event, count(*) FROM events GROUP BY ALL\"")
      ->required();
  command->callback([options, &result] { result = kehu::run_sql(*options); });
}

void add_check(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::CheckCommand>();
  CLI::App* command = app.add_subcommand("check", "Verify a data directory that no server has open");
  command->add_option("--data", options->data, "data directory")->required();
  command->add_flag("--json", options->json, "report as JSON");
  command->callback([options, &result] { result = kehu::run_check(*options); });
}

void add_bench(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::BenchCommand>();
  CLI::App* command =
      app.add_subcommand("bench", "Measure this machine: docs/benchmark.md says what each figure means");
  command->add_option("--data", options->data,
                      "directory to work in; default: a temporary one, removed behind");
  command->add_option("--seconds", options->seconds, "of each measurement")->capture_default_str();
  command->add_option("--customers", options->customers, "of the load")->capture_default_str();
  command->add_option("--memory-customers", options->memory_customers, "of the measurement of memory")
      ->capture_default_str();
  command->add_option("--only", options->only, "these measurements alone")
      ->check(CLI::IsMember(
          {"intake", "pipeline", "stream", "stream_single", "single", "protocols", "latency", "memory"}));
  command->add_flag("--json", options->json, "figures by name");
  command->callback([options, &result] { result = kehu::run_bench(*options); });
}

bool is_command(const CLI::App& app, const std::string& word) {
  return !app.get_subcommands([&](const CLI::App* command) { return command->check_name(word); }).empty();
}

int refuse_command(const CLI::App& app, const std::string& word) {
  std::fprintf(stderr, "kehu: there is no command \"%s\"; the commands are\n", word.c_str());
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::fprintf(stderr, "  %-12s%s\n", command->get_name().c_str(), command->get_description().c_str());
  }
  return kWrongUsage;
}

}  // namespace

int main(int argc, char** argv) {
  umask(0077);  // what Kehu writes is for its owner only
  CLI::App app("Kehu 客户: events of every channel become one live customer.", "kehu");
  app.set_version_flag("--version", "kehu " KEHU_VERSION);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of all commands");
  absl::Status result;
  add_serve(app, result);
  add_demo(app, result);
  add_import(app, result);
  add_attach(app, result);
  add_customer(app, result);
  add_rejections(app, result);
  add_sql(app, result);
  add_check(app, result);
  add_bench(app, result);
  const std::string word = argc > 1 ? argv[1] : "-";
  if (!word.starts_with('-') && !is_command(app, word)) return refuse_command(app, word);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  }
  return finish(result);
}
