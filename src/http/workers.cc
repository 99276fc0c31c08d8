#include "http/workers.h"

namespace kehu::http {

// Ending a statement takes time as well, so the body is let go by a worker, too.
class Workers::Source final : public BodySource {
 public:
  Source(Workers& workers, std::unique_ptr<SlowBody> body) : workers_(workers), body_(std::move(body)) {}
  ~Source() override {
    body_->cancel();
    workers_.post([body = std::move(body_)] {});
  }

  void pull(GivePiece give) override {
    workers_.post([body = body_, give = std::move(give)]() mutable { give.give(body->next()); });
  }

 private:
  Workers& workers_;
  std::shared_ptr<SlowBody> body_;
};

Workers::Workers(int threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() { stop(); }

void Workers::answer(Responder responder, Task task) {
  std::unique_lock lock(mutex_);
  if (stopping_ || jobs_.size() >= queue_limit_) {
    lock.unlock();
    return responder.send(
        to_response(Problem::overloaded("too many requests wait for an answer: try again in a second")));
  }
  WaitingResponder waiting(std::move(responder),
                           [] { return to_response(Problem::overloaded("the server is stopping")); });
  jobs_.push_back([waiting = std::move(waiting), task = std::move(task)]() mutable { waiting.send(task()); });
  changed_.notify_one();
}

std::shared_ptr<BodySource> Workers::source(std::unique_ptr<SlowBody> body) {
  return std::make_shared<Source>(*this, std::move(body));
}

void Workers::post(Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  changed_.notify_one();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  jobs_.clear();  // nobody adds to them any more
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // outside the lock: what it holds may take time to go
    lock.lock();
  }
}

}  // namespace kehu::http
