#pragma once

#include <string>

#include "absl/types/span.h"
#include "http/router.h"

namespace kehu::openapi {

// The OpenAPI 3.1 document of a table of routes, as JSON. Served at /openapi.json.
std::string document(absl::Span<const http::Route> routes);

}  // namespace kehu::openapi
