#pragma once

#include <string>

#include "feed/feed_spec.h"
#include "toml/section.h"

namespace kehu::feed {

// What the [kafka] sections of feeds and of publications have in common. `brokers` must be there.
std::string kafka_brokers(const toml::Section& section);
KafkaProperties kafka_properties(const toml::Section& section, toml::Errors& errors);

}  // namespace kehu::feed
