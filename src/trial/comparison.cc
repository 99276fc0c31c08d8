#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "document/segment_document.h"
#include "json/writer.h"
#include "membership/keeper.h"
#include "os/clock.h"
#include "replica/replica.h"
#include "translation/tagged.h"
#include "trial/trial.h"

// In two steps, since the state goes on while the archive is read. The first finds who may be different, from
// members at one moment or another and owners and traits of about now. The second takes a hundred of them at
// a time as they are at one record: their answers, parts and traits, and asks the archive up to that record.
namespace kehu::trial {
namespace {

using rule::Value;

constexpr size_t kExaminedMost = 1000;
constexpr size_t kAtOnce = 100;
constexpr size_t kExamples = 20;  // of each direction
constexpr size_t kTagsAtOnce = 512;
constexpr Duration kTimeLimit = Duration::hours(1);

// Somebody at one record.
struct Live {
  Value value;
  bool skipped = false;  // is no more, or time or a measurement has changed something that is not applied yet
};
struct LiveSome {
  std::vector<Live> live;
  std::vector<query::RuleQuestion::Customer> customers;
  RulesInForce rules;  // with what was measured by then
};

void add_traits(replica::Replica& replica, query::RuleQuestion::Customer& customer) {
  const auto profile = replica.shard().profile(customer.id, replica.tick());
  if (!profile.ok()) return;
  const auto project = replica.project();
  std::string traits, origins;
  json::Writer values(traits), stamps(origins);
  values.begin_object();
  stamps.begin_object();
  for (const TraitView& trait : profile->traits) {
    if (replica.shard().quarantine_of(trait.name, project->name_of(trait.source)) != nullptr) continue;
    values.raw_field(trait.name, trait.value);
    stamps.key(trait.name).begin_object().field("time", std::to_string(trait.time.micros()));
    stamps.field("source", project->name_of(trait.source)).end_object();
  }
  values.end_object();
  stamps.end_object();
  customer.traits = std::move(traits);
  customer.origins = std::move(origins);
}

// Texts of tags are kept up to a length.
std::optional<std::string> comparable(const Value& value, const BusinessZone& zone) {
  auto text = rule::as_text(value, zone);
  const bool is_cut = value.kind != Value::Kind::kList;
  if (text && is_cut) text = std::string(cut_utf8(*text, membership::kTagBytes));
  return text;
}

}  // namespace

class Comparison {
 public:
  Comparison(Trial& trial, const RulesInForce& rules, const RulesInForce::Rule& rule)
      : trial_(trial), rules_(rules), rule_(rule) {}

