#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>  // Asio 1.74 forgets it

// Sockets and the loops that wait for them: the only folder that knows Boost.Asio. What goes over them is
// others' business.
namespace kehu::net {

// One thread's loop over its sockets: what is done on it is done one at a time.
class EventLoop {
 public:
  boost::asio::io_context& context() { return context_; }

  // Until end(). The calling thread is the loop's from then on.
  void run() { context_.run(); }

  // From any thread: runs `task` on the loop's, behind what was posted before.
  template <class Task>
  void post(Task task) {
    boost::asio::post(context_, std::move(task));
  }

  // On the loop's thread. One at a time: a second call replaces the first.
  template <class Task>
  void after(std::chrono::milliseconds wait, Task task) {
    timer_.expires_after(wait);
    timer_.async_wait([task = std::move(task)](const boost::system::error_code& ec) mutable {
      if (!ec) task();
    });
  }

  // On the loop's thread. What is posted by now still runs; nothing else keeps the loop.
  void end() {
    timer_.cancel();
    work_.reset();
    post([this] { context_.stop(); });
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  boost::asio::steady_timer timer_{context_};
};

}  // namespace kehu::net
