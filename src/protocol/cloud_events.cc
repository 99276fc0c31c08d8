#include "protocol/cloud_events.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/writer.h"

namespace kehu::protocol {
namespace {

// What one request becomes is bounded: "1," makes seventy times as many bytes of rejections. Beyond it no
// further event is decoded, and the log, which takes less at once, refuses the whole.
constexpr size_t kIntakeBytes = 5u << 20;

constexpr std::string_view kStructuredType = "application/cloudevents";
constexpr std::string_view kBatchType = "application/cloudevents-batch";

// Without parameters and in lower case.
std::string media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string out(type);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool is_json(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type.empty() || type == "application/json" || type == "text/json" || type.ends_with("+json");
}

std::string text_of(json::Value value) { return value.as_string().value_or(""); }

struct Missing {
  std::string_view attribute;
  std::string_view why;
};

std::optional<Missing> missing(json::Value event) {
  if (text_of(event.find("specversion")) != "1.0") return Missing{"specversion", "must be \"1.0\""};
  for (const std::string_view name : {"id", "source", "type"}) {
    if (text_of(event.find(name)).empty()) return Missing{name, "must be a text that is not empty"};
  }
  return std::nullopt;
}

// Of any length and alphabet, while message ids are short; the pair itself is in the context.
std::string message_id(std::string_view source, std::string_view id) {
  return cat("ce-", hash128(cat(source, std::string_view("\0", 1), id)).hex());
}

// Writes one CloudEvent in the plain form.
class CloudEvent {
 public:
  CloudEvent(json::Value event, const fields::Policy& policy, std::string& out)
      : event_(event), data_(event.find("data")), policy_(policy), writer_(out) {}

  void write() {
    writer_.begin_object().raw_field("event", event_.find("type").raw());
    writer_.field("message_id", message_id(text_of(event_.find("source")), text_of(event_.find("id"))));
    if (event_.find("time").exists()) writer_.raw_field("time", event_.find("time").raw());
    const bool named = write_identifiers();
    const json::Value subject = event_.find("subject");
    if (!named && subject.is_string()) writer_.raw_field("user_id", subject.raw());
    write_properties();
    write_context();
    writer_.end_object();
  }

 private:
  bool is_identifier(const json::Value::Member& member) const {
    return policy_.identifier_type(member.key).has_value() && !member.value.is_null() &&
           !member.value.is_object() && !member.value.is_bool();
  }

  bool write_identifiers() {
    bool any = false;
    if (!data_.is_object()) return any;
    for (const json::Value::Member& member : data_) {
      if (!is_identifier(member)) continue;
      writer_.raw_field(member.key, member.value.raw());
      any = true;
    }
    return any;
  }

  void write_properties() {
    writer_.key("properties").begin_object();
    if (data_.is_object()) {
      for (const json::Value::Member& member : data_) {
        if (!is_identifier(member)) writer_.raw_field(member.key, member.value.raw());
      }
    } else if (data_.exists() && !data_.is_null() && data_.raw() != "[]") {
      writer_.raw_field("data", data_.raw());
    }
    const json::Value bytes = event_.find("data_base64");
    if (bytes.exists()) writer_.raw_field("data_base64", bytes.raw());
    writer_.end_object();
  }

  void write_context() {
    writer_.key("context").begin_object().key("cloudevent").begin_object();
    for (const json::Value::Member& member : event_) {
      if (member.key != "data" && member.key != "data_base64") {
        writer_.raw_field(member.key, member.value.raw());
      }
    }
    writer_.end_object().end_object();
  }

  json::Value event_;
  json::Value data_;
  const fields::Policy& policy_;
  json::Writer writer_;
};

}  // namespace

std::optional<CloudEventDecoder::Mode> CloudEventDecoder::mode_of(std::string_view content_type) {
  const std::string type = media_type(content_type);
  if (type == cat(kBatchType, "+json") || type == kBatchType) return Mode::kBatch;
  if (type == cat(kStructuredType, "+json") || type == kStructuredType) return Mode::kStructured;
  return std::nullopt;
}

std::optional<intake::Refusal> CloudEventDecoder::scan(std::string_view text) {
  events_.clear();
  const auto error = index_.scan(text);
  if (!error) return std::nullopt;
  return intake::Refusal{intake::reason_of(*error), error->position,
                         cat("invalid JSON at ", error->to_string())};
}

std::optional<intake::Refusal> CloudEventDecoder::open(Mode mode, std::string_view body) {
  if (auto refusal = scan(body)) return refusal;
  const json::Value root = json::Value::in(index_, 0);
  listed_ = mode == Mode::kBatch;
  if (!listed_) {
    events_.push_back(root);
    return std::nullopt;
  }
  if (!root.is_array()) {
    return intake::Refusal{Reason::kInvalidField, 0, "a batch must be an array of events"};
  }
  for (const json::Value::Member& member : root) events_.push_back(member.value);
  return std::nullopt;
}

std::optional<intake::Refusal> CloudEventDecoder::open_binary(absl::Span<const Attribute> attributes,
                                                              std::string_view content_type,
                                                              std::string_view body) {
  binary_.clear();
  json::Writer writer(binary_);
  writer.begin_object();
  for (const Attribute& attribute : attributes) writer.field(attribute.name, attribute.value);
  if (!content_type.empty()) writer.field("datacontenttype", content_type);
  const bool json = is_json(content_type);
  if (!body.empty() && json) {
    if (auto refusal = scan(body)) return refusal;
    writer.raw_field("data", body);
  } else if (!body.empty() && media_type(content_type).starts_with("text/") && json::is_valid_utf8(body)) {
    writer.field("data", body);
  } else if (!body.empty()) {
    writer.field("data_base64", to_std(absl::Base64Escape(to_absl(body))));
  }
  writer.end_object();
  return open(Mode::kStructured, binary_);
}

void CloudEventDecoder::decode(const intake::Sender& sender, intake::Intake& out) {
  Translation translation;
  for (size_t i = 0; i < events_.size() && out.records.bytes.size() <= kIntakeBytes; ++i) {
    const std::string path = listed_ ? cat("/", i) : std::string();
    translation.path = path;
    translation.position = listed_ ? i + 1 : 0;
    translation.received = events_[i].raw();
    decode_event(sender, events_[i], translation, out);
  }
  decoder_.take_keys(sender, out);
}

void CloudEventDecoder::decode_event(const intake::Sender& sender, json::Value event,
                                     Translation& translation, intake::Intake& out) {
  const auto reject = [&](Reason reason, const std::string& path, std::string_view detail) {
    decoder_.reject(sender,
                    {.reason = reason,
                     .path = path,
                     .detail = detail,
                     .payload = translation.received,
                     .position = translation.position},
                    out);
  };
  const std::string path(translation.path);
  if (!event.is_object()) return reject(Reason::kNotAnObject, path, "a CloudEvent must be an object");
  if (translation.received.size() > limits::kEventBytes) {
    return reject(Reason::kEventTooLarge, path,
                  cat(translation.received.size(), " bytes; at most ", limits::kEventBytes));
  }
  if (const auto wrong = missing(event)) {
    return reject(Reason::kInvalidField, cat(path, "/", wrong->attribute),
                  cat("the attribute ", wrong->attribute, " ", wrong->why));
  }
  translation.plain.clear();
  CloudEvent(event, *sender.policy, translation.plain).write();
  decoder_.decode(sender, translation, out);
}

}  // namespace kehu::protocol
