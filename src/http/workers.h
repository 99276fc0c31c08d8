#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "http/problem.h"
#include "http/responder.h"

namespace kehu::http {

// A body whose pieces take time to make.
class SlowBody {
 public:
  virtual ~SlowBody() = default;
  // One call at a time, from any of the workers.
  virtual absl::StatusOr<Piece> next() = 0;
  // From any thread, perhaps during next(), which then ends soon: nobody wants it any more.
  virtual void cancel() {}
};

// Threads for what must not run on a connection's thread: statements, timelines, commands that wait for the
// log. The queue is bounded; beyond it requests are answered 503 at once.
class Workers {
 public:
  using Task = absl::AnyInvocable<Response()>;

  explicit Workers(int threads, size_t queue_limit = 256);
  ~Workers();

  // Runs `task` and sends what it returns.
  void answer(Responder responder, Task task);
  // Has these threads, which outlive it, make the pieces of `body` and destroy it. A piece is not refused for
  // the length of the queue: whoever begins bodies bounds their number.
  std::shared_ptr<BodySource> source(std::unique_ptr<SlowBody> body);
  // What waits is dropped; its requests are answered 503.
  void stop();

 private:
  class Source;
  using Job = absl::AnyInvocable<void()>;

  void post(Job job);  // drops it once stopped
  void run();

  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kehu::http
