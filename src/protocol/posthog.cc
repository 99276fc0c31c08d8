#include "protocol/posthog.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/limits.h"
#include "base/text.h"
#include "coding/inflate.h"
#include "intake/client_time.h"
#include "json/writer.h"

namespace kehu::protocol {
namespace {

// What one request becomes is bounded: "1," makes seventy times as many bytes of rejections. Beyond it no
// further event is decoded, and the log, which takes less at once, refuses the whole.
constexpr size_t kIntakeBytes = 5u << 20;

constexpr std::string_view kFormData = "data=";

// Percent escapes and '+' of a form's value; base64 needs few of them.
std::string form_value(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
                        absl::ascii_isxdigit(text[i + 2]);
    if (escape) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// A '+' that was not escaped has become a space.
absl::StatusOr<std::string> base64(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '+');
  std::string plain;
  if (absl::Base64Unescape(to_absl(text), &plain) || absl::WebSafeBase64Unescape(to_absl(text), &plain)) {
    return plain;
  }
  return failure(absl::StatusCode::kInvalidArgument, "the body is neither JSON, gzip nor base64");
}

bool looks_like_json(std::string_view body) {
  const size_t at = body.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return at != body.npos && (body[at] == '{' || body[at] == '[');
}

bool is_text(json::Value value) { return value.is_string() || value.is_number(); }

// Members of one object that go to other places than the properties.
constexpr std::string_view kMoved[] = {"distinct_id",       "token",     "$set", "$set_once", "$unset",
                                       "$anon_distinct_id", "$group_set"};

// Writes one event of PostHog in the plain form.
class PostHogEvent {
 public:
  PostHogEvent(json::Value event, Instant received_at, std::string& out)
      : event_(event), properties_(event.find("properties")), received_at_(received_at), writer_(out) {}

  void write() {
    name_ = event_.find("event").as_string().value_or("");
    writer_.begin_object();
    write_call();
    write_ids();
    write_time();
    write_traits();
    write_properties();
    write_context();
    writer_.end_object();
  }

  // distinct_id is one name space: libraries do not say, or say only at times, what an id of it is.
  intake::BatchHead::Ids ids() const {
    // Server libraries describe a group under a name that they make up, the Python one under a new one each
    // time. Browsers and apps do so for whoever is there.
    if (is("$groupidentify") && !is_text(property("$device_id"))) return intake::BatchHead::Ids::kOfNobody;
    const bool certain = is("$identify") || property("$is_identified").as_bool() == true;
    return certain ? intake::BatchHead::Ids::kIdentified : intake::BatchHead::Ids::kOneNameSpace;
  }

 private:
  json::Value property(std::string_view name) const { return properties_.find(name); }
  // What libraries put beside the properties or into them.
  json::Value either(std::string_view name) const {
    const json::Value outside = event_.find(name);
    return outside.exists() && !outside.is_null() ? outside : property(name);
  }
  bool is(std::string_view name) const { return name_ == name; }
  bool is_alias() const { return is("$create_alias") || is("$merge_dangerously"); }

  void copy(std::string_view key, json::Value value) {
    if (value.exists() && !value.is_null()) writer_.raw_field(key, value.raw());
  }

  void write_call() {
    if (is("$identify") || is("$set") || is("$set_once") || is("$unset")) {
      writer_.field("type", "identify");
    } else if (is_alias()) {
      writer_.field("type", "alias");
      copy("previousId", property("alias"));
    } else if (is("$groupidentify")) {
      writer_.field("type", "group");
      copy("groupId", property("$group_key"));
    } else if (is("$pageview") || is("$screen")) {
      const bool page = is("$pageview");
      writer_.field("type", page ? "page" : "screen");
      const json::Value name = property(page ? "title" : "$screen_name");
      if (name.is_string()) writer_.raw_field("name", name.raw());
    } else {
      copy("event", event_.find("event"));
    }
  }

  void write_ids() {
    const json::Value id = either("distinct_id");
    copy(is_anonymous(id) ? "anonymous_id" : "user_id", id);
    if (is("$identify") && !is_anonymous(id)) copy("anonymous_id", either("$anon_distinct_id"));
    const json::Value uuid = event_.find("uuid");
    copy("message_id", uuid.exists() ? uuid : property("$insert_id"));
  }

