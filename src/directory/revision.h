#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/event.h"
#include "os/file_system.h"

namespace kehu::directory {

class DataDirectory;

// What a revision changes in a log.
struct Revision {
  // An identifier of events that is read differently today.
  struct Value {
    std::string type;
    std::string value;                // empty when it is personal
    LeftOut left_out = LeftOut::kNo;  // why it names nobody…
    std::string read_as;              // …or the value that it is read as
    uint64_t events = 0;
  };
  uint64_t settings = 0;  // changes of the settings after the first, which hold from the beginning now
  uint64_t events = 0;    // with an identifier that is read differently
  std::vector<Value>
      values;  // most events first; the rest of more than kRevisedValuesMax is only in `events`
};
inline constexpr size_t kRevisedValuesMax = 10'000;

// What the log would change by.
absl::StatusOr<Revision> foresee_revision(os::FileSystem& files, const DataDirectory& directory);

// Makes today's settings hold for everything that ever came, as if they had been there from the beginning:
// values that name nobody today join nobody, old spellings of an id are the id, priorities, limits and
// vocabulary are today's. In the log, the settings of today take the place of the first ones, later ones
// become "former_settings", and the identifiers of events are read again (log_replacement.h). A personal
// value that is read as another one today stays what it was: it is sealed with the key of its old token.
//
// FailedPrecondition, and nothing changed, when the log does not reach back to the beginning.
absl::StatusOr<Revision> revise(os::FileSystem& files, const DataDirectory& directory);

}  // namespace kehu::directory
