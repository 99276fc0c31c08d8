#pragma once

#include <string>
#include <string_view>

#include "model/settings.h"

namespace kehu::document {

// A rejected text for display, as JSON: values of personal fields and personal identifiers masked wherever
// they stand. A text that is no JSON becomes a string, masked as far as it can be read (seal/masked_text.h).
std::string masked_payload(std::string_view text, const Settings& settings);

}  // namespace kehu::document
