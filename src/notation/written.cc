#include "notation/written.h"

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "notation/keywords.h"
#include "notation/token.h"

namespace kehu::notation {
namespace {

constexpr std::string_view kMeasure = "个";  // 3个月, but 本月

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(byte));
      out.append(code);
    } else {
      out.push_back(c);
    }
  }
  out.push_back(quote);
  return out;
}

}  // namespace

std::string written_text(std::string_view text) { return quoted(text, '"'); }

std::string written_name(std::string_view name) {
  return is_bare_name(name) ? std::string(name) : quoted(name, '`');
}

std::string written_path(std::string_view path) {
  std::string out;
  for (;;) {
    const size_t dot = path.find('.');
    std::string_view step = path.substr(0, dot);
    size_t lists = 0;
    for (; step.ends_with("[]"); ++lists) step.remove_suffix(2);
    out.append(written_name(step));
    for (; lists > 0; --lists) out.append("[]");
    if (dot == path.npos) return out;
    out.push_back('.');
    path.remove_prefix(dot + 1);
  }
}

std::string written_date(CivilDay day) {
  const BusinessZone utc;
  return utc.format(utc.start_of(day)).substr(0, 10);
}

std::string written_unit(rule::Unit unit, Language language) {
  const KeywordRow& row = row_of(keyword_of(unit));
  if (language == Language::kEnglish) return std::string(row.english[1]);
  std::string_view word = row.chinese[0];
  if (word.starts_with(kMeasure)) word.remove_prefix(kMeasure.size());
  return std::string(word);
}

std::string written_span(rule::Span span, Language language) {
  const KeywordRow& row = row_of(keyword_of(span.unit));
  if (language == Language::kChinese) return cat(span.count, row.chinese[0]);
  return cat(span.count, " ", row.english[span.count == 1 ? 1 : 0]);
}

std::string written_limit(rule::Span span, Language language) {
  return cat(written_span(span, language), spelling(Keyword::kInside, language));
}

}  // namespace kehu::notation
