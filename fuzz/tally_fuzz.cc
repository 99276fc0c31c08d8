// Any bytes as what the rules have counted of a part: reading, folding, merging and asking answer, with a
// status or a value; what was written can be read, and is written the same again.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "membership/program.h"
#include "notation/parse.h"
#include "tally/folder.h"
#include "tally/totals.h"

namespace {

using namespace kehu;

constexpr std::string_view kRules[] = {
    R"(count("A", last 10 minutes) >= 3)",
    R"(avg(p of "A", last 36 hours) > 2)",
    R"(max(p of "A", previous month) - min(p of "A") > 2)",
    R"(distinct(p of "A") > 2)",
    R"(top(p of "A", last 7 days) = "x")",
    R"(last(p of "A", yesterday) = first(p of "A"))",
    R"(days_since(nth(2, "A")) >= 7)",
    R"(interval("A", this week) > 1)",
    R"(active_days("A", last 3 months) > 1)",
    R"(sequence("A" then not "B" within 10 minutes))",
    R"(sequence("A" then "B" then "A" by p within 2 days, last 30 days))",
    R"(stage("A" then "B", last 7 days) = "B")",
    R"(share("A" where p > 1, last 40 days) > 0.5)",
};

class Rules {
 public:
  Rules() {
    const membership::Program::Names names{
        .tally = [this](const tally::Spec& spec) { return index_of(spec); },
        .rule = [](rule::Kind, std::string_view) { return std::nullopt; }};
    for (const std::string_view text : kRules) {
      rule::Node node;
      KEHU_CHECK(!notation::parse_expression(text, node));
      programs.emplace_back(node, "Asia/Shanghai", names);
    }
    plan = tally::Plan(specs_, fields);
  }

  std::vector<membership::Program> programs;
  property::FieldPlan fields;
  tally::Plan plan;

 private:
  uint32_t index_of(const tally::Spec& spec) {
    const auto [at, is_new] = indexes_.try_emplace(spec.key(), static_cast<uint32_t>(specs_.size()));
    if (is_new) specs_.emplace_back(tally::TallyId(at->second + 1), spec);
    return at->second;
  }

  std::map<std::string, uint32_t> indexes_;
  std::vector<std::pair<tally::TallyId, tally::Spec>> specs_;
};

class Customer final : public membership::Asked {
 public:
  Customer(const Rules& rules, absl::Span<const std::string_view> parts) { totals_.open(rules.plan, parts); }
  Instant now() const override { return Instant::from_seconds(1'793'404'800); }
  tally::Totals& totals() override { return totals_; }
  rule::Value trait(rule::Op, std::string_view) override { return {}; }
  rule::Value result(uint32_t) override { return {}; }
  const rule::Cuts* cuts(std::string_view) override { return nullptr; }

 private:
  tally::Totals totals_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Rules rules;
  static tally::Folder folder;
  const std::string_view part(reinterpret_cast<const char*>(data), size);

  Event event;
  event.name = "A";
  event.time = Instant::from_seconds(1'793'404'000);
  event.properties = R"({"p":3})";
  event.traits = event.context = "{}";
  property::EventFields fields;
  fields.read(rules.fields.of(event.name_id(), event.source), event.properties);
  std::string folded, merged, again;
  const auto counted = folder.fold(rules.plan, part, {event, fields, "shop"}, folded);
  if (folder.merge(rules.plan, part, "", merged).ok()) {
    KEHU_CHECK(folder.merge(rules.plan, merged, "", again).ok() && again == merged);
    KEHU_CHECK(!counted.ok() || !*counted || folder.merge(rules.plan, folded, folded, again).ok());
  }
  const std::string_view parts[] = {part, part};
  Customer customer(rules, parts);
  for (const membership::Program& program : rules.programs) {
    KEHU_CHECK(program.answer(customer).until > Instant());
  }
  return 0;
}
