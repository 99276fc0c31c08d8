#pragma once

#include <string>
#include <string_view>

#include "seal/opener.h"

namespace kehu::seal {

// The value with its telling part covered, for people who need to recognise it, not to know it:
//   phone    138****8000, +85****67        e-mail   a***@example.com
//   ID card  110101********1234            other    its first character and ***
// The kind is seen from the value itself. UTF-8 characters are never cut. Empty stays empty.
std::string mask(std::string_view value);

// A JSON text with every sealed value masked, as a JSON string: texts and numbers as mask() gives them,
// objects and lists as ***, erased ones as (erased), and what does not open as (damaged). All else is kept
// byte for byte. The text is one valid JSON value; when it may itself be sealed, `field` says under which key
// it was found. An element of a list stands under the key of the list. Without sealed values the cost is one
// search.
std::string mask_json(std::string_view text, Opener& opener, const Opener::Field& field = {});

// Identifier::value for display: clear ones as they are, sealed ones masked.
std::string mask_identifier(std::string_view value, Opener& opener);

}  // namespace kehu::seal
