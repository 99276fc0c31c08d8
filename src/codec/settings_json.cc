#include "codec/settings_json.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "codec/node.h"
#include "codec/vocabulary_json.h"
#include "identifier/identifier_value.h"
#include "json/document.h"
#include "json/fields.h"
#include "json/writer.h"
#include "model/characters.h"
#include "model/personal_names.h"

namespace kehu::codec {
namespace {

constexpr size_t kIdentifierTypesMax = 64;
constexpr size_t kListEntriesMax = 1000;
constexpr int64_t kCountMax = 1'000'000;
constexpr Duration kPeriodMax = Duration::days(3650);
constexpr uint64_t kRetentionMin = 64ull << 20;
constexpr uint64_t kRetentionMax = 1ull << 50;

struct NamedCipher {
  std::string_view name;
  Cipher cipher;
};
constexpr NamedCipher kCiphers[] = {{"aes-256-gcm", Cipher::kAes256Gcm}, {"sm4-gcm", Cipher::kSm4Gcm}};

struct NamedKind {
  std::string_view name;
  Metric::Kind kind;
};
constexpr NamedKind kKinds[] = {
    {"sum", Metric::Kind::kSum}, {"distinct", Metric::Kind::kDistinct}, {"top", Metric::Kind::kTop}};

struct Unit {
  char letter;
  Duration length;
};
// Longest first: a period is written in the longest unit that holds it exactly.
constexpr Unit kUnits[] = {{'d', Duration::days(1)},
                           {'h', Duration::hours(1)},
                           {'m', Duration::minutes(1)},
                           {'s', Duration::seconds(1)}};

std::string period_text(Duration period) {
  for (const auto& unit : kUnits) {
    if (period.micros() % unit.length.micros() != 0) continue;
    return cat(period.micros() / unit.length.micros(), unit.letter);
  }
  return cat(period.micros() / kUnits[3].length.micros(), kUnits[3].letter);
}

std::optional<Duration> parse_period(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end + 1 != text.data() + text.size() || count < 1) return std::nullopt;
  for (const auto& unit : kUnits) {
    if (*end != unit.letter) continue;
    if (count > kPeriodMax.micros() / unit.length.micros()) return std::nullopt;
    return Duration(count * unit.length.micros());
  }
  return std::nullopt;
}

void read_texts(const Node& node, std::vector<std::string>& out) {
  if (!node.is_list(kListEntriesMax)) return;
  out.clear();
  node.each([&](const std::string&, const Node& entry) { entry.read(out.emplace_back()); });
}

// The names become the TYPE of TYPE:VALUE in addresses and commands.
bool is_type_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

IdentifierRule read_identifier_type(const Node& node) {
  IdentifierRule rule;
  if (!node.is_object()) return rule;
  node.expect_only({"name", "priority", "unique", "weak", "personal", "normaliser", "limit", "period",
                    "shared_after", "blocked"});
  if (!node.find("name").exists()) node.fail("an object with a name", "add a field \"name\"");
  node.find("name").read(rule.name);
  if (!is_type_name(rule.name)) {
    node.find("name").fail("lower-case letters, digits and _", "choose a name such as \"loyalty_card\"");
  }
  if (!node.find("priority").exists()) node.fail("an object with a priority", "add a field \"priority\"");
  node.find("priority").read({1, 1000}, rule.priority);
  node.find("unique").read(rule.unique);
  node.find("weak").read(rule.weak);
  node.find("personal").read(rule.personal);
  std::string normaliser(to_string(rule.normaliser));
  node.find("normaliser").read(normaliser);
  if (const auto known = parse_normaliser(normaliser)) {
    rule.normaliser = *known;
  } else {
    node.find("normaliser")
        .fail("trim, lowercase, email, phone, chinese_phone or id_card", "choose one of them");
  }
  node.find("limit").read({1, kCountMax}, rule.limit);
  std::string period = period_text(rule.period);
  node.find("period").read(period);
  if (const auto known = parse_period(period)) {
    rule.period = *known;
  } else {
    node.find("period").fail("a time from \"1s\" to \"3650d\"",
                             "write a number and one of s, m, h, d, as in \"30d\"");
  }
  node.find("shared_after").read({0, kCountMax}, rule.shared_after);
  read_texts(node.find("blocked"), rule.blocked);
  return rule;
}

void read_identifier_types(const Node& node, Settings& settings) {
  if (!node.is_list(kIdentifierTypesMax)) return;
  std::vector<IdentifierRule> rules;
  std::set<std::string> names;
  node.each([&](const std::string&, const Node& entry) {
    rules.push_back(read_identifier_type(entry));
    if (!names.insert(rules.back().name).second) {
      entry.find("name").fail("a name no other type has", "rename one of the two");
    }
  });
  for (const char* needed : {"user_id", "anonymous_id"}) {
    if (!names.contains(needed)) node.fail(cat("a type named ", needed), "add it: the tracking SDKs send it");
  }
  settings.identifier_types = std::move(rules);
}

bool is_personal_field(const Settings& settings, std::string_view name) {
  const auto& fields = settings.personal_fields;
  return std::find(fields.begin(), fields.end(), lowercase(strip(name))) != fields.end();
}

void read_trait_identifiers(const Node& node, Settings& settings) {
  if (!node.exists()) {
    std::erase_if(settings.trait_identifiers,
                  [&](const auto& entry) { return !settings.find_type(entry.type); });
    return;
  }
  if (!node.is_object()) return;
  settings.trait_identifiers.clear();
  node.each([&](const std::string& trait, const Node& entry) {
    std::string type;
    entry.read(type);
    if (!settings.find_type(type))
      entry.fail("the name of an identifier type", "take one of identifier_types");
    settings.trait_identifiers.push_back({trait, type});
  });
}

// Such a trait would be sealed as an identifier and stored in clear as a trait, so the two settings must
// agree.
void check_traits_are_sealed(const Node& root, const Settings& settings) {
  for (const auto& [trait, type] : settings.trait_identifiers) {
    const auto id = settings.find_type(type);
    if (!id || !settings.rule(*id).personal || is_personal_field(settings, trait)) continue;
    root.find("personal_fields")
        .fail(
            cat("\"", trait, "\" among the personal fields, because identifier type ", type, " is personal"),
            "add it here, or take it out of trait_identifiers");
  }
}

void read_sealed_kinds(const Node& node, PersonalValues& out) {
  if (!node.is_list(kListEntriesMax)) return;
  out.phone = out.email = out.id_card = false;
  node.each([&](const std::string&, const Node& entry) {
    std::string kind;
    entry.read(kind);
    if (kind != "phone" && kind != "email" && kind != "id_card")
      entry.fail("phone, email or id_card", "choose among them; [] looks at no value");
    out.phone = out.phone || kind == "phone";
    out.email = out.email || kind == "email";
    out.id_card = out.id_card || kind == "id_card";
  });
}

// A field cannot be both declared and excepted.
void check_exceptions(const Node& node, const Settings& settings) {
  node.each([&](const std::string&, const Node& entry) {
    std::string name;
    entry.read(name);
    const std::string folded = folded_name(name);
    if (folded.empty()) entry.fail("the name of a field", "write one with a letter in it");
    const auto& fields = settings.personal_fields;
    if (std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return folded_name(f) == folded; }))
      entry.fail("a name that is no personal field", "take it out of personal_fields, or out of here");
  });
}

