#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/ids.h"

// The blob of one customer: its parts by token (docs/formats/customer.md).
//   u8 version = 1, then for each part in the order of tokens: token (u64 high, u64 low), u32 size, bytes
namespace kehu::shard {

struct Part {
  Token token;
  std::string_view bytes;
};

// Reads and rewrites customer blobs. Reusable scratch: decoding allocates nothing once it is warm.
class CustomerParts {
 public:
  // Views into `blob`; an empty blob has no parts. kDataLoss when it is damaged.
  absl::Status decode(std::string_view blob);
  // Empty when the customer has no such part.
  std::string_view find(Token token) const;
  const std::vector<Part>& parts() const { return parts_; }
  bool empty() const { return parts_.empty(); }

  // The blob with `bytes` as the part of `token`, or without that part when `bytes` is empty. A blob without
  // parts is the empty string.
  void encode_with(Token token, std::string_view bytes, std::string& out) const;
  // The blob of `parts`, which are in the order of tokens.
  static void encode(absl::Span<const Part> parts, std::string& out);

 private:
  std::vector<Part> parts_;
};

}  // namespace kehu::shard
