#include "gateway/intake_call.h"

#include "base/text.h"
#include "coding/inflate.h"
#include "http/content_coding.h"
#include "http/credentials.h"

namespace kehu::gateway {
namespace {

Problem busy(const absl::Status& status, int busy_status) {
  const bool full = status.code() == absl::StatusCode::kResourceExhausted;
  Problem problem = log_problem(status);
  if (full) problem.status = busy_status;
  problem.retry_after_s = 1;
  return problem;
}

// Segment's own words for how long.
Response segment_refused(const Problem& problem) {
  Response response = to_response(problem);
  if (problem.status == 429) response.with("X-RateLimit-Reset", std::to_string(problem.retry_after_s));
  return response;
}

Response segment_accepted(const intake::Intake&) {
  return Response::fixed("application/json", R"({"success":true})");
}

}  // namespace

Problem log_problem(const absl::Status& status) {
  Problem problem = problem_of(status);
  const bool ours = status.code() != absl::StatusCode::kResourceExhausted && problem.status >= 500;
  if (ours)
    problem.detail =
        "the log cannot be written now; why, the server's log says to its operator: send again later";
  return problem;
}

const Voice& segment_voice() {
  static constexpr Voice kVoice{.accepted = segment_accepted, .refused = segment_refused};
  return kVoice;
}

// Only deflate must be said. What is said to be packed and is JSON was unpacked on its way.
absl::StatusOr<std::string_view> plain_body(const Request& request, size_t bytes_max, std::string& inflated) {
  const bool gzip = coding::is_gzip(request.body);
  if (!gzip && !says_compressed(request)) return request.body;
  const coding::Packing packing = coding::packing_of(request.body);
  auto plain = coding::inflate_body(request.body, bytes_max, packing);
  const bool raw = packing == coding::Packing::kRawDeflate;
  if (!plain.ok() && raw && plain.status().code() == absl::StatusCode::kInvalidArgument) return request.body;
  if (!plain.ok()) return plain.status();
  inflated = *std::move(plain);
  return std::string_view(inflated);
}

std::string_view without_deflate(const Request& request, size_t bytes_max, std::string& inflated) {
  if (coding::is_gzip(request.body) || !says_compressed(request)) return request.body;
  return plain_body(request, bytes_max, inflated).value_or(request.body);
}

Problem rate_limited(const engine::Source& source, const Wait& wait) {
  return {.status = wait.status,
          .code = "rate_limited",
          .title = "The source sends more than it may",
          .detail = cat("source \"", source.name, "\" may send ", source.events_per_second,
                        " events a second, and ", source.events_per_second_per_address,
                        " from one address (0: no limit); send again after ", wait.retry_after_s, " s"),
          .retry_after_s = wait.retry_after_s};
}

std::optional<Response> refuse_beyond_limit(Gateway& gateway, const debugger::Sighting& seen) {
  const auto wait = gateway.limits().refuses(seen.source, seen.request->remote, seen.received_at);
  if (!wait) return std::nullopt;
  const Problem problem = rate_limited(seen.source, {.status = 429, .retry_after_s = *wait});
  Response response = to_response(problem);
  gateway.debugger().refused(seen, {.stage = debugger::Stage::kRateLimit, .why = problem.detail}, response);
  return response;
}

debugger::Sighting IntakeCall::sighting() const {
  return {.source = *source_, .received_at = now_, .request = &request_, .body = body_};
}

bool IntakeCall::refuse(const Problem& problem) {
  Response response = voice_.refused(problem);
  if (source_ != nullptr) {
    gateway_.debugger().refused(sighting(), {.stage = stage_, .why = problem.detail}, response);
  }
  responder_.send(std::move(response));
  return false;
}

bool IntakeCall::use(const engine::Source* source) {
  if (source == nullptr) {
    gateway_.strangers().note(request_, 401, *room_.project->settings(), now_);
    return refuse(
        Problem::unauthorized("the write key is missing or unknown: send it as the user name of "
                              "Basic authorization or as `writeKey`"));
  }
  source_ = source;
  const auto wait = gateway_.limits().refuses(*source, request_.remote, now_);
  if (!wait) return true;
  stage_ = debugger::Stage::kRateLimit;
  return refuse(rate_limited(*source, {.status = voice_.busy_status, .retry_after_s = *wait}));
}

bool IntakeCall::find_source() {
  const auto key = write_key_of(request_);
  return !key || use(gateway_.source_of(*room_.project, *key));
}

bool IntakeCall::find_source(const std::optional<std::string>& key_in_body) {
  return source_ != nullptr || use(gateway_.source_of(*room_.project, key_in_body.value_or("")));
}

bool IntakeCall::open(const absl::StatusOr<std::string_view>& body) {
  stage_ = debugger::Stage::kCoding;
  if (!body.ok()) {
    return refuse(Problem::bad_request("invalid_encoding", "The body cannot be decompressed",
                                       message_of(body.status())));
  }
  body_ = *body;
  return true;
}

bool IntakeCall::open(const std::optional<intake::Refusal>& refusal) {
  stage_ = debugger::Stage::kParse;
  return !refusal || refuse(Problem::bad_request(std::string(to_string(refusal->reason)),
                                                 "The request cannot be read", refusal->detail));
}

void IntakeCall::submit() {
  if (room_.intake.times_ahead > 0) gateway_.times_ahead() += room_.intake.times_ahead;
  const auto outcome = room_.intake.rejected > 0 ? debugger::Debugger::Outcome::kWentWrong
                                                 : debugger::Debugger::Outcome::kGood;
  const debugger::FollowedRequest followed = gateway_.debugger().follow(sighting(), outcome);
  Response accepted = voice_.accepted(room_.intake);
  if (room_.intake.records.empty()) {
    followed.answered(accepted);
    return responder_.send(std::move(accepted));
  }
  struct Waiting {
    Responder responder;
    Response accepted;
    const Voice& voice;
    debugger::FollowedRequest followed;

    void answer(const engine::Ack& ack) {
      if (ack.status.ok() && voice.counted != nullptr) accepted = voice.counted(ack);
      Response response =
          ack.status.ok() ? std::move(accepted) : voice.refused(busy(ack.status, voice.busy_status));
      followed.logged(0, ack);
      followed.answered(response);
      responder.send(std::move(response));
    }
  };
  followed.add_part(room_.intake.records);
  auto waiting =
      std::make_shared<Waiting>(Waiting{std::move(responder_), std::move(accepted), voice_, followed});
  const auto status =
      gateway_.engine().submit({.batch = std::move(room_.intake.records),
                                .data_keys = std::move(room_.intake.new_key_ids),
                                .tell_fates = static_cast<bool>(followed),
                                .done = [waiting](const engine::Ack& ack) { waiting->answer(ack); },
                                .waiting = request_.trace.child("wait for the log")});
  room_.intake = {};
  if (!status.ok()) waiting->answer({.status = status});
}

}  // namespace kehu::gateway
