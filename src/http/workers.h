#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "http/problem.h"
#include "http/responder.h"

namespace kehu::http {

// Threads for what must not run on a connection's thread: statements, timelines, commands that wait for the
// log. The queue is bounded; beyond it requests are answered 503 at once.
class Workers {
 public:
  using Task = absl::AnyInvocable<Response()>;

  explicit Workers(int threads, size_t queue_limit = 256);
  ~Workers();

  // Runs `task` and sends what it returns.
  void answer(Responder responder, Task task);
  void stop();

 private:
  void run();

  struct Job {
    Responder responder;
    Task task;
  };
  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kehu::http
