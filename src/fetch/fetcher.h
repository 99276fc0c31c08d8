#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fetch/request.h"

// Asking other servers over HTTP: the only folder that knows libcurl. A process that speaks TLS ignores
// SIGPIPE, for OpenSSL writes to connections that are gone.
namespace kehu::fetch {

struct FetcherOptions {
  const char* thread_name = "kehu-fetch";
  size_t at_once = 32;              // further ones wait their turn
  size_t requests = 1024;           // waiting and under way
  size_t body_bytes = 64ull << 20;  // of the requests waiting and under way
};

// The answer, or why there is none. Called on the fetcher's thread, once for each request that was taken. It
// may call fetch(), and must neither wait nor call stop().
using Done = std::function<void(absl::StatusOr<Response>)>;

// Many requests at a time on one thread of its own, over connections that are kept. Any thread may ask. A
// server that is slow holds places, so those who must not wait for each other have a fetcher each.
class Fetcher {
 public:
  explicit Fetcher(FetcherOptions options = {});
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Never waits. Source and sink of the request are called on the fetcher's thread, too. Timeouts begin when
  // it is the request's turn. ResourceExhausted: as much is waiting as may wait, try again when an answer has
  // come. FailedPrecondition: stopped. `done` is then not called.
  absl::Status fetch(Request request, Done done);

  // Ends what waits and what is under way with Cancelled, and the thread; all `done` have been called then.
  void stop();

  // Waiting and under way.
  size_t pending() const;

 private:
  struct Job;
  struct Loop;

  void run();
  bool admit(Loop& loop);
  void begin(Loop& loop, std::unique_ptr<Job> job);
  void collect(Loop& loop);
  void abandon(Loop& loop);
  void finish(std::unique_ptr<Job> job, absl::StatusOr<Response> result);

  const FetcherOptions options_;
  mutable std::mutex mutex_;
  bool stopping_ = false;  // under mutex_, as are the following
  std::deque<std::unique_ptr<Job>> waiting_;
  size_t pending_ = 0;
  size_t body_bytes_ = 0;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace kehu::fetch
