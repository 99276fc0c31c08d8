#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "debugger/debugger.h"
#include "gateway/gateway.h"
#include "gateway/intake_thread.h"
#include "http/problem.h"
#include "intake/context.h"

// What the buffered intake routes share: body, write key, source, limits, decoding, answer.
namespace kehu::gateway {

// How the clients of one family are answered.
struct Voice {
  // Everything is durable, known or in quarantine.
  Response (*accepted)(const intake::Intake& intake) = nullptr;
  Response (*refused)(const Problem& problem) = nullptr;
  // When more comes than a source may send, or than the log takes: 429 where clients send again then, 503
  // where they would drop their events.
  int busy_status = 429;
  // Instead of `accepted`, for clients that are told what became of their events.
  Response (*counted)(const engine::Ack& ack) = nullptr;
};

// Segment's: {"success":true}, and problems as everywhere.
const Voice& segment_voice();

// Why the log did not take something, for whoever holds a write key: pages and apps show it to everybody, so
// it says nothing of the machine.
Problem log_problem(const absl::Status& status);

// What a source hears that sends more than it may.
struct Wait {
  int status = 429;
  int retry_after_s = 1;
};
Problem rate_limited(const engine::Source& source, const Wait& wait);
// The answer (429) to the request seen when its source sends more than it may; the debugger hears of it.
// nullopt: it may.
std::optional<Response> refuse_beyond_limit(Gateway& gateway, const debugger::Sighting& seen);

// The body behind gzip or deflate, said or not; a view into the request or `inflated`.
absl::StatusOr<std::string_view> plain_body(const Request& request, size_t bytes_max, std::string& inflated);
// For decoders that undo gzip themselves: the body behind deflate, which must be said; else as it was sent.
std::string_view without_deflate(const Request& request, size_t bytes_max, std::string& inflated);

// One request on its way: each step answers when it fails, and then nothing more may follow. The debugger
// sees what becomes of it.
class IntakeCall {
 public:
  IntakeCall(Gateway& gateway, const Request& request, Responder responder, const Voice& voice,
             std::string_view origin)
      : gateway_(gateway),
        request_(request),
        responder_(std::move(responder)),
        voice_(voice),
        origin_(origin),
        room_(intake_room(gateway)),
        now_(gateway.engine().clock().now()) {}

  IntakeRoom& room() { return room_; }
  // Finds the source of the key that the request's header or query names, if it names one. Before the body is
  // looked at.
  bool find_source();
  // The source of the key in the body, when nothing before it named one; refuses without any.
  bool find_source(const std::optional<std::string>& key_in_body);
  // The body, unpacked.
  bool open(const absl::StatusOr<std::string_view>& body);
  bool open(const std::optional<intake::Refusal>& refusal);

  // Decodes with `decoder` and sends the records on their way. The last step.
  template <class Decoder>
  void take(Decoder& decoder) {
    gateway_.limits().charge(*source_, request_.remote, decoder.event_count(), now_);
    room_.intake.clear();
    intake::Context context = intake_context(room_, *source_, request_, now_, origin_);
    context.source_of_key = &room_.source_of_key;
    trace::ActiveSpan span = request_.trace.child("decode");
    decoder.decode(context, room_.intake);
    span.end();
    submit();
  }

 private:
  bool use(const engine::Source* source);
  debugger::Sighting sighting() const;
  bool refuse(const Problem& problem);
  void submit();

  Gateway& gateway_;
  const Request& request_;
  Responder responder_;
  const Voice& voice_;
  std::string_view origin_;
  IntakeRoom& room_;
  Instant now_;
  const engine::Source* source_ = nullptr;
  std::optional<std::string_view> body_;
  debugger::Stage stage_ = debugger::Stage::kRateLimit;
};

}  // namespace kehu::gateway
