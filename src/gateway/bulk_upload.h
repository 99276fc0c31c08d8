#pragma once

#include <memory>

#include "gateway/gateway.h"
#include "http/responder.h"

namespace kehu::gateway {

// POST /api/v1/events: decodes the body as it comes and submits it in parts, at most a few of which wait for
// the log at a time. Answers when every part is durable: {"accepted", "repeats", "conflicts", "rejected"}.
// nullptr when the request is refused; it is answered then.
std::unique_ptr<BodySink> open_bulk_upload(Gateway& gateway, const Request& request, Responder responder);

}  // namespace kehu::gateway
