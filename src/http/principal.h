#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kehu::http {

// What a route lets its caller do. A role is a set of them.
enum class Permission : uint8_t {
  kNone,              // of routes that ask nobody, or for a write key
  kReadCustomers,     // profiles, timelines, identities; personal values masked
  kReveal,            // a personal value in clear
  kChangeIdentities,  // merge, un-merge
  kReadEvents,        // the live feed, requests as they came
  kQuery,             // statements
  kReadDefinitions,   // settings, sources, key pairs
  kChangeDefinitions,
  kReadRejections,  // the quarantine
  kChangeRejections,
  kAudit,    // who looked at what
  kOperate,  // figures, backups, the outbox
};
inline constexpr size_t kPermissionCount = 12;
std::string_view to_string(Permission permission);  // "read_customers"; "" of kNone

// Who sends a request. It travels with the request to whatever is done for it.
struct Principal {
  std::string name;  // of the person or program, as the log keeps it
  std::bitset<kPermissionCount> permissions = {};

  bool may(Permission permission) const { return permissions.test(static_cast<size_t>(permission)); }
  // May do everything.
  static std::shared_ptr<const Principal> administrator(std::string name);
};

}  // namespace kehu::http
