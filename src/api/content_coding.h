#pragma once

#include <optional>

#include "api/problem.h"
#include "api/request.h"
#include "api/router.h"

namespace kehu::api {

// True when the request says that its body is compressed in a way that intake inflates: gzip or deflate.
bool says_compressed(const Request& request);

// 415 for a body in a coding that the route does not read: a Brotli text is not to be judged as broken JSON.
std::optional<Problem> unsupported_coding(const Route& route, const Request& request);

}  // namespace kehu::api
