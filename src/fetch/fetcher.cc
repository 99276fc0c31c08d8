#include "fetch/fetcher.h"

#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "fetch/failure.h"
#include "fetch/transfer.h"
#include "os/thread_name.h"

namespace kehu::fetch {
namespace {

constexpr int kIdleMs = 1000;  // a new request or a stop wakes the thread before

}  // namespace

struct Fetcher::Job {
  Request request;
  Done done;
  CURL* curl = nullptr;
  std::unique_ptr<Transfer> transfer = nullptr;

  ~Job() {
    transfer.reset();
    if (curl != nullptr) curl_easy_cleanup(curl);
  }
};

// What belongs to the thread alone, but for the wake-up.
struct Fetcher::Loop {
  Loop() : multi(curl_multi_init()) { KEHU_CHECK(multi != nullptr); }
  ~Loop() { curl_multi_cleanup(multi); }

  CURLM* multi;
  std::unordered_map<CURL*, std::unique_ptr<Job>> running;
};

Fetcher::Fetcher(FetcherOptions options) : options_(options) {
  KEHU_CHECK(start_libcurl().ok());
  loop_ = std::make_unique<Loop>();
  curl_multi_setopt(loop_->multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.at_once));
  thread_ = std::thread([this] { run(); });
}

Fetcher::~Fetcher() { stop(); }

absl::Status Fetcher::fetch(Request request, Done done) {
  auto job = std::make_unique<Job>();
  job->request = std::move(request);
  job->done = std::move(done);
  const size_t bytes = job->request.body.size();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return absl::FailedPreconditionError("no request is taken any more: this process stops");
    if (pending_ == options_.requests || (pending_ > 0 && body_bytes_ + bytes > options_.body_bytes))
      return absl::ResourceExhaustedError("too many requests wait for other servers: try again later");
    ++pending_;
    body_bytes_ += bytes;
    waiting_.push_back(std::move(job));
  }
  curl_multi_wakeup(loop_->multi);
  return absl::OkStatus();
}

void Fetcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(loop_->multi);
  if (thread_.joinable()) thread_.join();
}

size_t Fetcher::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

void Fetcher::run() {
  os::name_this_thread(options_.thread_name);
  while (admit(*loop_)) {
    int running = 0;
    curl_multi_perform(loop_->multi, &running);
    collect(*loop_);
    // What became free may be taken at once.
    const bool full = loop_->running.size() >= options_.at_once;
    const bool more = !full && [this] {
      const std::lock_guard lock(mutex_);
      return !waiting_.empty();
    }();
    if (!more) curl_multi_poll(loop_->multi, nullptr, 0, kIdleMs, nullptr);
  }
  abandon(*loop_);
}

// False when the fetcher stops.
bool Fetcher::admit(Loop& loop) {
  std::vector<std::unique_ptr<Job>> jobs;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    while (!waiting_.empty() && loop.running.size() + jobs.size() < options_.at_once) {
      jobs.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  for (auto& job : jobs) begin(loop, std::move(job));
  return true;
}

void Fetcher::begin(Loop& loop, std::unique_ptr<Job> job) {
  job->curl = curl_easy_init();
  KEHU_CHECK(job->curl != nullptr);
  job->transfer = std::make_unique<Transfer>(job->curl, job->request);
  if (auto status = job->transfer->prepare(); !status.ok()) return finish(std::move(job), status);
  KEHU_CHECK(curl_multi_add_handle(loop.multi, job->curl) == CURLM_OK);
  CURL* const curl = job->curl;
  loop.running.emplace(curl, std::move(job));
}

void Fetcher::collect(Loop& loop) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(loop.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // gone with the handle
    auto node = loop.running.extract(message->easy_handle);
    std::unique_ptr<Job> job = std::move(node.mapped());
    curl_multi_remove_handle(loop.multi, job->curl);
    absl::StatusOr<Response> result = job->transfer->finish(code);
    finish(std::move(job), std::move(result));
  }
}

// A name that is being looked up would otherwise be waited for.
void Fetcher::abandon(Loop& loop) {
  for (auto& [curl, job] : loop.running) {
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_multi_remove_handle(loop.multi, curl);
    const absl::Status status = job->transfer->stopped();
    finish(std::move(job), status);
  }
  loop.running.clear();
  std::deque<std::unique_ptr<Job>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& job : waiting) {
    finish(std::move(job),
           with_cause(Cause::kStopped,
                      absl::CancelledError("a request was not sent because this process stops")));
  }
}

void Fetcher::finish(std::unique_ptr<Job> job, absl::StatusOr<Response> result) {
  {
    const std::lock_guard lock(mutex_);
    --pending_;
    body_bytes_ -= job->request.body.size();
  }
  job->done(std::move(result));
}

}  // namespace kehu::fetch
