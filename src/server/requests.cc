#include <algorithm>

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

size_t body_limit(const api::Action& action) {
  const auto* buffered = std::get_if<api::BufferedBody>(&action);
  return buffered != nullptr ? buffered->limit : kIgnoredBody;
}

const api::Handler& handler_of(const api::Action& action) {
  const auto* buffered = std::get_if<api::BufferedBody>(&action);
  return buffered != nullptr ? buffered->handle : std::get<api::NoBody>(action).handle;
}

api::Response too_large(const api::Action& action, size_t limit) {
  const api::Problem problem = api::Problem::too_large(limit);
  const auto* buffered = std::get_if<api::BufferedBody>(&action);
  const bool own_words = buffered != nullptr && buffered->too_large != nullptr;
  return own_words ? buffered->too_large(problem) : to_response(problem);
}

api::Problem malformed_chunks() {
  return api::Problem::bad_request("malformed_request", "The request is not well-formed HTTP/1.1",
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

// Judges the header. Runs again for the same request when its body has arrived; the gate is asked only once.
Connection::Step Connection::admit(std::string_view bytes, const Head& head) {
  const bool admitted = wanted_ != 0;
  const size_t available = bytes.size() - head.size;
  if (!admitted) note(head);
  const auto method = api::parse_method(head.method);
  if (!method) {
    return refuse(to_response(api::Problem{.status = 501,
                                           .code = "unknown_method",
                                           .title = "The method is unknown",
                                           .detail = "no path takes this method"}),
                  head, available);
  }
  api::Request request = request_of(head, *method);
  api::Router::Match match = thread_.router().find(*method, request.path());
  if (match.route == nullptr) return refuse(no_route(match, *method, request.path()), head, available);
  request.parameters = std::move(match.parameters);
  if (!admitted) {
    name_route(*match.route, span_);
    if (auto refusal = thread_.router().refuse(*match.route, request)) {
      return turn_away(*match.route, request, std::move(*refusal), head, available);
    }
  }
  const api::Action& action = match.route->action;
  if (std::holds_alternative<api::StreamedBody>(action)) {
    return take_streamed(head, request, *match.route, available);
  }
  if (const auto* live = std::get_if<api::LiveUpgrade>(&action)) {
    return take_live(head, request, *live, available);
  }
  return take_buffered(bytes, head, request, *match.route);
}

Connection::Step Connection::take_buffered(std::string_view bytes, const Head& head, api::Request& request,
                                           const api::Route& route) {
  limit_ = body_limit(route.action);
  if (head.content_length > limit_) {
    return turn_away(route, request, too_large(route.action, limit_), head, bytes.size() - head.size);
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
  dispatch([&] { handler_of(route.action)(request, api::Responder(thread_.inbox(), ticket_)); });
  return total;
}

Connection::Step Connection::chunks_step(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const ChunkedBody::Result result = chunks_->decode(bytes, [this](std::string_view piece) {
    body_.append(piece.substr(0, limit_ + 1 - std::min(limit_ + 1, body_.size())));
    return body_.size() <= limit_;
  });
  if (body_.size() > limit_) {
    refuse_chunked();
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

// The request whose chunked body is in hand.
api::Request Connection::chunked_request(api::Router::Match& match) {
  Head& head = thread_.head();
  parse_head(head_copy_, 0, thread_.options().header_bytes, head);
  api::Request request = request_of(head, *api::parse_method(head.method));
  match = thread_.router().find(request.method, request.path());
  request.parameters = std::move(match.parameters);
  return request;
}

void Connection::refuse_chunked() {
  api::Router::Match match;
  const api::Request request = chunked_request(match);
  api::Response response = too_large(match.route->action, limit_);
  thread_.router().turned_away(*match.route, request, response);
  fail(std::move(response));
}

void Connection::dispatch_chunked() {
  api::Router::Match match;
  api::Request request = chunked_request(match);
  request.body = body_;
  dispatch([&] { handler_of(match.route->action)(request, api::Responder(thread_.inbox(), ticket_)); });
}

Connection::Step Connection::take_streamed(const Head& head, const api::Request& request,
                                           const api::Route& route, size_t available) {
  const auto& action = std::get<api::StreamedBody>(route.action);
  limit_ = action.limit;
  if (head.content_length > limit_) {
    return turn_away(route, request, to_response(api::Problem::too_large(limit_)), head, available);
  }
  thread_.dispatching = ticket_;
  sink_ = action.handle(request, api::Responder(thread_.inbox(), ticket_));
  thread_.dispatching.reset();
  if (early_) {
    api::Response response = std::move(*early_);
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
  api::Response response = std::move(*early_);
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
    fail(api::Problem::too_large(limit_));
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
  sink_->on_chunk(piece, api::ReadMore(thread_.inbox(), ticket_));
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
  api::Response response = std::move(*early_);
  early_.reset();
  finish(std::move(response));
}

// Answers instead of the handler. The connection lives on when the whole body is here to be skipped.
Connection::Step Connection::refuse(api::Response response, const Head& head, size_t available) {
  const bool whole = !head.chunked && available >= head.content_length;
  if (!whole) close_ = unread_ = true;
  finish(std::move(response));
  return head.size + (whole ? head.content_length : available);
}

Connection::Step Connection::turn_away(const api::Route& route, const api::Request& request,
                                       api::Response response, const Head& head, size_t available) {
  thread_.router().turned_away(route, request, response);
  return refuse(std::move(response), head, available);
}

void Connection::fail(const api::Problem& problem) { fail(to_response(problem)); }

void Connection::fail(api::Response response) {
  count(thread_.counters().malformed);
  close_ = unread_ = true;
  finish(std::move(response));
}

void Connection::finish(api::Response response) {
  if (phase_ == Phase::kChunks || phase_ == Phase::kStream) close_ = unread_ = true;
  close_ = close_ || response.close || thread_.stopping();
  ticket_ = thread_.renew(ticket_);
  sink_.reset();
  chunks_.reset();
  paused_ = false;
  wanted_ = scanned_ = 0;
  body_.clear();
  if (body_.capacity() > kKeptBody) body_.shrink_to_fit();
  if (access_) log_access(response);
  end_span(response.status, span_);

  const bool bodiless = head_only_ || is_bodiless(response.status);
  const std::string_view content = bodiless ? std::string_view() : response.content();
  append_head(response,
              {.date_line = thread_.date_line(), .close = close_, .say_keep_alive = !http11_ && !close_},
              thread_.write_buffer());
  count(thread_.counters().answered[std::clamp(response.status / 100, 0, 5)]);
  enter(close_ ? Phase::kClosing : Phase::kHead);
  if (content.size() <= kCopiedContent) {
    thread_.write_buffer().append(content);
  } else {
    big_ = std::move(response);
    big_at_ = 0;
  }
}

Connection::Step Connection::take_live(const Head& head, const api::Request& request,
                                       const api::LiveUpgrade& action, size_t available) {
  if (!head.websocket) {
    api::Problem problem{.status = 426,
                         .code = "websocket_only",
                         .title = "This path speaks WebSocket",
                         .detail = "open it with a WebSocket client"};
    return refuse(to_response(problem).with("Upgrade", "websocket"), head, available);
  }
  if (thread_.stopping())
    return refuse(to_response(api::Problem::overloaded("it is stopping")), head, available);
  // A client speaks WebSocket only after our answer (RFC 6455, 4.1).
  if (available > 0 || head.has_body() || !flush()) {
    fail(api::Problem::bad_request("malformed_request", "The request is not well-formed HTTP/1.1",
                                   "there are bytes behind the upgrade request"));
    return head.size + available;
  }
  if (action.refuse) {
    if (auto refusal = action.refuse(request)) return refuse(*std::move(refusal), head, available);
  }
  std::optional<api::Response> refusal;
  const Upgrade upgrade = make_upgrade(request, action.protocol, refusal);
  if (refusal) return refuse(*std::move(refusal), head, available);
  end_span(101, span_);
  start_live(thread_, std::move(transport_), request, action, upgrade);
  phase_ = Phase::kClosed;
  thread_.remove(ticket_);
  return head.size;
}

api::Request Connection::request_of(const Head& head, api::Method method) const {
  return {.method = method,
          .target = head.target,
          .headers = head.headers,
          .remote = peer_.address,
          .local = peer_.local,
          .secure = transport_.is_secure(),
          .trace = span_.link()};
}

void Connection::note(const Head& head) {
  count(thread_.counters().requests);
  head_only_ = head.method == "HEAD";
  http11_ = head.http11;
  close_ = !head.keep_alive;
  if (trace::Tracer* tracer = thread_.options().tracer) {
    span_ = begin_span(*tracer, head, {.secure = transport_.is_secure(), .http11 = head.http11});
  }
  if (!thread_.options().access_log) return;
  access_ = Access{std::string(head.target), api::parse_method(head.method).value_or(api::Method::kGet),
                   std::chrono::steady_clock::now()};
}

void Connection::log_access(const api::Response& response) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                          access_->began);
  thread_.options().access_log({.remote = peer_.address,
                                .method = access_->method,
                                .target = access_->target,
                                .status = response.status,
                                .body_bytes = response.content().size(),
                                .took = Duration(took.count())});
  access_.reset();
}

}  // namespace kehu::server
