#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace kehu::definition {

// What a definition's body says, read: of the type of its kind (kind.h).
using Value = std::shared_ptr<const void>;

// A definition as it was from one record of the log on. Immutable.
struct Version {
  Sequence sequence;     // of its record: what a change of it names as its base
  Instant time;          // of that record
  bool deleted = false;  // body and value are then the last ones
  std::string actor;     // who made it
  std::string body;      // JSON object, as the project completed it
  Value value;
};

}  // namespace kehu::definition
