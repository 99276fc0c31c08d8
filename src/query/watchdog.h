#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/time.h"
#include "duck/database.h"
#include "os/clock.h"

namespace kehu::query {

// Ends statements that are past their time or cancelled. An interrupt that meets DuckDB between two steps of
// a statement is lost, so it is repeated until the statement is gone. One thread, asleep while nothing is
// overdue.
class Watchdog {
 public:
  struct Limits {
    Duration work;   // of the statement
    Duration whole;  // with the time that it rested
  };
  // A running statement, from construction to destruction.
  class Watch {
   public:
    Watch(Watchdog& watchdog, duck::Connection& connection, const Limits& limits);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void cancel();  // any thread
    // Between them nothing is computed, and no work is counted: whoever reads the rows takes their time.
    void rest();
    void go_on();
    // OK while the statement may go on, else DeadlineExceeded or Cancelled.
    absl::Status state() const;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    duck::Connection& connection_;
    const Limits limits_;
    const Duration end_;  // of the whole
    // Guarded by the watchdog's mutex.
    Duration deadline_;  // of work
    std::optional<Duration> resting_since_;
    bool cancelled_ = false;
  };

  Watchdog();
  ~Watchdog();

 private:
  void run();

  os::Clock& clock_ = os::system_clock();
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Watch*> watches_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kehu::query
