#pragma once

#include "api/app.h"

namespace kehu::api {

// POST /api/v1/rejections: rows that `kehu import` and `kehu attach` could not map go into quarantine. The
// body is {"rejections": [{"reason", "path", "detail", "origin", "payload"}]}. The same row again is a
// repeat.
void post_unmapped_rows(App& app, const Request& request, Responder responder);

}  // namespace kehu::api