void read_personal_values(const Node& node, Settings& settings) {
  if (!node.is_object()) return;
  PersonalValues& values = settings.personal_values;
  node.expect_only({"names", "seal", "free_text", "except"});
  node.find("names").read(values.names);
  read_sealed_kinds(node.find("seal"), values);
  node.find("free_text").read(values.free_text);
  read_texts(node.find("except"), values.except);
  if (node.find("except").is_list(kListEntriesMax)) check_exceptions(node.find("except"), settings);
}

Metric read_metric(const Node& node) {
  Metric metric;
  if (!node.is_object()) return metric;
  node.expect_only({"kind", "event", "property"});
  std::string kind;
  node.find("kind").read(kind);
  const auto* named =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.name == kind; });
  if (named == std::end(kKinds)) {
    (node.find("kind").exists() ? node.find("kind") : node)
        .fail("a kind: sum, distinct or top", "choose one of them");
  } else {
    metric.kind = named->kind;
  }
  node.find("event").read(metric.event);
  node.find("property").read(metric.property);
  if (metric.event.empty())
    node.fail("an object with an event", "add a field \"event\", such as \"Order Completed\"");
  if (!json::FieldPath::parse(metric.property).ok()) {
    node.fail("an object with a property, such as total or products[].category", "write it in \"property\"");
  }
  return metric;
}

