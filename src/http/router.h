#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "http/live_channel.h"
#include "http/request.h"
#include "http/responder.h"
#include "http/response.h"

namespace kehu::http {

struct Problem;
class RequestCounts;

// Who may call a route. The gate (below) decides; the generated access matrix tests every route.
enum class Access : uint8_t { kPublic, kWriteKey, kAdmin };
std::string_view to_string(Access access);  // "public", "write_key", "admin"

// Runs on the connection's thread and must not wait: what takes long goes elsewhere with the responder.
using Handler = std::function<void(const Request&, Responder)>;
// Called before the body is read; nullptr when it has answered already.
using StreamHandler = std::function<std::unique_ptr<BodySink>(const Request&, Responder)>;
// Called for each WebSocket.
using LiveHandler = std::function<std::unique_ptr<LiveChannel>()>;

// How a route reads its body, and what it calls.
struct NoBody {  // a body of up to 64 KiB is read and ignored
  Handler handle = {};
};
struct BufferedBody {
  size_t limit = 0;  // bytes; a larger body is answered 413, before it is read where its length is announced
  Handler handle = {};
  // What is answered instead of the handler, in the words of its clients.
  Response (*refused)(const Problem& problem) = nullptr;
};
struct StreamedBody {
  size_t limit = 0;  // bytes; crossing it on the way answers 413 unless the handler has answered
  StreamHandler handle = {};
};
struct LiveUpgrade {  // GET only
  LiveHandler open = {};
  // Asked before; what it answers goes out instead of the upgrade.
  std::function<std::optional<Response>(const Request&)> refuse = {};
  std::string protocol = {};         // subprotocol: chosen when the client offers it; empty: none
  size_t message_bytes = 64u << 10;  // from a client; more: close 1009
};
using Action = std::variant<NoBody, BufferedBody, StreamedBody, LiveUpgrade>;

// Handlers of functions `void(Owner&, const Request&, Responder)`, which must not wait. The owner outlives
// them.
template <class Owner, class Function>
Handler on_connection(Owner& owner, Function function) {
  return [&owner, function](const Request& request, Responder responder) {
    function(owner, request, std::move(responder));
  };
}

// For OpenAPI: one path or query parameter, or header.
struct FieldDoc {
  enum class Where : uint8_t { kPath, kQuery, kHeader };
  Where where = Where::kQuery;
  std::string name = {};
  std::string type = "string";  // of JSON Schema
  std::string text = {};
  bool required = false;
};

// Where a write key may stand.
enum class KeyPlace : uint8_t {
  kAnywhere,   // in header, address or body; one in header or address decides
  kOutside,    // in header or address only
  kCandidate,  // each of them may be one, and the first that opens a source does
};

struct AnswerDoc {
  int status = 200;
  std::string text = {};
  std::string content_type = "application/json";
  std::string schema = {};  // name of a component schema; empty: any
};

// What most admin routes answer besides their success.
std::vector<AnswerDoc> with_admin_answers(std::vector<AnswerDoc> answers);

struct RouteDoc {
  std::string summary = {};  // one line
  std::string text = {};
  std::string group = {};  // OpenAPI tag
  std::vector<FieldDoc> fields = {};
  std::string body_content_type = {};  // empty: no body
  std::string body_schema = {};
  std::vector<AnswerDoc> answers = {};
};

// One line of the table. A pattern is made of literal segments, ":name" (one segment, not empty) and, last,
// "*name" (the rest, may be empty).
struct Route {
  Method method = Method::kGet;
  std::string pattern = {};
  Access access = Access::kAdmin;
  KeyPlace key = KeyPlace::kAnywhere;         // of kWriteKey
  Protocol protocol = Protocol::kEvents;      // in whose form it is spoken to
  Permission permission = Permission::kNone;  // of kAdmin: what its caller must be allowed to do
  Action action = {};
  RouteDoc doc = {};
};

// Whether a request is let in.
struct Admission {
  std::optional<Response> refusal = {};
  bool keyless = false;  // who sends it is not known before its body is read
  std::shared_ptr<const Principal> principal = {};
};
// Asked with the header, before any body is read.
using Gate = std::function<Admission(const Route&, const Request&)>;

// The answer to a request of the route that its handler does not see.
Response refused_by(const Route& route, const Problem& problem);

// Told of every answer that a request gets instead of its route's handler: of the gate, 413, and 404 or 405
// where it has no route.
using Witness = std::function<void(const Route*, const Request&, const Response&)>;

// Finds the route of a request: literal paths by one hash look-up, patterns in declared order after them. A
// path that is none is looked for again without its doubled and trailing slashes: clients put addresses
// together from parts. HEAD is answered by GET's route. Thread-safe.
class Router {
 public:
  // Two routes of the same method and pattern, or a malformed pattern, are bugs.
  explicit Router(std::vector<Route> routes, Gate gate = {}, Witness witness = {});
  ~Router();
  Router(Router&&) noexcept;

  struct Match {
    const Route* route = nullptr;
    PathParameters parameters;  // views into the path given or `path`, and into the route
    // Without a route: the methods other than this one that the path knows ("GET, HEAD, POST"). Empty: 404.
    std::string allow;
    std::unique_ptr<const std::string> path =
        {};  // without its needless slashes, when that is how it was found
  };
  // `path` as sent, escapes well formed.
  Match find(Method method, std::string_view path) const;

  // What the gate says.
  Admission admit(const Route& route, const Request& request) const;

  void turned_away(const Route* route, const Request& request, const Response& response) const {
    if (witness_) witness_(route, request, response);
  }

  // Answers are told to it by whoever sends them.
  RequestCounts& counts() const { return *counts_; }

  absl::Span<const Route> routes() const { return routes_; }

 private:
  Match find_as_written(Method method, std::string_view path) const;

  struct Pattern {
    std::vector<std::string> segments;
    size_t route;
  };

  struct PathHash {
    using is_transparent = void;
    size_t operator()(std::string_view path) const { return hash64(path); }
  };

  std::vector<Route> routes_;
  Gate gate_;
  Witness witness_;
  absl::flat_hash_map<std::string, std::vector<size_t>, PathHash, std::equal_to<>> literal_;  // path → routes
  std::vector<Pattern> patterns_;
  std::unique_ptr<RequestCounts> counts_;
};

// The answer to a request without a route: 404, or 405 with Allow.
Response no_route(const Router::Match& match, Method method, std::string_view path);

}  // namespace kehu::http
