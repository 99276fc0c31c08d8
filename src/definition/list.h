#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "definition/kind.h"
#include "list/list.h"

// Uploaded lists as definitions: which of their uploads is in force changes by a record, like everything else
// that is defined (list/list.h).
namespace kehu::definition {

// For the table of kinds.
absl::StatusOr<Value> read_list(std::string_view body);
absl::Status admit_list(Candidate& candidate, const Project& project);
absl::StatusOr<Value> read_uploads(std::string_view body);
absl::Status admit_uploads(Candidate& candidate, const Project& project);

struct NamedList {
  std::string name;
  std::shared_ptr<const list::List> list;
  list::Uploads uploads;
};
// By name, without deleted ones.
std::vector<NamedList> lists_of(const Project& project);
bool has_list(const Project& project, std::string_view name);
// Also of a list that is deleted: the numbers of its uploads go on when somebody makes it again. None is in
// force of such a one.
list::Uploads uploads_of(const Project& project, std::string_view name);
// Of lists with an upload in force.
list::Standings standings_of(const Project& project);

}  // namespace kehu::definition
