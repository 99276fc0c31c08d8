#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

// The commands that run a server until they are told to stop.
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
  std::string test_channel = {};     // URL; empty: there is none
  bool private_webhooks = false;
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

}  // namespace kehu
