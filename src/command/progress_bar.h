#pragma once

#include <string>

#include "json/document.h"

namespace kehu::command {

// "████░░░░  52 %, counting events, 1,200 of about 2,300 parts, 812,000 events/s" of a back-fill's document
// (`GET /api/v1/backfill`, "backfill" of a segment).
std::string backfill_text(const json::Value& backfill);

}  // namespace kehu::command
