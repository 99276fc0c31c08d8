#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "base/time.h"
#include "json/text.h"
#include "rule/percentile.h"
#include "rule/tree.h"
#include "rule/value.h"
#include "tally/spec.h"
#include "tally/totals.h"
#include "text/pattern.h"

namespace kehu::membership {

// A value, and until when it stays the same if nothing happens. The moment may be too early, never too late:
// whoever asks again then is told the next one.
struct Answer {
  rule::Value value = {};
  Instant until = kLastInstant;
};

// One customer, as a program asks it.
class Asked {
 public:
  virtual ~Asked() = default;
  virtual Instant now() const = 0;
  virtual tally::Totals& totals() = 0;
  // What an operator that asks_trait() or asks_list() comes to: a path into the traits as they are, where one
  // came from, or what a list says.
  virtual rule::Value trait(rule::Op op, std::string_view path) = 0;
  // What another rule has come to, by its index in the plan.
  virtual rule::Value result(uint32_t rule) = 0;
  // What was last measured of a number, by its key; nullptr: nothing yet.
  virtual const rule::Cuts* cuts(std::string_view key) = 0;
};

// Which way one more event can move the truth of a condition: a number of events only grows, so "at least
// three" can become true by it and not cease to be. Bits, so that those of several parts add up.
enum class Drift : uint8_t { kNone = 0, kRises = 1, kFalls = 2, kEither = 3 };

constexpr Drift operator|(Drift a, Drift b) {
  return static_cast<Drift>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}

// A rule, compiled: what it is worth for a customer, computed from tallies (docs/rules.md).
class Program {
 public:
  // Where the compiler finds what a rule names.
  struct Names {
    std::function<uint32_t(const tally::Spec&)> tally;  // its index in the tally::Plan
    std::function<std::optional<uint32_t>(rule::Kind, std::string_view)> rule;  // its index
  };
  Program(const rule::Node& expression, const std::string& zone, const Names& names);

  Answer answer(Asked& asked) const;

  // By an event that these tallies may count; they are in order.
  Drift drift(absl::Span<const uint32_t> counted) const { return drift(root_, counted); }

  const std::vector<uint32_t>& tallies() const { return tallies_; }
  const std::vector<uint32_t>& rules() const { return rules_; }
  bool asks_traits() const { return asks_traits_; }
  // Nothing here computes its value: a statement does, now and then.
  bool is_batch() const { return root_.op == rule::Op::kSql; }
  // Keys of numbers whose cuts it asks for, each once.
  const std::vector<std::string>& measures() const { return measures_; }
  // Uploaded lists that it names, each once.
  const std::vector<std::string>& lists() const { return lists_; }

 private:
  friend class Run;
  struct Step {
    rule::Op op;
    std::string text = {};
    rule::Value constant = {};
    bool may_be_list = false;
    bool takes_lists = false;             // one of its operands may be one
    rule::Type type = rule::Type::kText;  // what the step before it is compared with it as
    rule::Span span = {};
    rule::Window window = {};
    uint32_t number = 0;                 // of kNth and kTopN; the index of another rule
    std::vector<uint32_t> tallies = {};  // of a function of events
    // Of its window; a tally may have granules although it has none.
    rule::Granule granule = rule::Granule::kNone;
    std::vector<std::string> names = {};  // of a stage's steps
    std::optional<text::Pattern> pattern = {};
    std::vector<Step> of = {};
  };
  static Drift drift(const Step& step, absl::Span<const uint32_t> counted);
  Step compile(const rule::Node& node, const std::string& zone_name, const Names& names);
  Step compile_between(const rule::Node& node, const std::string& zone_name, const Names& names);

  BusinessZone zone_;
  Step root_;
  std::vector<uint32_t> tallies_;
  std::vector<uint32_t> rules_;
  std::vector<std::string> measures_;
  std::vector<std::string> lists_;
  bool asks_traits_ = false;
};

}  // namespace kehu::membership
