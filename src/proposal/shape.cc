#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "base/text.h"
#include "proposal/facts.h"
#include "proposal/sample.h"

namespace kehu::proposal {
namespace {

constexpr size_t kLinesLookedAt = 200;

using Fields = std::vector<std::string>;

// Records as RFC 4180 writes them, one with text behind a quoted field without any fields; the last one,
// which the end of the text may have cut, is left out when there are others. `lines` are those that each
// begins in, from 0.
std::vector<Fields> records_of(std::string_view text, char delimiter, char quote,
                               std::vector<size_t>* lines = nullptr) {
  std::vector<Fields> out;
  size_t line = 0, first_line = 0;
  Fields fields(1);
  bool quoted = false, any = false, torn = false;
  for (size_t i = 0; i < text.size() && out.size() < kLinesLookedAt; ++i) {
    const char c = text[i];
    if (quoted) {
      line += c == '\n';
      if (c != quote)
        fields.back().push_back(c);
      else if (i + 1 < text.size() && text[i + 1] == quote)
        fields.back().push_back(text[i++]);
      else {
        quoted = false;
        const char next = i + 1 < text.size() ? text[i + 1] : '\n';
        torn = torn || (delimiter != '\0' && next != delimiter && next != '\n' && next != '\r');
      }
    } else if (c == quote && fields.back().empty()) {
      quoted = true;
    } else if (c == delimiter) {
      fields.emplace_back();
    } else if (c == '\n') {
      if (any && lines != nullptr) lines->push_back(first_line);
      if (any) out.push_back(torn ? Fields() : std::move(fields));
      first_line = ++line;
      fields.assign(1, "");
      any = torn = false;
      continue;
    } else if (c != '\r') {
      fields.back().push_back(c);
    }
    any = true;
  }
  if (any && out.empty()) out.push_back(std::move(fields));
  return out;
}

// What values are put in: single quotes where many values begin and end with one and none begins with a
// double one. An apostrophe before a number, with which people keep spreadsheets from reading it, has no end.
char quote_of(std::string_view text) {
  constexpr std::string_view kEnds = ",;|\t\n\r";
  size_t begin = 0, end = 0, doubled = 0, lines = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool first = i == 0 || kEnds.find(text[i - 1]) != kEnds.npos;
    const bool last = i + 1 == text.size() || kEnds.find(text[i + 1]) != kEnds.npos;
    lines += text[i] == '\n';
    doubled += first && text[i] == '"';
    begin += first && text[i] == '\'';
    end += last && text[i] == '\'';
  }
  return doubled == 0 && begin > 0 && begin * 2 >= lines && end * 10 >= begin * 9 ? '\'' : '"';
}

// The width that most records have, and their share.
std::pair<size_t, double> usual_width(const std::vector<Fields>& records) {
  std::map<size_t, size_t> counts;
  for (const Fields& record : records) ++counts[record.size()];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counts.end()) return {0, 0};
  return {most->first, static_cast<double>(most->second) / static_cast<double>(records.size())};
}

std::string bare(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return std::string(text);
}

size_t filled_fields(const Fields& fields) {
  return std::count_if(fields.begin(), fields.end(), [](const std::string& f) { return !bare(f).empty(); });
}

// How many records stand above a table: what a report or a bill says of itself, in one or two fields a line.
// The first record that has most of the fields of those below it is the table's. 0 when there is none, or
// nothing stands above it.
size_t titles_above(const std::vector<Fields>& records) {
  constexpr size_t kTitlesMax = 30;
  size_t most = 0;
  for (const Fields& record : records) most = std::max(most, filled_fields(record));
  if (most < 4) return 0;
  for (size_t i = 0; i < std::min(records.size(), kTitlesMax); ++i) {
    const size_t filled = filled_fields(records[i]);
    if (filled * 3 >= most * 2) return i;
    if (filled * 2 > most) return 0;
  }
  return 0;
}

// Below a table, too: the rule and the sums in which a bill ends.
void drop_below(std::vector<Fields>& records) {
  constexpr size_t kBelowMax = 30;
  size_t widest = 0;
  for (const Fields& record : records) widest = std::max(widest, record.size());
  const size_t least = records.size() > kBelowMax ? records.size() - kBelowMax : 1;
  while (widest >= 4 && records.size() > least && records.back().size() <= 2) records.pop_back();
}

