#pragma once

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/project.h"
#include "http/request.h"
#include "model/rejection.h"
#include "replica/rejections.h"

namespace kehu::api {

// Which rejections the query parameters mean. InvalidArgument names the parameter that is wrong.
absl::StatusOr<replica::RejectionFilter> rejection_filter(const engine::Project& project,
                                                          const http::Request& request);

}  // namespace kehu::api
