#include "mapping/kafka_section.h"

namespace kehu::mapping {

std::string kafka_brokers(const Section& section) {
  std::string brokers = section.text("brokers").value_or("");
  if (brokers.empty()) section.fail("\"brokers\" are missing, for example \"127.0.0.1:9092\"");
  return brokers;
}

KafkaProperties kafka_properties(const Section& section, TomlErrors& errors) {
  KafkaProperties out;
  const toml::table* table = section.table("properties");
  if (table == nullptr) return out;
  const Section properties(*table, "kafka.properties", errors);
  for (const auto& [key, node] : *table) {
    if (const auto value = properties.text(key.str())) out.emplace_back(key.str(), *value);
  }
  return out;
}

}  // namespace kehu::mapping
