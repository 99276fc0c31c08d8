#include "identity/group.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "identity/bounds.h"
#include "identity/varint.h"

namespace kehu::identity {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kAbsorbed = 0x80;  // beside the kind of a link

// Links and separations name members by their position: one byte or two instead of sixteen.
class Positions {
 public:
  explicit Positions(const std::vector<Member>& members) : members_(members) {
    if (members.size() <= kScanned) return;
    for (size_t i = 0; i < members.size(); ++i) index_.emplace(members[i].token, i);
  }
  size_t of(Token token) const {
    if (!index_.empty()) return index_.at(token);
    const auto found = std::ranges::find(members_, token, &Member::token);
    KEHU_CHECK(found != members_.end());
    return static_cast<size_t>(found - members_.begin());
  }

 private:
  static constexpr size_t kScanned = 16;
  const std::vector<Member>& members_;
  absl::flat_hash_map<Token, size_t> index_;
};

void append_link(const Link& link, const Positions& positions, BlobWriter& writer) {
  const bool absorbed = !link.absorbed.hash.is_zero();
  writer.byte(static_cast<uint8_t>(static_cast<uint8_t>(link.kind) | (absorbed ? kAbsorbed : 0)));
  writer.number(positions.of(link.a));
  writer.number(positions.of(link.b));
  writer.number(link.sequence.value());
  writer.instant(link.time);
  if (absorbed) writer.hash(link.absorbed.hash);
  if (link.kind == LinkKind::kManual) {
    writer.text(link.actor);
    writer.text(link.reason);
  } else {
    writer.number(link.source.value());
    writer.text(link.message_id);
  }
}

void append_separation(const Separation& separation, const Positions& positions, BlobWriter& writer) {
  writer.number(positions.of(separation.own));
  writer.hash(separation.other.hash);
  writer.number(separation.sequence.value());
  writer.instant(separation.time);
  writer.text(separation.actor);
  writer.text(separation.reason);
}

bool read_member(BlobReader& reader, Group& group) {
  Member member;
  member.token.hash = reader.hash();
  member.type = IdentifierTypeId(reader.byte());
  member.first_seen = Sequence(reader.number());
  member.first_time = reader.instant();
  group.members.push_back(member);
  return !reader.failed();
}

bool read_member_position(BlobReader& reader, const Group& group, Token& out) {
  const uint64_t position = reader.number();
  if (position >= group.members.size()) return false;
  out = group.members[position].token;
  return true;
}

bool read_link(BlobReader& reader, Group& group) {
  Link link;
  const uint8_t kind = reader.byte();
  link.kind = static_cast<LinkKind>(kind & ~kAbsorbed);
  if (link.kind < LinkKind::kEvidence || link.kind > LinkKind::kManual) return false;
  if (!read_member_position(reader, group, link.a) || !read_member_position(reader, group, link.b))
    return false;
  link.sequence = Sequence(reader.number());
  link.time = reader.instant();
  if (kind & kAbsorbed) link.absorbed.hash = reader.hash();
  if (link.kind == LinkKind::kManual) {
    link.actor = std::string(reader.text());
    link.reason = std::string(reader.text());
  } else {
    link.source = SourceId(static_cast<uint32_t>(reader.number()));
    link.message_id = std::string(reader.text());
  }
  group.links.push_back(std::move(link));
  return !reader.failed();
}

bool read_separation(BlobReader& reader, Group& group) {
  Separation separation;
  if (!read_member_position(reader, group, separation.own)) return false;
  separation.other.hash = reader.hash();
  separation.sequence = Sequence(reader.number());
  separation.time = reader.instant();
  separation.actor = std::string(reader.text());
  separation.reason = std::string(reader.text());
  group.separations.push_back(std::move(separation));
  return !reader.failed();
}

bool read_refusal(BlobReader& reader, Group& group) {
  Refusal refusal;
  refusal.type = IdentifierTypeId(reader.byte());
  refusal.reason = static_cast<LeftOut>(reader.byte());
  refusal.sequence = Sequence(reader.number());
  refusal.token.hash = reader.hash();
  group.refusals.push_back(refusal);
  return !reader.failed() && refusal.reason <= LeftOut::kUnmerged;
}

bool read_change(BlobReader& reader, Group& group) {
  Change change;
  change.kind = static_cast<ChangeKind>(reader.byte());
  change.sequence = Sequence(reader.number());
  change.time = reader.instant();
  change.token.hash = reader.hash();
  change.other.hash = reader.hash();
  group.changes.push_back(change);
  return !reader.failed() && change.kind >= ChangeKind::kJoined && change.kind <= ChangeKind::kSplit;
}

bool read_list(BlobReader& reader, Group& group, size_t most, bool (*read)(BlobReader&, Group&)) {
  const uint64_t count = reader.number();
  if (count > most) return false;
  for (uint64_t i = 0; i < count; ++i) {
    if (!read(reader, group)) return false;
  }
  return true;
}

}  // namespace

bool Group::contains(Token token) const {
  return std::ranges::find(members, token, &Member::token) != members.end();
}

bool Group::remember(const Refusal& refusal) {
  const auto same = [&](const Refusal& known) {
    return known.token == refusal.token && known.reason == refusal.reason;
  };
  if (std::ranges::any_of(refusals, same)) return false;
  if (refusals.size() == kRefusalsPerCustomer) refusals.erase(refusals.begin());
  refusals.push_back(refusal);
  return true;
}

void Group::remember(const Change& change) {
  if (changes.size() == kChangesPerCustomer) changes.erase(changes.begin());
  changes.push_back(change);
}

void append_group(const Group& group, std::string& out) {
  const Positions positions(group.members);
  BlobWriter writer(out);
  writer.byte(kVersion);
  writer.number(group.members.size());
  for (const Member& member : group.members) {
    writer.hash(member.token.hash);
    writer.byte(member.type.value());
    writer.number(member.first_seen.value());
    writer.instant(member.first_time);
  }
  writer.number(group.links.size());
  for (const Link& link : group.links) append_link(link, positions, writer);
  writer.number(group.separations.size());
  for (const Separation& separation : group.separations) append_separation(separation, positions, writer);
  writer.number(group.refusals.size());
  for (const Refusal& refusal : group.refusals) {
    writer.byte(refusal.type.value());
    writer.byte(static_cast<uint8_t>(refusal.reason));
    writer.number(refusal.sequence.value());
    writer.hash(refusal.token.hash);
  }
  writer.number(group.changes.size());
  for (const Change& change : group.changes) {
    writer.byte(static_cast<uint8_t>(change.kind));
    writer.number(change.sequence.value());
    writer.instant(change.time);
    writer.hash(change.token.hash);
    writer.hash(change.other.hash);
  }
}

std::optional<Group> parse_group(CustomerId id, std::string_view bytes) {
  BlobReader reader(bytes);
  if (reader.byte() != kVersion) return std::nullopt;
  Group group;
  group.id = id;
  const bool whole = read_list(reader, group, kTokensPerCustomer, read_member) &&
                     read_list(reader, group, kTokensPerCustomer, read_link) &&
                     read_list(reader, group, kSeparationsPerCustomer, read_separation) &&
                     read_list(reader, group, kRefusalsPerCustomer, read_refusal) &&
                     read_list(reader, group, kChangesPerCustomer, read_change) && reader.complete();
  if (!whole) return std::nullopt;
  return group;
}

}  // namespace kehu::identity