void read_metrics(const Node& node, std::vector<Metric>& out) {
  if (!node.is_list(kListEntriesMax)) return;
  out.clear();
  node.each([&](const std::string&, const Node& entry) { out.push_back(read_metric(entry)); });
}

void read_time_zone(const Node& node, Settings& settings) {
  node.read(settings.time_zone);
  if (const auto zone = BusinessZone::load(settings.time_zone)) {
    settings.zone = *zone;
  } else {
    node.fail("the IANA name of a time zone", "write one such as \"Asia/Shanghai\" or \"UTC\"");
  }
}

void read_cipher(const Node& node, Cipher& out) {
  if (!node.exists()) return;
  std::string name;
  node.read(name);
  for (const auto& known : kCiphers) {
    if (name != known.name) continue;
    out = known.cipher;
    return;
  }
  node.fail("aes-256-gcm or sm4-gcm", "choose one of them");
}

// Starts from the defaults, so that whatever a text leaves out is as it would be without it. The order
// matters where a setting speaks of another: traits name identifier types, a vocabulary names events of
// metrics. Errors do not stop the reading; the first one is reported.
Settings read_settings(const Node& root) {
  Settings settings = Settings::defaults();
  if (!root.is_object()) return settings;
  // "version": of the definition, as GET /api/v1/settings shows it; no setting.
  root.expect_only({"version", "time_zone", "cipher", "identifier_types", "nobody", "personal_fields",
                    "personal_values", "trait_identifiers", "metrics", "vocabulary", "log_retention_bytes"});
  read_time_zone(root.find("time_zone"), settings);
  read_cipher(root.find("cipher"), settings.cipher);
  read_identifier_types(root.find("identifier_types"), settings);
  read_texts(root.find("nobody"), settings.nobody);
  for (auto& entry : settings.nobody) entry = folded_nobody(entry);
  std::erase(settings.nobody, "");
  read_texts(root.find("personal_fields"), settings.personal_fields);
  for (auto& field : settings.personal_fields) field = lowercase(strip(field));
  read_personal_values(root.find("personal_values"), settings);
  read_trait_identifiers(root.find("trait_identifiers"), settings);
  check_traits_are_sealed(root, settings);
  read_metrics(root.find("metrics"), settings.metrics);
  read_vocabulary(root.find("vocabulary"), settings);
  root.find("log_retention_bytes").read({kRetentionMin, kRetentionMax}, settings.log_retention_bytes);
  return settings;
}

void write_texts(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const auto& text : texts) writer.value(text);
  writer.end_array();
}

void write_personal_values(json::Writer& writer, const PersonalValues& values) {
  writer.key("personal_values").begin_object().field("names", values.names).key("seal").begin_array();
  for (const auto kind : {PersonalKind::kPhone, PersonalKind::kEmail, PersonalKind::kIdCard}) {
    if (values.seals(kind)) writer.value(to_string(kind));
  }
  writer.end_array().field("free_text", values.free_text);
  write_texts(writer, "except", values.except);
  writer.end_object();
}

