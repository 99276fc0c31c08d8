#pragma once

#include <optional>
#include <string_view>

#include "model/rejection.h"

namespace kehu::codec {

// What rejection records of version 1 say only by their origin, the path of the route that took them, as in
// "/v1/track" or "/sa:3": protocol and type of Rejection. Files and everything unknown are in the plain form.
struct FormerOrigin {
  Protocol protocol = Protocol::kEvents;
  std::optional<EventType> type = {};

  static FormerOrigin read(std::string_view origin);
};

}  // namespace kehu::codec
