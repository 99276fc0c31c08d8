#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/connection.h"

namespace kehu::host {
class Runtime;
}

namespace kehu::command {

// Which installation a command talks to.
struct Where {
  std::string data;  // a data directory…
  std::string url;   // …or a server
};

// The HTTP API, wherever it is: a server by its URL, the server that runs on a data directory by its socket,
// or, when none runs, the directory itself, opened for the length of the command. One answer for all three.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual absl::StatusOr<client::Response> call(const client::Request& request) = 0;
  // The body in pieces; see client::Connection::upload.
  virtual absl::StatusOr<client::Response> upload(const client::Request& request,
                                                  const client::Source& source) = 0;
  // The content of a 2xx answer in pieces; see client::Connection::download.
  virtual absl::StatusOr<client::Response> download(const client::Request& request,
                                                    const client::Sink& sink) = 0;
  // Nobody else can send to the installation meanwhile.
  virtual bool alone() const = 0;
  // Closes what was opened; errors of the last writes come to light here.
  virtual absl::Status close() = 0;
};

struct CallerOptions {
  Where where;
  // A directory that does not exist yet is made (import) or an error (everything else).
  bool create = false;
};
absl::StatusOr<std::unique_ptr<Caller>> open_caller(const CallerOptions& options);

// To an installation of this process, which must outlive it.
std::unique_ptr<Caller> caller_of(host::Runtime& runtime);

}  // namespace kehu::command
