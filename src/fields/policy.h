#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "fields/field_classes.h"
#include "fields/key_table.h"
#include "model/ids.h"
#include "model/settings.h"

namespace kehu::fields {

// The members of an event that the door knows. Camel case is Segment's spelling, snake case ours; both are
// read.
enum class EventField : uint8_t {
  kOther = 0,
  kType,
  kEvent,
  kName,
  kCategory,
  kGroupId,
  kPreviousId,
  kProperties,
  kTraits,
  kContext,
  kIdentifiers,
  kMessageId,
  kTimestamp,          // timestamp, time
  kOriginalTimestamp,  // RudderStack's spelling
  kSentAt,
  kChannel,
  kTransport,  // writeKey, integrations, receivedAt, version, _metadata…: never part of the event
  kIdentifier  // an identifier type by its name; see MemberName::type
};

struct MemberName {
  EventField field = EventField::kOther;
  IdentifierTypeId type;  // of kIdentifier
};

// Settings made ready for the door: every name looked up once. For one thread at a time: it remembers the
// keys that came.
class Policy {
 public:
  explicit Policy(std::shared_ptr<const Settings> settings);

  const Settings& settings() const { return *settings_; }

  // The members of the event itself. In Segment's calls only userId and anonymousId are identifiers; in bulk
  // every identifier type is one, in snake and camel case.
  const KeyTable& segment_members() const { return segment_members_; }
  const KeyTable& bulk_members() const { return bulk_members_; }
  // What a number of these tables means.
  static MemberName member(uint8_t number) {
    if (number < kFirstIdentifier) return {static_cast<EventField>(number), {}};
    return {EventField::kIdentifier, IdentifierTypeId(static_cast<uint8_t>(number - kFirstIdentifier))};
  }

  // JSON keys whose values need something; the numbers are FieldClass bits.
  const FieldClasses& fields() const { return fields_; }

  std::optional<IdentifierTypeId> trait_identifier(std::string_view trait) const {
    return type(traits_, trait);
  }
  // By name, in snake or camel case.
  std::optional<IdentifierTypeId> identifier_type(std::string_view name) const { return type(types_, name); }

  // Where a type stands among all by priority; 0 is the strongest.
  uint8_t rank(IdentifierTypeId type) const { return ranks_[type.value()]; }

  std::optional<IdentifierTypeId> user_id() const { return user_id_; }
  std::optional<IdentifierTypeId> anonymous_id() const { return anonymous_id_; }
  std::optional<IdentifierTypeId> device_id() const { return device_id_; }

 private:
  static constexpr uint8_t kFirstIdentifier = 32;  // numbers from here on are identifier types
  static std::optional<IdentifierTypeId> type(const KeyTable& table, std::string_view key) {
    const uint8_t number = table.find(key);
    if (number == 0) return std::nullopt;
    return IdentifierTypeId(static_cast<uint8_t>(number - kFirstIdentifier));
  }
  void add_identifier_types();
  void add_traits();

  std::shared_ptr<const Settings> settings_;
  KeyTable segment_members_;
  KeyTable bulk_members_;
  FieldClasses fields_;
  KeyTable traits_;
  KeyTable types_;
  std::vector<uint8_t> ranks_;
  std::optional<IdentifierTypeId> user_id_;
  std::optional<IdentifierTypeId> anonymous_id_;
  std::optional<IdentifierTypeId> device_id_;
};

}  // namespace kehu::fields
