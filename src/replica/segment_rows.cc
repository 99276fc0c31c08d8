#include "replica/segment_rows.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "duck/database.h"
#include "json/writer.h"
#include "rule/value.h"

namespace kehu::replica {
namespace {

using membership::Label;

std::string json_of(rule::Kind kind, const rule::Value& value, const BusinessZone& zone) {
  if (kind == rule::Kind::kSegment) return value.known() ? "true" : "false";
  switch (value.kind) {
    case rule::Value::Kind::kUnknown:
      return "null";
    case rule::Value::Kind::kBool:
      return value.truth ? "true" : "false";
    case rule::Value::Kind::kNumber:
      return sum_to_string(value.number);
    case rule::Value::Kind::kList:
      return value.text;
    default: {
      std::string out;
      json::Writer(out).value(rule::as_text(value, zone).value_or(""));
      return out;
    }
  }
}

std::string_view name_of(rule::Kind kind, bool has_value) {
  if (kind == rule::Kind::kSegment) return has_value ? "entered" : "left";
  return has_value ? "set" : "cleared";
}

lake::SegmentRow row_of(const Label& rule, Sequence sequence, Instant at) {
  return {.sequence = sequence,
          .at = at,
          .kind = rule::to_string(rule.kind),
          .name = rule.name,
          .version = rule.version,
          .customer = {},
          .change = {},
          .value = {}};
}

lake::SegmentRow row_of(const shard::MembershipChange& change) {
  lake::SegmentRow row = row_of(*change.rule, change.sequence, change.change.at);
  row.customer = change.customer;
  row.change = name_of(change.change.kind, change.change.after.known());
  row.value = json_of(change.change.kind, change.change.after, change.rule->zone);
  row.live = change.live;
  return row;
}

lake::SegmentRow row_of(const shard::RuleChange& change) {
  lake::SegmentRow row = row_of(*change.rule, change.sequence, change.at);
  row.change = change.in_force ? "in_force" : "ended";
  row.value = change.in_force ? "true" : "false";
  row.live = change.in_force;
  return row;
}

void number(std::vector<lake::SegmentRow>& rows) {
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].sequence == rows[i - 1].sequence) rows[i].ordinal = rows[i - 1].ordinal + 1;
  }
}

}  // namespace

std::string_view change_name(const shard::MembershipChange& change) {
  return name_of(change.change.kind, change.change.after.known());
}

std::string value_json(const shard::MembershipChange& change) {
  return json_of(change.change.kind, change.change.after, change.rule->zone);
}

std::vector<lake::SegmentRow> segment_rows(const shard::Effects& effects) {
  std::vector<lake::SegmentRow> rows;
  rows.reserve(effects.memberships.size() + effects.rules.size());
  size_t rule = 0;
  const auto add_rules_before = [&](Sequence sequence) {
    for (; rule < effects.rules.size() && effects.rules[rule].sequence < sequence; ++rule) {
      rows.push_back(row_of(effects.rules[rule]));
    }
  };
  for (const shard::MembershipChange& change : effects.memberships) {
    add_rules_before(change.sequence);
    rows.push_back(row_of(change));
  }
  add_rules_before(Sequence(UINT64_MAX));
  number(rows);
  return rows;
}

namespace {

// What the table says, and what it should.
class SegmentLogRepair {
 public:
  SegmentLogRepair(Replica& replica, lake::Lake& lake, Instant now)
      : replica_(replica), lake_(lake), now_(now), labels_(replica.shard().rules().labels()) {}

  absl::Status run() {
    if (auto status = read(); !status.ok()) return status;
    compare_rules();
    const auto compare = [this](CustomerId customer, const membership::Members& members) {
      for (const membership::Members::Entry& entry : members.entries()) this->compare(customer, entry);
    };
    if (auto status = replica_.shard().for_each_member(compare); !status.ok()) return status;
    for (const auto& [key, last] : last_) leave(key, last.value);
    number(rows_);
    return lake_.restore_rows(rows_, replica_.applied());
  }

 private:
  struct Last {
    std::string value;
    Instant at;
  };
  using Key = std::pair<const Label*, Hash128>;  // of a version that there is, and a customer

  const Label* find(std::string_view kind, std::string_view name, Sequence version) const {
    for (const Label& label : *labels_) {
      const bool same = label.version == version && label.name == name && rule::to_string(label.kind) == kind;
      if (same) return &label;
    }
    return nullptr;
  }

