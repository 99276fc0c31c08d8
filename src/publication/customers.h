#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/engine.h"
#include "publication/content.h"

namespace kehu::publication {

// Each customer whom a stretch concerns, once, as it is now: its document, who took it in, or nothing for one
// that has no events any more. So the last message of a customer says what the API says.
//
// Documents are made on the apply thread, of which this takes at most a fifth.
class Customers final : public Content {
 public:
  Customers(engine::Engine& engine, std::unique_ptr<query::Session> session)
      : engine_(engine), session_(std::move(session)) {}

  absl::Status write(query::LogStretch stretch, Sink& sink) override;
  void cancel() override { session_->cancel(); }

 private:
  struct Look;
  absl::Status add_owners(absl::Span<const Token> parts, std::vector<CustomerId>& customers);
  absl::Status send(absl::Span<const CustomerId> customers, Sink& sink);

  engine::Engine& engine_;
  std::unique_ptr<query::Session> session_;
};

}  // namespace kehu::publication
