// The command line of Kehu: what may be said, and nothing of what is then done.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "load/bench.h"
#include "main/administration.h"
#include "main/servers.h"
#include "main/usage.h"
#include "upload/uploads.h"

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr uint64_t kDryRunEvents = 5;
constexpr uint64_t kMemoryMbMax = 16u << 20;  // 16 TiB: a slip, like a negative one

// What brings events in by a mapping: from which source, and which mapping.
template <class Command>
CLI::Option* add_mapping(CLI::App* command, Command& options, const std::string& what) {
  kehu::add_where(command, options.where);
  command->add_option("--key", options.key, "write key of the source (with --url); default: KEHU_WRITE_KEY");
  command->add_option("--source", options.source, "name of the source (with --data); default: default");
  return command->add_option("--map", options.map, what)->required()->check(CLI::ExistingFile);
}

int finish(const absl::Status& status) {
  if (status.ok()) return kDone;
  // Without a message the command has said why itself.
  if (!status.message().empty())
    std::fprintf(stderr, "kehu: %s\n", kehu::command::printable(kehu::message_of(status)).c_str());
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
      ->check(CLI::Range(uint64_t{1}, kMemoryMbMax))
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
  command->add_option("--test-channel", options->test_channel,
                      "give what reaches the channel \"test\" to this address, see docs/operations.md");
  command->add_flag("--private-webhooks", options->private_webhooks,
                    "webhooks may go to addresses that are not of the public internet, see docs/webhooks.md");
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
void read_dry_run(const std::string& word, kehu::upload::ImportCommand& options) {
  uint64_t count = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), count);
  const bool number = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  options.dry_run = number ? count : kDryRunEvents;
  if (number) return;
  if (!word.empty()) options.files.insert(options.files.begin(), word);
}

void add_import(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::upload::ImportCommand>();
  CLI::App* command = app.add_subcommand("import", "Import files: CSV, workbooks, JSON, Parquet, log lines");
  add_mapping(command, *options, "TOML mapping, see docs/import.md; `kehu map FILE` proposes one")
      ->required(false);
  command->add_option("files", options->files, "files, also .gz");
  command->add_flag("--list", options->list, "show which files were imported");
  command->add_option("--undo", options->undo,
                      "take the import of this origin (see --list) back, as if it had never been");
  auto dry_run = std::make_shared<std::string>();
  CLI::Option* first = command->add_option(
      "--dry-run", *dry_run, "show the first N mapped events (5 when no number follows) and change nothing");
  first->type_name("N")->expected(0, 1);
  command->add_flag("--json", options->json, "report as JSON");
  command->callback([options, dry_run, first, &result] {
    if (first->count() > 0) read_dry_run(*dry_run, *options);
    result = kehu::upload::run_import(*options);
  });
}

void add_map(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::upload::MapCommand>();
  CLI::App* command = app.add_subcommand("map", "Propose a mapping for a file, to be imported with");
  command->add_option("file", options->file, "CSV, workbook, JSON, Parquet or log lines, also .gz")
      ->required();
  command->add_option("--as", options->subject, "what its rows tell of")
      ->check(CLI::IsMember({"orders", "events", "customers"}));
  command->callback([options, &result] { result = kehu::upload::run_map(*options); });
}

void add_attach(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::upload::AttachCommand>();
  CLI::App* command = app.add_subcommand("attach", "Take events from Kafka topics or MQTT, until stopped");
  add_mapping(command, *options, "TOML mapping with [kafka] or [mqtt], see docs/attach.md");
  command->callback([options, &result] { result = kehu::upload::run_attach(*options); });
}