  bool is_anonymous(json::Value id) const {
    if (is("$identify") || is_alias()) return false;
    if (property("$is_identified").as_bool() == false) return true;
    if (property("$process_person_profile").as_bool() == false) return true;
    return is_text(property("$device_id")) && property("$device_id").raw() == id.raw();
  }

  // offset: milliseconds between the event and the request.
  void write_time() {
    const json::Value time = event_.find("timestamp");
    const auto offset = event_.find("offset").as_int();
    if (time.exists() && !time.is_null()) {
      copy("time", time);
    } else if (offset && *offset >= 0 && *offset < Duration::days(3650).micros() / 1000) {
      writer_.field("time", (received_at_ - Duration::millis(*offset)).micros());
    }
  }

  // PHP writes an empty object as a list. What is something else is for the decoder to refuse.
  static bool is_given(json::Value value) {
    return value.exists() && !value.is_null() && !(value.is_array() && value.begin() == value.end());
  }
  void copy_given(std::string_view key, json::Value value) {
    if (is_given(value)) copy(key, value);
  }

  void write_traits() {
    if (is("$groupidentify")) return copy_given("traits", property("$group_set"));
    const json::Value set = either("$set"), set_once = either("$set_once"), unset = either("$unset");
    const bool only_set = !is_given(set_once) && !is_given(unset);
    if (only_set || (is_given(set) && !set.is_object())) return copy_given("traits", set);
    writer_.key("traits").begin_object();
    if (set.is_object()) {
      for (const json::Value::Member& member : set) writer_.raw_field(member.key, member.value.raw());
    }
    copy_given("$set_once", set_once);
    copy_given("$unset", unset);
    writer_.end_object();
  }

  void write_properties() {
    if (!properties_.is_object()) return copy("properties", properties_);
    writer_.key("properties").begin_object();
    for (const json::Value::Member& member : properties_) {
      if (std::find(std::begin(kMoved), std::end(kMoved), member.key) == std::end(kMoved)) {
        writer_.raw_field(member.key, member.value.raw());
      }
    }
    writer_.end_object();
  }

  void write_context() {
    writer_.key("context").begin_object();
    write_group("library", {{{"name", "$lib"}, {"version", "$lib_version"}}});
    write_group(
        "page",
        {{{"url", "$current_url"}, {"path", "$pathname"}, {"referrer", "$referrer"}, {"title", "title"}}});
    write_group("screen", {{{"width", "$screen_width"}, {"height", "$screen_height"}}});
    write_group("os", {{{"name", "$os"}, {"version", "$os_version"}}});
    copy("userAgent", property("$raw_user_agent"));
    copy("locale", property("$browser_language"));
    copy("timezone", property("$timezone"));
    copy("ip", property("$ip"));
    writer_.end_object();
  }

  struct Renamed {
    std::string_view to, from;
  };
  void write_group(std::string_view key, const std::array<Renamed, 4>& members) {
    const auto there = [this](const Renamed& member) {
      return !member.from.empty() && property(member.from).exists() && !property(member.from).is_null();
    };
    if (std::none_of(members.begin(), members.end(), there)) return;
    writer_.key(key).begin_object();
    for (const Renamed& member : members) {
      if (there(member)) copy(member.to, property(member.from));
    }
    writer_.end_object();
  }

