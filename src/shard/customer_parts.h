#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/ids.h"

// The blob of one customer: its parts by token, and what it is by the rules (docs/formats/customer.md).
//   u8 version = 1, then for each part in the order of tokens: token (u64 high, u64 low), u32 size, bytes
//   u8 version = 2, u32 size of members, members; for each part in the order of tokens: token, u32 size, u32
//   size of tallies, bytes, tallies
// Version 2 is written only where there are members or tallies.
namespace kehu::shard {

struct Part {
  Token token;
  std::string_view bytes;         // of the profile
  std::string_view tallies = {};  // of its events, for rules (tally/folder.h)
};

// Reads and rewrites customer blobs. Reusable scratch: decoding allocates nothing once it is warm.
class CustomerParts {
 public:
  // Views into `blob`; an empty blob has no parts. kDataLoss when it is damaged.
  absl::Status decode(std::string_view blob);
  // Empty when the customer has no such part.
  std::string_view find(Token token) const;
  std::string_view tallies_of(Token token) const;
  const std::vector<Part>& parts() const { return parts_; }
  bool empty() const { return parts_.empty(); }
  // membership::Members; empty: of no rule.
  std::string_view members() const { return members_; }

  // The blob with `part` in its place, or without that part when its bytes are empty. A blob without parts is
  // the empty string.
  void encode_with(const Part& part, std::string_view members, std::string& out) const;
  // The blob of `parts`, which are in the order of tokens.
  static void encode(absl::Span<const Part> parts, std::string_view members, std::string& out);

 private:
  const Part* part_of(Token token) const;

  std::vector<Part> parts_;
  std::string_view members_;
};

}  // namespace kehu::shard
