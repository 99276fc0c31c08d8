#include "command/caller.h"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "base/text.h"
#include "directory/data_directory.h"
#include "host/runtime.h"
#include "http/problem.h"
#include "os/posix_file_system.h"

namespace kehu::command {
namespace {

class RemoteCaller final : public Caller {
 public:
  explicit RemoteCaller(client::Connection connection) : connection_(std::move(connection)) {}

  absl::StatusOr<client::Response> call(const client::Request& request) override {
    return connection_.request(with_token(request));
  }
  absl::StatusOr<client::Response> upload(const client::Request& request,
                                          const client::Source& source) override {
    return connection_.upload(with_token(request), source);
  }
  absl::StatusOr<client::Response> download(const client::Request& request,
                                            const client::Sink& sink) override {
    return connection_.download(with_token(request), sink);
  }
  bool alone() const override { return false; }
  absl::Status close() override { return absl::OkStatus(); }

 private:
  static client::Request with_token(client::Request request) {
    const std::string token = host::environment("KEHU_ADMIN_TOKEN");
    for (const auto& [name, value] : request.headers) {
      if (name == "Authorization") return request;
    }
    if (!token.empty()) request.headers.emplace_back("Authorization", cat("Bearer ", token));
    return request;
  }
  client::Connection connection_;
};

// Takes the one answer of a request that is run in this process, and the pieces behind it.
class Desk final : public http::Outlet {
 public:
  void answer(http::Ticket, http::Response response) override {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
    changed_.notify_all();
  }
  void answer_all(std::vector<Answer>& answers) override {
    for (Answer& each : answers) answer(each.ticket, std::move(each.response));
    answers.clear();
  }
  void read_more(http::Ticket) override {
    const std::lock_guard lock(mutex_);
    ++credits_;
    changed_.notify_all();
  }

  // True when the body may go on, false when the answer is there already.
  bool wait_for_credit() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return credits_ > 0 || response_; });
    if (response_) return false;
    --credits_;
    return true;
  }
  void take(http::Ticket, absl::StatusOr<http::Piece> piece) override {
    const std::lock_guard lock(mutex_);
    piece_ = std::move(piece);
    changed_.notify_all();
  }

  http::Response wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return response_.has_value(); });
    return *std::move(response_);
  }
  absl::StatusOr<http::Piece> wait_for_piece() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return piece_.has_value(); });
    return *std::exchange(piece_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int credits_ = 1;
  std::optional<http::Response> response_;
  std::optional<absl::StatusOr<http::Piece>> piece_;
};

// The answer with its whole body, or with what `sink` does not take of it.
absl::StatusOr<client::Response> collect(http::Response response, const std::shared_ptr<Desk>& desk,
                                         const client::Sink& sink) {
  client::Response out{.status = response.status, .headers = {}, .body = {}};
  const auto give = [&](std::string_view bytes) -> absl::Status {
    if (sink && out.ok()) return sink(bytes);
    out.body.append(bytes);
    return absl::OkStatus();
  };
  if (absl::Status status = give(response.content()); !status.ok()) return status;
  for (bool last = response.source == nullptr; !last;) {
    response.source->pull(http::GivePiece(desk, {}));
    const auto piece = desk->wait_for_piece();
    if (!piece.ok()) return piece.status();
    if (absl::Status status = give(piece->bytes); !status.ok()) return status;
    last = piece->last;
  }
  return out;
}

class LocalCaller final : public Caller {
 public:
  explicit LocalCaller(std::unique_ptr<host::Runtime> runtime)
      : owned_(std::move(runtime)), runtime_(*owned_) {}
  explicit LocalCaller(host::Runtime& runtime) : runtime_(runtime) {}

  absl::StatusOr<client::Response> call(const client::Request& request) override {
    return download(request, {});
  }

  absl::StatusOr<client::Response> download(const client::Request& request,
                                            const client::Sink& sink) override {
    return run(request, sink,
               [&](const http::Route& route, const http::Request& wanted, const std::shared_ptr<Desk>& desk) {
                 http::Responder responder(desk, {});
                 if (const auto* buffered = std::get_if<http::BufferedBody>(&route.action)) {
                   buffered->handle(wanted, std::move(responder));
                 } else if (const auto* bare = std::get_if<http::NoBody>(&route.action)) {
                   bare->handle(wanted, std::move(responder));
                 } else {
                   responder.send(http::to_response(
                       http::Problem::bad_request("not_here", "Only over a socket", "use --url")));
                 }
                 return absl::OkStatus();
               });
  }

