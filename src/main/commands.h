#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "main/caller.h"

// The commands of `kehu`, one per file. Each prints its result on standard output, everything else on
// standard error, and returns why it failed. InvalidArgument counts as wrong usage (exit code 2).
namespace kehu {

struct ServeCommand {
  std::string data;
  std::string listen = "127.0.0.1:7000";
  std::string tls_listen = {};  // empty: no TLS
  std::string tls_certificate_file = {};
  std::string tls_key_file = {};
  bool only_tls13 = false;
  std::string settings;  // file, for a new directory
  int threads = 0;       // 0: as many as cores, at most 4
  uint64_t memory_mb = 4096;
  bool access_log = false;
  std::vector<std::string> attach;   // mappings with [kafka] or [mqtt]
  std::vector<std::string> publish;  // files of publications
  std::string otlp = {};             // URL of an OpenTelemetry collector; empty: as the environment says
};
absl::Status run_serve(const ServeCommand& command);

struct DemoCommand {
  std::string data = "demo-data";
  std::string listen = "127.0.0.1:7000";
  uint64_t seed = 1;
  uint32_t customers = 20'000;
  int days = 90;
  double live_traffic = 200;  // times the ordinary traffic: 20 to 40 events a second
};
absl::Status run_demo(const DemoCommand& command);

struct ImportCommand {
  Where where;
  std::string key;     // write key, with --url
  std::string source;  // name of the source, with --data
  std::string map;
  std::vector<std::string> files;
  std::optional<uint64_t> dry_run = {};  // only show this many mapped events
  bool json = false;
};
absl::Status run_import(const ImportCommand& command);

struct AttachCommand {
  Where where;
  std::string key;     // write key, with --url
  std::string source;  // name of the source, with --data
  std::string map;     // a mapping with [kafka] or [mqtt]
};
// Until a stop signal.
absl::Status run_attach(const AttachCommand& command);

struct CustomerCommand {
  Where where;
  std::string name;              // TYPE:VALUE or a customer id
  std::string view = "profile";  // profile, timeline, identities
  bool json = false;
};
absl::Status run_customer(const CustomerCommand& command);

struct RejectionsCommand {
  Where where;
  std::string action = "list";  // list, counts, show, repair, replay, discard
  std::string id;
  std::string reason;
  std::string source;
  std::string state;
  std::string event_file;  // repair: the corrected event; "-" is standard input
  uint64_t limit = 50;
  bool json = false;
};
absl::Status run_rejections(const RejectionsCommand& command);

struct SqlCommand {
  Where where;
  std::string sql;
  std::string format = "table";
};
absl::Status run_sql(const SqlCommand& command);

struct CheckCommand {
  std::string data;
  bool json = false;
};
absl::Status run_check(const CheckCommand& command);

struct BenchCommand {
  std::string data;      // empty: a directory under the temporary one, removed behind
  uint64_t seconds = 5;  // of each measurement
  uint32_t customers = 1'000'000;
  uint64_t memory_customers = 1'000'000;  // of the measurement of bytes per customer
  std::vector<std::string> only;
  bool json = false;
};
absl::Status run_bench(const BenchCommand& command);

}  // namespace kehu
