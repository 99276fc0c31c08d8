#pragma once

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/request.h"
#include "engine/project.h"
#include "engine/rejections.h"
#include "model/rejection.h"

namespace kehu::api {

std::optional<Reason> parse_reason(std::string_view name);

// Which rejections the query parameters mean. InvalidArgument names the parameter that is wrong.
absl::StatusOr<engine::RejectionFilter> rejection_filter(const engine::Project& project,
                                                         const Request& request);

}  // namespace kehu::api
