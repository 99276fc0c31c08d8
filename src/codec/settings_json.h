#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/settings.h"

// The settings of a project as JSON text: what docs/settings.md describes, and the body of a "settings"
// Definition.
namespace kehu::codec {

// Every field, compact; settings_from_json reads it back to equal settings.
std::string settings_to_json(const Settings& settings);

// A field that is left out has its default. InvalidArgument for anything else that is not right, an unknown
// field included: the message holds the JSON Pointer of the place, what was expected, what was found and what
// to do.
absl::StatusOr<Settings> settings_from_json(std::string_view text);

// Whether a project that lives by `from` may go on with `to`. FailedPrecondition when customers would no
// longer be found under the tokens they have: a changed cipher; an identifier type that is gone, moved, or
// has another normaliser or another `personal`. New types are added at the end.
struct SettingsChange {
  const Settings& from;
  const Settings& to;
};
absl::Status check_settings_change(const SettingsChange& change);

}  // namespace kehu::codec
