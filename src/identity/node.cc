#include "identity/node.h"

#include <algorithm>

#include "identity/bounds.h"
#include "identity/varint.h"

namespace kehu::identity {
namespace {

constexpr uint8_t kVersion = 1;

// Most tokens name their own customer, never changed hands and met no conflict: those blobs hold neither an
// owner nor lists.
constexpr uint8_t kForeignOwner = 1;
constexpr uint8_t kShared = 2;
constexpr uint8_t kSealed = 4;
constexpr uint8_t kConflicts = 8;
constexpr uint8_t kHistory = 16;
constexpr int kStandingShift = 6;  // two bits
constexpr uint8_t kKnownFlags = 0xdf;

constexpr size_t kHeadBytes = 3;

uint8_t flags_of(Token token, const Node& node) {
  uint8_t flags = static_cast<uint8_t>(static_cast<int>(node.standing) << kStandingShift);
  if (node.owner != CustomerId::named_after(token)) flags |= kForeignOwner;
  if (node.shared) flags |= kShared;
  if (node.sealed) flags |= kSealed;
  if (!node.conflicts.empty()) flags |= kConflicts;
  if (!node.history.empty()) flags |= kHistory;
  return flags;
}

void append_history(const Node& node, BlobWriter& writer) {
  writer.number(node.history.size());
  for (const Ownership& entry : node.history) {
    writer.sequence(entry.sequence, node.first_seen);
    writer.instant(entry.at, node.first_received);
    writer.hash(entry.owner.hash);
  }
}

bool read_history(BlobReader& reader, Node& node) {
  const uint64_t count = reader.number();
  if (count == 0 || count > kHistoryPerToken) return false;
  for (uint64_t i = 0; i < count; ++i) {
    Ownership entry;
    entry.sequence = reader.sequence(node.first_seen);
    entry.at = reader.instant(node.first_received);
    entry.owner.hash = reader.hash();
    node.history.push_back(entry);
  }
  return true;
}

bool read_conflicts(BlobReader& reader, Node& node) {
  const uint64_t count = reader.number();
  if (count == 0 || count > kConflictsPerToken) return false;
  for (uint64_t i = 0; i < count; ++i) node.conflicts.push_back(CustomerId{reader.hash()});
  return true;
}

}  // namespace

// The first move also writes down the first owner, so a token that never moved needs no history at all. A
// clock that is set back gives earlier times (docs/decisions/time.md); they are raised to the one before,
// so that the history ascends by time as it does by sequence, and questions AS OF a time can search in it.
void Node::move_to(CustomerId to, Sequence sequence, Instant at) {
  if (owner == to) return;
  if (history.empty()) history.push_back({first_seen, first_received, owner});
  if (history.size() == kHistoryPerToken) history.erase(history.begin());
  history.push_back({sequence, std::max(at, history.back().at), to});
  owner = to;
}

void append_node(Token token, const Node& node, std::string& out) {
  const uint8_t flags = flags_of(token, node);
  BlobWriter writer(out);
  writer.byte(kVersion);
  writer.byte(flags);
  writer.byte(node.type.value());
  if (flags & kForeignOwner) writer.hash(node.owner.hash);
  writer.number(node.first_seen.value());
  writer.instant(node.first_time);
  writer.instant(node.first_received, node.first_time);
  writer.text(node.value);
  if (flags & kConflicts) {
    writer.number(node.conflicts.size());
    for (const CustomerId customer : node.conflicts) writer.hash(customer.hash);
  }
  if (flags & kHistory) append_history(node, writer);
}

// Type, standing, shared and owner stand in front, at fixed places, because this is all that an event of
// one known customer needs. It is read on every event and for each identifier, so it decodes nothing
// behind them.
std::optional<NodeHead> peek_node(Token token, std::string_view bytes) {
  if (bytes.size() < kHeadBytes || static_cast<uint8_t>(bytes[0]) != kVersion) return std::nullopt;
  const uint8_t flags = static_cast<uint8_t>(bytes[1]);
  NodeHead head{IdentifierTypeId(static_cast<uint8_t>(bytes[2])), (flags & kShared) != 0,
                static_cast<Standing>(flags >> kStandingShift), CustomerId::named_after(token)};
  if (flags & kForeignOwner) {
    BlobReader reader(bytes.substr(kHeadBytes));
    head.owner.hash = reader.hash();
    if (reader.failed()) return std::nullopt;
  }
  return head;
}

// Unknown flags are refused: a later version may have put bytes behind them that would be read as
// something else.
std::optional<Node> parse_node(Token token, std::string_view bytes) {
  const std::optional<NodeHead> head = peek_node(token, bytes);
  if (!head) return std::nullopt;
  const uint8_t flags = static_cast<uint8_t>(bytes[1]);
  if ((flags & ~kKnownFlags) || head->standing > Standing::kPassing) return std::nullopt;
  Node node;
  node.type = head->type;
  node.shared = head->shared;
  node.standing = head->standing;
  node.sealed = (flags & kSealed) != 0;
  node.owner = head->owner;
  BlobReader reader(bytes.substr(kHeadBytes + (flags & kForeignOwner ? sizeof(Hash128) : 0)));
  node.first_seen = Sequence(reader.number());
  node.first_time = reader.instant();
  node.first_received = reader.instant(node.first_time);
  node.value = std::string(reader.text());
  if ((flags & kConflicts) && !read_conflicts(reader, node)) return std::nullopt;
  if ((flags & kHistory) && !read_history(reader, node)) return std::nullopt;
  if (!reader.complete()) return std::nullopt;
  return node;
}

}  // namespace kehu::identity
