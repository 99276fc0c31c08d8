#pragma once

#include <librdkafka/rdkafkacpp.h>

#include <memory>

#include "absl/status/statusor.h"
#include "feed/feed_spec.h"

namespace kehu::feed {

// Settings by librdkafka's names; later ones win. Values that begin with "$" are taken from the environment.
absl::StatusOr<std::unique_ptr<RdKafka::Conf>> kafka_settings(const KafkaProperties& settings);

absl::Status kafka_refused(const std::string& why);

}  // namespace kehu::feed
