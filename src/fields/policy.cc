#include "fields/policy.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/check.h"

namespace kehu::fields {
namespace {

constexpr std::pair<std::string_view, EventField> kMembers[] = {
    {"type", EventField::kType},
    {"event", EventField::kEvent},
    {"name", EventField::kName},
    {"category", EventField::kCategory},
    {"groupId", EventField::kGroupId},
    {"group_id", EventField::kGroupId},
    {"previousId", EventField::kPreviousId},
    {"previous_id", EventField::kPreviousId},
    {"properties", EventField::kProperties},
    {"traits", EventField::kTraits},
    {"context", EventField::kContext},
    {"messageId", EventField::kMessageId},
    {"message_id", EventField::kMessageId},
    {"timestamp", EventField::kTimestamp},
    {"originalTimestamp", EventField::kOriginalTimestamp},
    {"original_timestamp", EventField::kOriginalTimestamp},
    {"sentAt", EventField::kSentAt},
    {"sent_at", EventField::kSentAt},
    {"channel", EventField::kChannel},
    {"integrations", EventField::kTransport},
    {"receivedAt", EventField::kTransport},
    {"received_at", EventField::kTransport},
    {"writeKey", EventField::kTransport},
    {"write_key", EventField::kTransport},
    {"version", EventField::kTransport},
    {"_metadata", EventField::kTransport},
    {"projectId", EventField::kTransport},
};

constexpr std::pair<std::string_view, EventField> kBulkMembers[] = {
    {"time", EventField::kTimestamp},
    {"identifiers", EventField::kIdentifiers},
    {"$former_id", EventField::kTransport},
};

// user_id → userId
std::string camel_case(std::string_view snake) {
  std::string out;
  bool upper = false;
  for (const char c : snake) {
    if (c == '_') {
      upper = !out.empty();
      continue;
    }
    out.push_back(upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    upper = false;
  }
  return out;
}

}  // namespace

Policy::Policy(std::shared_ptr<const Settings> settings)
    : settings_(std::move(settings)),
      segment_members_(KeyTable::Case::kExact),
      bulk_members_(KeyTable::Case::kExact),
      fields_(*settings_),
      traits_(KeyTable::Case::kExact),
      types_(KeyTable::Case::kExact) {
  KEHU_CHECK(settings_->identifier_types.size() <= 255 - kFirstIdentifier);
  for (const auto& [key, field] : kMembers) {
    segment_members_.add(key, static_cast<uint8_t>(field));
    bulk_members_.add(key, static_cast<uint8_t>(field));
  }
  for (const auto& [key, field] : kBulkMembers) bulk_members_.add(key, static_cast<uint8_t>(field));
  add_identifier_types();
  add_traits();
}

void Policy::add_identifier_types() {
  const auto& rules = settings_->identifier_types;
  user_id_ = settings_->find_type("user_id");
  anonymous_id_ = settings_->find_type("anonymous_id");
  device_id_ = settings_->find_type("device_id");
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto number = static_cast<uint8_t>(kFirstIdentifier + i);
    const std::string names[] = {rules[i].name, camel_case(rules[i].name)};
    for (const auto& name : names) {
      if (types_.find(name) != 0) continue;
      types_.add(name, number);
      if (bulk_members_.find(name) == 0) bulk_members_.add(name, number);
    }
  }
  if (user_id_) segment_members_.add("userId", types_.find("user_id"));
  if (anonymous_id_) segment_members_.add("anonymousId", types_.find("anonymous_id"));

  std::vector<uint8_t> order(rules.size());
  std::iota(order.begin(), order.end(), uint8_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&rules](uint8_t a, uint8_t b) { return rules[a].priority < rules[b].priority; });
  ranks_.resize(rules.size());
  for (size_t i = 0; i < order.size(); ++i) ranks_[order[i]] = static_cast<uint8_t>(i);
}

void Policy::add_traits() {
  for (const auto& [trait, type_name] : settings_->trait_identifiers) {
    const auto type = settings_->find_type(type_name);
    if (!type || traits_.find(trait) != 0) continue;
    traits_.add(trait, static_cast<uint8_t>(kFirstIdentifier + type->value()));
  }
}

}  // namespace kehu::fields
