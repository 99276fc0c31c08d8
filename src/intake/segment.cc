#include "intake/segment.h"

#include "base/limits.h"
#include "base/text.h"
#include "intake/client_time.h"

namespace kehu::intake {
namespace {

std::optional<EventType> type_of(SegmentCall call) {
  switch (call) {
    case SegmentCall::kBatch:
      return std::nullopt;
    case SegmentCall::kTrack:
      return EventType::kTrack;
    case SegmentCall::kIdentify:
      return EventType::kIdentify;
    case SegmentCall::kPage:
      return EventType::kPage;
    case SegmentCall::kScreen:
      return EventType::kScreen;
    case SegmentCall::kGroup:
      return EventType::kGroup;
    case SegmentCall::kAlias:
      return EventType::kAlias;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SegmentCall> parse_segment_call(std::string_view name) {
  if (name == "batch" || name == "b" || name == "import") return SegmentCall::kBatch;
  for (const auto call : {SegmentCall::kTrack, SegmentCall::kIdentify, SegmentCall::kPage,
                          SegmentCall::kScreen, SegmentCall::kGroup, SegmentCall::kAlias}) {
    const std::string_view full = to_string(*type_of(call));
    if (name == full || name == full.substr(0, 1)) return call;
  }
  return std::nullopt;
}

std::optional<Refusal> SegmentDecoder::open(SegmentCall call, std::string_view body) {
  call_ = call;
  batch_ = 0;
  auto refusal = check(body);
  if (refusal) index_.clear();
  return refusal;
}

std::optional<Refusal> SegmentDecoder::check(std::string_view body) {
  const bool batch = call_ == SegmentCall::kBatch;
  const size_t limit = batch ? limits::kSegmentBatchBytes : limits::kEventBytes;
  if (body.size() > limit) {
    return Refusal{Reason::kEventTooLarge, limit,
                   cat("the body has ", body.size(), " bytes; at most ", limit)};
  }
  if (const auto error = index_.scan(body)) {
    const bool utf8 = error->code == json::SyntaxError::Code::kInvalidUtf8;
    return Refusal{utf8 ? Reason::kInvalidUtf8 : Reason::kInvalidJson, error->position,
                   cat("invalid JSON at ", error->to_string())};
  }
  if (index_[0].kind != json::Kind::kObject) {
    return Refusal{Reason::kNotAnObject, index_[0].begin,
                   cat("the body must be an object, not ", to_string(index_[0].kind))};
  }
  if (!batch) return std::nullopt;
  batch_ = member(0, "batch");
  if (batch_ != 0 && index_[batch_].kind == json::Kind::kArray) return std::nullopt;
  const size_t position = index_[batch_].begin;
  batch_ = 0;
  return Refusal{Reason::kInvalidField, position, "the body needs \"batch\", an array of events"};
}

uint32_t SegmentDecoder::member(uint32_t object, std::string_view key) const {
  uint32_t found = 0;
  if (index_[object].kind != json::Kind::kObject) return found;
  for (uint32_t at = object + 1; at < index_[object].next; at = index_[at + 1].next) {
    if (!index_[at].escaped && index_.inner(index_[at]) == key) found = at + 1;
  }
  return found;
}

std::optional<std::string> SegmentDecoder::write_key() const {
  if (index_.size() == 0) return std::nullopt;
  uint32_t node = member(0, "writeKey");
  const bool has_events = batch_ != 0 && index_[batch_].next > batch_ + 1;
  if (node == 0 && has_events) node = member(batch_ + 1, "writeKey");
  if (node == 0 || index_[node].kind != json::Kind::kString) return std::nullopt;
  std::string scratch;
  return std::string(json::unescape(index_.raw(index_[node]), scratch));
}

uint32_t SegmentDecoder::event_count() const {
  if (batch_ == 0) return index_.size() == 0 ? 0 : 1;
  uint32_t count = 0;
  for (uint32_t at = batch_ + 1; at < index_[batch_].next; at = index_[at].next) ++count;
  return count;
}

void SegmentDecoder::decode(const Context& context, Intake& out) {
  if (batch_ != 0) {
    decode_batch(context, out);
  } else if (index_.size() != 0) {
    Envelope envelope;
    envelope.type = type_of(call_);
    events_.decode(context, envelope, index_, 0, out);
  }
  events_.take_keys(context, out);
}

void SegmentDecoder::decode_batch(const Context& context, Intake& out) {
  Envelope envelope;
  if (const uint32_t sent_at = member(0, "sentAt")) {
    envelope.sent_at = ClientTimes().parse(index_.value(index_[sent_at]));
  }
  const uint32_t shared = member(0, "context");
  if (shared != 0 && index_[shared].kind == json::Kind::kObject) envelope.context = shared;
  size_t count = 0;
  for (uint32_t at = batch_ + 1; at < index_[batch_].next; at = index_[at].next) {
    if (count++ < limits::kSegmentBatchEvents) {
      events_.decode(context, envelope, index_, at, out);
      continue;
    }
    const std::string detail = cat("event ", count, " of the batch; at most ", limits::kSegmentBatchEvents);
    events_.reject(
        context,
        {.reason = Reason::kTooManyEvents, .path = {}, .detail = detail, .payload = index_.raw(index_[at])},
        out);
  }
}

}  // namespace kehu::intake
