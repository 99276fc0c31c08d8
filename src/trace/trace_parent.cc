#include "trace/trace_parent.h"

#include <algorithm>
#include <charconv>

namespace kehu::trace {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kVersionBytes = 2;
constexpr size_t kTraceAt = 3;
constexpr size_t kTraceBytes = 32;
constexpr size_t kSpanAt = 36;
constexpr size_t kSpanBytes = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kFlagsBytes = 2;
constexpr size_t kBytes = 55;
constexpr uint64_t kSampled = 1;

std::optional<uint64_t> lower_hex(std::string_view digits) {
  const bool lower = std::all_of(digits.begin(), digits.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!lower) return std::nullopt;
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::optional<TraceParent> parse_trace_parent(std::string_view header) {
  if (header.size() < kBytes) return std::nullopt;
  if (header[kTraceAt - 1] != '-' || header[kSpanAt - 1] != '-' || header[kFlagsAt - 1] != '-')
    return std::nullopt;
  const auto version = lower_hex(header.substr(0, kVersionBytes));
  const auto trace = Hash128::from_hex(header.substr(kTraceAt, kTraceBytes));
  const auto span = lower_hex(header.substr(kSpanAt, kSpanBytes));
  const auto flags = lower_hex(header.substr(kFlagsAt, kFlagsBytes));
  if (!version || !trace || !span || !flags) return std::nullopt;
  if (*version == 0xff || (*version == 0 && header.size() != kBytes)) return std::nullopt;
  if (header.size() > kBytes && header[kBytes] != '-') return std::nullopt;
  if (trace->is_zero() || *span == 0) return std::nullopt;
  return TraceParent{.trace = *trace, .span = SpanId(*span), .sampled = (*flags & kSampled) != 0};
}

}  // namespace kehu::trace
