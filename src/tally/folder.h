#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "aggregate/wire.h"
#include "tally/amounts.h"
#include "tally/end_values.h"
#include "tally/moments.h"
#include "tally/plan.h"
#include "tally/steps.h"
#include "tally/texts.h"

// The tallies of a part, as bytes (docs/formats/customer.md): for each that has counted something, in the
// order of ids, varint id less the one before, and its payload as a text. The empty string: nothing was
// counted. Like parts they are a commutative monoid: any order of folds and merges gives the same bytes.
namespace kehu::tally {

// What one tally holds. Only the member of its kind means something.
struct State {
  Amounts amounts;
  Texts texts;
  EndValues ends;
  Moments moments;
  Steps steps;

  // Empty on damage, and false.
  bool read(const Counter& counter, std::string_view payload);
  bool merge(const Counter& counter, const State& other);
  void write(const Counter& counter, aggregate::WireBuffer& out) const;

 private:
  bool read_payload(const Counter& counter, std::string_view payload);
};

// One tally's payload after the other.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : in_(bytes) {}
  // False at the end and on damage.
  bool next(TallyId& id, std::string_view& payload);
  bool failed() const { return in_.failed(); }

 private:
  aggregate::WireReader in_;
  uint32_t last_ = 0;
};

// Folds events into tallies. Keeps scratch memory: one per thread.
class Folder {
 public:
  // Writes tallies + event to `out`, which must not hold `bytes`. Tallies that the plan does not know any
  // more are left out. Answers whether the event counted for any; if not, `out` is unspecified. DataLoss on
  // damage.
  absl::StatusOr<bool> fold(const Plan& plan, std::string_view bytes, const Seen& seen, std::string& out);
  // Which tallies that fold has changed; by index, in order.
  const std::vector<uint32_t>& counted() const { return counted_; }
  // Those of them that somebody may be answered otherwise by, if these are all tallies of a customer: among
  // those of other parts an event that is the newest here may be one of the past.
  const std::vector<uint32_t>& moved() const { return moved_; }
  // What it has made of one that has moved; nullptr: it has not.
  const State* find(uint32_t index) const {
    return std::ranges::binary_search(moved_, index) ? &states_[index] : nullptr;
  }
  // Writes a + b. DataLoss on damage.
  absl::Status merge(const Plan& plan, std::string_view a, std::string_view b, std::string& out);

 private:
  bool counts(const Plan& plan, const Counter::Selector& selector, const Seen& seen);
  // What an event did to a tally.
  enum class Done : uint8_t { kNothing, kCounted, kMoved };
  bool is_wanted(const Plan& plan, const Counter& counter, const Seen& seen);
  bool is_appended(const Counter& counter, const Seen& seen, std::string_view payload);
  Done add(const Counter& counter, const Seen& seen, State& state);
  Done add_step(const Counter& counter, const Seen& seen, State& state);
  void put(TallyId id, std::string_view payload);

  enum class Answer : uint8_t { kNotAsked, kNo, kYes };
  std::vector<Answer> answers_;  // of conditions, for the event at hand
  std::vector<uint64_t> keys_;   // of one event in a sequence
  uint8_t mask_ = 0;             // which steps of a sequence it is
  std::deque<State> states_;     // by index of the plan
  std::vector<uint32_t> counted_;
  std::vector<uint32_t> moved_;
  State state_, second_;
  aggregate::WireBuffer payload_;
  aggregate::WireBuffer body_;
  uint32_t last_ = 0;
};

using Specs = std::vector<std::pair<TallyId, Spec>>;

// The tallies of one part, counted by a plan of their own: from its events, and, those of `given`, which are
// kAmounts, from what somebody else has added up.
class PartCounter {
 public:
  explicit PartCounter(const Specs& counted, const Specs& given = {});
  PartCounter(const PartCounter&) = delete;

  absl::Status add(const Event& event, std::string_view source);
  // Of the events of one granule, for given[which].
  void add(size_t which, int64_t number, const Amount& amount);
  // What was counted since it began, or since clear(); valid until the next call.
  absl::StatusOr<std::string_view> tallies();
  void clear();

 private:
  property::FieldPlan fields_, all_fields_;
  Plan plan_;
  Plan all_;  // with the given ones
  Folder folder_;
  property::EventFields values_;
  std::string counted_, folded_;
  struct Given {
    TallyId id;
    Spec spec;
    Amounts amounts = {};
  };
  std::vector<Given> given_;    // by id
  std::vector<size_t> places_;  // of given[which] there
  aggregate::WireBuffer body_, payload_;
  std::string given_bytes_;
};

}  // namespace kehu::tally
