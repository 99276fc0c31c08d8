#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/settings.h"

namespace kehu::seal {

// Whether the values of a field are personal by its name, as the door decides: the settings' personal fields
// and identifier types, and names that speak of them (model/personal_names.h). Some µs.
bool is_personal_field(std::string_view name, const Settings& settings);

// Whether a whole value is an e-mail address, a phone number or the number of an ID card, wherever it stands:
// a user id may be one.
bool looks_personal(std::string_view value);

// What a client sent, for display: any text, whole or not, JSON or not. Values of personal fields and what
// looks personal are masked wherever they stand, inside longer texts too, and so are keys and tokens; all
// else is kept byte for byte, so that a person sees what to correct. A valid JSON text that is shown whole
// stays one. At most about `bytes_max` bytes of it are shown: what is cut in two there is left out. Costs
// about 40 ns a byte shown.
std::string masked_text(std::string_view text, const Settings& settings, size_t bytes_max);

}  // namespace kehu::seal
