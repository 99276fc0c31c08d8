#include "client/connection.h"

#include <curl/curl.h>

#include <algorithm>

namespace kehu::client {
namespace {

constexpr long kConnectSeconds = 5;
constexpr long kSilentSeconds = 120;  // without a byte in either direction

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// One request on its way, as curl's callbacks see it.
struct Exchange {
  const Source* source = nullptr;
  const Sink* sink = nullptr;
  CURL* curl = nullptr;
  Response response = {};
  absl::Status stopped = absl::OkStatus();  // by the source or the sink
};

size_t on_header(char* bytes, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) exchange.response.headers.clear();  // of a 100 before
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    exchange.response.headers.emplace_back(std::move(name), std::string(trim(line.substr(colon + 1))));
  }
  return line.size();
}

size_t on_content(char* bytes, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view piece(bytes, size * count);
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.sink == nullptr || status < 200 || status >= 300) {
    exchange.response.body.append(piece);
    return piece.size();
  }
  exchange.stopped = (*exchange.sink)(piece);
  return exchange.stopped.ok() ? piece.size() : 0;
}

size_t on_body(char* to, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const absl::StatusOr<size_t> filled = (*exchange.source)(to, size * count);
  if (filled.ok()) return *filled;
  exchange.stopped = filled.status();
  return CURL_READFUNC_ABORT;
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace

std::optional<std::string_view> Response::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

class Connection::Handle {
 public:
  explicit Handle(std::string where) : where_(std::move(where)), curl_(curl_easy_init()) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl_); }

  absl::StatusOr<Response> run(const Request& request, Exchange exchange);

 private:
  bool is_url() const { return where_.starts_with("http://") || where_.starts_with("https://"); }
  void address(const std::string& path);
  absl::Status explain(CURLcode code, const char* text) const;

  std::string where_;
  CURL* curl_;
};

void Connection::Handle::address(const std::string& path) {
  const std::string base = is_url() ? where_ : "http://localhost";
  curl_easy_setopt(curl_, CURLOPT_URL, (base + path).c_str());
  if (!is_url()) curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, where_.c_str());
  // A proxy from the environment is for the web, not for one's own server.
  curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);
}

absl::StatusOr<Response> Connection::Handle::run(const Request& request, Exchange exchange) {
  curl_easy_reset(curl_);  // keeps the connection
  exchange.curl = curl_;
  address(request.path);
  HeaderList headers;
  for (const auto& [name, value] : request.headers)
    headers.add(value.empty() ? name + ";" : name + ": " + value);
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>((request.timeout.micros() + 999) / 1000));
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, on_content);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &exchange);
  if (exchange.source != nullptr) {
    curl_easy_setopt(curl_, CURLOPT_POST, 1L);
    curl_easy_setopt(curl_, CURLOPT_READFUNCTION, on_body);
    curl_easy_setopt(curl_, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    headers.add("Transfer-Encoding: chunked");
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method == "HEAD") curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(curl_);
  if (!exchange.stopped.ok()) return exchange.stopped;
  if (code != CURLE_OK) return explain(code, error);
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

absl::Status Connection::Handle::explain(CURLcode code, const char* text) const {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return absl::UnavailableError("no server at " + where_ + ": start it with `kehu serve`" +
                                    (is_url() ? ", or give another --url" : ""));
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::UnavailableError("the host of " + where_ + " is not known: check --url");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(where_ + " is not a URL: give http://HOST:PORT");
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError("the server at " + where_ + " does not answer: look at its log");
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return absl::UnavailableError(
          "the server at " + where_ +
          " closed the connection before it answered: it may have stopped; try again");
    default:
      break;
  }
  const std::string reason = *text != '\0' ? text : curl_easy_strerror(code);
  return absl::UnknownError("the request to " + where_ + " failed: " + reason);
}

Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

absl::StatusOr<Connection> Connection::open(std::string where) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return absl::InternalError(curl_easy_strerror(started));
  while (where.size() > 1 && where.back() == '/') where.pop_back();
  if (where.empty() || (where.find("://") != std::string::npos && !where.starts_with("http"))) {
    return absl::InvalidArgumentError("\"" + where + "\" is not a server: give http://HOST:PORT");
  }
  return Connection(std::make_unique<Handle>(std::move(where)));
}

absl::StatusOr<Response> Connection::request(const Request& request) { return handle_->run(request, {}); }

absl::StatusOr<Response> Connection::upload(const Request& request, const Source& source) {
  return handle_->run(request, {.source = &source});
}

absl::StatusOr<Response> Connection::download(const Request& request, const Sink& sink) {
  return handle_->run(request, {.sink = &sink});
}

}  // namespace kehu::client
