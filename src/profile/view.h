#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/profile.h"
#include "model/settings.h"

namespace kehu::profile {

// The text of a name, or empty when it is not known: it is then shown as "#" and its 12 hexadecimal digits.
// The text must stay valid until view() returns.
using NameLookup = absl::FunctionRef<std::string_view(NameId)>;

// What the parts of one customer say together, as of `now`. Costs a merge of the parts and a decode, some
// microseconds for a typical customer. kDataLoss when a part is damaged.
absl::StatusOr<ProfileView> view(const Settings& settings, absl::Span<const std::string_view> parts,
                                 Instant now, NameLookup name_of);

}  // namespace kehu::profile
