#include "client/connection.h"

#include "base/text.h"
#include "fetch/session.h"

namespace kehu::client {
namespace {

// Answers go to a person's screen or file, whatever their size.
constexpr size_t kResponseBytes = size_t{4} << 30;

}  // namespace

class Connection::Handle {
 public:
  explicit Handle(std::string where) : where_(std::move(where)) {}

  absl::StatusOr<Response> run(const Request& request, const Source& source, const Sink& sink);

 private:
  bool is_url() const { return where_.starts_with("http://") || where_.starts_with("https://"); }
  absl::Status explain(const absl::Status& status) const;

  std::string where_;
  fetch::Session session_;
};

absl::StatusOr<Response> Connection::Handle::run(const Request& request, const Source& source,
                                                 const Sink& sink) {
  fetch::Request wanted;
  wanted.method = request.method;
  wanted.url = (is_url() ? where_ : "http://localhost") + request.path;
  wanted.headers = request.headers;
  wanted.body = request.body;
  wanted.source = source;
  wanted.sink = sink;
  if (!is_url()) wanted.unix_socket = where_;
  wanted.timeout = request.timeout;
  wanted.response_bytes = kResponseBytes;
  auto response = session_.run(wanted);
  if (!response.ok()) return explain(response.status());
  return response;
}

// In the words of one who knows which server it is.
absl::Status Connection::Handle::explain(const absl::Status& status) const {
  switch (fetch::cause_of(status)) {
    case fetch::Cause::kNoServer:
      return failure(absl::StatusCode::kUnavailable, "no server at ", where_, ": start it with `kehu serve`",
                     is_url() ? ", or give another --url" : "");
    case fetch::Cause::kNoSuchHost:
      return failure(absl::StatusCode::kUnavailable, "the host of ", where_, " is not known: check --url");
    case fetch::Cause::kBadRequest:
      return failure(absl::StatusCode::kInvalidArgument, where_, " is not a URL: give http://HOST:PORT");
    case fetch::Cause::kTimeout:
      return failure(absl::StatusCode::kDeadlineExceeded, "the server at ", where_,
                     " does not answer: look at its log");
    case fetch::Cause::kClosed:
      return failure(absl::StatusCode::kUnavailable, "the server at ", where_,
                     " closed the connection before it answered: it may have stopped; try again");
    case fetch::Cause::kSourceOrSink:
      return absl::Status(status.code(), status.message());
    default:
      return status;
  }
}

Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

absl::StatusOr<Connection> Connection::open(std::string where) {
  while (where.size() > 1 && where.back() == '/') where.pop_back();
  if (where.empty() || (where.find("://") != std::string::npos && !where.starts_with("http"))) {
    return absl::InvalidArgumentError("\"" + where + "\" is not a server: give http://HOST:PORT");
  }
  return Connection(std::make_unique<Handle>(std::move(where)));
}

absl::StatusOr<Response> Connection::request(const Request& request) { return handle_->run(request, {}, {}); }

absl::StatusOr<Response> Connection::upload(const Request& request, const Source& source) {
  return handle_->run(request, source, {});
}

absl::StatusOr<Response> Connection::download(const Request& request, const Sink& sink) {
  return handle_->run(request, {}, sink);
}

}  // namespace kehu::client
