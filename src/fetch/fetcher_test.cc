#include "fetch/fetcher.h"

#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <map>

#include "fetch/test_party.h"

namespace kehu::fetch {
namespace {

using Clock = std::chrono::steady_clock;

// Collects what `done` is told.
class Answers {
 public:
  Done take(int number) {
    return [this, number](absl::StatusOr<Response> response) {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(answers_.emplace(number, std::move(response)).second) << number;
      changed_.notify_all();
    };
  }
  const absl::StatusOr<Response>& wait_for(int number) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return answers_.contains(number); }));
    return answers_[number];
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, absl::StatusOr<Response>> answers_;
};

// Answers when it is told to, or when the test ends.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_until_waited_for(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

std::string echo(const std::string& request) {
  return TestParty::ok(request.substr(request.find("\r\n\r\n") + 4));
}

TEST(Fetcher, ManyRequestsOverFewConnections) {
  TestParty party(echo);
  Answers answers;
  Fetcher fetcher({.at_once = 4});
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(
        fetcher.fetch({.method = "POST", .url = party.url(), .body = std::to_string(i)}, answers.take(i))
            .ok());
  }
  for (int i = 0; i < 500; ++i) {
    const auto& answer = answers.wait_for(i);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->body, std::to_string(i));
  }
  EXPECT_LE(party.accepted(), 4);
  EXPECT_EQ(fetcher.pending(), 0u);
}

TEST(Fetcher, AnAnswerMayAskAgain) {
  TestParty party(echo);
  Answers answers;
  Fetcher fetcher;
  ASSERT_TRUE(
      fetcher
          .fetch({.url = party.url()},
                 [&](const absl::StatusOr<Response>&) {
                   EXPECT_TRUE(
                       fetcher.fetch({.method = "POST", .url = party.url(), .body = "again"}, answers.take(1))
                           .ok());
                 })
          .ok());
  EXPECT_EQ(answers.wait_for(1)->body, "again");
}

TEST(Fetcher, ASlowServerDoesNotHoldUpOthersAndTimesOut) {
  Gate gate;
  TestParty slow([&](const std::string& request) {
    gate.wait();
    return echo(request);
  });
  TestParty quick(echo);
  Answers answers;
  Fetcher fetcher;
  ASSERT_TRUE(fetcher.fetch({.url = slow.url(), .timeout = Duration::millis(300)}, answers.take(1)).ok());
  gate.wait_until_waited_for(1);
  ASSERT_TRUE(fetcher.fetch({.method = "POST", .url = quick.url(), .body = "x"}, answers.take(2)).ok());
  EXPECT_EQ(answers.wait_for(2)->body, "x");
  EXPECT_EQ(answers.wait_for(1).status().code(), absl::StatusCode::kDeadlineExceeded);
  gate.open();
}

TEST(Fetcher, FailuresComeToDone) {
  const TestListener deaf(false);  // nobody else can take the port
  TestParty party([](const std::string&) { return TestParty::ok(std::string(100'000, 'x')); });
  Answers answers;
  Fetcher fetcher;
  ASSERT_TRUE(fetcher.fetch({.url = "http://" + deaf.address() + "/"}, answers.take(1)).ok());
  ASSERT_TRUE(fetcher.fetch({.url = party.url(), .response_bytes = 99'999}, answers.take(2)).ok());
  ASSERT_TRUE(fetcher.fetch({.url = "no url"}, answers.take(3)).ok());
  ASSERT_TRUE(fetcher.fetch({.url = party.url()}, answers.take(4)).ok());
  EXPECT_EQ(cause_of(answers.wait_for(1).status()), Cause::kNoServer);
  EXPECT_EQ(cause_of(answers.wait_for(2).status()), Cause::kTooLong);
  EXPECT_EQ(cause_of(answers.wait_for(3).status()), Cause::kBadRequest);
  EXPECT_EQ(answers.wait_for(4)->body.size(), 100'000u);
}

TEST(Fetcher, TheQueueIsBounded) {
  Gate gate;
  TestParty party([&](const std::string& request) {
    gate.wait();
    return echo(request);
  });
  Answers answers;
  Fetcher fetcher({.at_once = 1, .requests = 3, .body_bytes = 100});
  const auto post = [&](int number, size_t bytes) {
    return fetcher.fetch({.method = "POST", .url = party.url(), .body = std::string(bytes, 'b')},
                         answers.take(number));
  };
  ASSERT_TRUE(post(1, 60).ok());
  EXPECT_EQ(post(2, 60).code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(post(3, 40).ok());
  ASSERT_TRUE(post(4, 0).ok());
  EXPECT_EQ(post(5, 0).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(fetcher.pending(), 3u);
  gate.open();
  for (const int number : {1, 3, 4}) EXPECT_TRUE(answers.wait_for(number).ok());
  EXPECT_TRUE(post(6, 5000).ok());  // alone, any size goes
  EXPECT_EQ(answers.wait_for(6)->body.size(), 5000u);
}

TEST(Fetcher, StopEndsWhatWaitsAndWhatIsUnderWay) {
  Gate gate;
  TestParty party([&](const std::string& request) {
    gate.wait();
    return echo(request);
  });
  Answers answers;
  Fetcher fetcher({.at_once = 2});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(fetcher.fetch({.url = party.url("/?key=SECRET")}, answers.take(i)).ok());
  }
  gate.wait_until_waited_for(2);
  const auto start = Clock::now();
  fetcher.stop();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(2));
  ASSERT_EQ(answers.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    const absl::Status status = answers.wait_for(i).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(cause_of(status), Cause::kStopped);
    EXPECT_THAT(status.ToString(), testing::Not(testing::HasSubstr("SECRET")));
  }
  EXPECT_EQ(fetcher.fetch({.url = party.url()}, answers.take(9)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(fetcher.pending(), 0u);
  fetcher.stop();
  gate.open();
}

TEST(Fetcher, ManyThreadsAskWhileItStops) {
  TestParty party(echo);
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> taken{0}, done{0};
    Fetcher fetcher;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 200; ++n) {
          if (fetcher.fetch({.url = party.url()}, [&](const absl::StatusOr<Response>&) { ++done; }).ok())
            ++taken;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
    fetcher.stop();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, done);
  }
}

}  // namespace
}  // namespace kehu::fetch
