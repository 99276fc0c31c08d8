#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "seal/envelope.h"

namespace kehu::definition {

// The body of the definition of a key pair; its private half is sealed.
std::string to_json(const seal::EnvelopeKey& key);
absl::StatusOr<seal::EnvelopeKey> parse_envelope_key(std::string_view json);

}  // namespace kehu::definition
