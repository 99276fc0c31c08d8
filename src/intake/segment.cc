#include "intake/segment.h"

#include "base/limits.h"
#include "base/text.h"
#include "intake/client_time.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kNull = "null";
constexpr size_t kRejectedOneByOne = 2u << 20;  // bytes of a request's records
constexpr size_t kElementDepth = 2;  // of the brackets around an event: the body's and those of "batch"

// The closing quote of the string that begins at `at`, or the end of the text.
size_t find_string_end(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return text.size();
}

}  // namespace

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

std::optional<SegmentCall> parse_segment_call(std::string_view name) {
  if (name == "batch" || name == "b" || name == "import") return SegmentCall::kBatch;
  for (const auto call : {SegmentCall::kTrack, SegmentCall::kIdentify, SegmentCall::kPage,
                          SegmentCall::kScreen, SegmentCall::kGroup, SegmentCall::kAlias}) {
    const std::string_view full = to_string(*type_of(call));
    if (name == full || name == full.substr(0, 1)) return call;
  }
  return std::nullopt;
}

std::optional<Refusal> SegmentDecoder::open(SegmentCall call, std::string_view body, size_t batch_bytes_max) {
  call_ = call;
  batch_ = 0;
  auto refusal = check(body, call == SegmentCall::kBatch ? batch_bytes_max : limits::kEventBytes);
  if (refusal) {
    index_.clear();
    batch_ = 0;
  }
  return refusal;
}

std::optional<Refusal> SegmentDecoder::check(std::string_view body, size_t limit) {
  const bool batch = call_ == SegmentCall::kBatch;
  if (body.size() > limit) {
    return Refusal{Reason::kEventTooLarge, limit,
                   cat("the body has ", body.size(), " bytes; at most ", limit)};
  }
  const size_t mark = body.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  body_ = body.substr(mark);
  deep_.clear();
  auto error = index_.scan(body_);
  if (error && batch && error->code == json::SyntaxError::Code::kTooDeep) error = scan_around_deep_events();
  if (error) {
    error->position += mark;
    return Refusal{reason_of(*error), error->position, cat("invalid JSON at ", error->to_string())};
  }
  if (index_[0].kind != json::Kind::kObject) {
    return Refusal{Reason::kNotAnObject, index_[0].begin + mark,
                   cat("the body must be an object, not ", to_string(index_[0].kind))};
  }
  if (!batch) return std::nullopt;
  batch_ = member(0, "batch");
  if (const uint32_t again = repeated_batch()) {
    return Refusal{Reason::kInvalidField, index_[again].begin + mark,
                   "the body has \"batch\" more than once: send one array with all events"};
  }
  if (batch_ != 0 && index_[batch_].kind == json::Kind::kArray) {
    if (are_events(deep_)) return std::nullopt;
    return Refusal{Reason::kInvalidJson, deep_.front().begin + mark,
                   cat("what stands at byte ", deep_.front().begin + mark, " is nested deeper than ",
                       limits::kJsonDepth, " and is no event of the batch")};
  }
  return Refusal{Reason::kInvalidField, index_[batch_].begin + mark,
                 "the body needs \"batch\", an array of events"};
}

// The second value of "batch"; 0 when there is none. The events of either would be lost without a word.
uint32_t SegmentDecoder::repeated_batch() const {
  uint32_t count = 0;
  for (uint32_t at = 1; at < index_[0].next; at = index_[at + 1].next) {
    if (index_.inner(index_[at]) == "batch" && ++count > 1) return at + 1;
  }
  return 0;
}

// One event must not cost its neighbours: those that are nested too deeply are taken out, and the rest of the
// body is indexed without them. All other bytes keep their places.
std::optional<json::SyntaxError> SegmentDecoder::scan_around_deep_events() {
  size_t depth = 0;
  size_t begin = 0;
  bool deep = false;
  for (size_t at = 0; at < body_.size(); ++at) {
    const char c = body_[at];
    if (c == '"') {
      at = find_string_end(body_, at);
    } else if (c == '{' || c == '[') {
      if (depth == kElementDepth) begin = at;
      deep = ++depth > limits::kJsonDepth || deep;
    } else if ((c == '}' || c == ']') && depth > 0) {
      if (--depth == kElementDepth && deep) {
        deep_.push_back({begin, at + 1 - begin});
        deep = false;
      }
    }
  }
  around_.assign(body_);
  for (const DeepEvent& event : deep_) {
    around_.replace(event.begin, event.size, event.size, ' ').replace(event.begin, kNull.size(), kNull);
  }
  return index_.scan(around_);
}

bool SegmentDecoder::are_events(const std::vector<DeepEvent>& deep) const {
  size_t found = 0;
  for (uint32_t at = batch_ + 1; at < index_[batch_].next && found < deep.size(); at = index_[at].next) {
    found += index_[at].begin == deep[found].begin;
  }
  return found == deep.size();
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

void SegmentDecoder::decode(const Sender& sender, Intake& out) {
  if (batch_ != 0) {
    decode_batch(sender, out);
  } else if (index_.size() != 0) {
    BatchHead batch_head;
    batch_head.type = type_of(call_);
    events_.decode(sender, batch_head, index_, 0, out);
  }
  events_.take_keys(sender, out);
}

void SegmentDecoder::decode_batch(const Sender& sender, Intake& out) {
  BatchHead batch_head;
  if (const uint32_t sent_at = member(0, "sentAt")) {
    batch_head.sent_at = ClientTimes().parse(index_.value(index_[sent_at]));
  }
  const uint32_t shared = member(0, "context");
  if (shared != 0 && index_[shared].kind == json::Kind::kObject) batch_head.context = shared;
  size_t deep = 0;
  for (uint32_t at = batch_ + 1; at < index_[batch_].next; at = index_[at].next) {
    ++batch_head.element;
    const bool is_deep = deep < deep_.size() && deep_[deep].begin == index_[at].begin;
    const bool too_many = batch_head.element > limits::kSegmentBatchEvents;
    if (!is_deep && !too_many) {
      events_.decode(sender, batch_head, index_, at, out);
      continue;
    }
    // Too much to be kept one by one: the rest is kept as it stands.
    const bool rest = too_many && out.records.bytes.size() > kRejectedOneByOne;
    std::string_view payload =
        is_deep ? body_.substr(deep_[deep].begin, deep_[deep].size) : index_.raw(index_[at]);
    if (rest)
      payload = body_.substr(index_[at].begin, index_[batch_].begin + index_[batch_].size - index_[at].begin);
    deep += is_deep;
    const std::string detail =
        rest       ? cat("event ", batch_head.element, " of the batch and all behind it; at most ",
                         limits::kSegmentBatchEvents)
        : too_many ? cat("event ", batch_head.element, " of the batch; at most ", limits::kSegmentBatchEvents)
                   : cat("nested deeper than ", limits::kJsonDepth, ", counted from the request's body");
    const std::string path = EventDecoder::batch_path(batch_head.element);
    events_.reject(sender,
                   {.reason = too_many ? Reason::kTooManyEvents : Reason::kInvalidJson,
                    .path = path,
                    .detail = detail,
                    .payload = payload},
                   out);
    if (rest) return;
  }
}

}  // namespace kehu::intake