// The first record names columns: none of it is a number or a date, and it is unlike what stands below.
bool is_header(const std::vector<Fields>& records) {
  const Fields& first = records.front();
  size_t words = 0, known = 0, unlike = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    const std::string name = bare(first[i]);
    if (is_number(name) || looks_like_time(name)) return false;
    words += !name.empty();
    known += role_of_name(name) != Role::kNone;
    size_t values = 0, others = 0;
    bool again = false;
    for (size_t row = 1; row < records.size(); ++row) {
      if (i >= records[row].size() || records[row][i].empty()) continue;
      ++values;
      others += is_number(bare(records[row][i])) || looks_like_time(bare(records[row][i]));
      again = again || bare(records[row][i]) == name;
    }
    unlike += values > 0 && !again && (others * 2 > values);
  }
  if (words == 0) return false;
  if (known > 0 || unlike > 0) return true;
  // Words above words: names are short, and none of them comes again below.
  std::set<std::string> below;
  for (size_t row = 1; row < records.size(); ++row) {
    for (const std::string& value : records[row]) below.insert(bare(value));
  }
  return words == first.size() && records.size() > 1 && first.size() > 1 &&
         std::none_of(first.begin(), first.end(), [&](const std::string& name) {
           return name.size() > 40 || below.contains(bare(name));
         });
}

bool has_twice(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  return !std::all_of(names.begin(), names.end(),
                      [&](const std::string& name) { return seen.insert(name).second; });
}

}  // namespace

// Each delimiter is tried on the whole beginning. It counts when at least four of five records have the
// same number of columns with it, and the best product of that share and of that number wins: a comma
// inside texts divides some lines, the delimiter divides all of them alike. From 40 columns on more of them
// say nothing new.
TableShape shape_of(std::string_view text) {
  TableShape shape;
  shape.quote = quote_of(text);
  std::vector<Fields> best;
  double best_score = 0;
  for (const char delimiter : std::array{',', '\t', ';', '|'}) {
    std::vector<size_t> lines;
    std::vector<Fields> records = records_of(text, delimiter, shape.quote, &lines);
    const size_t titles = titles_above(records);
    records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(titles));
    drop_below(records);
    const auto [width, share] = usual_width(records);
    // A line above that nothing divides may also be the header of another delimiter.
    const double doubt = titles > 0 ? 0.5 : 1;
    const double score =
        width > 1 && share >= 0.8 ? doubt * share * static_cast<double>(std::min<size_t>(width, 40)) : 0;
    if (score <= best_score) continue;
    best_score = score;
    best = std::move(records);
    shape.delimiter = delimiter;
    shape.title_lines = titles < lines.size() ? lines[titles] : 0;
    if (titles == 0) shape.title_lines = 0;
  }
  if (best_score == 0) {
    best = records_of(text, '\0', shape.quote);
    shape.fits = !best.empty() && text.find_first_of(",\t;|") == text.npos;
  } else {
    shape.fits = true;
  }
  if (best.empty()) return shape;
  const size_t width = usual_width(best).first;
  shape.header = best.front().size() == width && is_header(best);
  size_t blanks = 0;
  for (const Fields& record : best) {
    const auto is_blank = [&](char c) { return c == ' ' || (c == '\t' && shape.delimiter != '\t'); };
    for (size_t i = 0; i < record.size(); ++i) {
      const std::string& field = record[i];
      blanks += !field.empty() && ((i > 0 && is_blank(field.front())) || is_blank(field.back()));
    }
  }
  shape.trim = blanks * 10 > best.size();
  for (size_t i = 0; i < width; ++i)
    shape.names.push_back(shape.header ? (shape.trim ? bare(best.front()[i]) : best.front()[i])
                                       : cat("column", i + 1));
  shape.names_given = !shape.header;
  if (!shape.header || !has_twice(shape.names)) return shape;
  // A header that names two alike cannot be asked for either of them.
  std::map<std::string, int> seen;
  for (std::string& name : shape.names) {
    if (const int count = ++seen[name]; count > 1) name = cat(name, "_", count);
  }
  shape.names_given = true;
  return shape;
}

}  // namespace kehu::proposal
