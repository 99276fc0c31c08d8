#pragma once

#include <optional>

#include "http/problem.h"
#include "http/request.h"
#include "http/router.h"

namespace kehu::http {

// True when the request says that its body is compressed in a way that intake inflates: gzip or deflate.
bool says_compressed(const Request& request);

// 415 for a body in a coding that the route does not read: a Brotli text is not to be judged as broken JSON.
std::optional<Problem> unsupported_coding(const Route& route, const Request& request);

}  // namespace kehu::http
