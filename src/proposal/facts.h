#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proposal/sample.h"

namespace kehu::proposal {

// What a column probably means.
enum class Role : uint8_t {
  kNone,
  kUser,
  kAnonymous,
  kMember,
  kOpenId,
  kUnionId,
  kPhone,
  kEmail,
  kTime,
  kBirthday,
  kOrder,
  kAmount,
  kPrice,
  kQuantity,
  kProduct,
  kEvent,
  kCurrency,
  kDirection,  // of a payment: in or out
  kRowNumber,  // "id", "no": of a customer where nothing else is
};

// By a column's name in English or Chinese, or what is usual in German, French, Spanish and Japanese;
// whatever its case, blanks and underscores.
Role role_of_name(std::string_view name);

bool is_number(std::string_view text);
// Something like a date or a time, with separators.
bool looks_like_time(std::string_view text);

// What all values of a column have in common.
struct Facts {
  size_t filled = 0;
  size_t distinct = 0;
  size_t numbers = 0;
  size_t amounts = 0;    // numbers as people write them, "¥1,299.00", too
  size_t clocks = 0;     // times of a day without the day: "10:30"
  size_t thousands = 0;  // numbers with commas between thousands
  size_t leading_zeros = 0;
  size_t fractions_of_zero = 0;  // "266079.0"
  size_t mobiles = 0;            // Chinese mobile numbers
  size_t emails = 0;
  size_t longest = 0;
  bool all(size_t count) const { return filled > 0 && count == filled; }
};
Facts facts_of(const Column& column);

// The format of two columns, a day and a clock, that are joined by a blank. nullopt when there is none.
std::optional<std::string> joined_time_format(std::string_view day_format, const Column& day,
                                              const Column& clock);

// How a column writes times.
struct TimeWriting {
  std::string format;  // as [time] of a mapping names it
  bool with_clock = false;
  bool with_offset = false;
  bool ambiguous = false;  // day and month could be the other way round
};
std::optional<TimeWriting> time_writing_of(const Column& column, bool named_so);

}  // namespace kehu::proposal
