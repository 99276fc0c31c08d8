#pragma once

#include "base/check.h"
#include "codec/record.h"
#include "intake/sender.h"
#include "json/index.h"
#include "json/repeated_keys.h"

namespace kehu::intake {

// What must hold for everything that passed the door, whatever came in. For tests and fuzzers.
inline void check_stored(const Intake& intake) {
  json::Index index;
  const auto check_object = [&index](std::string_view text) {
    KEHU_CHECK(!index.scan(text) && index[0].kind == json::Kind::kObject);
    KEHU_CHECK(json::RepeatedKeys().find(index, 0, index.size()).empty());
    for (uint32_t i = 0; i < index.size(); ++i) {
      KEHU_CHECK(!index[i].lone_surrogate);
      KEHU_CHECK(!index[i].is_key || !index.raw(index[i]).starts_with("\"$sealed"));
    }
  };
  uint32_t events = 0, rejections = 0;
  codec::EventRecord record;
  for (const auto& entry : intake.records.entries) {
    const std::string_view bytes = intake.records.payload(entry);
    if (entry.kind == RecordKind::kEvent) {
      ++events;
      KEHU_CHECK(record.decode(bytes).ok());
      const Event& event = record.event();
      check_object(event.properties);
      check_object(event.traits);
      check_object(event.context);
      KEHU_CHECK(!event.message_id.empty() && !event.identifiers.empty());
      KEHU_CHECK(json::is_valid_utf8(event.name) && event.name.find('\0') == event.name.npos);
      KEHU_CHECK(event.time >= kFirstInstant && event.time <= kLastInstant);
    } else if (entry.kind == RecordKind::kRejection) {
      ++rejections;
      KEHU_CHECK(codec::decode_rejection(bytes).ok());
    } else {
      KEHU_CHECK(codec::decode_data_key(bytes).ok());
    }
  }
  KEHU_CHECK(events == intake.accepted && rejections == intake.rejected);
}

}  // namespace kehu::intake
