#include "identity/group.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "identity/bounds.h"
#include "identity/varint.h"

// The bytes are in docs/formats/identity.md. They are short for two reasons: sequences and instants are
// differences from those of the first member, and links name members by position instead of token. A
// customer of a user and a device takes 195 bytes in both stores, where plain numbers and message ids as
// text took 234 (docs/decisions/identity.md).
namespace kehu::identity {
namespace {

// Customers whose members are all firm have nothing that version 1 has no place for, and are still written
// as such: so blobs that were written before and blobs that are written today are equal bytes for equal
// customers.
constexpr uint8_t kVersion = 1;
constexpr uint8_t kVersionWithExtras = 2;
constexpr uint8_t kStandings = 1;
// These bits stand beside the kind of a link.
constexpr uint8_t kAbsorbed = 0x80;
constexpr uint8_t kUuid = 0x40;
constexpr uint8_t kKind = 0x3f;

std::string format_uuid(const Hash128& uuid) {
  std::string text = uuid.hex();
  for (const size_t dash : {8u, 13u, 18u, 23u}) text.insert(dash, 1, '-');
  return text;
}

// Most clients use UUIDs as message ids, which then take 16 bytes instead of 36. Only a text that
// format_uuid gives back byte for byte is taken as one: with capitals or without dashes it stays text, or
// reading would change it.
std::optional<Hash128> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string digits(text);
  std::erase(digits, '-');
  const std::optional<Hash128> uuid = Hash128::from_hex(digits);
  return uuid && format_uuid(*uuid) == text ? uuid : std::nullopt;
}

// Sequences and instants are written as differences from those of the first member, which are near and
// therefore short.
struct Origin {
  Sequence sequence;
  Instant time;
};

Origin origin_of(const Group& group) {
  return group.members.empty() ? Origin{} : Origin{group.members[0].first_seen, group.members[0].first_time};
}

// Links and separations name members by their position, which takes one byte or two instead of sixteen. Up
// to kScanned members a scan is enough; only beyond is an index built, so that writing a customer of a
// thousand tokens does not cost the square of them.
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

void append_member(const Member& member, Origin origin, BlobWriter& writer) {
  writer.hash(member.token.hash);
  writer.byte(member.type.value());
  writer.sequence(member.first_seen, origin.sequence);
  writer.instant(member.first_time, origin.time);
}

void append_link(const Link& link, const Positions& positions, Origin origin, BlobWriter& writer) {
  const bool absorbed = !link.absorbed.hash.is_zero();
  const bool manual = link.kind == LinkKind::kManual;
  const std::optional<Hash128> uuid = manual ? std::nullopt : parse_uuid(link.message_id);
  writer.byte(static_cast<uint8_t>(static_cast<uint8_t>(link.kind) | (absorbed ? kAbsorbed : 0) |
                                   (uuid ? kUuid : 0)));
  writer.number(positions.of(link.a));
  writer.number(positions.of(link.b));
  writer.sequence(link.sequence, origin.sequence);
  writer.instant(link.time, origin.time);
  if (absorbed) writer.hash(link.absorbed.hash);
  if (manual) {
    writer.text(link.actor);
    writer.text(link.reason);
    return;
  }
  writer.number(link.source.value());
  if (uuid) {
    writer.hash(*uuid);
  } else {
    writer.text(link.message_id);
  }
}

void append_separation(const Separation& separation, const Positions& positions, Origin origin,
                       BlobWriter& writer) {
  writer.number(positions.of(separation.own));
  writer.hash(separation.other.hash);
  writer.sequence(separation.sequence, origin.sequence);
  writer.instant(separation.time, origin.time);
  writer.text(separation.actor);
  writer.text(separation.reason);
}

void append_refusal(const Refusal& refusal, Origin origin, BlobWriter& writer) {
  writer.byte(refusal.type.value());
  writer.byte(static_cast<uint8_t>(refusal.reason));
  writer.sequence(refusal.sequence, origin.sequence);
  writer.hash(refusal.token.hash);
}

void append_change(const Change& change, Origin origin, BlobWriter& writer) {
  writer.byte(static_cast<uint8_t>(change.kind));
  writer.sequence(change.sequence, origin.sequence);
  writer.instant(change.time, origin.time);
  writer.hash(change.token.hash);
  writer.hash(change.other.hash);
}

bool read_member(BlobReader& reader, Group& group) {
  const Origin origin = origin_of(group);
  Member member;
  member.token.hash = reader.hash();
  member.type = IdentifierTypeId(reader.byte());
  member.first_seen = reader.sequence(origin.sequence);
  member.first_time = reader.instant(origin.time);
  group.members.push_back(member);
  return !reader.failed();
}

bool read_position(BlobReader& reader, const Group& group, Token& out) {
  const uint64_t position = reader.number();
  if (position >= group.members.size()) return false;
  out = group.members[position].token;
  return true;
}

void read_cause(BlobReader& reader, bool uuid, Link& link) {
  if (link.kind == LinkKind::kManual) {
    link.actor = std::string(reader.text());
    link.reason = std::string(reader.text());
    return;
  }
  link.source = SourceId(static_cast<uint32_t>(reader.number()));
  link.message_id = uuid ? format_uuid(reader.hash()) : std::string(reader.text());
}

bool read_link(BlobReader& reader, Group& group) {
  const Origin origin = origin_of(group);
  Link link;
  const uint8_t kind = reader.byte();
  link.kind = static_cast<LinkKind>(kind & kKind);
  if (link.kind < LinkKind::kEvidence || link.kind > LinkKind::kManual) return false;
  if (!read_position(reader, group, link.a) || !read_position(reader, group, link.b)) return false;
  link.sequence = reader.sequence(origin.sequence);
  link.time = reader.instant(origin.time);
  if (kind & kAbsorbed) link.absorbed.hash = reader.hash();
  read_cause(reader, kind & kUuid, link);
  group.links.push_back(std::move(link));
  return !reader.failed();
}

bool read_separation(BlobReader& reader, Group& group) {
  const Origin origin = origin_of(group);
  Separation separation;
  if (!read_position(reader, group, separation.own)) return false;
  separation.other.hash = reader.hash();
  separation.sequence = reader.sequence(origin.sequence);
  separation.time = reader.instant(origin.time);
  separation.actor = std::string(reader.text());
  separation.reason = std::string(reader.text());
  group.separations.push_back(std::move(separation));
  return !reader.failed();
}

bool read_refusal(BlobReader& reader, Group& group) {
  Refusal refusal;
  refusal.type = IdentifierTypeId(reader.byte());
  refusal.reason = static_cast<LeftOut>(reader.byte());
  refusal.sequence = reader.sequence(origin_of(group).sequence);
  refusal.token.hash = reader.hash();
  group.refusals.push_back(refusal);
  return !reader.failed() && refusal.reason <= LeftOut::kUnmerged;
}

bool read_change(BlobReader& reader, Group& group) {
  const Origin origin = origin_of(group);
  Change change;
  change.kind = static_cast<ChangeKind>(reader.byte());
  change.sequence = reader.sequence(origin.sequence);
  change.time = reader.instant(origin.time);
  change.token.hash = reader.hash();
  change.other.hash = reader.hash();
  group.changes.push_back(change);
  return !reader.failed() && change.kind >= ChangeKind::kJoined && change.kind <= ChangeKind::kSplit;
}

template <class T>
bool read_list(BlobReader& reader, Group& group, std::vector<T>& list, size_t most,
               bool (*read)(BlobReader&, Group&)) {
  const uint64_t count = reader.number();
  if (count > most) return false;
  list.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    if (!read(reader, group)) return false;
  }
  return true;
}

