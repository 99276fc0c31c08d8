#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "intake/sender.h"
#include "json/document.h"
#include "json/index.h"
#include "protocol/translation.h"

namespace kehu::protocol {

// The JSON text in a body of PostHog's capture API: as it is, gzip, base64, or base64 in a form's `data`.
// `compression` is the query parameter of the name. A view into `body` or `scratch`.
absl::StatusOr<std::string_view> posthog_json(std::string_view body, std::string_view compression,
                                              size_t bytes_max, std::string& scratch);

// Bodies of PostHog's capture API → records: one event, an array of events, or {"api_key", "batch": […]}.
//
//   $identify             identify: distinct_id is the user, $anon_distinct_id the visitor
//   $create_alias, $merge_dangerously
//                         alias: properties.alias is the other id, whichever was first
//   $groupidentify        group: $group_key is its id, $group_set its traits
//   $pageview, $screen    page and screen
//   $set                  identify; of any other event the traits it brings, with $set_once and $unset
//   all others            track
//
// distinct_id is a visitor's (anonymous_id) where the event says that nobody is identified, else a user's
// (user_id); but it is one name space: an id that is known as the other is that one (BatchHead::Ids).
// All other properties stay properties. Time: timestamp, corrected by sent_at; or offset.
class PostHogDecoder {
 public:
  // The body must stay alive until decode() returns.
  std::optional<intake::Refusal> open(std::string_view json);
  // The project's token, which is a write key here: of the body or of its first event.
  std::optional<std::string> write_key() const;
  uint32_t event_count() const { return static_cast<uint32_t>(events_.size()); }
  void decode(const intake::Sender& sender, intake::Intake& out);

 private:
  json::Value at(uint32_t node) const { return json::Value::in(index_, node); }
  bool collect_events();
  void decode_event(const intake::Sender& sender, json::Value event, Translation& translation,
                    intake::Intake& out);

  json::Index index_;
  std::vector<json::Value> events_;
  std::string_view list_;  // JSON Pointer to the array that holds the events; empty: there is one event only
  bool listed_ = false;
  TranslationDecoder decoder_;
};

}  // namespace kehu::protocol
