#include "fetch/transfer.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/text.h"
#include "fetch/address.h"
#include "fetch/failure.h"

namespace kehu::fetch {
namespace {

constexpr size_t kHeaderBytes = 64 * 1024;
constexpr long kUploadPiece = 256 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

long whole_millis(Duration duration) { return static_cast<long>((duration.micros() + 999) / 1000); }

// What would end a header, and begin one that nobody wanted.
bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

absl::Status start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  return started == CURLE_OK ? absl::OkStatus() : absl::InternalError(curl_easy_strerror(started));
}

Transfer::Transfer(CURL* curl, const Request& request) : curl_(curl), request_(request) {}

// The handle may live on, and must not point here.
Transfer::~Transfer() {
  curl_easy_reset(curl_);
  curl_slist_free_all(headers_);
}

absl::Status Transfer::prepare() {
  auto where = shown(request_.url);
  if (!where.ok()) return where.status();
  where_ = request_.unix_socket.empty() ? *std::move(where) : request_.unix_socket;
  curl_easy_reset(curl_);  // keeps the connections
  if (auto status = set_headers(); !status.ok()) return status;
  set_address();
  set_tls();
  set_times();
  set_body();
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, on_content);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl_, CURLOPT_PRIVATE, this);
  return absl::OkStatus();
}

absl::Status Transfer::set_headers() {
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || !is_one_line(name) || name.find(':') != std::string::npos || !is_one_line(value)) {
      return with_cause(Cause::kBadRequest,
                        failure(absl::StatusCode::kInvalidArgument, "a header of the request to ", where_,
                                " cannot be sent: it is empty or has a line break"));
    }
    headers_ = curl_slist_append(headers_, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  if (request_.source) headers_ = curl_slist_append(headers_, "Transfer-Encoding: chunked");
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_);
  return absl::OkStatus();
}

// A redirect is an answer: following it would carry headers to somebody else.
void Transfer::set_address() {
  curl_easy_setopt(curl_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);
  if (!request_.unix_socket.empty())
    curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  if (!request_.use_proxy) curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
  if (!request_.only_public) return;
  curl_easy_setopt(curl_, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(curl_, CURLOPT_OPENSOCKETDATA, this);
}

void Transfer::set_tls() {
  curl_easy_setopt(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYPEER, request_.verify_tls ? 1L : 0L);
  curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYHOST, request_.verify_tls ? 2L : 0L);
  if (!request_.ca_file.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, request_.ca_file.c_str());
}

void Transfer::set_times() {
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, whole_millis(request_.connect_timeout));
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, whole_millis(request_.timeout));
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, static_cast<long>(request_.silence.micros() / 1'000'000)));
}

void Transfer::set_body() {
  const std::string& method = request_.method;
  if (request_.source) {
    curl_easy_setopt(curl_, CURLOPT_POST, 1L);
    curl_easy_setopt(curl_, CURLOPT_READFUNCTION, on_body);
    curl_easy_setopt(curl_, CURLOPT_READDATA, this);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD_BUFFERSIZE, kUploadPiece);
  } else if (!request_.body.empty() || method == "POST" || method == "PUT") {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (method == "HEAD") curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, method.c_str());
}

size_t Transfer::on_header(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.take_header({bytes, size * count});
  return transfer.ended_.ok() ? size * count : 0;
}

size_t Transfer::on_content(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.ended_ = transfer.take_content({bytes, size * count});
  return transfer.ended_.ok() ? size * count : 0;
}

size_t Transfer::on_body(char* to, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const absl::StatusOr<size_t> filled = transfer.request_.source(to, size * count);
  if (filled.ok()) return *filled;
  transfer.ended_ = with_cause(Cause::kSourceOrSink, filled.status());
  return CURL_READFUNC_ABORT;
}

// Here the address is known that is connected to. A look at the URL, or at what its host resolves to, would
// be of another moment: whoever owns the name can let it resolve to something else by then.
curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!is_public(address->addr)) {
    transfer.not_public_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void Transfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) response_.headers.clear();  // of a 100 before
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderBytes) {
    ended_ =
        with_cause(Cause::kTooLong, failure(absl::StatusCode::kResourceExhausted, "the answer of ", where_,
                                            " has more than 64 KiB of headers: it is not what it should be"));
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  response_.headers.emplace_back(std::move(name), std::string(trim(line.substr(colon + 1))));
}

absl::Status Transfer::take_content(std::string_view piece) {
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  if (request_.sink && status >= 200 && status < 300) {
    absl::Status taken = request_.sink(piece);
    return taken.ok() ? taken : with_cause(Cause::kSourceOrSink, std::move(taken));
  }
  if (piece.size() > request_.response_bytes - response_.body.size()) {
    return with_cause(Cause::kTooLong, failure(absl::StatusCode::kResourceExhausted, "the answer of ", where_,
                                               " is longer than ", request_.response_bytes,
                                               " bytes: it is not what it should be"));
  }
  response_.body.append(piece);
  return absl::OkStatus();
}

absl::StatusOr<Response> Transfer::finish(CURLcode code) {
  if (!ended_.ok()) return ended_;
  if (code != CURLE_OK) return explain(code);
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

absl::Status Transfer::stopped() const {
  return with_cause(Cause::kStopped, failure(absl::StatusCode::kCancelled, "the request to ", where_,
                                             " was given up because this process stops"));
}

// libcurl's own sentence is shown where it is about certificates only: others may repeat parts of the URL.
absl::Status Transfer::explain(CURLcode code) const {
  using enum absl::StatusCode;
  if (not_public_) {
    return with_cause(Cause::kNotPublic, failure(kPermissionDenied, "the host of ", where_,
                                                 " is at an address that is not of the public internet"));
  }
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return with_cause(Cause::kNoServer, failure(kUnavailable, "nobody answers at ", where_,
                                                  ": check that the server runs and the port is right"));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return with_cause(Cause::kNoSuchHost, failure(kUnavailable, "the host of ", where_,
                                                    " is not known: check its name, and the name service"));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return with_cause(Cause::kBadRequest, failure(kInvalidArgument, where_,
                                                    " does not speak HTTP as its URL says: check the URL"));
    case CURLE_SSL_CACERT_BADFILE:
      return with_cause(Cause::kBadRequest, failure(kInvalidArgument, "the CA file ", request_.ca_file,
                                                    " cannot be read: give certificates as PEM"));
    case CURLE_OPERATION_TIMEDOUT:
      return with_cause(Cause::kTimeout, failure(kDeadlineExceeded, where_,
                                                 " did not answer in time: try again, or allow more time"));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
      return with_cause(Cause::kUntrusted,
                        failure(kFailedPrecondition, "no trusted connection to ", where_, ": ",
                                *error_ != '\0' ? error_ : curl_easy_strerror(code),
                                "; give the CA file of its certificate, or check who answers there"));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return with_cause(Cause::kClosed, failure(kUnavailable, where_,
                                                " closed the connection before it answered: try again"));
    default:
      return with_cause(Cause::kOther,
                        failure(kUnknown, "the request to ", where_, " failed: ", curl_easy_strerror(code)));
  }
}

}  // namespace kehu::fetch
