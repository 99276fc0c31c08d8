#pragma once

#include <string_view>

#include "debugger/request_steps.h"
#include "http/request.h"
#include "model/settings.h"

namespace kehu::debugger {

// A request for display: the parameters and headers that tell something, keys as their hints, personal values
// masked, and data that is packed in a parameter only as its length.
Arrival describe(const http::Request& request, const Settings& settings);

// The name of the protocol of a request's route, or of what its path looks like when it has none; of events
// that `kehu` brings "kafka", "mqtt" and "import".
std::string_view protocol_of(const http::Request& request);

}  // namespace kehu::debugger
