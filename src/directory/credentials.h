#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"
#include "seal/project_key.h"

// Write keys ("kwk_…") and admin tokens ("kat_…"): 160 bits behind a prefix. Only their keyed hash is ever
// stored.
namespace kehu::directory {

// The hash under which a credential is kept and looked up.
Hash128 credential_hash(const seal::ProjectKey& key, std::string_view credential);
// Enough of it for a person to recognise, and to name it: "kwk_3f9a27c1…".
std::string credential_hint(std::string_view credential);

// The first write key and the admin token of an installation follow from its project key, so that whoever may
// read the data directory can always print them and nothing else is stored.
std::string derived_write_key(const seal::ProjectKey& key);
std::string derived_admin_token(const seal::ProjectKey& key);
// A new one from the kernel's random generator.
std::string random_write_key();

}  // namespace kehu::directory
