#include "feed/kafka_section.h"

namespace kehu::feed {

std::string kafka_brokers(const toml::Section& section) {
  std::string brokers = section.text("brokers").value_or("");
  if (brokers.empty()) section.fail("\"brokers\" are missing, for example \"127.0.0.1:9092\"");
  return brokers;
}

KafkaProperties kafka_properties(const toml::Section& section, toml::Errors& errors) {
  KafkaProperties out;
  const toml::table* table = section.table("properties");
  if (table == nullptr) return out;
  const toml::Section properties(*table, "kafka.properties", errors);
  for (const auto& [key, node] : *table) {
    if (const auto value = properties.text(key.str())) out.emplace_back(key.str(), *value);
  }
  return out;
}

}  // namespace kehu::feed