void append_extras(const Group& group, BlobWriter& writer) {
  const auto is_firm = [](const Member& member) { return member.standing == Standing::kFirm; };
  const auto others =
      group.members.size() - static_cast<size_t>(std::ranges::count_if(group.members, is_firm));
  writer.byte(others > 0 ? kVersionWithExtras : kVersion);
  if (others == 0) return;
  writer.byte(kStandings);
  writer.number(others);
  for (size_t i = 0; i < group.members.size(); ++i) {
    if (is_firm(group.members[i])) continue;
    writer.number(i);
    writer.byte(static_cast<uint8_t>(group.members[i].standing));
  }
}

bool read_extras(BlobReader& reader, std::vector<std::pair<uint64_t, Standing>>& standings) {
  const uint8_t version = reader.byte();
  if (version == kVersion) return true;
  if (version != kVersionWithExtras || reader.byte() != kStandings) return false;
  const uint64_t count = reader.number();
  if (count > kTokensPerCustomer) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t position = reader.number();
    const auto standing = static_cast<Standing>(reader.byte());
    if (standing != Standing::kAssumed && standing != Standing::kPassing) return false;
    standings.emplace_back(position, standing);
  }
  return !reader.failed();
}

}  // namespace

bool Group::contains(Token token) const {
  return std::ranges::find(members, token, &Member::token) != members.end();
}

// The same token is refused for the same reason with each of its events. Only the first is kept, so that
// one shared device cannot push all others out of the list, and so that a repeated refusal does not
// rewrite the customer.
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
  const Origin origin = origin_of(group);
  BlobWriter writer(out);
  append_extras(group, writer);
  writer.number(group.members.size());
  for (size_t i = 0; i < group.members.size(); ++i)
    append_member(group.members[i], i ? origin : Origin{}, writer);
  writer.number(group.links.size());
  for (const Link& link : group.links) append_link(link, positions, origin, writer);
  writer.number(group.separations.size());
  for (const Separation& separation : group.separations)
    append_separation(separation, positions, origin, writer);
  writer.number(group.refusals.size());
  for (const Refusal& refusal : group.refusals) append_refusal(refusal, origin, writer);
  writer.number(group.changes.size());
  for (const Change& change : group.changes) append_change(change, origin, writer);
}

// Standings stand in front of the members, so they are remembered while the rest is read and set at the
// end. Every list has its bound and the reader has to be at the end of the bytes: a blob that breaks any
// rule is none.
std::optional<Group> parse_group(CustomerId id, std::string_view bytes) {
  BlobReader reader(bytes);
  std::vector<std::pair<uint64_t, Standing>> standings;
  if (!read_extras(reader, standings)) return std::nullopt;
  Group group;
  group.id = id;
  const bool whole = read_list(reader, group, group.members, kTokensPerCustomer, read_member) &&
                     read_list(reader, group, group.links, kTokensPerCustomer, read_link) &&
                     read_list(reader, group, group.separations, kSeparationsPerCustomer, read_separation) &&
                     read_list(reader, group, group.refusals, kRefusalsPerCustomer, read_refusal) &&
                     read_list(reader, group, group.changes, kChangesPerCustomer, read_change) &&
                     reader.complete();
  if (!whole) return std::nullopt;
  for (const auto& [position, standing] : standings) {
    if (position >= group.members.size()) return std::nullopt;
    group.members[position].standing = standing;
  }
  return group;
}

}  // namespace kehu::identity
