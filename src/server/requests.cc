#include <algorithm>

#include "http/request_counts.h"
#include "server/connection.h"
#include "server/live_session.h"
#include "server/request_span.h"
#include "server/wire.h"

// The way of one request through a connection: header, admission, body, handler, answer.
namespace kehu::server {
namespace {

// Larger contents are sent from where they are instead of being copied behind their header.
constexpr size_t kCopiedContent = 16 * 1024;
constexpr size_t kIgnoredBody = 64 * 1024;
constexpr size_t kKeptBody = 64 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

size_t body_limit(const http::Action& action) {
  const auto* buffered = std::get_if<http::BufferedBody>(&action);
  return buffered != nullptr ? buffered->limit : kIgnoredBody;
}

const http::Handler& handler_of(const http::Action& action) {
  const auto* buffered = std::get_if<http::BufferedBody>(&action);
  return buffered != nullptr ? buffered->handle : std::get<http::NoBody>(action).handle;
}

http::Problem malformed_chunks() {
  return http::Problem::bad_request("malformed_request", "The request is not well-formed HTTP/1.1",
                                    "the chunked body cannot be read");
}

}  // namespace

Connection::Step Connection::step(std::string_view bytes) {
  switch (phase_) {
    case Phase::kHead:
      return head_step(bytes);
    case Phase::kChunks:
      return chunks_step(bytes);
    case Phase::kStream:
      return stream_step(bytes);
    default:
      return std::nullopt;
  }
}

Connection::Step Connection::head_step(std::string_view bytes) {
  if (bytes.empty() || bytes.size() < wanted_) return std::nullopt;
  Head& head = thread_.head();
  const HeadResult result =
      parse_head(bytes, wanted_ == 0 ? scanned_ : 0, thread_.options().header_bytes, head);
  if (result.verdict == Verdict::kPartial) {
    if (scanned_ == 0) enter(Phase::kHead);  // from now on it has header_timeout
    scanned_ = bytes.size();
    return std::nullopt;
  }
  scanned_ = 0;
  if (result.verdict == Verdict::kRefused) {
    fail(result.problem);
    return bytes.size();
  }
  return admit(bytes, head);
}

// Judges the header. It runs again for the same request when its body has arrived, because the header is
// parsed as views into bytes that have moved until then. The gate is asked only once.
Connection::Step Connection::admit(std::string_view bytes, const Head& head) {
  const bool admitted = wanted_ != 0;
  const size_t available = bytes.size() - head.size;
  if (!admitted) note(head);
  const auto method = http::parse_method(head.method);
  if (!method) {
    return refuse(to_response(http::Problem{.status = 501,
                                            .code = "unknown_method",
                                            .title = "The method is unknown",
                                            .detail = "no path takes this method"}),
                  head, available);
  }
  http::Request request = request_of(head, *method);
  http::Router::Match match = thread_.router().find(*method, request.path());
  if (match.route == nullptr) {
    return turn_away(nullptr, request, no_route(match, *method, request.path()), head, available);
  }
  request.parameters = std::move(match.parameters);
  request.route = match.route->pattern;
  request.protocol = match.route->protocol;
  if (!admitted) {
    route_ = match.route;
    name_route(*match.route, span_);
    http::Admission admission = thread_.router().admit(*match.route, request);
    if (admission.refusal) {
      return turn_away(match.route, request, *std::move(admission.refusal), head, available);
    }
    keyless_ = admission.keyless;
    principal_ = std::move(admission.principal);
  }
  request.principal = principal_;
  const http::Action& action = match.route->action;
  if (std::holds_alternative<http::StreamedBody>(action)) {
    return take_streamed(head, request, *match.route, available);
  }
  if (const auto* live = std::get_if<http::LiveUpgrade>(&action)) {
    return take_live(head, request, *live, available);
  }
  return take_buffered(bytes, head, request, *match.route);
}

// A body that came in one piece with its header is used where it was read. Otherwise it waits behind its
// header in the connection's own buffer, and what is chunked is put together in a second one, beside a copy
// of its header.
Connection::Step Connection::take_buffered(std::string_view bytes, const Head& head, http::Request& request,
                                           const http::Route& route) {
  limit_ = body_limit(route.action);
  if (head.content_length > limit_) {
    return turn_away(&route, request, refused_by(route, http::Problem::too_large(limit_)), head,
                     bytes.size() - head.size);
  }
  const size_t total = head.size + head.content_length;
  const bool waits = head.chunked || bytes.size() < total;
  if (waits && wanted_ == 0) {
    if (head.expects_continue) thread_.write_buffer().append(kContinue);
    enter(head.chunked ? Phase::kChunks : Phase::kHead);
  }
  if (head.chunked) {
    chunks_ = std::make_unique<ChunkedBody>();
    head_copy_.assign(bytes.substr(0, head.size));
    return head.size;
  }
  if (waits) {
    wanted_ = total;
    return std::nullopt;
  }
  wanted_ = 0;
  request.body = bytes.substr(head.size, head.content_length);
  dispatch([&] { handler_of(route.action)(request, http::Responder(thread_.inbox(), ticket_)); });
  return total;
}

Connection::Step Connection::chunks_step(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const ChunkedBody::Result result = chunks_->decode(bytes, [this](std::string_view piece) {
    body_.append(piece.substr(0, limit_ + 1 - std::min(limit_ + 1, body_.size())));
    return body_.size() <= limit_;
  });
  if (body_.size() > limit_) {
    refuse_body(http::Problem::too_large(limit_));
    return bytes.size();
  }
  if (result.verdict == ChunkedBody::Verdict::kRefused) {
    fail(malformed_chunks());
    return bytes.size();
  }
  if (result.verdict == ChunkedBody::Verdict::kComplete) {
    dispatch_chunked();
  }
  return result.used;
}

// The admitted request whose header this is.
http::Request Connection::request_again(std::string_view head_bytes, http::Router::Match& match) {
  Head& head = thread_.head();
  parse_head(head_bytes, 0, thread_.options().header_bytes, head);
  http::Request request = request_of(head, *http::parse_method(head.method));
  match = thread_.router().find(request.method, request.path());
  request.parameters = std::move(match.parameters);
  request.route = match.route->pattern;
  request.protocol = match.route->protocol;
  return request;
}

void Connection::refuse_body(const http::Problem& problem) {
  const bool chunked = phase_ == Phase::kChunks;
  if (!chunked && (phase_ != Phase::kHead || wanted_ == 0)) return fail(problem);
  http::Router::Match match;
  const http::Request request = request_again(chunked ? std::string_view(head_copy_) : held_.view(), match);
  http::Response response = refused_by(*match.route, problem);
  thread_.router().turned_away(match.route, request, response);
  fail(std::move(response));
}

void Connection::dispatch_chunked() {
  http::Router::Match match;
  http::Request request = request_again(head_copy_, match);
  request.body = body_;
  dispatch([&] { handler_of(match.route->action)(request, http::Responder(thread_.inbox(), ticket_)); });
}

Connection::Step Connection::take_streamed(const Head& head, const http::Request& request,
                                           const http::Route& route, size_t available) {
  const auto& action = std::get<http::StreamedBody>(route.action);
  limit_ = action.limit;
  if (head.content_length > limit_) {
    return turn_away(&route, request, to_response(http::Problem::too_large(limit_)), head, available);
  }
  thread_.dispatching = ticket_;
  sink_ = action.handle(request, http::Responder(thread_.inbox(), ticket_));
  thread_.dispatching.reset();
  if (early_) {
    http::Response response = std::move(*early_);
    early_.reset();
    return refuse(std::move(response), head, available);
  }
  if (sink_ == nullptr) {  // it will answer later and does not want the body
    close_ = unread_ = true;
    enter(Phase::kHandling);
    return head.size;
  }
  body_left_ = head.content_length;
  streamed_ = 0;
  if (head.chunked) chunks_ = std::make_unique<ChunkedBody>();
  if (head.expects_continue) thread_.write_buffer().append(kContinue);
  enter(Phase::kStream);
  return head.size;
}

Connection::Step Connection::stream_step(std::string_view bytes) {
  if (chunks_ == nullptr && body_left_ == 0) {
    end_stream();
    return 0;
  }
  if (bytes.empty()) return std::nullopt;
  if (chunks_ != nullptr) return stream_chunked(bytes);
  const std::string_view piece = bytes.substr(0, body_left_);
  body_left_ -= piece.size();
  deliver(piece);
  return early_ ? finish_early(bytes) : piece.size();
}

// The sink answered before the end. What is left of the body is not wanted.
Connection::Step Connection::finish_early(std::string_view bytes) {
  http::Response response = std::move(*early_);
  early_.reset();
  finish(std::move(response));
  return bytes.size();
}

Connection::Step Connection::stream_chunked(std::string_view bytes) {
  const ChunkedBody::Result result = chunks_->decode(bytes, [this](std::string_view piece) {
    streamed_ += piece.size();
    return streamed_ <= limit_ && deliver(piece);
  });
  if (early_) return finish_early(bytes);
  if (streamed_ > limit_) {
    fail(http::Problem::too_large(limit_));
    return bytes.size();
  }
  if (result.verdict == ChunkedBody::Verdict::kRefused) {
    fail(malformed_chunks());
    return bytes.size();
  }
  if (result.verdict == ChunkedBody::Verdict::kComplete) {
    end_stream();
  }
  return result.used;
}

// False when the sink wants no more now: it paused, or the request is answered.
bool Connection::deliver(std::string_view piece) {
  paused_ = true;
  thread_.dispatching = ticket_;
  sink_->on_chunk(piece, http::ReadMore(thread_.inbox(), ticket_));
  thread_.dispatching.reset();
  return !paused_ && !early_;
}

void Connection::end_stream() {
  dispatch([this] { sink_->on_end(); });
}

template <class Call>
void Connection::dispatch(Call call) {
  enter(Phase::kHandling);
  thread_.dispatching = ticket_;
  call();
  thread_.dispatching.reset();
  if (!early_) return;
  http::Response response = std::move(*early_);
  early_.reset();
  finish(std::move(response));
}

// Answers instead of the handler. The connection lives on when the whole body is here to be skipped.
Connection::Step Connection::refuse(http::Response response, const Head& head, size_t available) {
  const bool whole = !head.chunked && available >= head.content_length;
  if (!whole) close_ = unread_ = true;
  finish(std::move(response));
  return head.size + (whole ? head.content_length : available);
}

Connection::Step Connection::turn_away(const http::Route* route, const http::Request& request,
                                       http::Response response, const Head& head, size_t available) {
  thread_.router().turned_away(route, request, response);
  return refuse(std::move(response), head, available);
}

void Connection::fail(const http::Problem& problem) { fail(to_response(problem)); }

void Connection::fail(http::Response response) {
  count(thread_.counters().malformed);
  close_ = unread_ = true;
  finish(std::move(response));
}

void Connection::finish(http::Response response) {
  if (phase_ == Phase::kChunks || phase_ == Phase::kStream) close_ = unread_ = true;
  close_ = close_ || response.close || thread_.stopping();
  ticket_ = thread_.renew(ticket_);
  left_ = nullptr;
  sink_.reset();
  chunks_.reset();
  paused_ = false;
  wanted_ = scanned_ = 0;
  body_.clear();
  if (body_.capacity() > kKeptBody) body_.shrink_to_fit();
  thread_.router().counts().add(route_, response.status);
  count(thread_.counters().answered[std::clamp(response.status / 100, 0, 5)]);

  const bool bodiless = head_only_ || is_bodiless(response.status);
  const bool streams = response.source != nullptr && !bodiless;
  close_ = close_ || (streams && !http11_);
  append_head(response,
              {.date_line = thread_.date_line(),
               .close = close_,
               .http11 = http11_,
               .say_keep_alive = !http11_ && !close_},
              thread_.write_buffer());
  if (streams) return begin_body(std::move(response));
  const Given given{.status = response.status, .bytes = response.content().size()};
  enter(close_ ? Phase::kClosing : Phase::kHead);
  if (!bodiless) put(std::move(response));
  if (!big_) return account(given);
  outgoing_ = Outgoing{.status = given.status, .streamed = false, .bytes = given.bytes};
}

// The content, behind what is on its way already.
void Connection::put(http::Response response) {
  if (response.content().size() <= kCopiedContent) {
    thread_.write_buffer().append(response.content());
  } else {
    big_ = std::move(response);
    big_at_ = 0;
  }
}

Connection::Step Connection::take_live(const Head& head, const http::Request& request,
                                       const http::LiveUpgrade& action, size_t available) {
  if (!head.websocket) {
    http::Problem problem{.status = 426,
                          .code = "websocket_only",
                          .title = "This path speaks WebSocket",
                          .detail = "open it with a WebSocket client"};
    return refuse(to_response(problem).with("Upgrade", "websocket"), head, available);
  }
  if (thread_.stopping())
    return refuse(to_response(http::Problem::overloaded("it is stopping")), head, available);
  // A client speaks WebSocket only after our answer (RFC 6455, 4.1).
  if (available > 0 || head.has_body() || !flush()) {
    fail(http::Problem::bad_request("malformed_request", "The request is not well-formed HTTP/1.1",
                                    "there are bytes behind the upgrade request"));
    return head.size + available;
  }
  if (action.refuse) {
    if (auto refusal = action.refuse(request)) return refuse(*std::move(refusal), head, available);
  }
  std::optional<http::Response> refusal;
  const websocket::Upgrade upgrade = websocket::make_upgrade(request, action.protocol, refusal);
  if (refusal) return refuse(*std::move(refusal), head, available);
  end_span(101, span_);
  start_live(thread_, std::move(transport_), request, action, upgrade);
  phase_ = Phase::kClosed;
  thread_.remove(ticket_);
  return head.size;
}

http::Request Connection::request_of(const Head& head, http::Method method) const {
  return {.method = method,
          .target = head.target,
          .headers = head.headers,
          .remote = peer_.address,
          .local = peer_.local,
          .secure = transport_.is_secure(),
          .principal = principal_,
          .trace = span_.link()};
}

void Connection::note(const Head& head) {
  count(thread_.counters().requests);
  route_ = nullptr;
  keyless_ = false;
  principal_.reset();
  head_only_ = head.method == "HEAD";
  http11_ = head.http11;
  close_ = !head.keep_alive;
  if (trace::Tracer* tracer = thread_.options().tracer) {
    span_ = begin_span(*tracer, head, {.secure = transport_.is_secure(), .http11 = head.http11});
  }
  if (!thread_.options().access_log) return;
  access_ =
      Access{http::parse_method(head.method).value_or(http::Method::kGet), std::chrono::steady_clock::now()};
}

void Connection::account(const Given& given) {
  end_span(given.status, span_);
  if (!access_) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                          access_->began);
  thread_.options().access_log({.remote = peer_.address,
                                .method = access_->method,
                                .route = route_ == nullptr ? std::string_view() : route_->pattern,
                                .status = given.status,
                                .body_bytes = given.bytes,
                                .broken_off = given.broken_off,
                                .took = Duration(took.count())});
  access_.reset();
}

}  // namespace kehu::server
