#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"

// The HTTP API from the command line's side: the only folder that knows libcurl.
namespace kehu::client {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string path = {};  // with the query, escaped
  Headers headers = {};
  std::string body = {};
  Duration timeout = {};  // of the whole exchange; zero: as long as bytes come
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// Fills up to `room` bytes and answers how many; 0 is the end. An error ends the request with it.
using Source = std::function<absl::StatusOr<size_t>(char* to, size_t room)>;
// Takes a piece of the answer's content. An error ends the request with it.
using Sink = std::function<absl::Status(std::string_view piece)>;

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
