#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/civil_day.h"
#include "model/ids.h"

namespace kehu {

enum class Normaliser : uint8_t { kTrim, kLowercase, kEmail, kChinesePhone, kIdCard };
std::string_view to_string(Normaliser normaliser);
std::optional<Normaliser> parse_normaliser(std::string_view name);

// How identifiers of one type are read and what they may join.
struct IdentifierRule {
  std::string name;       // "user_id", "phone"…
  int priority = 0;       // 1 is the strongest
  bool unique = false;    // a customer has at most one value; two values never merge
  bool weak = false;      // never joins two known customers (device fingerprint)
  bool personal = false;  // its value is sealed
  Normaliser normaliser = Normaliser::kTrim;
  int limit = 100;  // new values one customer may gain per period
  Duration period = Duration::days(30);
  int shared_after = 3;  // conflicts with other customers after which it counts as shared; 0 = never
  std::vector<std::string>
      blocked;  // values and patterns (* any run, ? any one character), after normalising
};

enum class Cipher : uint8_t { kAes256Gcm = 1, kSm4Gcm = 2 };

// What to keep per customer of a property of an event, beyond the count of the event itself.
struct Metric {
  enum class Kind : uint8_t { kSum = 1, kDistinct = 2, kTop = 3 };
  Kind kind = Kind::kSum;
  std::string event;     // event name
  std::string property;  // top-level property, or "products[].category"
};

// The definition of a project, read from and written to JSON (docs/settings.md). Immutable once shared.
struct Settings {
  std::string time_zone = "Asia/Shanghai";
  BusinessZone zone;
  Cipher cipher = Cipher::kAes256Gcm;
  std::vector<IdentifierRule> identifier_types;  // index = IdentifierTypeId
  // JSON keys (lower case, at any depth of properties, traits and context) whose values are sealed.
  std::vector<std::string> personal_fields;
  // Traits of identify calls that are identifiers too: trait name → identifier type name.
  struct TraitIdentifier {
    std::string trait;
    std::string type;
  };
  std::vector<TraitIdentifier> trait_identifiers;
  std::vector<Metric> metrics;
  uint64_t log_retention_bytes = 4ull << 30;

  const IdentifierRule& rule(IdentifierTypeId type) const { return identifier_types[type.value()]; }
  std::optional<IdentifierTypeId> find_type(std::string_view name) const;

  // What a new project starts with: user_id, union_id, member_id, phone, email, open_id, id_card, device_id,
  // anonymous_id, fingerprint; e-mail, phone and ID-card fields personal; the commerce metrics.
  static Settings defaults();
};

// The value as it is compared and tokenised, or nullopt when the type cannot read it:
// kChinesePhone: digits of a mainland mobile number (+86, 0086, spaces, dashes, full-width digits removed),
// other countries' as +digits; kEmail: trimmed, lower case, one @ and a dotted domain; kIdCard: 18 characters
// with a right check digit, X upper case; kLowercase: trimmed ASCII lower case; kTrim: trimmed.
std::optional<std::string> normalise(Normaliser normaliser, std::string_view value);

// True for values and patterns of rule.blocked and for those no real customer has: empty, all one character
// of "0", "-", "*" or "x", "null", "undefined", "nan", "none", "unknown", "anonymous", "n/a" in any case.
bool is_blocked(const IdentifierRule& rule, std::string_view normalised);

}  // namespace kehu
