#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/check.h"
#include "profile/folder.h"
#include "profile/view.h"

// Parts as the tests of this folder make and look at them.
namespace kehu::profile {

using Names = std::map<NameId, std::string>;

inline absl::Status fold(Folder& folder, const Plan& plan, std::string_view part, const Event& event,
                         std::string& out) {
  property::EventFields fields;
  fields.read(plan.fields(event), event.properties);
  return folder.fold(plan, part, event, fields, out);
}

// Folds the events one after the other into an empty part and collects the names it reports.
inline std::string fold_all(const Plan& plan, const std::vector<Event>& events, Names& names) {
  Folder folder;
  std::string part;
  std::string next;
  for (const Event& event : events) {
    KEHU_CHECK(fold(folder, plan, part, event, next).ok());
    for (const MetName& met : folder.new_names()) names[met.id] = std::string(met.text);
    part.swap(next);
  }
  return part;
}

inline std::string merged(const std::string& a, const std::string& b) {
  Folder folder;
  std::string out;
  KEHU_CHECK(folder.merge(a, b, out).ok());
  return out;
}

inline ProfileView view_of(const Settings& settings, const std::string& part, Instant now,
                           const Names& names) {
  const std::string_view parts[] = {part};
  const auto lookup = [&names](NameId id) {
    const auto found = names.find(id);
    return found == names.end() ? std::string_view() : std::string_view(found->second);
  };
  auto seen = view(settings, parts, now, lookup);
  KEHU_CHECK(seen.ok());
  return *std::move(seen);
}

}  // namespace kehu::profile
