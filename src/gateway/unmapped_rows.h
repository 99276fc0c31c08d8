#pragma once

#include "gateway/gateway.h"

namespace kehu::gateway {

// POST /api/v1/rejections: rows that `kehu import` and `kehu attach` could not map go into quarantine. The
// body is {"rejections": [{"reason", "path", "detail", "origin", "payload"}]}. The same row again is a
// repeat.
void post_unmapped_rows(Gateway& gateway, const Request& request, Responder responder);

}  // namespace kehu::gateway
