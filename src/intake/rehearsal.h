#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/event.h"
#include "model/rejection.h"
#include "model/settings.h"

namespace kehu::intake {

// What the door would make of events under some settings, with nothing kept: for dry runs. What needs the
// events that came before (repeats, conflicts, identifiers of another customer) it cannot tell.
class Rehearsal {
 public:
  Rehearsal(std::shared_ptr<const Settings> settings, Instant now);
  ~Rehearsal();

  struct LeftOutIdentifier {
    std::string type;
    LeftOut why = LeftOut::kNo;
  };
  struct Verdict {
    bool accepted = false;
    // Why not, and where in the event.
    Reason reason = Reason::kInvalidJson;
    std::string path;
    std::string detail;
    std::vector<LeftOutIdentifier> left_out;  // of an accepted event
  };
  // One verdict for each line of POST /api/v1/events.
  std::vector<Verdict> judge(std::string_view lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kehu::intake