  absl::Status run() {
    const absl::Status found = is_segment() ? find_members() : find_values();
    if (!found.ok()) return found;
    examined_ = std::min(candidates_.size(), kExaminedMost);
    for (size_t i = 0; i < examined_; i += kAtOnce) {
      const size_t end = std::min(examined_, i + kAtOnce);
      const std::vector<CustomerId> some(candidates_.begin() + static_cast<std::ptrdiff_t>(i),
                                         candidates_.begin() + static_cast<std::ptrdiff_t>(end));
      if (auto status = examine(some); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void write(json::Writer& writer) const {
    writer.field("live", live_).field("computed", computed_).field("differences", differences_);
    writer.field("unexamined", candidates_.size() - examined_).key("examples").begin_array();
    for (const std::vector<Difference>* list : {&only_live_, &others_}) {
      for (const Difference& one : *list) {
        writer.begin_object().field("customer_id", one.customer.hash.hex());
        write_answer(writer, "live", one.live);
        write_answer(writer, "computed", one.computed);
        writer.end_object();
      }
    }
    writer.end_array();
  }

 private:
  struct Difference {
    CustomerId customer;
    Value live, computed;
  };

  bool is_segment() const { return rule_.definition.kind == rule::Kind::kSegment; }

  void write_answer(json::Writer& writer, std::string_view name, const Value& value) const {
    if (is_segment()) {
      writer.field(name, rule::as_bool(value).value_or(false));
    } else {
      document::write_value(writer, name, value, rule_.zone);
    }
  }

  query::RuleQuestion question(Instant now) const {
    query::RuleQuestion question = trial_.question(rules_, rule_.definition, rule_.zone);
    question.now = now;
    question.time_limit = kTimeLimit;
    return question;
  }

  absl::Status find_members() {
    std::vector<CustomerId> computed;
    auto status = trial_.session().each_answer(question(rules_.tick), [&](CustomerId customer, auto) {
      computed.push_back(customer);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    std::ranges::sort(computed);
    const auto live = trial_.members(rule_.id);
    if (!live.ok()) return live.status();
    live_ = live->size();
    computed_ = computed.size();
    std::ranges::set_symmetric_difference(*live, computed, std::back_inserter(candidates_));
    return absl::OkStatus();
  }

  absl::Status find_values() {
    std::vector<std::pair<CustomerId, Value>> some;
    const auto look = [&] {
      const absl::Status status = compare_live(some);
      some.clear();
      return status;
    };
    auto status = trial_.session().each_answer(
        question(rules_.tick), [&](CustomerId customer, std::optional<std::string_view> value) {
          some.emplace_back(customer, value ? translation::untagged(*value) : Value());
          return some.size() < kTagsAtOnce ? absl::OkStatus() : look();
        });
    return status.ok() ? look() : status;
  }

  absl::Status compare_live(const std::vector<std::pair<CustomerId, Value>>& some) {
    auto live = trial_.engine_.ask<std::vector<Value>>([&](replica::Replica& replica) {
      std::vector<Value> values;
      for (const auto& [customer, computed] : some) {
        const auto members = replica.shard().members(customer);
        const auto* entry = members.ok() ? members->find(rule_.id) : nullptr;
        values.push_back(entry == nullptr ? Value() : entry->value);
      }
      return values;
    });
    if (!live.ok()) return live.status();
    for (size_t i = 0; i < some.size(); ++i) {
      live_ += (*live)[i].known();
      computed_ += some[i].second.known();
      if (!same((*live)[i], some[i].second)) candidates_.push_back(some[i].first);
    }
    return absl::OkStatus();
  }

  bool same(const Value& live, const Value& computed) const {
    if (is_segment()) return rule::as_bool(live).value_or(false) == rule::as_bool(computed).value_or(false);
    // What a kept value was before is not in the events.
    if (!computed.known() && rule_.definition.keep_when_empty) return true;
    return comparable(live, rule_.zone) == comparable(computed, rule_.zone);
  }

  absl::StatusOr<LiveSome> at_one_record(const std::vector<CustomerId>& customers, bool traits) {
    return trial_.engine_.ask<LiveSome>([this, &customers, traits](replica::Replica& replica) {
      LiveSome some{.live = {}, .customers = {}, .rules = replica::rules_in_force(replica)};
      // While all are asked again, some were not yet.
      const auto* known = replica.shard().registry().find(rule_.id);
      const bool asking = known == nullptr || known->asking_since != Sequence();
      for (const CustomerId customer : customers) {
        const auto members = replica.shard().members(customer);
        const auto parts = replica.shard().parts(customer);
        Live live;
        live.skipped =
            asking || !members.ok() || !parts.ok() || parts->empty() || members->due() <= some.rules.tick;
        if (!live.skipped) {
          if (const auto* entry = members->find(rule_.id)) live.value = entry->value;
        }
        some.live.push_back(std::move(live));
        some.customers.push_back({.id = customer, .parts = parts.ok() ? *parts : std::vector<Token>()});
        if (traits) add_traits(replica, some.customers.back());
      }
      return some;
    });
  }

  absl::Status examine(const std::vector<CustomerId>& customers) {
    auto some = at_one_record(customers, query::asks_traits(question(rules_.tick)));
    if (!some.ok()) return some.status();
    if (!trial_.engine_.wait_archived(Duration::seconds(60)))
      return absl::UnavailableError("the archive is behind");
    query::RuleQuestion question = this->question(some->rules.tick);
    question.cuts = some->rules.measured();
    question.customers = some->customers;
    question.up_to = some->rules.position;
    std::vector<std::pair<CustomerId, Value>> computed;
    const absl::Status asked = trial_.session().each_answer(
        question, [&](CustomerId customer, std::optional<std::string_view> value) {
          computed.emplace_back(customer, is_segment() ? Value::of(true)
                                          : value      ? translation::untagged(*value)
                                                       : Value());
          return absl::OkStatus();
        });
    if (!asked.ok()) return asked;
    for (size_t i = 0; i < customers.size(); ++i) {
      if (some->live[i].skipped) continue;
      const auto at = std::ranges::find(computed, customers[i], &std::pair<CustomerId, Value>::first);
      note({customers[i], some->live[i].value, at == computed.end() ? Value() : at->second});
    }
    return absl::OkStatus();
  }

  void note(Difference difference) {
    if (same(difference.live, difference.computed)) return;
    ++differences_;
    std::vector<Difference>& list = difference.live.known() ? only_live_ : others_;
    if (list.size() < kExamples) list.push_back(std::move(difference));
  }

  Trial& trial_;
  const RulesInForce& rules_;
  const RulesInForce::Rule& rule_;
  uint64_t live_ = 0;
  uint64_t computed_ = 0;
  std::vector<CustomerId> candidates_;
  size_t examined_ = 0;
  uint64_t differences_ = 0;
  std::vector<Difference> only_live_;  // or with another value
  std::vector<Difference> others_;
};

absl::StatusOr<std::string> Trial::compare(const ComparisonRequest& request) {
  const Duration began = os::system_clock().monotonic();
  if (auto status = begin(); !status.ok()) return status;
  const auto rules = rules_in_force();
  if (!rules.ok()) return rules.status();
  const auto rule = rules->get(request.kind, request.name);
  if (!rule.ok()) return rule.status();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field(rule::to_string(request.kind), request.name);
  writer.field("state", (*rule)->live ? "live" : "backfilling").field("version", (*rule)->version.value());
  const bool by_statement = (*rule)->definition.body.op == rule::Op::kSql;
  if (by_statement)
    writer.field("compared", false).field("reason", "a statement fills the tag, no event does");
  if ((*rule)->live && !by_statement) {
    Comparison comparison(*this, *rules, **rule);
    if (auto status = comparison.run(); !status.ok()) return status;
    comparison.write(writer);
  }
  writer.field("took_ms", (os::system_clock().monotonic() - began).micros() / 1000);
  writer.field("as_of", format_utc(rules->tick)).end_object();
  return out;
}

}  // namespace kehu::trial
