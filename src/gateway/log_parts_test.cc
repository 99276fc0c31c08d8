#include "gateway/log_parts.h"

#include <gtest/gtest.h>

#include <future>

#include "engine/test_engine.h"

namespace kehu::gateway {
namespace {

class Probe final : public LogParts {
 public:
  using LogParts::LogParts;
  struct Outcome {
    absl::Status failure;
    uint64_t accepted = 0;
    int held = 0, released = 0, settled = 0, completed = 0;
  };
  Outcome wait() { return done_.get_future().get(); }

 private:
  void hold() override { ++seen_.held; }
  void go_on() override { ++seen_.released; }
  void settle(const Sent& sent, const engine::Ack& ack) override {
    ++seen_.settled;
    LogParts::settle(sent, ack);
  }
  void complete() override {
    ++seen_.completed;
    seen_.failure = failure();
    seen_.accepted = summary().accepted();
    done_.set_value(seen_);
  }

  Outcome seen_;
  std::promise<Outcome> done_;
};

class LogPartsTest : public testing::Test {
 protected:
  std::shared_ptr<Probe> probe(const LogParts::Bound& bound = {}) {
    return std::make_shared<Probe>(gateway_, bound);
  }
  static intake::Intake part(uint64_t message) {
    intake::Intake intake;
    intake.records = engine::batch_of({{.message = message}});
    intake.accepted = 1;
    return intake;
  }

  engine::TestDirectory directory_;
  std::unique_ptr<engine::Engine> engine_ = engine::open_engine(engine::engine_options(directory_.path()));
  Gateway gateway_{*engine_, {}};
};

TEST_F(LogPartsTest, CompletesOnceWhenAllHaveArrived) {
  const auto parts = probe();
  for (uint64_t message = 1; message <= 3; ++message) {
    intake::Intake one = part(message);
    parts->submit(one, {});
    EXPECT_TRUE(one.records.empty());
  }
  parts->end();
  const Probe::Outcome outcome = parts->wait();
  EXPECT_TRUE(outcome.failure.ok()) << outcome.failure;
  EXPECT_EQ(outcome.accepted, 3u);
  EXPECT_EQ(outcome.settled, 3);
  EXPECT_EQ(outcome.completed, 1);
  EXPECT_EQ(outcome.held, 0);
}

TEST_F(LogPartsTest, WithoutPartsItIsCompleteAtItsEnd) {
  const auto parts = probe();
  parts->end();
  parts->end();
  EXPECT_EQ(parts->wait().completed, 1);
}

TEST_F(LogPartsTest, HoldsBackWhileTooMuchIsUnderWay) {
  for (const LogParts::Bound& bound : {LogParts::Bound{.parts = 1}, LogParts::Bound{.bytes = 1}}) {
    const auto parts = probe(bound);
    intake::Intake one = part(bound.parts);
    parts->submit(one, {});
    parts->end();
    const Probe::Outcome outcome = parts->wait();
    EXPECT_EQ(outcome.held, 1);
    EXPECT_EQ(outcome.released, 1);
  }
}

TEST_F(LogPartsTest, APartThatTheLogRefusesIsTheFailureOfAll) {
  const auto parts = probe();
  intake::Intake large;
  large.records = engine::batch_of({{.message = 1, .properties = std::string(64u << 20, ' ')}});
  parts->submit(large, {});
  intake::Intake small = part(2);
  parts->submit(small, {});
  parts->end();
  const Probe::Outcome outcome = parts->wait();
  EXPECT_EQ(outcome.failure.code(), absl::StatusCode::kInvalidArgument) << outcome.failure;
  EXPECT_EQ(outcome.accepted, 1u);
  EXPECT_EQ(outcome.settled, 2);
}

}  // namespace
}  // namespace kehu::gateway
