#include "shard/customer_parts.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace kehu::shard {
namespace {

constexpr char kPlain = 1;
constexpr char kWithRules = 2;

void append_number(size_t number, std::string& out) {
  const auto bytes = static_cast<uint32_t>(number);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

void append_part(const Part& part, bool with_rules, std::string& out) {
  char token[16];
  std::memcpy(token, &part.token.hash.high, 8);
  std::memcpy(token + 8, &part.token.hash.low, 8);
  out.append(token, sizeof(token));
  append_number(part.bytes.size(), out);
  if (with_rules) append_number(part.tallies.size(), out);
  out.append(part.bytes);
  if (with_rules) out.append(part.tallies);
}

// Begins a blob; answers whether it has what rules know of a customer.
bool begin(bool any_tallies, std::string_view members, std::string& out) {
  const bool with_rules = any_tallies || !members.empty();
  out.assign(1, with_rules ? kWithRules : kPlain);
  if (!with_rules) return false;
  append_number(members.size(), out);
  out.append(members);
  return true;
}

// Takes numbers, tokens and runs of bytes from a blob; any failure stays.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool at_end() const { return left_.empty() || failed_; }
  bool failed() const { return failed_; }
  template <class T>
  T number() {
    T value{};
    const std::string_view bytes = take(sizeof(T));
    if (!failed_) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  std::string_view take(size_t size) {
    if (size > left_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view left_;
  bool failed_ = false;
};

}  // namespace

// Order, sizes and version are all checked, because a half-read customer would be a wrong answer
// (docs/formats/customer.md). Parts are views into the blob, so decoding copies no bytes.
absl::Status CustomerParts::decode(std::string_view blob) {
  parts_.clear();
  members_ = {};
  if (blob.empty()) return absl::OkStatus();
  const auto damaged = [] { return failure(absl::StatusCode::kDataLoss, "damaged customer state"); };
  const bool with_rules = blob[0] == kWithRules;
  if (!with_rules && blob[0] != kPlain) return damaged();
  Bytes in(blob.substr(1));
  if (with_rules) members_ = in.take(in.number<uint32_t>());
  while (!in.at_end()) {
    Part part;
    part.token.hash.high = in.number<uint64_t>();
    part.token.hash.low = in.number<uint64_t>();
    const uint32_t size = in.number<uint32_t>();
    const uint32_t tallies = with_rules ? in.number<uint32_t>() : 0;
    part.bytes = in.take(size);
    part.tallies = in.take(tallies);
    const bool ordered = parts_.empty() || parts_.back().token < part.token;
    if (in.failed() || size == 0 || !ordered) return damaged();
    parts_.push_back(part);
  }
  return parts_.empty() || in.failed() ? damaged() : absl::OkStatus();
}

const Part* CustomerParts::part_of(Token token) const {
  const auto at = std::ranges::lower_bound(parts_, token, {}, &Part::token);
  return at != parts_.end() && at->token == token ? &*at : nullptr;
}

std::string_view CustomerParts::find(Token token) const {
  const Part* part = part_of(token);
  return part == nullptr ? std::string_view() : part->bytes;
}

std::string_view CustomerParts::tallies_of(Token token) const {
  const Part* part = part_of(token);
  return part == nullptr ? std::string_view() : part->tallies;
}

// The blob is written anew with one part replaced, inserted in its order or, when its bytes are empty, left
// out. One pass does all three; a customer without parts is no blob at all.
void CustomerParts::encode_with(const Part& part, std::string_view members, std::string& out) const {
  bool any_tallies = !part.tallies.empty();
  for (const Part& other : parts_) any_tallies |= other.token != part.token && !other.tallies.empty();
  const bool with_rules = begin(any_tallies, members, out);
  const size_t head = out.size();
  bool placed = part.bytes.empty();
  for (const Part& other : parts_) {
    if (!placed && part.token < other.token) {
      append_part(part, with_rules, out);
      placed = true;
    }
    if (other.token == part.token) {
      if (!placed) append_part(part, with_rules, out);
      placed = true;
    } else {
      append_part(other, with_rules, out);
    }
  }
  if (!placed) append_part(part, with_rules, out);
  if (out.size() == head) out.clear();
}

void CustomerParts::encode(absl::Span<const Part> parts, std::string_view members, std::string& out) {
  out.clear();
  if (parts.empty()) return;
  const bool any_tallies = std::ranges::any_of(parts, [](const Part& part) { return !part.tallies.empty(); });
  const bool with_rules = begin(any_tallies, members, out);
  for (const Part& part : parts) append_part(part, with_rules, out);
}

}  // namespace kehu::shard