  absl::StatusOr<client::Response> upload(const client::Request& request,
                                          const client::Source& source) override {
    return run(request, {},
               [&](const http::Route& route, const http::Request& wanted, const std::shared_ptr<Desk>& desk) {
                 const auto& streamed = std::get<http::StreamedBody>(route.action);
                 auto sink = streamed.handle(wanted, http::Responder(desk, {}));
                 std::string chunk(64 << 10, '\0');
                 while (sink != nullptr && desk->wait_for_credit()) {
                   const auto size = source(chunk.data(), chunk.size());
                   if (!size.ok()) return size.status();
                   if (*size == 0) {
                     sink->on_end();
                     break;
                   }
                   sink->on_chunk(std::string_view(chunk).substr(0, *size), http::ReadMore(desk, {}));
                 }
                 return absl::OkStatus();
               });
  }

  bool alone() const override { return owned_ != nullptr; }
  absl::Status close() override { return owned_ ? owned_->stop() : absl::OkStatus(); }

 private:
  template <class Run>
  absl::StatusOr<client::Response> run(const client::Request& request, const client::Sink& sink, Run&& run) {
    std::vector<http::Header> headers;
    for (const auto& [name, value] : request.headers) headers.push_back({name, value});
    http::Request wanted{.method = *http::parse_method(request.method),
                         .target = request.path,
                         .headers = headers,
                         .body = request.body,
                         .remote = "local",
                         .local = true};
    const auto match = runtime_.app().router().find(wanted.method, wanted.path());
    auto desk = std::make_shared<Desk>();
    if (match.route == nullptr) {
      const http::Response response = http::no_route(match, wanted.method, wanted.path());
      return client::Response{.status = response.status, .headers = {}, .body = response.body};
    }
    wanted.parameters = match.parameters;
    auto admission = runtime_.app().router().admit(*match.route, wanted);
    wanted.principal = std::move(admission.principal);
    if (const auto& refusal = admission.refusal) {
      return client::Response{.status = refusal->status, .headers = {}, .body = refusal->body};
    }
    if (auto status = run(*match.route, wanted, desk); !status.ok()) return status;
    return collect(desk->wait(), desk, sink);
  }

  const std::unique_ptr<host::Runtime> owned_;
  host::Runtime& runtime_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Caller>> open_caller(const CallerOptions& options) {
  os::FileSystem& files = os::posix_file_system();
  const Where& where = options.where;
  if (!where.url.empty()) {
    if (!where.url.starts_with("http://") && !where.url.starts_with("https://")) {
      const size_t scheme = where.url.find("://");
      const std::string host = scheme == std::string::npos ? where.url : where.url.substr(scheme + 3);
      return failure(absl::StatusCode::kInvalidArgument, "\"", where.url,
                     "\" is no address of a server: write --url http://", host,
                     ", or https:// when the server speaks TLS there");
    }
    auto connection = client::Connection::open(where.url);
    if (!connection.ok()) return connection.status();
    return std::make_unique<RemoteCaller>(*std::move(connection));
  }
  if (where.data.empty())
    return absl::InvalidArgumentError("say which installation: --data DIR or --url URL");
  if (!options.create && !directory::DataDirectory::exists(files, where.data)) {
    return failure(absl::StatusCode::kNotFound, where.data, " is no data directory: `kehu serve --data ",
                   where.data, "` or `kehu import --data ", where.data, "` makes one");
  }
  // A server that runs on the directory holds its lock and listens on its socket.
  const std::string socket = directory::DataDirectory::socket(where.data);
  if (files.exists(socket)) {
    auto connection = client::Connection::open(socket);
    if (connection.ok() && connection->request({.path = "/healthz"}).ok()) {
      return std::make_unique<RemoteCaller>(*std::move(connection));
    }
  }
  auto runtime = host::Runtime::open({.directory = where.data});
  if (!runtime.ok()) return runtime.status();
  return std::make_unique<LocalCaller>(*std::move(runtime));
}

std::unique_ptr<Caller> caller_of(host::Runtime& runtime) { return std::make_unique<LocalCaller>(runtime); }

}  // namespace kehu::command
