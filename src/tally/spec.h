#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "rule/tree.h"
#include "rule/window.h"

// What is counted of a customer's events, so that rules can be asked at any time without them.
namespace kehu::tally {

// Given once, in the order in which rules came; what is counted under it never changes.
using TallyId = Strong<struct TallyTag, uint32_t>;

enum class Kind : uint8_t {
  kAmounts = 1,    // how many, when first and last; of numbers their sum, least and greatest (amounts.h)
  kTexts = 2,      // how often each text (texts.h)
  kEndValues = 3,  // the first and the last value (end_values.h)
  kMoments = 4,    // when the first n were (moments.h)
  kSteps = 5,      // the newest events of a sequence's steps (steps.h)
};

// What one tally counts. Rules that ask for the same share it.
struct Spec {
  Kind kind = Kind::kAmounts;
  rule::Node events = {};                   // kEvents; of kSteps the sequence, without its window
  std::string path = {};                    // of the values; empty: the events themselves
  std::optional<rule::Extent> period = {};  // only events of this time
  // A number for each granule, for windows that slide. kNone: only totals.
  rule::Granule granule = rule::Granule::kNone;
  uint32_t length = 0;    // how many granules a window may reach back
  bool extremes = false;  // the least and the greatest of numbers
  bool ends = false;      // the first and the last moment of each granule
  uint32_t first = 0;     // of kMoments: how many
  std::string zone = {};

  // Equal exactly for specs that count the same.
  std::string key() const;
};

// Finds the specs that can answer for one: amounts of the same events in as many granules or more, of which
// it may need none. Its key is made once, however many are tried.
class Cover {
 public:
  explicit Cover(const Spec& spec);  // which outlives it
  Cover(const Cover&) = delete;
  // The spec with this key, if whatever is asked of the one can be answered by it as well.
  std::optional<Spec> by(std::string_view key) const;
  const std::string& key() const { return key_; }

 private:
  const Spec& spec_;
  const std::string key_;
  size_t head_ = 0;        // bytes of the key in front of the granule
  std::string_view tail_;  // behind the flags
};

// What an aggregate of a rule (tree.h: kDid to kInterval, kSequence, kStage) is computed from: one spec; of a
// share two, that of the events with the condition first.
std::vector<Spec> specs_of(const rule::Node& aggregate, const std::string& zone);

// A text that is equal for equal trees (comments aside), for ever.
std::string name_of(const rule::Node& node);

}  // namespace kehu::tally
