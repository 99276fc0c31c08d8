#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/civil_day.h"
#include "model/ids.h"
#include "model/personal_values.h"
#include "model/vocabulary.h"

namespace kehu {

enum class Normaliser : uint8_t { kTrim, kLowercase, kEmail, kChinesePhone, kIdCard, kPhone };
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
  // Values and patterns (* any run, ? any one character), after normalising.
  std::vector<std::string> blocked;
};

enum class Cipher : uint8_t { kAes256Gcm = 1, kSm4Gcm = 2 };

// What to keep per customer of a property of an event, beyond the count of the event itself.
struct Metric {
  enum class Kind : uint8_t { kSum = 1, kDistinct = 2, kTop = 3 };
  Kind kind = Kind::kSum;
  std::string event;     // event name
  std::string property;  // top-level property, or "products[].category"
};

// What is sealed beyond the declared fields, because of what it is.
struct PersonalValues {
  bool names = true;  // values under names that speak of phones, addresses and papers (personal_names.h)
  bool phone = true;  // values that read as one (personal_values.h), wherever they stand
  bool email = true;
  bool id_card = true;
  bool free_text = false;           // texts with one of them inside, too
  std::vector<std::string> except;  // names of fields and identifier types that none of this holds for

  bool seals(PersonalKind kind) const {
    return (kind == PersonalKind::kPhone && phone) || (kind == PersonalKind::kEmail && email) ||
           (kind == PersonalKind::kIdCard && id_card);
  }
};

// The definition of a project, read from and written to JSON (docs/settings.md). Immutable once shared.
struct Settings {
  std::string time_zone = "Asia/Shanghai";
  BusinessZone zone;
  Cipher cipher = Cipher::kAes256Gcm;
  std::vector<IdentifierRule> identifier_types;  // index = IdentifierTypeId
  // Values and patterns that name nobody, whatever their type; as folded_nobody() gives them.
  std::vector<std::string> nobody;
  // JSON keys (compared folded, at any depth of properties, traits and context) whose values are sealed.
  std::vector<std::string> personal_fields;
  PersonalValues personal_values;
  // Traits of identify calls that are identifiers too: trait name → identifier type name.
  struct TraitIdentifier {
    std::string trait;
    std::string type;
  };
  std::vector<TraitIdentifier> trait_identifiers;
  std::vector<Metric> metrics;
  Vocabulary vocabulary;  // what foreign events mean
  uint64_t log_retention_bytes = 4ull << 30;

  const IdentifierRule& rule(IdentifierTypeId type) const { return identifier_types[type.value()]; }
  std::optional<IdentifierTypeId> find_type(std::string_view name) const;

  // What a new project starts with: user_id, union_id, member_id, phone, email, open_id, id_card, device_id,
  // anonymous_id, fingerprint; e-mail, phone and ID-card fields personal; the commerce metrics.
  static Settings defaults();
};

}  // namespace kehu
