#include "text/date_text.h"

#include <array>
#include <string>

#include "absl/time/civil_time.h"

namespace kehu::text {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Makes ASCII of full width, which is U+FF01 to U+FF5E, and of U+3000, the blank of that width. In UTF-8
// the former are EF BC 81 to EF BD 9E, so the place in ASCII follows from the last two bytes.
std::string narrow(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
    };
    if (text.substr(i).starts_with("\xe3\x80\x80")) {
      out.push_back(' ');
      i += 2;
    } else if (at(0) == 0xef && (at(1) == 0xbc || at(1) == 0xbd) && at(2) >= 0x80) {
      out.push_back(static_cast<char>((at(1) - 0xbcu) * 64 + at(2) - 0x80u + 0x20u));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool at_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  size_t digits() const {
    size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    return count;
  }
  bool skip(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  bool skip_any(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) {
      if (skip(word)) return true;
    }
    return false;
  }
  void skip_blanks() {
    while (skip(" ") || skip("\t")) {
    }
  }
  // Takes all digits that stand here, when they are `least` to `most`.
  std::optional<int> number(size_t least, size_t most) {
    const size_t count = digits();
    if (count < least || count > most) return std::nullopt;
    return fixed(count);
  }
  // Takes exactly `count` digits, also where more follow.
  std::optional<int> fixed(size_t count) {
    if (digits() < count) return std::nullopt;
    int out = 0;
    for (size_t i = 0; i < count; ++i) out = out * 10 + (rest_[i] - '0');
    rest_.remove_prefix(count);
    return out;
  }
  // Takes the digits behind the decimal mark; those below a microsecond are dropped.
  std::optional<int> micros() {
    const size_t count = digits();
    if (count == 0) return std::nullopt;
    int out = 0;
    for (size_t i = 0; i < 6; ++i) out = out * 10 + (i < count ? rest_[i] - '0' : 0);
    rest_.remove_prefix(count);
    return out;
  }

 private:
  std::string_view rest_;
};

struct Reading {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0, micros = 0;
  std::optional<bool> afternoon{};
  std::optional<int32_t> offset{};
};

// The mark behind the year decides which marks and widths follow. `packed` says that there are none; month
// and day then have two digits each. Only texts that begin with a year of four digits are dates: nobody
// can tell the order of 01/02/2026.
bool read_day(Scan& scan, Reading& out, bool& packed) {
  const auto year = scan.fixed(4);
  if (!year) return false;
  std::string_view mark;
  for (const std::string_view one : {"-", "/", ".", "年"}) {
    if (mark.empty() && scan.skip(one)) mark = one;
  }
  packed = mark.empty();
  if (mark == "年") scan.skip_blanks();
  const auto month = packed ? scan.fixed(2) : scan.number(1, 2);
  if (!month) return false;
  if (!packed && !scan.skip(mark == "年" ? "月" : mark)) return false;
  if (mark == "年") scan.skip_blanks();
  const auto day = packed ? scan.fixed(2) : scan.number(1, 2);
  if (!day) return false;
  if (mark == "年") scan.skip_any({"日", "号", "號"});
  out.year = *year;
  out.month = *month;
  out.day = *day;
  return true;
}

// Reads "103015" and "1030", behind a packed day or alone.
bool read_packed_clock(Scan& scan, Reading& out) {
  const size_t digits = scan.digits();
  if (digits != 4 && digits != 6) return false;
  out.hour = *scan.fixed(2);
  out.minute = *scan.fixed(2);
  if (digits == 6) out.second = *scan.fixed(2);
  return true;
}

void read_half_of_day(Scan& scan, Reading& out) {
  if (out.afternoon) return;
  if (scan.skip_any({"上午", "凌晨", "早上", "AM", "am", "Am", "A.M.", "a.m."})) {
    out.afternoon = false;
  } else if (scan.skip_any({"下午", "晚上", "中午", "PM", "pm", "Pm", "P.M.", "p.m."})) {
    out.afternoon = true;
  }
}

// Digits that stand without marks say by their number what they are; with marks, each part may have one
// digit or two. A half of the day may stand before the clock, as in Chinese, or behind it, as in English,
// but counts once.
bool read_clock(Scan& scan, Reading& out) {
  read_half_of_day(scan, out);
  scan.skip_blanks();
  if (scan.digits() > 2) {
    if (!read_packed_clock(scan, out)) return false;
  } else {
    const auto hour = scan.number(1, 2);
    if (!hour) return false;
    out.hour = *hour;
    if (scan.skip_any({":", "时", "時", "点", "點"})) {
      if (!scan.at_digit()) return scan.done();  // "10时"
      const auto minute = scan.number(1, 2);
      if (!minute) return false;
      out.minute = *minute;
      scan.skip("分");
      if (scan.skip(":") || scan.at_digit()) {
        const auto second = scan.number(1, 2);
        if (!second) return false;
        out.second = *second;
      }
    } else if (!out.afternoon && scan.done()) {
      return false;  // "2026-01-02 10" is no time
    }
  }
  if (scan.skip(".") || scan.skip(",")) {
    const auto micros = scan.micros();
    if (!micros) return false;
    out.micros = *micros;
  }
  scan.skip("秒");
  scan.skip_blanks();
  read_half_of_day(scan, out);
  return true;
}

bool read_offset(Scan& scan, Reading& out) {
  scan.skip_blanks();
  if (scan.done()) return true;
  const bool named = scan.skip_any({"UTC", "GMT"});
  if (scan.done() || scan.skip("Z") || scan.skip("z")) {
    out.offset = 0;
    return true;
  }
  const bool west = scan.skip("-");
  if (!west && !scan.skip("+")) return false;
  const size_t digits = scan.digits();
  const auto hours = digits == 4 ? scan.fixed(2) : scan.number(named ? 1 : 2, 2);
  if (!hours) return false;
  std::optional<int> minutes = 0;
  if (scan.skip(":") || digits == 4) minutes = scan.number(2, 2);
  if (!minutes || *hours > 15 || *minutes > 59) return false;
  out.offset = (west ? -60 : 60) * (*hours * 60 + *minutes);
  return true;
}

// Civil days overflow into the next month, so the day that comes out is compared with what was written: 31
// April is no date. 24:00 is the end of a day and is taken; a leap second is not, as the clock here has
// none.
std::optional<int64_t> local_micros(Reading& at) {
  if (at.afternoon) {
    if (at.hour > 12 && !*at.afternoon) return std::nullopt;
    if (at.hour == 12 && !*at.afternoon) at.hour = 0;
    if (at.hour < 12 && *at.afternoon) at.hour += 12;
  }
  const bool midnight = at.hour == 24 && at.minute == 0 && at.second == 0 && at.micros == 0;
  if ((at.hour > 23 && !midnight) || at.minute > 59 || at.second > 59) return std::nullopt;
  const absl::CivilDay day(at.year, at.month, at.day);
  if (at.month < 1 || at.day < 1 || day.month() != at.month || day.day() != at.day) return std::nullopt;
  const int64_t seconds =
      (day - absl::CivilDay(1970, 1, 1)) * 86'400 + at.hour * 3600 + at.minute * 60 + at.second;
  return seconds * 1'000'000 + at.micros;
}

}  // namespace

std::optional<DateText> read_date(std::string_view text) {
  std::string folded;
  if (text.find_first_of("\xe3\xef") != text.npos) text = folded = narrow(text);
  Scan scan(text);
  scan.skip_blanks();
  Reading reading;
  bool packed = false;
  if (!read_day(scan, reading, packed)) return std::nullopt;
  const bool parted = scan.skip("T") || scan.skip("t") || scan.skip(" ");
  scan.skip_blanks();
  if (!scan.done()) {
    const bool clock =
        packed && !parted && scan.at_digit() ? read_packed_clock(scan, reading) : read_clock(scan, reading);
    if (!clock || !read_offset(scan, reading) || !scan.done()) return std::nullopt;
  }
  const auto micros = local_micros(reading);
  if (!micros) return std::nullopt;
  return DateText{*micros, reading.offset};
}

}  // namespace kehu::text
