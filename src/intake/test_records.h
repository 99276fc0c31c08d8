#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/record.h"
#include "intake/sender.h"
#include "model/event.h"
#include "model/rejection.h"

namespace kehu::intake {

// Decoded views into an Intake's records, which must stay alive.
struct Records {
  explicit Records(const Intake& intake) {
    for (const auto& entry : intake.records.entries) {
      const std::string_view bytes = intake.records.payload(entry);
      if (entry.kind == RecordKind::kEvent) {
        auto& event = events.emplace_back(std::make_unique<codec::EventRecord>());
        KEHU_CHECK(event->decode(bytes).ok());
        KEHU_CHECK(entry.message_key == event->event().message_key &&
                   entry.body_hash == event->event().body_hash);
      } else if (entry.kind == RecordKind::kRejection) {
        rejections.push_back(*codec::decode_rejection(bytes));
      } else {
        KEHU_CHECK(entry.kind == RecordKind::kDataKey);
        ++data_keys;
      }
    }
    KEHU_CHECK(events.size() == intake.accepted && rejections.size() == intake.rejected);
  }

  const Event& event(size_t i = 0) const { return events.at(i)->event(); }

  std::vector<std::unique_ptr<codec::EventRecord>> events;
  std::vector<Rejection> rejections;
  int data_keys = 0;
};

// "user_id=u1 anonymous_id=a1(blocked) email=*": sealed values are shown as stars.
inline std::string described(const fields::Policy& policy, absl::Span<const Identifier> identifiers) {
  std::string out;
  for (const Identifier& identifier : identifiers) {
    if (!out.empty()) out.push_back(' ');
    out.append(policy.settings().rule(identifier.type).name).append("=");
    out.append(identifier.sealed ? "*" : std::string(identifier.value));
    if (identifier.previous) out.append("<");
    if (identifier.alternative) out.append("?");
    if (identifier.standing == Standing::kPassing) out.append("~");
    if (identifier.standing == Standing::kAssumed && !identifier.alternative) out.append("=");
    if (identifier.left_out != LeftOut::kNo)
      out.append("(").append(to_string(identifier.left_out)).append(")");
  }
  return out;
}

}  // namespace kehu::intake
