#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/gateway.h"

namespace kehu::gateway {

// Which source a request says it is of: by a write key, or, where it brings none, by the name that an
// administrator gives. It may outlive the request, as keys are revoked and sources disabled meanwhile.
struct SourceClaim {
  std::optional<std::string> write_key = {};
  std::optional<std::string> name = {};  // of administrators without a key only

  // `key` stood elsewhere than in header and address, which come first.
  static SourceClaim of(const Gateway& gateway, const Request& request, std::optional<std::string> key = {});

  // nullptr when it opens none in this state of the project.
  const engine::Source* find(const Gateway& gateway, const engine::Project& project) const;

  // Why the sender of the claim may send nothing: no source is found (404, or 401 that says `how` to name
  // one), or it sends more than it may (429). The debugger hears of it. nullopt: he may.
  std::optional<Response> refuse(Gateway& gateway, const Request& request, const engine::Source* source,
                                 std::string_view how) const;
};

}  // namespace kehu::gateway
