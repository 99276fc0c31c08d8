#pragma once

#include <string_view>

#include "api/request.h"
#include "debugger/request_steps.h"
#include "model/settings.h"

namespace kehu::api {

// A request for display: the parameters and headers that tell something, keys as their hints, personal values
// masked, and data that is packed in a parameter only as its length.
debugger::Arrival describe(const Request& request, const Settings& settings);

// Whose manner of speaking a path of the intake is: "segment", "rudder", "sensors", "posthog",
// "cloud_events", "stream", "events"; of events that `kehu` brings, "kafka", "mqtt" and "import".
std::string_view protocol_of(const Request& request);

// The key that a request names in its header or its address, whatever the protocol; nullopt when it can only
// be in the body.
std::optional<std::string> visible_key(const Request& request);

}  // namespace kehu::api
