#include "gateway/source_claim.h"

#include "gateway/intake_call.h"
#include "http/credentials.h"
#include "http/problem.h"

namespace kehu::gateway {

SourceClaim SourceClaim::of(const Gateway& gateway, const Request& request, std::optional<std::string> key) {
  SourceClaim claim{.write_key = write_key_of(request)};
  if (!claim.write_key) claim.write_key = std::move(key);
  if (!claim.write_key && gateway.admin(request)) claim.name = request.query("source").value_or("default");
  return claim;
}

const engine::Source* SourceClaim::find(const Gateway& gateway, const engine::Project& project) const {
  if (name) return project.find(*name);
  return gateway.source_of(project, write_key.value_or(""));
}

std::optional<Response> SourceClaim::refuse(Gateway& gateway, const Request& request,
                                            const engine::Source* source, std::string_view how) const {
  const Instant now = gateway.engine().clock().now();
  if (source != nullptr) {
    return refuse_beyond_limit(gateway, {.source = *source, .received_at = now, .request = &request});
  }
  if (name) {
    return to_response(Problem::not_found("there is no source of this name: GET /api/v1/sources lists them"));
  }
  gateway.strangers().note(request, 401, *gateway.engine().project()->settings(), now);
  return to_response(Problem::unauthorized(std::string(how)));
}

}  // namespace kehu::gateway
