#pragma once

#include "json/writer.h"
#include "query/session.h"
#include "seal/opener.h"

namespace kehu::document {

// The fields of one archived event (docs/api.md), into an object that is open; personal values masked.
void write_event(json::Writer& writer, const query::TimelineEvent& event, seal::Opener& opener);

}  // namespace kehu::document
