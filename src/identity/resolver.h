#pragma once

#include <optional>

#include "absl/container/inlined_vector.h"
#include "identity/partition.h"
#include "identity/rules.h"
#include "model/event.h"

namespace kehu::identity {

// Finds one event's customer. Made for the event, used once.
class Resolver {
 public:
  Resolver(const Settings& settings, Blobs& blobs, const Event& event, Sequence sequence)
      : settings_(settings), blobs_(blobs), partition_(settings, blobs), event_(event), sequence_(sequence) {}

  Resolution run();

 private:
  // A usable identifier of the event; the head is missing when nobody has it yet.
  struct Candidate {
    uint8_t index;
    const Identifier* identifier;
    std::optional<NodeHead> head;
  };

  void collect();
  void set_shared_aside();
  void choose_previous();
  void choose_alternatives();
  void add_known_alternative(size_t index);
  void raise_standings();
  Standing standing_of(const Candidate& candidate) const;
  void forget_passing();
  bool repeats_user_id(const Identifier& identifier) const;
  bool one_known_customer() const;
  bool is_weak(const Candidate& candidate) const { return settings_.rule(candidate.identifier->type).weak; }

  void join_all();
  void join_unknown(const Candidate& candidate);
  void join_known(const Candidate& candidate);
  void join_newcomers_to(Group group, const Candidate& known);
  void join_customers(const Candidate& candidate, CustomerId other);
  LeftOut objection(const Candidate& candidate, const Group& other);
  void found_customer();
  void add(const Candidate& candidate);
  void attach(const Candidate& candidate);
  void refuse(const Candidate& candidate, LeftOut reason);
  void note_conflict(const Candidate& candidate, const Verdict& verdict);
  void count_conflict(Token token);

  Member member_of(const Candidate& candidate) const;
  Link link_to(const Candidate& candidate) const;

  const Settings& settings_;
  Blobs& blobs_;
  Partition partition_;
  const Event& event_;
  Sequence sequence_;
  Resolution resolution_;
  absl::InlinedVector<Candidate, 4>
      candidates_;  // in the order in which they are tried; the first is the base
  // While no candidate was known: those that are one new customer if none will be.
  absl::InlinedVector<const Candidate*, 4> newcomers_;
  absl::InlinedVector<Member, 4> newcomer_members_;  // the same as members
  std::optional<Group> group_;
  bool group_changed_ = false;
  absl::InlinedVector<Refusal, 2> refusals_;
  absl::InlinedVector<Token, 2> conflicts_;
};

}  // namespace kehu::identity
