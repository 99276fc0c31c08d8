#include "http/request.h"

#include <algorithm>

#include "base/check.h"

namespace kehu::http {
namespace {

constexpr std::string_view kMethodNames[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the escape at `at` stands for, or -1.
int escape_at(std::string_view text, size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct QueryPair {
  std::string_view name;
  std::string_view value;
};

// Calls visit(pair) for each pair, until it returns false.
template <class Visit>
void for_each_pair(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!visit(QueryPair{pair.substr(0, equals), value})) return;
  }
}

}  // namespace

std::string_view to_string(Method method) { return kMethodNames[static_cast<size_t>(method)]; }

std::optional<Method> parse_method(std::string_view name) {
  for (const Method method : kMethods) {
    if (to_string(method) == name) return method;
  }
  return std::nullopt;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Request::query_string() const {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignore_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<std::string> Request::query(std::string_view name) const {
  std::optional<std::string> found;
  for_each_pair(query_string(), [&](QueryPair pair) {
    if (pair.name != name && percent_decode(pair.name, PlusSign::kSpace) != name) return true;
    found = percent_decode(pair.value, PlusSign::kSpace);
    return false;
  });
  return found;
}

std::vector<std::pair<std::string, std::string>> Request::query_parameters() const {
  std::vector<std::pair<std::string, std::string>> out;
  for_each_pair(query_string(), [&out](QueryPair pair) {
    out.emplace_back(percent_decode(pair.name, PlusSign::kSpace),
                     percent_decode(pair.value, PlusSign::kSpace));
    return true;
  });
  return out;
}

std::string Request::parameter(std::string_view name) const {
  for (const PathParameter& parameter : parameters) {
    if (parameter.name == name) return percent_decode(parameter.value);
  }
  KEHU_CHECK(false && "the route declares the path parameter");
  return "";
}

bool valid_escapes(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (escape_at(text, at) <= 0) return false;
  }
  return true;
}

std::string percent_decode(std::string_view text, PlusSign plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? escape_at(text, i) : -1;
    if (byte >= 0) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i] == '+' && plus == PlusSign::kSpace ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

}  // namespace kehu::http
