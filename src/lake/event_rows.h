#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/civil_day.h"
#include "lake/lake.h"
#include "lake/tail.h"
#include "model/settings.h"

namespace kehu::lake {

// Puts events into the tail as rows of the table: names for numbers, texts for hashes, the business day. One
// thread.
class EventRows {
 public:
  explicit EventRows(std::shared_ptr<const Settings> settings) { set_settings(std::move(settings)); }

  void set_settings(std::shared_ptr<const Settings> settings);
  // The row is complete on return, and seen by others after tail.publish().
  void add(const Row& row, Tail& tail);

 private:
  const std::string& month_of(CivilDay day);

  std::shared_ptr<const Settings> settings_;
  absl::flat_hash_map<CivilDay, std::string> months_;
  std::string identifiers_;
};

void add_move(const Move& move, Tail& tail);

}  // namespace kehu::lake
