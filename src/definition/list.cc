#include "definition/list.h"

#include "base/text.h"
#include "definition/project.h"

namespace kehu::definition {
namespace {

using list::List;
using list::Uploads;

template <class T>
const T& as(const Value& value) {
  return *static_cast<const T*>(value.get());
}

}  // namespace

absl::StatusOr<Value> read_list(std::string_view body) {
  auto list = list::parse_list(body);
  if (!list.ok()) return list.status();
  return Value(std::make_shared<const List>(*std::move(list)));
}

absl::Status admit_list(Candidate& candidate, const Project&) {
  if (!list::is_list_name(candidate.name)) {
    return failure(absl::StatusCode::kInvalidArgument, "\"", candidate.name,
                   "\" is no name for a list: it has 1 to 64 bytes, letters and digits of any script, and "
                   "between them _, - and single spaces");
  }
  const List& list = as<List>(candidate.value);
  if (list.owner.size() > List::kTextBytes || list.description.size() > List::kTextBytes) {
    return failure(absl::StatusCode::kInvalidArgument, "`owner` and `description` have up to ",
                   List::kTextBytes, " bytes");
  }
  candidate.body = list::to_json(list);
  return absl::OkStatus();
}

absl::StatusOr<Value> read_uploads(std::string_view body) {
  auto uploads = list::parse_uploads(body);
  if (!uploads.ok()) return uploads.status();
  return Value(std::make_shared<const Uploads>(*std::move(uploads)));
}

absl::Status admit_uploads(Candidate& candidate, const Project& project) {
  const Uploads& uploads = as<Uploads>(candidate.value);
  if (uploads.begun && project.find(uploads.begun->source) == nullptr) {
    return failure(absl::StatusCode::kInvalidArgument, "there is no source \"", uploads.begun->source,
                   "\": `kehu source list` shows them");
  }
  candidate.body = list::to_json(uploads);
  return absl::OkStatus();
}

std::vector<NamedList> lists_of(const Project& project) {
  std::vector<NamedList> lists;
  project.each(kList, [&](const std::string& name, const Version& version) {
    lists.push_back({name, std::static_pointer_cast<const List>(version.value), uploads_of(project, name)});
  });
  return lists;
}

bool has_list(const Project& project, std::string_view name) {
  const Version* version = project.find(kList, name);
  return version != nullptr && !version->deleted;
}

Uploads uploads_of(const Project& project, std::string_view name) {
  const Version* version = project.find(kListUploads, name);
  if (version == nullptr) return {};
  Uploads uploads = as<Uploads>(version->value);
  if (version->deleted) uploads.in_force.reset();
  return uploads;
}

list::Standings standings_of(const Project& project) {
  list::Standings standings;
  for (const NamedList& list : lists_of(project)) {
    auto standing = list::standing_of(list.name, list.uploads);
    if (standing) standings.emplace(list.name, *std::move(standing));
  }
  return standings;
}

}  // namespace kehu::definition
