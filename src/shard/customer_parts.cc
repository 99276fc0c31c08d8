#include "shard/customer_parts.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace kehu::shard {
namespace {

constexpr char kVersion = 1;
constexpr size_t kPartHeader = 20;

void append_part(Token token, std::string_view bytes, std::string& out) {
  char header[kPartHeader];
  const auto size = static_cast<uint32_t>(bytes.size());
  std::memcpy(header, &token.hash.high, 8);
  std::memcpy(header + 8, &token.hash.low, 8);
  std::memcpy(header + 16, &size, 4);
  out.append(header, sizeof(header)).append(bytes);
}

}  // namespace

// Order, sizes and version are all checked, because a half-read customer would be a wrong answer
// (docs/formats/customer.md). Parts are views into the blob, so decoding copies no bytes.
absl::Status CustomerParts::decode(std::string_view blob) {
  parts_.clear();
  if (blob.empty()) return absl::OkStatus();
  const auto damaged = [] { return failure(absl::StatusCode::kDataLoss, "damaged customer state"); };
  if (blob[0] != kVersion) return damaged();
  blob.remove_prefix(1);
  while (!blob.empty()) {
    if (blob.size() < kPartHeader) return damaged();
    Part part;
    uint32_t size;
    std::memcpy(&part.token.hash.high, blob.data(), 8);
    std::memcpy(&part.token.hash.low, blob.data() + 8, 8);
    std::memcpy(&size, blob.data() + 16, 4);
    blob.remove_prefix(kPartHeader);
    const bool ordered = parts_.empty() || parts_.back().token < part.token;
    if (size > blob.size() || size == 0 || !ordered) return damaged();
    part.bytes = blob.substr(0, size);
    blob.remove_prefix(size);
    parts_.push_back(part);
  }
  return parts_.empty() ? damaged() : absl::OkStatus();
}

std::string_view CustomerParts::find(Token token) const {
  const auto it = std::lower_bound(parts_.begin(), parts_.end(), token,
                                   [](const Part& part, const Token& wanted) { return part.token < wanted; });
  return it != parts_.end() && it->token == token ? it->bytes : std::string_view();
}

// The blob is written anew with one part replaced, inserted in its order or, when `bytes` is empty, left
// out. One pass does all three; a customer without parts is no blob at all.
void CustomerParts::encode_with(Token token, std::string_view bytes, std::string& out) const {
  out.assign(1, kVersion);
  bool placed = bytes.empty();
  for (const Part& part : parts_) {
    if (!placed && token < part.token) {
      append_part(token, bytes, out);
      placed = true;
    }
    if (part.token == token) {
      if (!placed) append_part(token, bytes, out);
      placed = true;
    } else {
      append_part(part.token, part.bytes, out);
    }
  }
  if (!placed) append_part(token, bytes, out);
  if (out.size() == 1) out.clear();
}

void CustomerParts::encode(absl::Span<const Part> parts, std::string& out) {
  out.clear();
  if (parts.empty()) return;
  out.assign(1, kVersion);
  for (const Part& part : parts) append_part(part.token, part.bytes, out);
}

}  // namespace kehu::shard
