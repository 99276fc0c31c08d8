#include "http/router.h"

#include <algorithm>

#include "base/check.h"
#include "http/problem.h"
#include "http/request_counts.h"

namespace kehu::http {
namespace {

bool is_variable(std::string_view segment) {
  return !segment.empty() && (segment[0] == ':' || segment[0] == '*');
}

std::vector<std::string> split_pattern(std::string_view pattern) {
  KEHU_CHECK(!pattern.empty() && pattern[0] == '/');
  std::vector<std::string> segments;
  for (size_t start = 1; start != 0;) {
    const size_t slash = pattern.find('/', start);
    segments.emplace_back(pattern.substr(start, slash - start));
    start = slash + 1;
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    KEHU_CHECK(!is_variable(segments[i]) || segments[i].size() > 1);
    KEHU_CHECK(segments[i][0] != '*' || i + 1 == segments.size());
  }
  return segments;
}

// "//v1/import/" → "/v1/import".
std::string without_needless_slashes(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path) {
    if (c != '/' || !out.ends_with('/')) out.push_back(c);
  }
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

// A slash that is escaped belongs to its segment.
bool has_escaped_slash(std::string_view path) {
  for (size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::string_view escape = path.substr(at, 3);
    if (escape == "%2F" || escape == "%2f") return true;
  }
  return false;
}

bool literal_matches(std::string_view literal, std::string_view segment) {
  if (literal == segment) return true;
  return segment.find('%') != std::string_view::npos && percent_decode(segment) == literal;
}

// `path` without its leading slash. Leaves what it found in `parameters` only when all of it matches.
bool match_segments(const std::vector<std::string>& segments, std::string_view path,
                    PathParameters& parameters) {
  parameters.clear();
  bool at_end = false;
  for (const std::string& segment : segments) {
    if (at_end) return false;
    if (segment[0] == '*') {
      parameters.push_back({std::string_view(segment).substr(1), path});
      return true;
    }
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    at_end = slash == std::string_view::npos;
    path = at_end ? std::string_view() : path.substr(slash + 1);
    if (segment[0] == ':') {
      if (part.empty()) return false;
      parameters.push_back({std::string_view(segment).substr(1), part});
    } else if (!literal_matches(segment, part)) {
      return false;
    }
  }
  return at_end;
}

// Collects what a path allows while its route is looked for.
struct Search {
  Method method;
  const Route* exact = nullptr;
  const Route* get = nullptr;
  PathParameters exact_parameters = {};
  PathParameters get_parameters = {};
  bool allowed[std::size(kMethods)] = {};

  void offer(const Route& route, const PathParameters& parameters) {
    allowed[static_cast<size_t>(route.method)] = true;
    if (route.method == method && exact == nullptr) {
      exact = &route;
      exact_parameters = parameters;
    } else if (route.method == Method::kGet && get == nullptr) {
      get = &route;
      get_parameters = parameters;
    }
  }

  std::string allow() {
    if (allowed[static_cast<size_t>(Method::kGet)]) allowed[static_cast<size_t>(Method::kHead)] = true;
    std::string list;
    for (const Method known : kMethods) {
      if (allowed[static_cast<size_t>(known)]) list.append(list.empty() ? "" : ", ").append(to_string(known));
    }
    return list;
  }

  Router::Match result() {
    if (exact != nullptr) return {exact, std::move(exact_parameters), ""};
    if (method == Method::kHead && get != nullptr) return {get, std::move(get_parameters), ""};
    return {nullptr, {}, allow()};
  }
};

}  // namespace

std::string_view to_string(Access access) {
  switch (access) {
    case Access::kPublic:
      return "public";
    case Access::kWriteKey:
      return "write_key";
    case Access::kAdmin:
      return "admin";
  }
  return "";
}

Router::Router(std::vector<Route> routes, Gate gate, Witness witness)
    : routes_(std::move(routes)), gate_(std::move(gate)), witness_(std::move(witness)) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    for (size_t j = 0; j < i; ++j) {
      KEHU_CHECK(routes_[j].method != route.method || routes_[j].pattern != route.pattern);
    }
    KEHU_CHECK(!std::holds_alternative<LiveUpgrade>(route.action) || route.method == Method::kGet);
    std::vector<std::string> segments = split_pattern(route.pattern);
    if (std::any_of(segments.begin(), segments.end(), is_variable)) {
      patterns_.push_back({std::move(segments), i});
    } else {
      literal_[route.pattern].push_back(i);
    }
  }
  counts_ = std::make_unique<RequestCounts>(routes_);
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

Router::Match Router::find(Method method, std::string_view path) const {
  Match match = find_as_written(method, path);
  if (match.route != nullptr || !match.allow.empty()) return match;
  auto shorter = std::make_unique<const std::string>(without_needless_slashes(path));
  if (*shorter == path) return match;
  match = find_as_written(method, *shorter);
  match.path = std::move(shorter);
  return match;
}

Router::Match Router::find_as_written(Method method, std::string_view path) const {
  Search search{.method = method};
  const bool escaped = path.find('%') != std::string_view::npos;
  const auto literal = escaped ? literal_.find(percent_decode(path)) : literal_.find(path);
  if (literal != literal_.end() && !(escaped && has_escaped_slash(path))) {
    for (const size_t route : literal->second) search.offer(routes_[route], {});
    if (search.exact != nullptr) return search.result();
  }
  if (path.empty() || path[0] != '/') return search.result();
  PathParameters parameters;
  for (const Pattern& pattern : patterns_) {
    if (match_segments(pattern.segments, path.substr(1), parameters)) {
      search.offer(routes_[pattern.route], parameters);
    }
  }
  return search.result();
}

Admission Router::admit(const Route& route, const Request& request) const {
  return gate_ ? gate_(route, request) : Admission();
}

std::vector<AnswerDoc> with_admin_answers(std::vector<AnswerDoc> answers) {
  answers.push_back({401, "The admin token is missing or wrong", "application/problem+json", "Problem"});
  return answers;
}

Response refused_by(const Route& route, const Problem& problem) {
  const auto* buffered = std::get_if<BufferedBody>(&route.action);
  const bool own_words = buffered != nullptr && buffered->refused != nullptr;
  return own_words ? buffered->refused(problem) : to_response(problem);
}

Response no_route(const Router::Match& match, Method method, std::string_view path) {
  const std::string shown = percent_decode(path.substr(0, 200));
  if (match.allow.empty()) {
    return to_response(Problem{.status = 404,
                               .code = "no_route",
                               .title = "There is no such path",
                               .detail = "nothing is served at " + shown});
  }
  Problem problem{.status = 405,
                  .code = "method_not_allowed",
                  .title = "The path does not take this method",
                  .detail = shown + " takes " + match.allow + ", not " + std::string(to_string(method))};
  return to_response(problem).with("Allow", match.allow);
}

}  // namespace kehu::http
