#include <algorithm>

#include "base/text.h"
#include "document/segment_document.h"
#include "notation/format.h"
#include "text/near_word.h"

namespace kehu::document {
namespace {

using membership::RuleVersion;

std::string share_text(const measure::MeasuredCheck::Point& point) {
  const Sum share = point.compared == 0
                        ? Sum{0}
                        : rule::divided(Sum{static_cast<int64_t>(point.agreed)} * Decimal::kScale,
                                        static_cast<int64_t>(point.compared));
  return sum_to_string(share);
}

void write_point(json::Writer& writer, const measure::MeasuredCheck::Point& point) {
  writer.field("as_of", format_utc(point.as_of)).field("compared", point.compared);
  writer.field("agreed", point.agreed);
  if (point.compared > 0) writer.raw_field("share", share_text(point));
}

// Of nobody whose facts could be compared nothing is known, and that is no reason for trust.
std::string_view state_of(const measure::MeasuredCheck* known) {
  if (known == nullptr) return "measuring";
  if (known->quarantined) return "quarantined";
  return known->points.back().compared == 0 ? "not compared yet" : "trusted";
}

void write_check(json::Writer& writer, replica::Replica& replica, const RuleVersion& check, bool history) {
  const rule::Definition& definition = check.definition;
  const measure::MeasuredCheck* known = replica.shard().measurements().check(shard::Shard::check_key(check));
  writer.begin_object().field("name", definition.name).field("version", check.version.value());
  if (definition.body.of[0].op == rule::Op::kListValue) {
    writer.field("list", definition.body.of[0].text);
  } else {
    writer.field("trait", definition.body.of[0].text).field("source", definition.body.text);
  }
  writer.raw_field("at_least", definition.body.number.to_string());
  writer.field("state", state_of(known));
  if (!definition.owner.empty()) writer.field("owner", definition.owner);
  if (!definition.description.empty()) writer.field("description", definition.description);
  writer.field("time_zone", check.zone);
  writer.field("rule", notation::format(definition.body, notation::Language::kEnglish));
  if (known != nullptr) {
    writer.key("measured").begin_object();
    write_point(writer, known->points.back());
    writer.field("took_ms", known->took.micros() / 1000).end_object();
  }
  if (known != nullptr && history) {
    writer.key("history").begin_array();
    for (const auto& point : known->points) {
      writer.begin_object();
      write_point(writer, point);
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
}

}  // namespace

void write_quarantine(json::Writer& writer, const shard::Shard::Quarantine& quarantine) {
  writer.begin_object().field("check", quarantine.check);
  if (!quarantine.list) writer.field("source", quarantine.source);
  write_point(writer, quarantine.last);
  writer.raw_field("at_least", quarantine.least.to_string()).end_object();
}

std::string checks_document(replica::Replica& replica) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("checks").begin_array();
  for (const RuleVersion& check : replica.shard().checks()) write_check(writer, replica, check, false);
  writer.end_array().end_object();
  return out;
}

absl::StatusOr<std::string> check_document(replica::Replica& replica, std::string_view name) {
  std::vector<std::string> names;
  for (const RuleVersion& check : replica.shard().checks()) {
    names.push_back(check.definition.name);
    if (names.back() != name) continue;
    std::string out;
    json::Writer writer(out);
    write_check(writer, replica, check, true);
    return out;
  }
  return failure(absl::StatusCode::kNotFound, "there is no check ", name, text::did_you_mean(name, names));
}

}  // namespace kehu::document