  json::Value event_;
  json::Value properties_;
  Instant received_at_;
  json::Writer writer_;
  std::string name_;
};

std::optional<std::string> key_in(json::Value object) {
  for (const std::string_view name : {"api_key", "token"}) {
    if (auto key = object.find(name).as_string()) return key;
  }
  return object.find("properties").find("token").as_string();
}

}  // namespace

absl::StatusOr<std::string_view> posthog_json(std::string_view body, std::string_view compression,
                                              size_t bytes_max, std::string& scratch) {
  std::string_view text = body;
  if (!coding::is_gzip(text) && !looks_like_json(text)) {
    if (compression == "lz64") {
      return failure(absl::StatusCode::kInvalidArgument, "lz64 is not read: send gzip, base64 or plain JSON");
    }
    std::string encoded(text);
    if (text.starts_with(kFormData)) {
      text.remove_prefix(kFormData.size());
      encoded = form_value(text.substr(0, text.find('&')));
    }
    if (looks_like_json(encoded)) {
      scratch = std::move(encoded);
      return std::string_view(scratch);
    }
    auto plain = base64(std::move(encoded));
    if (!plain.ok()) return plain.status();
    scratch = *std::move(plain);
    text = scratch;
  }
  if (!coding::is_gzip(text)) return text;
  auto inflated = coding::inflate_body(text, bytes_max);
  if (!inflated.ok()) return inflated.status();
  scratch = *std::move(inflated);
  return std::string_view(scratch);
}

std::optional<intake::Refusal> PostHogDecoder::open(std::string_view json) {
  events_.clear();
  const auto error = index_.scan(json);
  if (error) {
    return intake::Refusal{intake::reason_of(*error), error->position,
                           cat("invalid JSON at ", error->to_string())};
  }
  size_t batches = 0;
  if (at(0).is_object()) {
    for (const json::Value::Member& member : at(0)) batches += member.key == "batch" ? 1 : 0;
  }
  // The events of either would be lost without a word.
  if (batches > 1) {
    return intake::Refusal{Reason::kInvalidField, 0,
                           R"(the body has "batch" more than once: send one array with all events)"};
  }
  if (collect_events()) return std::nullopt;
  return intake::Refusal{
      Reason::kInvalidField, 0,
      R"(the body needs "event", or "batch" with an array of events, or must be such an array)"};
}

bool PostHogDecoder::collect_events() {
  const json::Value root = at(0);
  const json::Value batch = root.find("batch");
  listed_ = root.is_array() || batch.is_array();
  list_ = batch.is_array() ? "/batch" : "";
  if (listed_) {
    for (const json::Value::Member& member : root.is_array() ? root : batch) events_.push_back(member.value);
  } else if (root.is_object() && !batch.exists()) {
    events_.push_back(root);
  }
  return listed_ || !events_.empty();
}

std::optional<std::string> PostHogDecoder::write_key() const {
  if (index_.size() == 0) return std::nullopt;
  if (auto key = key_in(at(0))) return key;
  return events_.empty() ? std::nullopt : key_in(events_[0]);
}

void PostHogDecoder::decode(const intake::Sender& sender, intake::Intake& out) {
  Translation translation;
  const json::Value root = at(0);
  for (const std::string_view name : {"sent_at", "sentAt"}) {
    const json::Value sent = root.find(name);
    if (is_text(sent)) {
      translation.sent_at = intake::ClientTimes().parse({sent.kind(), sent.raw()});
    }
  }
  for (size_t i = 0; i < events_.size() && out.records.bytes.size() <= kIntakeBytes; ++i) {
    const std::string path = listed_ ? cat(list_, "/", i) : std::string();
    translation.path = path;
    translation.position = listed_ ? i + 1 : 0;
    translation.received = events_[i].raw();
    decode_event(sender, events_[i], translation, out);
  }
  decoder_.take_keys(sender, out);
}

void PostHogDecoder::decode_event(const intake::Sender& sender, json::Value event, Translation& translation,
                                  intake::Intake& out) {
  const intake::EventDecoder::Broken broken{.path = translation.path,
                                            .detail = {},
                                            .payload = translation.received,
                                            .position = translation.position};
  const auto reject = [&](Reason reason, std::string_view detail) {
    intake::EventDecoder::Broken why = broken;
    why.reason = reason;
    why.detail = detail;
    decoder_.reject(sender, why, out);
  };
  if (!event.is_object()) return reject(Reason::kNotAnObject, "an event must be an object");
  if (translation.received.size() > limits::kEventBytes) {
    return reject(Reason::kEventTooLarge,
                  cat(translation.received.size(), " bytes; at most ", limits::kEventBytes));
  }
  translation.plain.clear();
  PostHogEvent plain(event, sender.received_at, translation.plain);
  plain.write();
  translation.ids = plain.ids();
  decoder_.decode(sender, translation, out);
}

}  // namespace kehu::protocol
