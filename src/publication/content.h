#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "feed/producer.h"
#include "query/session.h"

namespace kehu::publication {

// Takes the messages of a stretch.
class Sink {
 public:
  virtual ~Sink() = default;

  // Waits for room. An error ends the stretch; it is begun again behind the last mark.
  virtual absl::Status send(const feed::Outgoing& message) = 0;
  // Everything up to here was sent.
  virtual void mark(Sequence position) = 0;
  // Does what else there is to do for that long.
  virtual absl::Status rest(Duration duration) = 0;
};

// What a topic says of a stretch of the log. One thread, but for cancel().
class Content {
 public:
  virtual ~Content() = default;

  virtual absl::Status write(query::LogStretch stretch, Sink& sink) = 0;
  // Ends a write() that runs, soon. Any thread.
  virtual void cancel() = 0;
};

}  // namespace kehu::publication
