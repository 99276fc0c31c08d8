#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "http/request.h"
#include "model/settings.h"

namespace kehu::debugger {

// Requests that belong to nobody: a key that no source has, a path that nothing is served at, a wrong admin
// token. They are counted, the last ones are kept for whoever looks for his events, and one a minute is told
// to the operator. Holds hints of keys, never keys, and no personal value. Thread-safe.
class StrangerLog {
 public:
  // An address that named so many wrong admin tokens within a minute is not listened to until the next.
  static constexpr uint32_t kWrongTokensPerMinute = 300;

  explicit StrangerLog(std::function<void(std::string_view)> warn) : warn_(std::move(warn)) {}

  struct Seen {
    Instant at;
    std::string method, path, remote, key;  // path masked; key a hint, empty without one
    int status = 0;
  };
  void note(const http::Request& request, int status, const Settings& settings, Instant now);
  uint64_t count() const;
  std::vector<Seen> last() const;  // newest first

  // Seconds to wait before a token of this address is looked at; 0: now.
  int wait_for_token(std::string_view address, Instant now);
  void wrong_token(std::string_view address, Instant now);

 private:
  static constexpr size_t kKept = 20;
  // Of one second; a flood is only counted.
  static constexpr uint32_t kDescribedPerSecond = 10;
  static constexpr size_t kAddresses = 10'000;

  void begin_minute(Instant now);

  const std::function<void(std::string_view)> warn_;
  mutable std::mutex mutex_;
  uint64_t count_ = 0;
  uint64_t count_told_ = 0;
  Instant told_at_;
  Instant second_;
  uint32_t described_ = 0;
  std::deque<Seen> seen_;
  int64_t minute_ = 0;
  absl::flat_hash_map<std::string, uint32_t> wrong_tokens_;  // of this minute
};

}  // namespace kehu::debugger
