#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "base/limits.h"
#include "fields/policy.h"
#include "identifier/identifier_value.h"
#include "intake/fault.h"
#include "intake/text_pool.h"
#include "model/event.h"
#include "seal/door.h"

namespace kehu::intake {

// The identifiers of one event: collected as the client wrote them, then settled: normalised, checked against
// the blocked values, turned into tokens, personal ones sealed, strongest first. A value that cannot be used
// stays in the list with the reason. Reused from event to event.
class IdentifierList {
 public:
  struct Found {
    IdentifierTypeId type;
    std::string_view text;  // unescaped; lives until settle() returns
    uint32_t node = 0;
    bool previous = false;
    Written written = Written::kAsText;
    bool alternative = false;
    Standing standing = Standing::kFirm;
  };

  void start() { count_ = 0; }
  bool has_text(std::string_view text) const;
  // Ignores empty texts and repeats. false, and then fault(), beyond the limits of count and length.
  bool add(const Found& found);
  bool has(IdentifierTypeId type) const;
  // Of all values of a type that were named so far.
  void set_standing(IdentifierTypeId type, Standing standing);
  // Texts that had to be made live in `texts`.
  void settle(const fields::Policy& policy, seal::Door& door, TextPool& texts);

  const Fault& fault() const { return fault_; }

  // After settle().
  absl::Span<const Identifier> all() const { return {settled_.data(), count_}; }
  // The strongest that was named and may be used; nullptr when none may.
  const Identifier* strongest() const;
  // True when nothing but alternatives may be used: the event is of whoever is known by them.
  bool names_nobody() const;
  // "user_id: blocked, phone: invalid" for the detail of a rejection.
  std::string left_out(const fields::Policy& policy) const;

 private:
  uint8_t named_at(size_t alternative, absl::Span<const uint32_t> nodes) const;
  void settle_one(const fields::Policy& policy, seal::Door& door, TextPool& texts, const Found& found,
                  Identifier& out);

  std::array<Found, limits::kIdentifiersPerEvent> found_;
  std::array<Identifier, limits::kIdentifiersPerEvent> settled_;
  size_t count_ = 0;
  std::string scratch_;
  Fault fault_;
};

}  // namespace kehu::intake
