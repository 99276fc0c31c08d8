#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "model/ids.h"
#include "property/path_tree.h"

namespace kehu::property {

// Those of a name, from one source or from all.
struct Events {
  NameId name;
  std::optional<SourceId> source;
};

// What everybody who looks at events asks of their properties: metrics, orders, rules. Compiled with them,
// once for each version of the settings; each keeps the slots it was given. Then read by any number of
// threads.
//
// A path has one slot, whoever asks and of whatever events, so that nobody needs a table of slots by event.
class FieldPlan {
 public:
  // The slot of the path, which is filled from now on when such an event is read.
  Slot want(const Events& events, const json::FieldPath& path);

  // What is asked of an event; nullptr: nothing, and nobody need look at its properties. ~5 ns. Valid until
  // something else is asked.
  const PathTree* of(NameId name, SourceId source) const;

 private:
  struct Trees {
    PathTree of_all;
    // Of sources that more is asked of; they have what is asked of all, too.
    std::vector<std::pair<SourceId, PathTree>> of_source;
  };
  static PathTree& own_tree(Trees& trees, SourceId source);

  absl::flat_hash_map<std::string, Slot> slots_;
  absl::flat_hash_map<uint64_t, Trees> trees_;  // by name
};

}  // namespace kehu::property
