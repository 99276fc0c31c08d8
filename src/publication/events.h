#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "publication/content.h"
#include "seal/opener.h"

namespace kehu::publication {

// Every event, as the timeline shows it, with its customer as the key. Marks each.
class Events final : public Content {
 public:
  Events(engine::Engine& engine, std::unique_ptr<query::Session> session)
      : session_(std::move(session)), opener_(engine.key(), engine.ring()) {}

  absl::Status write(query::LogStretch stretch, Sink& sink) override;
  void cancel() override { session_->cancel(); }

 private:
  absl::Status write(const query::LoggedEvent& logged, Sink& sink);

  std::unique_ptr<query::Session> session_;
  seal::Opener opener_;
  std::string document_;
};

}  // namespace kehu::publication
