#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "os/file_system.h"
#include "publication/follower.h"
#include "publication/publication_spec.h"
#include "query/session.h"

namespace kehu::publication {

// What publications read and tell. Outlives them.
struct Ground {
  engine::Engine& engine;
  query::Reader& query;
  os::FileSystem& files;
  Notify notify;
};

// The publications of a server, each topic on a thread of its own.
class Publications {
 public:
  // From the files of `--publish`. InvalidArgument names what is wrong in them.
  static absl::StatusOr<std::unique_ptr<Publications>> start(const std::vector<std::string>& files,
                                                             const Ground& ground);
  ~Publications() { stop(); }

  // Delivers what is under way, for 3 s at most; what is left is delivered after the next start.
  void stop();

  // Lines for Prometheus. Any thread, not beside stop().
  void append_metrics(std::string& out) const;

 private:
  struct Running {
    std::string publication;
    std::string stream;  // events, changes
    std::unique_ptr<Follower> follower;
    std::jthread thread;
  };
  absl::Status add(const PublicationSpec& spec, const Ground& ground);

  std::vector<Running> running_;
};

}  // namespace kehu::publication
