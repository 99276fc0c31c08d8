#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "aggregate/entries.h"
#include "aggregate/properties.h"
#include "aggregate/ring.h"
#include "aggregate/wire.h"
#include "base/civil_day.h"
#include "base/money.h"
#include "json/text.h"
#include "model/settings.h"

// What the settings' metrics keep of properties.
namespace kehu::aggregate {

// Distinct and top keep this many values, those with the smallest hashes: exact while there are no more, a
// uniform sample beyond (Bar-Yossef et al. 2002, "k minimum values").
inline constexpr size_t kSampledValues = 64;
inline constexpr size_t kTopValueBytes = 64;

// How many different values there were, from the k-th smallest of their 48-bit hashes.
uint64_t estimate_distinct(uint64_t kept, uint64_t largest_kept_hash);

struct SumMetric {
  uint64_t count = 0;
  uint64_t unread = 0;  // values that are no numbers
  Sum sum = 0;
  int64_t min = 0;
  int64_t max = 0;
  Ring<Sum> days;

  void add(Decimal value, CivilDay day);
  void merge(const SumMetric& other);
  void read(WireReader& in);
  void write(WireBuffer& out) const;
};

struct DistinctMetric {
  bool beyond = false;
  std::vector<uint64_t> hashes;  // ascending

  void add(uint64_t hash);
  void merge(const DistinctMetric& other);
  void read(WireReader& in);
  void write(WireBuffer& out) const;
};

struct TopMetric {
  struct Entry {
    uint64_t hash = 0;
    std::string_view text;
    uint64_t count = 0;
  };
  bool beyond = false;
  uint64_t count = 0;          // of all values
  std::vector<Entry> entries;  // by (hash, text)

  // Beyond kTopValueBytes a text is cut at a character.
  void add(std::string_view text);
  void merge(const TopMetric& other);
  void read(WireReader& in);
  void write(WireBuffer& out) const;

 private:
  void add(const Entry& entry);
};

// Only the member of its kind means something. Texts are views into what was read or added.
struct MetricState {
  Metric::Kind kind = Metric::Kind::kSum;
  SumMetric sum;
  DistinctMetric distinct;
  TopMetric top;

  void start(Metric::Kind of_kind);
  // False when it is no value for this kind: nothing, or no text.
  bool add(const json::RawValue& value, CivilDay day, TextPool& pool);
  // False when the kinds differ.
  bool merge(const MetricState& other);
  bool read(std::string_view payload);
  void write(WireBuffer& out) const;
};

class MetricSection {
 public:
  struct Addition {
    NameId metric;
    Metric::Kind kind;
    absl::Span<const json::RawValue> values;
    CivilDay day;
  };
  // Writes `section` + the values to `out`; false on damage.
  bool fold(std::string_view section, const Addition& addition, TextPool& pool, WireBuffer& out);
  bool merge(std::string_view a, std::string_view b, WireBuffer& out);

 private:
  MetricState state_;
  MetricState second_;
  WireBuffer payload_;
  WireBuffer body_;
};

}  // namespace kehu::aggregate
