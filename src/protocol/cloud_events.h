#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "intake/sender.h"
#include "json/document.h"
#include "json/index.h"
#include "protocol/translation.h"

namespace kehu::protocol {

// CloudEvents 1.0 (https://cloudevents.io) over HTTP → records.
//
//   id and source     the message id, together: the same pair again is a repeat
//   type              the event's name
//   time              its time
//   data              its properties; members that are identifiers by name ("user_id", "userId", …) name the
//                     customer, and without any the subject does, as user_id
//   all attributes    kept in the context, under "cloudevent"
class CloudEventDecoder {
 public:
  enum class Mode : uint8_t { kStructured, kBatch };
  // By the media type of a body; nullopt when it is no CloudEvent as a whole: binary mode, then.
  static std::optional<Mode> mode_of(std::string_view content_type);

  struct Attribute {
    std::string name;  // "id", "time", an extension's; lower case
    std::string value;
  };

  // The body must stay alive until decode() returns.
  std::optional<intake::Refusal> open(Mode mode, std::string_view body);
  std::optional<intake::Refusal> open(std::string_view event) { return open(Mode::kStructured, event); }
  // Binary mode: attributes of the header, data in the body.
  std::optional<intake::Refusal> open_binary(absl::Span<const Attribute> attributes,
                                             std::string_view content_type, std::string_view body);
  std::optional<std::string> write_key() const { return std::nullopt; }
  uint32_t event_count() const { return static_cast<uint32_t>(events_.size()); }
  void decode(const intake::Sender& sender, intake::Intake& out);

 private:
  std::optional<intake::Refusal> scan(std::string_view text);
  void decode_event(const intake::Sender& sender, json::Value event, Translation& translation,
                    intake::Intake& out);

  std::string binary_;  // the event of a binary request as it would stand in a structured one
  json::Index index_;
  std::vector<json::Value> events_;
  bool listed_ = false;
  TranslationDecoder decoder_;
};

}  // namespace kehu::protocol
