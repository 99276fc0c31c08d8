#include "http/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace kehu::http {
namespace {

// Keeps what it is told.
class Desk : public Outlet {
 public:
  void answer(Ticket, Response response) override { answered.set_value(std::move(response)); }
  void answer_all(std::vector<Answer>& answers) override {
    for (Answer& each : answers) answer(each.ticket, std::move(each.response));
    answers.clear();
  }
  void read_more(Ticket) override {}
  void take(Ticket, absl::StatusOr<Piece> piece) override { given.set_value(std::move(piece)); }

  std::promise<Response> answered;
  std::promise<absl::StatusOr<Piece>> given;
};

struct Fate {
  std::atomic<bool> cancelled{false};
  std::promise<void> destroyed;
};

// Its pieces come only when it is cancelled.
class Stuck final : public SlowBody {
 public:
  explicit Stuck(Fate& fate) : fate_(fate) {}
  ~Stuck() override { fate_.destroyed.set_value(); }
  absl::StatusOr<Piece> next() override {
    fate_.cancelled.wait(false);
    return absl::CancelledError("as was wished");
  }
  void cancel() override {
    fate_.cancelled = true;
    fate_.cancelled.notify_all();
  }

 private:
  Fate& fate_;
};

std::future<Response> ask(Workers& workers, int status) {
  const auto desk = std::make_shared<Desk>();
  workers.answer(Responder(desk, {}), [status] { return Response{.status = status}; });
  return desk->answered.get_future();
}

TEST(Workers, Answer) {
  Workers workers(2);
  EXPECT_EQ(ask(workers, 201).get().status, 201);
}

TEST(Workers, BeyondTheQueueAndBehindTheStopRequestsAreRefused) {
  Workers workers(0, 1);
  std::future<Response> waits = ask(workers, 200);
  EXPECT_EQ(ask(workers, 200).get().status, 503);
  workers.stop();
  EXPECT_EQ(waits.get().status, 503);
  EXPECT_EQ(ask(workers, 200).get().status, 503);
}

TEST(Workers, ABodyThatIsNotWantedIsCancelledAndDestroyedByThem) {
  Fate fate;
  Workers workers(1);
  const auto desk = std::make_shared<Desk>();
  std::shared_ptr<BodySource> source = workers.source(std::make_unique<Stuck>(fate));
  source->pull(GivePiece(desk, {}));
  source.reset();
  fate.destroyed.get_future().wait();
  EXPECT_FALSE(desk->given.get_future().get().ok());
}

TEST(Workers, AStopBreaksBodiesOff) {
  Fate fate;
  Workers workers(0);
  const auto desk = std::make_shared<Desk>();
  std::shared_ptr<BodySource> source = workers.source(std::make_unique<Stuck>(fate));
  source->pull(GivePiece(desk, {}));
  workers.stop();
  EXPECT_FALSE(desk->given.get_future().get().ok());
  source.reset();
  fate.destroyed.get_future().wait();
}

}  // namespace
}  // namespace kehu::http
