#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/app.h"
#include "api/responder.h"
#include "engine/engine.h"
#include "json/writer.h"
#include "model/ids.h"

namespace kehu::api {

// Everything known of one customer as one JSON object (docs/customer.md), personal values masked. On the
// apply thread; ~50 µs.
absl::StatusOr<std::string> customer_document(engine::Engine& engine, engine::Replica& replica,
                                              CustomerId customer);

// One link with its evidence, as an element of an array.
void write_link(json::Writer& writer, const identity::Link& link, const engine::Project& project);

// The identity graph of one customer: identifiers, links with their evidence, separations, refusals, history.
std::string identity_document(engine::Engine& engine, engine::Replica& replica, CustomerId customer);

// Answers a request with the document of the customer that its path names.
using CustomerDocument =
    std::function<absl::StatusOr<std::string>(engine::Engine&, engine::Replica&, CustomerId)>;
void answer_about_customer(App& app, const Request& request, Responder responder, CustomerDocument document);

}  // namespace kehu::api
