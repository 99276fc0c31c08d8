#pragma once

#include <string>

#include "model/event.h"
#include "model/settings.h"

namespace kehu::codec {

// Appends the event as the plain JSON object that POST /api/v1/events takes: type, event, message_id, time,
// channel, identifiers by type, properties, traits, context. Sealed values stay sealed.
void append_event_json(const Event& event, const Settings& settings, std::string& out);

}  // namespace kehu::codec
