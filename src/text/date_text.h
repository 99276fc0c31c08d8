#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kehu::text {

struct DateText {
  int64_t local_micros = 0;  // what the clock on the wall shows, as microseconds since 1970 began there
  std::optional<int32_t> offset_seconds{};  // east of Greenwich, where the text says it
};

// A date, or a date and a time, in every spelling that says by itself which number is the year:
//
//   2026-01-02, 2026/1/2, 2026.01.02, 20260102, 2026年1月2日
//   … 10:30, … 10:30:00.25, T10:30, 10时30分15秒, 10点30分, 下午3:04, 3:04 PM; 20260102103000, 20260102T1030
//   … Z, UTC, +08:00, +0800, +08
//
// Full width is folded. nullopt for anything else, also for 01/02/2026, whose order nobody can tell.
std::optional<DateText> read_date(std::string_view text);

}  // namespace kehu::text
