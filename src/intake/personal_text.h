#pragma once

#include <string>
#include <string_view>

#include "fields/policy.h"
#include "model/settings.h"
#include "seal/door.h"

// What the texts of an event beside its objects say of a person: its name, its channel, its message id.
namespace kehu::intake {

// True when the whole text reads as a value that the settings seal wherever it stands.
bool is_personal(const Settings& settings, std::string_view text);

// True for a message id with such a value in it, in any spelling (model/personal_values.h). Not for the id of
// a row by its place in a file, of which the file's name is a part: whoever withdraws the file finds its rows
// by it. ~10 ns for an id that a program made up: one without @ and without eleven digits in a row, dashes
// and blanks between them not counted.
bool id_is_personal(const Settings& settings, std::string_view message_id);

// What is stored instead of a text that is only ever compared: "id-" and its keyed hash. `what` it is keeps
// equal texts of other kinds apart.
std::string hidden_text(const fields::Policy& policy, seal::Door& door, std::string_view what,
                        std::string_view text);

}  // namespace kehu::intake
