#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "json/writer.h"
#include "model/ids.h"
#include "seal/opener.h"

namespace kehu::document {

// Everything known of one customer as one JSON object (docs/customer.md), personal values masked. On the
// apply thread; ~50 µs.
absl::StatusOr<std::string> customer_document(engine::Engine& engine, replica::Replica& replica,
                                              CustomerId customer);

// The member "identifiers" of a document.
void write_identifiers(json::Writer& writer, const std::vector<identity::KnownIdentifier>& identifiers,
                       const Settings& settings, seal::Opener& opener);
// Its value.
void write_identifier_list(json::Writer& writer, const std::vector<identity::KnownIdentifier>& identifiers,
                           const Settings& settings, seal::Opener& opener);

// One link with its evidence, as an element of an array.
void write_link(json::Writer& writer, const identity::Link& link, const engine::Project& project);

// The identity graph of one customer: identifiers, links with their evidence, separations, refusals, history.
std::string identity_document(engine::Engine& engine, replica::Replica& replica, CustomerId customer);

}  // namespace kehu::document
