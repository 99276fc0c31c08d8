#include "demo/wire_text.h"

#include <charconv>
#include <chrono>

namespace kehu::demo {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr char kHex[] = "0123456789abcdef";

void append_padded(uint64_t number, int width, char* to) {
  for (int i = width - 1; i >= 0; --i, number /= 10) to[i] = static_cast<char>('0' + number % 10);
}

}  // namespace

void append_number(uint64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_yuan(Fen amount, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, amount / 100).ptr);
  const Fen rest = amount % 100;
  if (rest == 0) return;
  out.push_back('.');
  out.push_back(static_cast<char>('0' + rest / 10));
  if (rest % 10 != 0) out.push_back(static_cast<char>('0' + rest % 10));
}

void append_message_id(uint64_t run, uint64_t number, std::string& out) {
  char text[29];
  for (int i = 0; i < 12; ++i) text[i] = kHex[run >> (i * 4) & 15];
  text[12] = '-';
  for (int i = 0; i < 16; ++i) text[13 + i] = kHex[number >> (60 - i * 4) & 15];
  out.append(text, sizeof text);
}

void TimeText::append(Instant time, std::string& out) {
  const int64_t micros = time.micros();
  const int64_t day = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  if (day != day_) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days(day)}};
    append_padded(static_cast<uint64_t>(static_cast<int>(date.year())), 4, date_);
    append_padded(static_cast<unsigned>(date.month()), 2, date_ + 5);
    append_padded(static_cast<unsigned>(date.day()), 2, date_ + 8);
    date_[4] = date_[7] = '-';
    day_ = day;
  }
  const auto millis = static_cast<uint64_t>((micros - day * kMicrosPerDay) / 1000);
  char clock[] = "T00:00:00.000Z";
  append_padded(millis / 3'600'000, 2, clock + 1);
  append_padded(millis / 60'000 % 60, 2, clock + 4);
  append_padded(millis / 1000 % 60, 2, clock + 7);
  append_padded(millis % 1000, 3, clock + 10);
  out.append(date_, sizeof date_).append(clock, sizeof clock - 1);
}

}  // namespace kehu::demo
