#include "http/workers.h"

namespace kehu::http {

Workers::Workers(int threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() { stop(); }

void Workers::answer(Responder responder, Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && jobs_.size() < queue_limit_) {
      jobs_.push_back({std::move(responder), std::move(task)});
      changed_.notify_one();
      return;
    }
  }
  responder.send(
      to_response(Problem::overloaded("too many requests wait for an answer: try again in a second")));
}

void Workers::stop() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(jobs_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (Job& job : left) job.responder.send(to_response(Problem::overloaded("the server is stopping")));
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.responder.send(job.task());
    lock.lock();
  }
}

}  // namespace kehu::http
