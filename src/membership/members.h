#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "rule/value.h"

// Who is in which segment and has which tags, kept true by events and by time.
namespace kehu::membership {

// Of one version of a definition; given once.
using RuleId = Strong<struct RuleTag, uint32_t>;

// What one customer is by the rules now.
class Members {
 public:
  struct Entry {
    RuleId rule;
    Instant since;      // when the customer entered, or got this value
    rule::Value value;  // of a tag; of a segment true
  };

  void clear();
  const std::vector<Entry>& entries() const { return entries_; }  // by rule
  // nullptr: not in the segment; the tag has no value.
  const Entry* find(RuleId rule) const;
  // An unknown value takes the entry away.
  void set(RuleId rule, Instant since, rule::Value value);
  // Drops what `keep` answers false for.
  template <class Keep>
  void keep_if(const Keep& keep) {
    std::erase_if(entries_, [&](const Entry& entry) { return !keep(entry.rule); });
    std::erase_if(dues_, [&](const Due& due) { return !keep(due.rule); });
  }

  // Of the customer in the index (index.h); 0: it has none yet.
  uint32_t number() const { return number_; }
  void set_number(uint32_t number) { number_ = number; }

  // When time alone may change what the customer is by a rule.
  struct Due {
    RuleId rule;
    Instant at;
  };
  const std::vector<Due>& dues() const { return dues_; }  // by rule
  // kLastInstant: time changes nothing.
  void set_due(RuleId rule, Instant at);
  void clear_dues() { dues_.clear(); }
  // The first of all; kLastInstant: there is none.
  Instant due() const;
  // For when a timer is set, at due() or before it: most events only move what is due further away, and a
  // timer that finds nothing due is set anew. kLastInstant: none.
  Instant timer() const { return timer_; }
  void set_timer(Instant at) { timer_ = at; }
  // timer() of what write() has written, without reading it all.
  static Instant timer_of(std::string_view bytes);

  // The empty text: no entries, no number and nothing due. False on damage.
  bool read(std::string_view bytes);
  void write(std::string& out) const;

 private:
  std::vector<Entry> entries_;
  std::vector<Due> dues_;
  Instant timer_ = kLastInstant;
  uint32_t number_ = 0;
};

}  // namespace kehu::membership
