#include "feed/kafka_settings.h"

#include "base/text.h"
#include "feed/feed.h"

namespace kehu::feed {

absl::StatusOr<std::unique_ptr<RdKafka::Conf>> kafka_settings(const KafkaProperties& settings) {
  std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
  std::string error;
  for (const auto& [name, text] : settings) {
    const auto value = secret_of(text);
    if (!value.ok()) return value.status();
    if (conf->set(name, *value, error) != RdKafka::Conf::CONF_OK) return kafka_refused(error);
  }
  return conf;
}

absl::Status kafka_refused(const std::string& why) {
  return failure(absl::StatusCode::kInvalidArgument, "Kafka: ", why);
}

}  // namespace kehu::feed
