#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kehu::feed {

// Further settings by librdkafka's names; of a value that begins with "$" the environment's is taken.
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// Where messages come from: the sections [kafka] and [mqtt] of a mapping.
struct KafkaSpec {
  std::string brokers;  // "host:port,host:port"
  std::vector<std::string> topics;
  std::string group = "kehu";
  KafkaProperties properties{};
};

struct MqttSpec {
  std::string host;
  int port = 1883;
  std::vector<std::string> topics;  // filters, "$share/kehu/devices/+/telemetry" included
  std::string client = "kehu";      // names the session that the broker keeps
  std::string username{};
  std::string password{};  // as above
  std::string ca_file{};   // TLS, verified by these certificates
};

}  // namespace kehu::feed
