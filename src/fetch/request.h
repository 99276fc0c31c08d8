#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"

namespace kehu::fetch {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Fills up to `room` bytes and answers how many; 0 is the end. An error ends the request with it.
using Source = std::function<absl::StatusOr<size_t>(char* to, size_t room)>;
// Takes a piece of the answer's content. An error ends the request with it.
using Sink = std::function<absl::Status(std::string_view piece)>;

struct Request {
  std::string method = "GET";
  std::string url = {};  // http:// or https://, escaped; name and password in it are used
  Headers headers = {};
  std::string body = {};
  // Instead of `body`: in pieces (chunked coding), never held as a whole.
  Source source = {};
  // Takes the content of a 2xx answer instead of Response::body, without a bound.
  Sink sink = {};

  // Of a unix-domain socket to connect to; the host of the URL is then only a name.
  std::string unix_socket = {};
  std::string ca_file = {};  // PEM, instead of the certificates that the system trusts
  bool verify_tls = true;    // false: anybody may answer, and read what is sent
  bool use_proxy = false;    // what http_proxy and its kin in the environment say
  // Connects to addresses of the public internet only, whatever the host's name resolves to; anything else is
  // PermissionDenied. Not together with a proxy.
  bool only_public = false;

  Duration connect_timeout = Duration::seconds(5);
  Duration timeout = Duration::seconds(30);   // of the whole exchange; zero: as long as bytes come
  Duration silence = Duration::seconds(120);  // without a byte in either direction, in whole seconds
  size_t response_bytes = 1 << 20;            // a longer body is ResourceExhausted
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case; together at most 64 KiB
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// Why there is no answer, for those who have words of their own.
enum class Cause {
  kOther,        // Unknown
  kBadRequest,   // InvalidArgument: the URL, a header, the CA file
  kNoServer,     // Unavailable: nobody listens there
  kNoSuchHost,   // Unavailable
  kClosed,       // Unavailable: in the middle, perhaps after the other side acted
  kTimeout,      // DeadlineExceeded
  kUntrusted,    // FailedPrecondition: TLS
  kNotPublic,    // PermissionDenied: Request::only_public
  kTooLong,      // ResourceExhausted: the answer
  kStopped,      // Cancelled: by Fetcher::stop
  kSourceOrSink  // whatever it said
};
// kOther for a status that is not of this folder.
Cause cause_of(const absl::Status& status);

// The URL as it may be shown and logged: scheme, host, port and path. Names, passwords and queries may be
// secrets, so errors of this folder show this. InvalidArgument, without the text: not an http(s) URL.
absl::StatusOr<std::string> shown(const std::string& url);

}  // namespace kehu::fetch
