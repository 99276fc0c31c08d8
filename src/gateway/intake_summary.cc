#include "gateway/intake_summary.h"

#include <string_view>

namespace kehu::gateway {
namespace {

template <class To, class From>
void add_each(To& to, const From& from) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

// Those that are not zero; nothing when all are.
template <size_t n, class Name>
void write_counts(json::Writer& writer, std::string_view key, const std::array<uint64_t, n>& counts,
                  Name name) {
  bool any = false;
  for (size_t i = 1; i < n; ++i) {
    if (counts[i] == 0) continue;
    if (!any) writer.key(key).begin_object();
    any = true;
    writer.field(name(i), counts[i]);
  }
  if (any) writer.end_object();
}

}  // namespace

void IntakeSummary::add(const intake::Intake& decoded) {
  add_each(found_, decoded.rejected_by_reason);
  add_each(left_out_, decoded.identifiers_left_out);
}

void IntakeSummary::add(const engine::Ack& ack) {
  accepted_ += ack.events;
  repeats_ += ack.repeats;
  conflicts_ += ack.conflicts;
  rejected_ += ack.rejections;
}

void IntakeSummary::add(const IntakeSummary& other) {
  accepted_ += other.accepted_;
  repeats_ += other.repeats_;
  conflicts_ += other.conflicts_;
  rejected_ += other.rejected_;
  add_each(found_, other.found_);
  add_each(left_out_, other.left_out_);
}

void IntakeSummary::write_sums(json::Writer& writer) const {
  writer.field("accepted", accepted_).field("repeats", repeats_);
  writer.field("conflicts", conflicts_).field("rejected", rejected_);
}

void IntakeSummary::write(json::Writer& writer) const {
  write_sums(writer);
  write_counts(writer, "rejected_by_reason", found_,
               [](size_t i) { return to_string(static_cast<Reason>(i)); });
  write_counts(writer, "identifiers_left_out", left_out_,
               [](size_t i) { return to_string(static_cast<LeftOut>(i)); });
}

}  // namespace kehu::gateway
