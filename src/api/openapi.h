#pragma once

#include <string>

#include "absl/types/span.h"
#include "http/router.h"

namespace kehu::api {

// The OpenAPI 3.1 document of a table of routes, as JSON. Served at /openapi.json.
std::string openapi_document(absl::Span<const http::Route> routes);

}  // namespace kehu::api
