#pragma once

#include "absl/status/status.h"
#include "host/runtime.h"

namespace kehu {

// The lists that the demo's rules name: before them, in one record with them or an earlier one, so that the
// rules may name them.
inline constexpr std::string_view kCardList = "门店会员卡";
inline constexpr std::string_view kOptOutList = "勿扰名单";

// Uploads both, as a retailer would who kept them elsewhere: some of the customers that the history has made.
absl::Status upload_demo_lists(host::Runtime& runtime);

}  // namespace kehu
