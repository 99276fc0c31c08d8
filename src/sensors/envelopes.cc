#include "sensors/envelopes.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "coding/inflate.h"
#include "intake/fault.h"
#include "sensors/body.h"

namespace kehu::sensors {
namespace {

// More records than are read of a request need no time of sending.
constexpr uint32_t kTimedRecords = 2500;

// What a pair that is missing means to whoever reads the rejection.
std::string missing_pair(int64_t version, const seal::EnvelopeOpener* opener) {
  const std::string known = opener == nullptr ? std::string() : opener->versions();
  if (known.empty()) {
    return cat(
        "encrypted by the SDK for the key pair pkv ", version,
        ", and the project has none: add it with POST /api/v1/encryption-keys if you have its private key; "
        "apps that fetch a key of this project encrypt for that one");
  }
  return cat("encrypted by the SDK for the key pair pkv ", version,
             ", which the project does not have (it has ", known,
             "): add it with POST /api/v1/encryption-keys if you have its private key");
}

// `payloads` in an array of their own, so that the envelope can be read again.
std::string envelope_of(const json::Value& envelope, const std::vector<std::string_view>& payloads) {
  std::string out = cat("{\"ekey\":", envelope.find("ekey").raw(), ",\"pkv\":", envelope.find("pkv").raw());
  if (const auto time = envelope.find("flush_time"); time.exists())
    out += cat(",\"flush_time\":", time.raw());
  out += ",\"payloads\":[";
  for (size_t i = 0; i < payloads.size(); ++i) out += cat(i == 0 ? "" : ",", payloads[i]);
  return out + "]}";
}

json::Value payloads_of(const json::Value& envelope) {
  const json::Value payloads = envelope.find("payloads");
  return payloads.exists() ? payloads : envelope.find("payload");
}

}  // namespace

// A request becomes one array of clear records, so that everything behind this reads encrypted and plain
// requests alike. What does not open is set aside in its own form, so that it can be read again once the
// key pair is there. Each session key costs an operation of the private key (0.5 ms), and all clear bytes
// together are bounded as a body is: so the number of envelopes has a bound, too, and what is beyond it is
// kept and not opened.
void Envelopes::open(const json::Index& request, seal::EnvelopeOpener* opener) {
  text_ = "[";
  faults_.clear();
  opened_bytes_ = 0;
  records_ = envelopes_ = 0;
  const json::Value root = json::Value::in(request, 0);
  if (root.is_array()) {
    uint64_t number = 0;
    for (const json::Value::Member& item : root) open_item(item.value, ++number, opener);
  } else {
    open_item(root, 0, opener);
  }
  finish_rest();
  text_ += "]";
}

void Envelopes::open_item(const json::Value& item, uint64_t number, seal::EnvelopeOpener* opener) {
  if (!is_envelope(item)) return add_clear(item, number);
  if (++envelopes_ > kEnvelopes) return add_rest(item, number);
  const auto refuse = [&](std::string detail) {
    faults_.push_back({.detail = std::move(detail), .received = std::string(item.raw()), .number = number});
  };
  const auto version = item.find("pkv").as_int();
  const auto session_key = item.find("ekey").as_string();
  const json::Value payloads = payloads_of(item);
  // An empty list would cost an operation of the private key and count as nothing.
  if (!version || *version < 1 || *version > UINT32_MAX || !session_key ||
      !(payloads.is_string() || (payloads.is_array() && payloads.size() > 0))) {
    return refuse("encrypted by the SDK, but not as is known: an envelope has `ekey`, `pkv` and `payloads`");
  }
  // "EC:…": the plug-ins of the SDKs name what is not RSA.
  if (session_key->find(':') != session_key->npos) {
    return refuse(cat("encrypted by a plug-in of the SDK (",
                      session_key->substr(0, session_key->find(':')).substr(0, 16),
                      "), and Kehu reads RSA and AES only: leave the plug-in out of the app"));
  }
  std::string wrapped;
  if (!absl::Base64Unescape(to_absl(*session_key), &wrapped)) wrapped.clear();
  const auto session =
      opener == nullptr
          ? std::nullopt
          : opener->open_session(seal::EnvelopeVersion(static_cast<uint32_t>(*version)), wrapped);
  if (!session) return refuse(missing_pair(*version, opener));
  open_payloads({item, number, item.find("flush_time").as_int() ? item.find("flush_time").raw() : ""},
                *session, *opener);
}

void Envelopes::open_payloads(const Envelope& envelope, const seal::SessionKey& session,
                              seal::EnvelopeOpener& opener) {
  std::vector<std::string_view> closed;
  std::vector<std::string_view> too_large;
  size_t payloads = 0;
  const auto open_one = [&](const json::Value& payload) {
    ++payloads;
    const auto base64 = payload.as_string();
    const Outcome outcome = base64 ? open_payload(envelope, *base64, session, opener) : Outcome::kClosed;
    if (outcome == Outcome::kClosed) closed.push_back(payload.raw());
    if (outcome == Outcome::kTooLarge) too_large.push_back(payload.raw());
  };
  const json::Value list = payloads_of(envelope.value);
  if (list.is_string()) open_one(list);
  for (const json::Value::Member& payload : list) open_one(payload.value);

  if (!closed.empty()) {
    faults_.push_back(
        {.detail = cat(closed.size(), " of ", payloads, " payloads do not open with the key pair pkv ",
                       envelope.value.find("pkv").raw(),
                       ": they were encrypted for another pair of this number, or changed on their way"),
         .received = envelope_of(envelope.value, closed),
         .number = envelope.number});
  }
  if (!too_large.empty()) {
    faults_.push_back(
        {.reason = Reason::kUnreadableBody,
         .detail = cat(too_large.size(), " of ", payloads, " payloads would make the request more than ",
                       Body::kTextBytes, " bytes when they are decompressed"),
         .received = envelope_of(envelope.value, too_large),
         .number = envelope.number});
  }
}

// A message that opens but cannot be decompressed is as closed as one that does not: see EnvelopeOpener.
Envelopes::Outcome Envelopes::open_payload(const Envelope& envelope, const std::string& base64,
                                           const seal::SessionKey& session, seal::EnvelopeOpener& opener) {
  if (!absl::Base64Unescape(to_absl(base64), &bytes_) || !opener.open(session, bytes_, message_)) {
    return Outcome::kClosed;
  }
  const auto clear = coding::inflate_body(message_, Body::kTextBytes - opened_bytes_);
  if (clear.status().code() == absl::StatusCode::kResourceExhausted) return Outcome::kTooLarge;
  if (!clear.ok()) return Outcome::kClosed;
  opened_bytes_ += clear->size();
  add_records(envelope, *clear);
  return Outcome::kOpened;
}

void Envelopes::add_records(const Envelope& envelope, const std::string& clear) {
  if (const auto error = index_.scan(clear)) {
    faults_.push_back({.reason = intake::reason_of(*error),
                       .detail = cat("invalid JSON in an encrypted payload at ", error->to_string()),
                       .received = clear,
                       .number = envelope.number});
    return;
  }
  const json::Value root = json::Value::in(index_, 0);
  if (!root.is_array()) return add_record(envelope, root);
  for (const json::Value::Member& record : root) add_record(envelope, record.value);
}

void Envelopes::add_record(const Envelope& envelope, const json::Value& record) {
  if (text_.size() > 1) text_ += ',';
  const bool timed = !envelope.flush_time.empty() && ++records_ <= kTimedRecords && record.is_object() &&
                     !record.find("_flush_time").exists();
  if (!timed) {
    text_ += record.raw();
    return;
  }
  text_ +=
      cat("{\"_flush_time\":", envelope.flush_time, record.size() > 0 ? "," : "", record.raw().substr(1));
}

void Envelopes::add_clear(const json::Value& item, uint64_t number) {
  if (opened_bytes_ + item.raw().size() <= Body::kTextBytes) {
    opened_bytes_ += item.raw().size();
    return add_record({}, item);
  }
  faults_.push_back({.reason = Reason::kUnreadableBody,
                     .detail = cat("more than ", Body::kTextBytes, " bytes in a request"),
                     .received = std::string(item.raw()),
                     .number = number});
}

void Envelopes::add_rest(const json::Value& item, uint64_t number) {
  if (rest_size_ == kEnvelopes) finish_rest();
  if (rest_size_++ == 0) rest_number_ = number;
  rest_ += cat(rest_.empty() ? "[" : ",", item.raw());
}

void Envelopes::finish_rest() {
  if (rest_size_ == 0) return;
  faults_.push_back({.reason = Reason::kTooManyEvents,
                     .detail = cat("a request has at most ", kEnvelopes,
                                   " session keys; these can be read again as they are"),
                     .received = cat(std::exchange(rest_, {}), "]"),
                     .number = rest_number_});
  rest_size_ = 0;
}

}  // namespace kehu::sensors