void write_identifier_type(json::Writer& writer, const IdentifierRule& rule) {
  writer.begin_object()
      .field("name", rule.name)
      .field("priority", rule.priority)
      .field("unique", rule.unique)
      .field("weak", rule.weak)
      .field("personal", rule.personal)
      .field("normaliser", to_string(rule.normaliser))
      .field("limit", rule.limit)
      .field("period", period_text(rule.period))
      .field("shared_after", rule.shared_after);
  write_texts(writer, "blocked", rule.blocked);
  writer.end_object();
}

std::string_view kind_name(Metric::Kind kind) {
  return std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.kind == kind; })
      ->name;
}

std::string_view cipher_name(Cipher cipher) {
  return cipher == Cipher::kAes256Gcm ? kCiphers[0].name : kCiphers[1].name;
}

absl::Status refuse(std::string_view what, std::string_view advice) {
  return failure(absl::StatusCode::kFailedPrecondition, "settings: ", what,
                 ", and customers would no longer be found under the tokens they have; ", advice);
}

// A number that both readings take has one token, but for a trunk zero behind a foreign country. So a
// project may go over from `chinese_phone` to `phone`, and not back (docs/decisions/identifier_values.md).
bool may_become(Normaliser from, Normaliser to) {
  return from == to || (from == Normaliser::kChinesePhone && to == Normaliser::kPhone);
}

}  // namespace

std::string settings_to_json(const Settings& settings) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("time_zone", settings.time_zone).field("cipher", cipher_name(settings.cipher));
  writer.key("identifier_types").begin_array();
  for (const auto& rule : settings.identifier_types) write_identifier_type(writer, rule);
  writer.end_array();
  write_texts(writer, "nobody", settings.nobody);
  write_texts(writer, "personal_fields", settings.personal_fields);
  write_personal_values(writer, settings.personal_values);
  writer.key("trait_identifiers").begin_object();
  for (const auto& [trait, type] : settings.trait_identifiers) writer.field(trait, type);
  writer.end_object().key("metrics").begin_array();
  for (const auto& metric : settings.metrics) {
    writer.begin_object().field("kind", kind_name(metric.kind)).field("event", metric.event);
    writer.field("property", metric.property).end_object();
  }
  writer.end_array().key("vocabulary");
  write_vocabulary(settings.vocabulary, writer);
  writer.field("log_retention_bytes", settings.log_retention_bytes).end_object();
  return out;
}

absl::StatusOr<Settings> settings_from_json(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) {
    return failure(absl::StatusCode::kInvalidArgument,
                   "settings are not JSON: ", message_of(document.status()), "; correct the text there");
  }
  Reading reading{"settings"};
  Settings settings = read_settings(Node::root(*document, reading));
  if (!reading.status.ok()) return reading.status;
  return settings;
}

// A token depends on the type's place in the list, on what the normaliser makes of the value, on whether
// the type is personal and on the cipher. When one of these changes, the same value gets another token,
// and the customer who has the old one is not found any more. New types at the end change none of them.
absl::Status check_settings_change(const SettingsChange& change) {
  const auto& [from, to] = change;
  if (from.cipher != to.cipher) {
    return refuse("the cipher would change", "start a new data directory with it and import into that");
  }
  for (size_t i = 0; i < from.identifier_types.size(); ++i) {
    const IdentifierRule& was = from.identifier_types[i];
    const IdentifierRule* is = i < to.identifier_types.size() ? &to.identifier_types[i] : nullptr;
    if (is == nullptr || is->name != was.name) {
      return refuse(cat("identifier type ", was.name, " would no longer be the one at position ", i),
                    "keep the order of the types and add new ones at the end");
    }
    if (!may_become(was.normaliser, is->normaliser) || is->personal != was.personal) {
      return refuse(
          cat("identifier type ", was.name, " would change its normaliser or whether it is personal"),
          "add a new type at the end instead");
    }
  }
  return absl::OkStatus();
}

}  // namespace kehu::codec
