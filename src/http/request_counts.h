#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"

namespace kehu::http {

struct Route;

// Answers by route and status, for /metrics. The routes are those of the table, and everything that had none
// is one more, so that no client can make figures of its own. Counting costs one relaxed addition.
// Thread-safe.
class RequestCounts {
 public:
  // The routes outlive it, and stay where they are. 4 KB for each.
  explicit RequestCounts(absl::Span<const Route> routes);

  // nullptr: the request had no route.
  void add(const Route* route, int status);
  // kehu_http_requests_total{method="POST",route="/v1/batch",status="200"}; those that are 0 are left out.
  void append_metrics(std::string& out) const;
  uint64_t count(const Route* route, int status) const;

 private:
  static constexpr int kFirst = 100, kLast = 600;  // others are counted as 0
  using Statuses = std::array<std::atomic<uint64_t>, kLast - kFirst + 1>;

  static size_t slot(int status) {
    return status >= kFirst && status < kLast ? static_cast<size_t>(status - kFirst) + 1 : 0;
  }
  size_t row(const Route* route) const;

  absl::Span<const Route> routes_;
  std::unique_ptr<Statuses[]> rows_;  // one of each route, and one more
};

}  // namespace kehu::http
