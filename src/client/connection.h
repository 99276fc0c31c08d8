#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "fetch/request.h"

// The HTTP API from the command line's side.
namespace kehu::client {

using fetch::Headers;
using fetch::Response;
using fetch::Sink;
using fetch::Source;

struct Request {
  std::string method = "GET";
  std::string path = {};  // with the query, escaped
  Headers headers = {};
  std::string body = {};
  Duration timeout = {};  // of the whole exchange; zero: as long as bytes come
};

// A server, and the connection to it, which is kept between requests. One thread at a time. Statuses of the
// server are answers, not errors; an error means that there is no answer, and says what to do.
class Connection {
 public:
  // "http://host:port", "https://…", or the path of a unix-domain socket. Does not connect yet.
  static absl::StatusOr<Connection> open(std::string where);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  absl::StatusOr<Response> request(const Request& request);
  // The body comes from `source` in pieces (chunked coding) and is never held as a whole.
  absl::StatusOr<Response> upload(const Request& request, const Source& source);
  // The content of a 2xx answer goes to `sink`; that of others is in the response.
  absl::StatusOr<Response> download(const Request& request, const Sink& sink);

 private:
  class Handle;
  explicit Connection(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace kehu::client
