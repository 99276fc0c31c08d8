#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "debugger/debugger.h"
#include "gateway/gateway.h"
#include "gateway/intake_summary.h"
#include "gateway/intake_thread.h"
#include "http/problem.h"
#include "intake/sender.h"

// What the buffered intake routes share: body, write key, source, limits, decoding, answer.
namespace kehu::gateway {

// What a source hears that sends more than it may.
struct Wait {
  int status = 429;
  int retry_after_s = 1;
};
Problem rate_limited(const engine::Source& source, const Wait& wait);
Problem unknown_key();

// How the clients of one family are answered.
struct Voice {
  // Everything is durable, known or in quarantine.
  Response (*accepted)(const IntakeSummary& done) = nullptr;
  Response (*refused)(const Problem& problem) = to_response;
  // When more comes than a source may send, or than the log takes: 429 where clients send again then, 503
  // where they would drop their events.
  int busy_status = 429;
  Problem (*rate_limited)(const engine::Source& source, const Wait& wait) = gateway::rate_limited;
  Problem (*unknown_key)() = gateway::unknown_key;
};

// Segment's: {"success":true}, and problems as everywhere.
const Voice& segment_voice();
// A transparent image of one pixel, which nobody keeps.
Response pixel();

// Why the log did not take something, for whoever holds a write key: pages and apps show it to everybody, so
// it says nothing of the machine.
Problem log_problem(const absl::Status& status);

// The answer to the request seen when its source sends more than it may; the debugger hears of it. nullopt:
// it may.
std::optional<Response> refuse_beyond_limit(Gateway& gateway, const debugger::Sighting& seen,
                                            const Voice& voice = {});

// The body behind gzip or deflate, said or not; a view into the request or `inflated`.
absl::StatusOr<std::string_view> plain_body(const Request& request, size_t bytes_max, std::string& inflated);
// For decoders that undo gzip themselves: the body behind deflate, which must be said; else as it was sent.
std::string_view without_deflate(const Request& request, size_t bytes_max, std::string& inflated);

// One request on its way: each step answers when it fails, and then nothing more may follow. The debugger
// sees what becomes of it.
class IntakeCall {
 public:
  IntakeCall(Gateway& gateway, const Request& request, Responder responder, const Voice& voice)
      : gateway_(gateway),
        request_(request),
        responder_(std::move(responder)),
        voice_(voice),
        room_(intake_room(gateway)),
        now_(gateway.engine().clock().now()) {}

  IntakeRoom& room() { return room_; }
  // Finds the source of the key that the request's header or query names, if it names one. Before the body is
  // looked at.
  bool find_source();
  // The source of the key in the body, when nothing before it named one; refuses without any.
  bool find_source(const std::optional<std::string>& key_in_body);
  // The source of the first key that opens one: that of the header or query, then these.
  bool find_source_among(const std::vector<std::string>& keys);
  // The body, unpacked.
  bool open(const absl::StatusOr<std::string_view>& body);
  bool open(const std::optional<intake::Refusal>& refusal);

  // Decodes with `decoder` and sends the records on their way. The last step.
  template <class Decoder>
  void take(Decoder& decoder) {
    gateway_.limits().charge(*source_, request_.remote, decoder.event_count(), now_);
    decode([&](intake::Sender& sender, intake::Intake& out) {
      sender.source_of_key = &room_.source_of_key;
      decoder.decode(sender, out);
      return false;
    });
    send();
  }

  // The same for requests of many parts. `part` decodes one of them; false: there is no further.
  using DecodePart = absl::FunctionRef<bool(intake::Sender& sender, intake::Intake& out)>;
  void decode(DecodePart part);
  // What was decoded counts against the limit of the source.
  void charge();
  // Instead of what the voice says when all is well.
  void answer_with(Response response) { answer_ = std::move(response); }
  // The last step: to the log, or only to the debugger.
  void send();
  void show();

 private:
  bool use(const engine::Source* source);
  debugger::Sighting sighting() const;
  debugger::FollowedRequest follow();
  bool refuse(const Problem& problem);

  Gateway& gateway_;
  const Request& request_;
  Responder responder_;
  const Voice& voice_;
  IntakeRoom& room_;
  Instant now_;
  const engine::Source* source_ = nullptr;
  std::optional<std::string_view> body_;
  absl::InlinedVector<intake::Intake, 1> parts_;
  std::optional<Response> answer_;
  debugger::Stage stage_ = debugger::Stage::kRateLimit;
};

}  // namespace kehu::gateway
