#include "http/request_counts.h"

#include "base/text.h"
#include "http/router.h"

namespace kehu::http {

RequestCounts::RequestCounts(absl::Span<const Route> routes)
    : routes_(routes), rows_(std::make_unique<Statuses[]>(routes.size() + 1)) {}

size_t RequestCounts::row(const Route* route) const {
  return route == nullptr ? routes_.size() : static_cast<size_t>(route - routes_.data());
}

void RequestCounts::add(const Route* route, int status) {
  rows_[row(route)][slot(status)].fetch_add(1, std::memory_order_relaxed);
}

uint64_t RequestCounts::count(const Route* route, int status) const {
  return rows_[row(route)][slot(status)].load(std::memory_order_relaxed);
}

void RequestCounts::append_metrics(std::string& out) const {
  constexpr std::string_view kName = "kehu_http_requests_total";
  out += cat("# HELP ", kName,
             " Requests answered since the start, by route and status; without a route: \"none\".\n",
             "# TYPE ", kName, " counter\n");
  for (size_t i = 0; i <= routes_.size(); ++i) {
    const bool known = i < routes_.size();
    const std::string_view method = known ? to_string(routes_[i].method) : std::string_view("any");
    const std::string_view route = known ? std::string_view(routes_[i].pattern) : std::string_view("none");
    for (size_t j = 0; j < rows_[i].size(); ++j) {
      const uint64_t count = rows_[i][j].load(std::memory_order_relaxed);
      if (count == 0) continue;
      out += cat(kName, "{method=\"", method, "\",route=\"", route, "\",status=\"",
                 j == 0 ? 0 : static_cast<int>(j) - 1 + kFirst, "\"} ", count, "\n");
    }
  }
}

}  // namespace kehu::http
