#include <algorithm>
#include <map>

#include "base/text.h"
#include "document/customer_document.h"
#include "document/segment_document.h"
#include "json/writer.h"
#include "os/clock.h"
#include "rule/percentile.h"
#include "seal/opener.h"
#include "translation/tagged.h"
#include "trial/trial.h"
#include "trial/warnings.h"

namespace kehu::trial {
namespace {

constexpr size_t kExamples = 10;
constexpr size_t kValues = 20;
constexpr size_t kValuesCounted = 100'000;

// Who has which value.
struct Values {
  std::map<std::string, uint64_t, std::less<>> counts;  // by the value as stored in answers
  uint64_t others = 0;                                  // of values beyond those that are counted
  uint64_t size = 0;
  std::vector<CustomerId> examples;

  void add(CustomerId customer, std::string_view value) {
    ++size;
    if (examples.size() < kExamples) examples.push_back(customer);
    const auto at = counts.find(value);
    if (at != counts.end()) {
      ++at->second;
    } else if (counts.size() < kValuesCounted) {
      counts.emplace(value, 1);
    } else {
      ++others;
    }
  }
};

void write_values(json::Writer& writer, const Values& values, const BusinessZone& zone) {
  std::vector<std::pair<uint64_t, std::string_view>> frequent;
  for (const auto& [value, count] : values.counts) frequent.emplace_back(count, value);
  std::ranges::stable_sort(frequent, [](const auto& a, const auto& b) { return a.first > b.first; });
  writer.key("values").begin_array();
  for (size_t i = 0; i < std::min(kValues, frequent.size()); ++i) {
    writer.begin_object();
    document::write_value(writer, "value", translation::untagged(frequent[i].second), zone);
    writer.field("size", frequent[i].first).end_object();
  }
  writer.end_array();
}

std::vector<CustomerId> without(const std::vector<CustomerId>& all, const std::vector<CustomerId>& others) {
  std::vector<CustomerId> left;
  std::ranges::set_difference(all, others, std::back_inserter(left));
  return left;
}

std::vector<CustomerId> first(const std::vector<CustomerId>& all) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(kExamples, all.size()))};
}

}  // namespace

// An array of {"customer_id", "identifiers"}, personal values masked.
absl::StatusOr<std::string> Trial::with_identifiers(const std::vector<CustomerId>& customers) {
  return engine_.ask<std::string>([&](replica::Replica& replica) {
    const auto project = replica.project();
    seal::Opener opener(engine_.key(), engine_.ring());
    std::string out;
    json::Writer writer(out);
    writer.begin_array();
    for (const CustomerId customer : customers) {
      writer.begin_object().field("customer_id", customer.hash.hex());
      document::write_identifiers(writer, replica.shard().identities().identifiers_of(customer),
                                  *project->settings(), opener);
      writer.end_object();
    }
    writer.end_array();
    return out;
  });
}

// As the survey would once the rule were saved. What a rule in force has had measured stays as it is: saved,
// the rule would share it.
absl::StatusOr<std::map<std::string, rule::Cuts, std::less<>>> Trial::measure(
    const RulesInForce& rules, const query::RuleQuestion& question) {
  std::map<std::string, rule::Cuts, std::less<>> measured;
  for (const rule::Measure& number : rule::measures_of(*question.rule, question.zone.name())) {
    if (rules.cuts.contains(number.key)) continue;
    query::RuleQuestion asked = question;
    asked.rule = &number.number;
    asked.answer = translation::Answer::kNumber;
    auto spread = session().spread_of(asked);
    if (!spread.ok()) return spread.status();
    measured.emplace(number.key, std::move(spread->cuts));
  }
  return measured;
}

absl::StatusOr<std::string> Trial::preview(const PreviewRequest& request) {
  const Duration began = os::system_clock().monotonic();
  if (auto status = begin(); !status.ok()) return status;
  const auto rules = rules_in_force();
  if (!rules.ok()) return rules.status();
  const auto settings = engine_.project()->settings();
  const auto warnings = warnings_of(engine_, request.definition);
  if (!warnings.ok()) return warnings.status();
  const BusinessZone zone = BusinessZone::load(request.definition.time_zone).value_or(settings->zone);
  query::RuleQuestion question = this->question(*rules, request.definition, zone);
  question.now = engine_.clock().now();
  question.everybody = rules->customers;
  const auto cuts = measure(*rules, question);
  if (!cuts.ok()) return cuts.status();
  question.cuts = [&cuts, known = rules->measured()](std::string_view key) {
    const auto at = cuts->find(key);
    return at == cuts->end() ? known(key) : &at->second;
  };

  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const auto write_size = [&](uint64_t size, const std::vector<CustomerId>& examples) -> absl::Status {
    const auto documents = with_identifiers(examples);
    if (!documents.ok()) return documents.status();
    writer.field("size", size).raw_field("examples", *documents);
    return absl::OkStatus();
  };
  if (!request.segment.empty()) {
    const auto edited = rules->get(rule::Kind::kSegment, request.segment);
    if (!edited.ok()) return edited.status();
    std::vector<CustomerId> then;
    auto status = session().each_answer(question, [&](CustomerId customer, auto) {
      then.push_back(customer);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    std::ranges::sort(then);
    const auto now = members((*edited)->id);
    if (!now.ok()) return now.status();
    if (status = write_size(then.size(), first(then)); !status.ok()) return status;
    writer.field("segment", request.segment).field("members", now->size());
    for (const auto& [name, customers] :
         {std::pair("enter", without(then, *now)), std::pair("leave", without(*now, then))}) {
      writer.key(name).begin_object();
      if (status = write_size(customers.size(), first(customers)); !status.ok()) return status;
      writer.end_object();
    }
  } else if (request.definition.kind == rule::Kind::kTag) {
    Values values;
    auto status =
        session().each_answer(question, [&](CustomerId customer, std::optional<std::string_view> value) {
          if (value) values.add(customer, *value);
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    if (status = write_size(values.size, values.examples); !status.ok()) return status;
    write_values(writer, values, zone);
  } else {
    const auto size = session().size_of(question, kExamples);
    if (!size.ok()) return size.status();
    if (auto status = write_size(size->customers, size->examples); !status.ok()) return status;
  }
  write_warnings(writer, *warnings);
  writer.field("took_ms", (os::system_clock().monotonic() - began).micros() / 1000);
  writer.field("as_of", format_utc(question.now)).end_object();
  return out;
}

}  // namespace kehu::trial
