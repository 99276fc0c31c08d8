#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

// How rules find out who is on an uploaded list: by a trait that names the upload in force.
namespace kehu::list {

// Traits that uploads write begin so. Their names are ours, whatever their words say.
inline constexpr std::string_view kTraitPrefix = "list:";
inline constexpr std::string_view kNonceMember = "upload";
inline constexpr std::string_view kValueMember = "text";

// Of a list whose upload is in force: who has this nonce in this trait is on it.
struct Standing {
  std::string trait;
  std::string nonce;
  Instant since = {};  // it is in force

  std::string nonce_path() const { return trait + "." + std::string(kNonceMember); }
  std::string value_path() const { return trait + "." + std::string(kValueMember); }
  bool operator==(const Standing&) const = default;
};

// By the list's name. A list that is not there has no members.
using Standings = std::map<std::string, Standing, std::less<>>;
inline const Standing* find(const Standings& standings, std::string_view list) {
  const auto at = standings.find(list);
  return at == standings.end() ? nullptr : &at->second;
}

}  // namespace kehu::list
