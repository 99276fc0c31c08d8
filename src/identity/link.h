#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu::identity {

// Stored: never renumber.
enum class LinkKind : uint8_t {
  kEvidence = 1,  // both identifiers were in one event
  kAlias = 2,     // an alias call named them
  kManual = 3,    // a person merged them
};

// Why two tokens are one customer: an edge of the customer's spanning forest.
struct Link {
  Token a;  // the stronger one of the event; the winner of a manual merge
  Token b;
  LinkKind kind = LinkKind::kEvidence;
  Sequence sequence;  // the record that caused it; what an un-merge names
  Instant time;       // event time; the tick for a manual one
  SourceId source;    // 0 for a manual one
  std::string message_id;
  std::string actor;    // of a manual one
  std::string reason;   // of a manual one
  CustomerId absorbed;  // the customer that ended by it; zero when a new identifier joined
  bool operator==(const Link&) const = default;
};

// Two tokens that a person took apart: no evidence joins their customers again, only a manual merge does.
struct Separation {
  Token own;  // a token of the customer that keeps this entry
  Token other;
  Sequence sequence;
  Instant time;
  std::string actor;
  std::string reason;
  bool operator==(const Separation&) const = default;
};

// An identifier that was left out of an event of this customer; the first of equal ones is kept. Shared
// identifiers are not listed here: their own entry says so.
struct Refusal {
  IdentifierTypeId type;
  LeftOut reason = LeftOut::kNo;
  Sequence sequence;
  Token token;  // the one left out
  bool operator==(const Refusal&) const = default;
};

// Stored: never renumber.
enum class ChangeKind : uint8_t {
  kJoined = 1,     // `other` ended and became part of this customer
  kSeparated = 2,  // a person took this customer and `other` apart
  kTakenOut = 3,   // `token` turned out to be shared; it is `other` now
  kSplit = 4,      // this customer was held together with `other` by a token that turned out to be shared
};

struct Change {
  ChangeKind kind = ChangeKind::kJoined;
  Sequence sequence;
  Instant time;  // when the log learned of it
  Token token;
  CustomerId other;
  bool operator==(const Change&) const = default;
};

// One identifier of a customer.
struct KnownIdentifier {
  Token token;
  IdentifierTypeId type;
  bool shared = false;
  bool sealed = false;  // `value` is sealed bytes, not text
  std::string value;
  Sequence first_seen;
  Instant first_time;  // event time of the first event that carried it
};

}  // namespace kehu::identity
