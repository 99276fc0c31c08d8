#pragma once

#include <string>

#include "mapping/feed_spec.h"
#include "mapping/section.h"

namespace kehu::mapping {

// What the [kafka] sections of feeds and of publications have in common. `brokers` must be there.
std::string kafka_brokers(const Section& section);
KafkaProperties kafka_properties(const Section& section, TomlErrors& errors);

}  // namespace kehu::mapping