void add_customer(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::CustomerCommand>();
  CLI::App* command = app.add_subcommand("customer", "Show one customer");
  kehu::add_where(command, options->where);
  command
      ->add_option("name", options->name,
                   "TYPE:VALUE, e.g. user_id:u1 or phone:13800000000, or a customer id")
      ->required();
  command->add_option("--view", options->view, "what to show")
      ->check(CLI::IsMember({"profile", "timeline", "identities"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "as the API answers it");
  command->callback([options, &result] { result = kehu::command::run_customer(*options); });
}

void add_rejections(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::RejectionsCommand>();
  CLI::App* command =
      app.add_subcommand("rejections", "List, repair, replay or discard events in quarantine");
  kehu::add_where(command, options->where);
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
  command->add_flag("--all", options->all, "replay: every open rejection, whatever its reason and source");
  command->add_flag("--json", options->json, "as the API answers it");
  command->callback([options, &result] { result = kehu::command::run_rejections(*options); });
}

void add_sql(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::SqlCommand>();
  CLI::App* command = app.add_subcommand(
      "sql", "Run one read-only statement over `events`, `customers`, `orders` and `identity_log`");
  kehu::add_where(command, options->where);
  command->add_option("--format", options->format, "of the result")
      ->check(CLI::IsMember({"table", "csv", "json", "ndjson"}))
      ->capture_default_str();
  command->add_option("statement", options->sql, "e.g. \"SELECT event, count(*) FROM events GROUP BY ALL\"")
      ->required();
  command->callback([options, &result] { result = kehu::command::run_sql(*options); });
}

void add_script(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::ScriptCommand>();
  CLI::App* command = app.add_subcommand("script", "Test rules by scripts of events and expectations");
  command->add_option("files", options->files, "scripts, see docs/scripts.md")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_flag("--json", options->json, "a line of JSON for each script");
  command->add_flag("--changes", options->changes, "and one for each change of membership");
  command->callback([options, &result] { result = kehu::command::run_script(*options); });
}

void add_check(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::CheckCommand>();
  CLI::App* command = app.add_subcommand("check", "Verify a data directory that no server has open");
  command->add_option("--data", options->data, "data directory")->required();
  command->add_flag("--json", options->json, "report as JSON");
  command->callback([options, &result] { result = kehu::command::run_check(*options); });
}

void add_revise(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::ReviseCommand>();
  CLI::App* command = app.add_subcommand(
      "revise", "Compute all customers anew by today's settings, as if they had always been in force");
  command->add_option("--data", options->data, "data directory that no server has open")->required();
  command->add_flag("--dry-run", options->dry_run, "say what would be read differently and change nothing");
  command->add_flag("--json", options->json, "report as JSON");
  command->callback([options, &result] { result = kehu::command::run_revise(*options); });
}

void add_backup(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::BackupCommand>();
  CLI::App* command = app.add_subcommand("backup", "Copy a data directory, also one that a server writes to");
  command->add_option("--data", options->data, "data directory")->required();
  command->add_option("target", options->target, "new directory for the copy")->required();
  command->callback([options, &result] { result = kehu::command::run_backup(*options); });
}

void add_restore(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::command::RestoreCommand>();
  CLI::App* command = app.add_subcommand("restore", "Make a data directory of a backup, and check it");
  command->add_option("--data", options->data, "data directory to make")->required();
  command->add_option("backup", options->from, "what `kehu backup` made")->required();
  command->callback([options, &result] { result = kehu::command::run_restore(*options); });
}

void add_bench(CLI::App& app, absl::Status& result) {
  auto options = std::make_shared<kehu::load::BenchCommand>();
  CLI::App* command =
      app.add_subcommand("bench", "Measure this machine: docs/benchmark.md says what each figure means");
  command->add_option("--data", options->data,
                      "directory to work in; default: a temporary one, removed behind");
  command->add_option("--seconds", options->seconds, "of each measurement")->capture_default_str();
  command->add_option("--rate", options->rate, "events a second of the measurement of latency")
      ->check(CLI::Range(uint64_t{100}, uint64_t{10'000'000}))
      ->capture_default_str();
  command->add_option("--customers", options->customers, "of the load")->capture_default_str();
  command->add_option("--memory-customers", options->memory_customers, "of the measurement of memory")
      ->capture_default_str();
  command->add_option("--only", options->only, "these measurements alone")
      ->check(CLI::IsMember({"intake", "pipeline", "stream", "stream_single", "single", "protocols",
                             "latency", "rules", "rule_latency", "memory"}));
  command->add_flag("--json", options->json, "figures by name");
  command->callback([options, &result] { result = kehu::load::run_bench(*options); });
}

bool is_command(const CLI::App& app, const std::string& word) {
  return !app.get_subcommands([&](const CLI::App* command) { return command->check_name(word); }).empty();
}

int refuse_command(const CLI::App& app, const std::string& word) {
  std::fprintf(stderr, "kehu: there is no command \"%s\"; the commands are\n%s", word.c_str(),
               kehu::command_list(app).c_str());
  return kWrongUsage;
}

int show_commands(const CLI::App& app) {
  std::fprintf(stderr, "%s\n\n%s\n`kehu COMMAND --help` says more. A first look: `kehu demo`.\n",
               app.get_description().c_str(), kehu::command_list(app).c_str());
  return kWrongUsage;
}

int refuse_usage(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
  std::string unknown = kehu::missing_command(app, argc, argv);
  if (unknown.empty()) unknown = kehu::unknown_option(app, argc, argv);
  if (unknown.empty()) {
    app.exit(error);
  } else {
    std::fprintf(stderr, "%s\n", unknown.c_str());
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
  add_map(app, result);
  add_attach(app, result);
  add_customer(app, result);
  add_rejections(app, result);
  add_sql(app, result);
  add_script(app, result);
  add_check(app, result);
  add_revise(app, result);
  add_backup(app, result);
  add_restore(app, result);
  add_bench(app, result);
  kehu::add_administration(app, result);
  if (argc == 1) return show_commands(app);
  const std::string word = argc > 1 ? argv[1] : "-";
  if (!word.starts_with('-') && !is_command(app, word)) return refuse_command(app, word);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return refuse_usage(app, argc, argv, error);
  }
  return finish(result);
}
