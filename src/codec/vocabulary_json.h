#pragma once

#include "codec/node.h"
#include "json/writer.h"
#include "model/settings.h"

namespace kehu::codec {

// The field "vocabulary" of the settings (docs/vocabulary.md), read when all other fields are.
void read_vocabulary(const Node& node, Settings& settings);
void write_vocabulary(const Vocabulary& vocabulary, json::Writer& writer);

}  // namespace kehu::codec
