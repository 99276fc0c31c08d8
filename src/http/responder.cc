#include "http/responder.h"

#include "base/check.h"
#include "http/problem.h"

namespace kehu::http {
namespace {

struct Collected {
  std::shared_ptr<Outlet> outlet;
  std::vector<Outlet::Answer> answers;
};

// Kept between batches, so that a steady load allocates nothing. There are as many entries as HTTP threads.
struct Collector {
  bool open = false;
  std::vector<Collected> outlets;

  void add(std::shared_ptr<Outlet> outlet, Ticket ticket, Response response) {
    for (Collected& collected : outlets) {
      if (collected.outlet == outlet) {
        collected.answers.push_back({ticket, std::move(response)});
        return;
      }
    }
    outlets.push_back({std::move(outlet), {}});
    outlets.back().answers.push_back({ticket, std::move(response)});
  }

  void flush() {
    for (Collected& collected : outlets) {
      if (!collected.answers.empty()) collected.outlet->answer_all(collected.answers);
    }
    // The outlets are let go when one was not used: its server may be gone.
    std::erase_if(outlets, [](const Collected& collected) { return collected.outlet.use_count() == 1; });
  }
};

Collector& collector() {
  thread_local Collector collector;
  return collector;
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  KEHU_CHECK(answered());
  outlet_ = std::move(other.outlet_);
  ticket_ = other.ticket_;
  decoration_ = std::move(other.decoration_);
  return *this;
}

Responder::~Responder() {
  if (!answered()) send(to_response(Problem::internal("the request was dropped without an answer")));
}

void Responder::send(Response response) {
  KEHU_CHECK(!answered());
  if (decoration_) decoration_(response);
  Collector& collected = collector();
  if (collected.open) {
    collected.add(std::move(outlet_), ticket_, std::move(response));
  } else {
    const std::shared_ptr<Outlet> outlet = std::move(outlet_);
    outlet->answer(ticket_, std::move(response));
  }
}

AnswerBatch::AnswerBatch() {
  KEHU_CHECK(!collector().open);
  collector().open = true;
}

AnswerBatch::~AnswerBatch() {
  collector().open = false;
  collector().flush();
}

GivePiece::~GivePiece() {
  if (outlet_ != nullptr) give(absl::CancelledError("nobody makes the rest of the answer"));
}

void GivePiece::give(absl::StatusOr<Piece> piece) {
  KEHU_CHECK(outlet_ != nullptr);
  const std::shared_ptr<Outlet> outlet = std::move(outlet_);
  outlet->take(ticket_, std::move(piece));
}

void ReadMore::go() {
  const std::shared_ptr<Outlet> outlet = std::move(outlet_);
  if (outlet != nullptr) outlet->read_more(ticket_);
}

}  // namespace kehu::http
