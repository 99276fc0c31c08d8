#include "http/principal.h"

namespace kehu::http {

std::string_view to_string(Permission permission) {
  constexpr std::string_view kNames[kPermissionCount] = {"",
                                                         "read_customers",
                                                         "reveal",
                                                         "change_identities",
                                                         "read_events",
                                                         "query",
                                                         "read_definitions",
                                                         "change_definitions",
                                                         "read_rejections",
                                                         "change_rejections",
                                                         "audit",
                                                         "operate"};
  return kNames[static_cast<size_t>(permission)];
}

std::shared_ptr<const Principal> Principal::administrator(std::string name) {
  Principal principal{.name = std::move(name)};
  principal.permissions.set();
  return std::make_shared<const Principal>(std::move(principal));
}

}  // namespace kehu::http