  absl::Status read() {
    absl::Status status = lake_.read(
        lake::TableId::kSegmentLog,
        "SELECT kind, name, version, customer_id, arg_max(value, (sequence, ordinal)), "
        "epoch_us(arg_max(time, (sequence, ordinal))) FROM rows "
        "WHERE customer_id <> repeat('0', 32) GROUP BY ALL",
        [this](const duck::Batch& batch, size_t row) {
          const Label* label = find(batch.text(0, row), batch.text(1, row),
                                    Sequence(static_cast<uint64_t>(batch.integer(2, row))));
          const auto customer = Hash128::from_hex(batch.text(3, row));
          if (label != nullptr && customer) {
            last_[{label, *customer}] = {std::string(batch.text(4, row)), Instant(batch.integer(5, row))};
          }
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return lake_.read(
        lake::TableId::kSegmentLog,
        "SELECT kind, name, arg_max(version, (sequence, ordinal)), "
        "arg_max(change, (sequence, ordinal)) FROM rows "
        "WHERE customer_id = repeat('0', 32) GROUP BY ALL",
        [this](const duck::Batch& batch, size_t row) {
          if (batch.text(3, row) != "in_force") return absl::OkStatus();
          known_.push_back({.kind = batch.text(0, row) == "segment" ? rule::Kind::kSegment : rule::Kind::kTag,
                            .name = std::string(batch.text(1, row)),
                            .version = Sequence(static_cast<uint64_t>(batch.integer(2, row)))});
          return absl::OkStatus();
        });
  }

  void compare_rules() {
    in_force_ = replica_.shard().rules_in_force();
    const auto find_in = [](const std::vector<Label>& labels, const Label& wanted) -> const Label* {
      for (const Label& label : labels) {
        if (label.kind == wanted.kind && label.name == wanted.name) return &label;
      }
      return nullptr;
    };
    for (const Label& rule : known_) {
      if (find_in(in_force_, rule) == nullptr) add_rule(rule, now_, false);
    }
    const auto project = replica_.project();
    for (const Label& rule : in_force_) {
      const Label* known = find_in(known_, rule);
      if (known != nullptr && known->version == rule.version) continue;
      const definition::Version* newest = project->find(rule::to_string(rule.kind), rule.name);
      const bool is_newest = newest != nullptr && newest->sequence == rule.version;
      add_rule(rule, is_newest ? newest->time : now_, true);
    }
  }

  void add_rule(const Label& rule, Instant at, bool in_force) {
    rows_.push_back(row_of(
        shard::RuleChange{.rule = &rule, .sequence = replica_.applied(), .at = at, .in_force = in_force}));
  }

  void compare(CustomerId customer, const membership::Members::Entry& entry) {
    const membership::Plan& rules = replica_.shard().rules();
    const auto index = rules.find(entry.rule);
    if (!index) return;
    const Label& label = (*labels_)[*index];
    std::string value = json_of(label.kind, entry.value, label.zone);
    const auto known = last_.find({&label, customer.hash});
    const bool same = known != last_.end() && known->second.value == value;
    const bool since = same && known->second.at == entry.since;
    if (known != last_.end()) last_.erase(known);
    if (since) return;
    // It left meanwhile, and came back.
    if (same && label.kind == rule::Kind::kSegment) {
      add(label, customer.hash, entry.since, false, json_of(label.kind, {}, label.zone));
    }
    add(label, customer.hash, entry.since, true, std::move(value));
  }

  void leave(const Key& key, const std::string& value) {
    const Label& label = *key.first;
    std::string none = json_of(label.kind, {}, label.zone);
    if (value != none) add(label, key.second, now_, false, std::move(none));
  }

  void add(const Label& label, const Hash128& customer, Instant at, bool has_value, std::string value) {
    lake::SegmentRow row = row_of(label, replica_.applied(), at);
    row.customer = CustomerId{customer};
    row.change = name_of(label.kind, has_value);
    row.value = std::move(value);
    const auto index = replica_.shard().rules().find(label.kind, label.name);
    row.live = index && &(*labels_)[*index] == &label && replica_.shard().rules().at(*index).is_live();
    rows_.push_back(std::move(row));
  }

  Replica& replica_;
  lake::Lake& lake_;
  const Instant now_;
  const std::shared_ptr<const membership::Labels> labels_;
  absl::flat_hash_map<Key, Last> last_;
  std::vector<Label> known_, in_force_;
  std::vector<lake::SegmentRow> rows_;
};

}  // namespace

absl::Status restore_segment_log(Replica& replica, lake::Lake& lake, Instant now) {
  return SegmentLogRepair(replica, lake, now).run();
}

}  // namespace kehu::replica
