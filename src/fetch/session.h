#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "fetch/request.h"

namespace kehu::fetch {

// Requests one after another on the thread that calls and waits, over connections that are kept. One thread
// at a time.
class Session {
 public:
  Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Statuses of the server are answers, not errors; an error means that there is no whole answer
  // (fetch/request.h).
  absl::StatusOr<Response> run(const Request& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace kehu::fetch
