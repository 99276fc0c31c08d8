#include "sensors/decoder.h"

#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "json/document.h"

namespace kehu::sensors {

void Decoder::open(std::string_view query, std::string_view body) {
  fault_ = body_.open(query, body);
  received_ = body_.received();
  text_ = fault_ ? std::string_view() : body_.text();
  start();
}

void Decoder::open_text(std::string_view text) {
  body_.open({}, {});
  fault_.reset();
  received_ = text_ = text;
  start();
}

// An array is indexed as a whole, which is fastest. When that fails it is cut into its elements and each is
// read for itself, so that one broken record does not cost its neighbours.
void Decoder::start() {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  index_.clear();
  broken_ = false;
  next_ = 0;
  number_ = 0;
  trait_time_.clear();
  trait_step_ = 0;
  encrypted_ = false;
  next_closed_ = envelopes_.faults().size();
  if (text_.empty()) return;
  const auto error = index_.scan(text_);
  if (!error) {
    if (index_[0].kind == json::Kind::kArray) next_ = 1;
    encrypted_ = is_encrypted();
    return;
  }
  broken_ = text_.starts_with('[');
  if (broken_) {
    splitter_ = json::Splitter();
    splitter_.feed(text_);
    splitter_.finish();
    return;
  }
  fault_ = Body::Fault{intake::reason_of(*error), cat("invalid JSON at ", error->to_string())};
  if (text_.size() <= kKeptTextBytes) received_ = text_;
}

std::vector<std::string> Decoder::write_keys() const {
  std::vector<std::string> keys;
  if (body_.token()) keys.push_back(*body_.token());
  if (body_.project()) keys.push_back(*body_.project());
  if (index_.size() <= next_ || index_[next_].kind != json::Kind::kObject) return keys;
  const json::Value first = json::Value::in(index_, next_);
  for (const char* name : {"token", "project"}) {
    if (auto key = first.find(name).as_string()) keys.push_back(*std::move(key));
  }
  return keys;
}

bool Decoder::is_encrypted() const {
  if (body_.encrypted()) return true;
  return next_ < index_.size() && Envelopes::is_envelope(json::Value::in(index_, next_));
}

// Only now, when a source is known: private keys are no service for everybody.
void Decoder::open_envelopes(const intake::Sender& sender) {
  envelopes_.open(index_, sender.envelopes);
  text_ = envelopes_.text();
  start();
  encrypted_ = false;
  next_closed_ = 0;
}

// True while there is more, of the faults or of the records.
bool Decoder::reject_closed(const intake::Sender& sender, intake::Intake& out) {
  const std::vector<Envelopes::Fault>& faults = envelopes_.faults();
  while (next_closed_ < faults.size()) {
    if (out.records.bytes.size() >= part_end_) return true;
    const Envelopes::Fault& fault = faults[next_closed_++];
    reject(sender, fault.reason, fault.detail, fault.received, fault.number, out);
  }
  return broken_ || index_.size() > next_;
}

bool Decoder::decode(const intake::Sender& sender, intake::Intake& out) {
  // From where `out` ends now: whoever gathers all parts in one place must get on, too.
  part_end_ = out.records.bytes.size() + kPartBytes;
  if (encrypted_) open_envelopes(sender);
  bool more = false;
  if (fault_) {
    reject_whole(sender, out);
    fault_.reset();
    text_ = {};
  } else if (next_closed_ < envelopes_.faults().size()) {
    more = reject_closed(sender, out);
  } else if (!text_.empty()) {
    more = broken_ ? decode_pieces(sender, out) : decode_indexed(sender, out);
  }
  events_.take_keys(sender, out);
  return more;
}

void Decoder::reject_whole(const intake::Sender& sender, intake::Intake& out) {
  // The same bytes again are the same request sent again.
  events_.reject(
      sender,
      {.reason = fault_->reason, .path = {}, .detail = fault_->detail, .payload = received_, .named = true},
      out);
}

void Decoder::reject(const intake::Sender& sender, Reason reason, std::string_view detail,
                     std::string_view payload, uint64_t number, intake::Intake& out) {
  events_.reject(
      sender,
      {.reason = reason, .path = {}, .detail = detail, .payload = payload, .position = number, .named = true},
      out);
}

bool Decoder::decode_indexed(const intake::Sender& sender, intake::Intake& out) {
  if (next_ == 0) {
    decode_record(sender, {.node = 0, .number = 0}, out);
    return false;
  }
  const uint32_t stop = index_[0].next;
  while (next_ < stop) {
    if (out.records.bytes.size() >= part_end_) return true;
    if (number_ == kRecords) {
      const std::string rest = cat("[", text_.substr(index_[next_].begin));
      const std::string detail = cat("a request has at most ", kRecords, " records; this is the rest of it");
      reject(sender, Reason::kTooManyEvents, detail, rest, number_ + 1, out);
      return false;
    }
    decode_record(sender, {.node = next_, .number = ++number_}, out);
    next_ = index_[next_].next;
  }
  return false;
}

bool Decoder::decode_pieces(const intake::Sender& sender, intake::Intake& out) {
  for (json::Splitter::Piece piece; splitter_.next(piece);) {
    if (piece.number > kRecords) {
      const std::string detail =
          cat("a request has at most ", kRecords, " records; the rest of it is left out");
      reject(sender, Reason::kTooManyEvents, detail, piece.text, piece.number, out);
      return false;
    }
    decode_piece(sender, piece, out);
    if (out.records.bytes.size() >= part_end_) return true;
  }
  return false;
}

void Decoder::decode_piece(const intake::Sender& sender, const json::Splitter::Piece& piece,
                           intake::Intake& out) {
  std::string detail;
  Reason reason = Reason::kInvalidJson;
  switch (piece.shape) {
    case json::Splitter::Shape::kWhole: {
      const auto error = index_.scan(piece.text);
      if (!error) return decode_record(sender, {.node = 0, .number = piece.number}, out);
      reason = intake::reason_of(*error);
      detail = cat("invalid JSON at ", error->to_string());
      break;
    }
    case json::Splitter::Shape::kTooLarge:
      reason = Reason::kEventTooLarge;
      detail = cat(piece.size, " bytes; at most ", limits::kEventBytes, "; only the beginning is kept");
      break;
    case json::Splitter::Shape::kUnclosed:
      detail = "the data ended inside the array; was it cut off?";
      break;
    case json::Splitter::Shape::kBehindTheEnd:
      detail = "text behind the end of the array";
      break;
  }
  reject(sender, reason, detail, piece.text, piece.number, out);
}

void Decoder::decode_record(const intake::Sender& sender, const Place& place, intake::Intake& out) {
  const json::Index::Node& node = index_[place.node];
  const std::string_view received = index_.raw(node);
  if (node.size > limits::kEventBytes) {
    const std::string detail = cat(node.size, " bytes; at most ", limits::kEventBytes);
    return reject(sender, Reason::kEventTooLarge, detail, received.substr(0, kKeptTextBytes), place.number,
                  out);
  }
  if (!record_.translate(sender, index_, place.node)) {
    const intake::Fault& fault = record_.fault();
    const std::string path = intake::pointer_between(index_, place.node, fault.node);
    return events_.reject(sender,
                          {.reason = fault.reason,
                           .path = path,
                           .detail = fault.detail,
                           .payload = received,
                           .position = place.number,
                           .named = record_.named()},
                          out);
  }
  std::swap(translation_.plain, record_.plain());
  translation_.ids = record_.is_item() ? intake::BatchHead::Ids::kOfNobody : intake::BatchHead::Ids::kTyped;
  translation_.received = received;
  translation_.position = place.number;
  translation_.sent_at = record_.sent_at();
  translation_.step = next_trait_step();
  translation_.paths = &record_;
  events_.decode(sender, translation_, out);
}

// Traits follow the time of their events, and these clocks count milliseconds: of the writes of one
// millisecond each comes a microsecond after the one before it in the request.
Duration Decoder::next_trait_step() {
  if (!record_.sets_traits() || record_.time().empty()) return Duration();
  trait_step_ = record_.time() == trait_time_ ? trait_step_ + 1 : 0;
  trait_time_.assign(record_.time());
  return Duration(trait_step_);
}

bool is_sensors_text(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return false;
  json::Value record = document->root();
  if (record.is_array()) record = record.at(0);
  if (Envelopes::is_envelope(record)) return true;
  const auto type = record.find("type").as_string();
  if (!type || !parse_sensors_type(*type)) return false;
  return *type != "track" || record.find("distinct_id").exists() || record.find("identities").exists();
}

}  // namespace kehu::sensors
