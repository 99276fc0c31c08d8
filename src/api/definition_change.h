#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "api/app.h"
#include "definition/project.h"
#include "http/response.h"
#include "json/document.h"

namespace kehu::api {

// A change that a person asks for of one definition.
struct DefinitionChange {
  std::string_view kind;
  std::string_view name;
  std::string_view actor;
  // The version that the person saw. Without one the change is made of the newest, whatever others do.
  std::optional<Sequence> seen = {};
};

// The new body, made of the newest version (nullptr: there is none; it may be a deleted one).
using MakeBody = absl::FunctionRef<absl::StatusOr<std::string>(const definition::Project& project,
                                                               const definition::Version* newest)>;

// Makes the change and waits until it is applied. When somebody else was faster: Aborted if the person saw
// another version, and else it is made again of what is there now. Other errors are those of `make` and of
// definition::Project::apply.
absl::StatusOr<definition::Defined> change_definition(App& app, const DefinitionChange& change,
                                                      MakeBody make);
absl::StatusOr<definition::Defined> delete_definition(App& app, const DefinitionChange& change);

// The answer to a change that failed: a stale one gets 409 with the newer version.
Response refused(App& app, const DefinitionChange& change, const absl::Status& why);

// The member "version" of a body: what the person saw.
absl::StatusOr<std::optional<Sequence>> seen_version(const json::Value& body);

}  // namespace kehu::api
