#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "tally/spec.h"

namespace kehu::tally {

// How often each text came, in total and by granule. Keeps the kTexts texts with the smallest hashes: exact
// while there are no more, a uniform sample beyond (Bar-Yossef et al. 2002, "k minimum values"). A text once
// pushed out can never come back, so what is kept has missed nothing.
class Texts {
 public:
  static constexpr size_t kTexts = 256;

  struct Bucket {
    int64_t number = 0;
    uint64_t count = 0;
  };
  struct Entry {
    uint64_t hash = 0;      // 48 bits
    std::string text = {};  // at most rule::kValueBytes
    uint64_t count = 0;
    std::vector<Bucket> buckets = {};  // newest first
  };

  void clear();
  bool empty() const { return entries_.empty(); }
  // Whether texts were pushed out.
  bool beyond() const { return beyond_; }
  const std::vector<Entry>& entries() const { return entries_; }  // by (hash, text)

  void add(const Spec& spec, std::string_view text, int64_t number);
  void merge(const Spec& spec, const Texts& other);
  // False on damage.
  bool read(const Spec& spec, std::string_view payload);
  void write(const Spec& spec, aggregate::WireBuffer& out) const;

 private:
  Entry& entry_of(uint64_t hash, std::string_view text);
  void settle(const Spec& spec);

  std::vector<Entry> entries_;
  bool beyond_ = false;
  int64_t newest_ = INT64_MIN;  // of all granules, also of texts that were pushed out
};

}  // namespace kehu::tally
