#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace kehu {

// What a property of an event says, whatever it is called there.
enum class Role : uint8_t {
  kAmount,
  kOrderId,
  kCurrency,
  kProducts,
  kPrice,
  kQuantity,
  kProductId,
  kCategory,
  kBrand,
  kName,
  kQuery
};
inline constexpr size_t kRoleCount = 11;
std::string_view to_string(Role role);  // "amount", "order_id"…: also the field of the settings
// The property that the standard events have it in: "total", "order_id", "products"…
std::string_view standard_property(Role role);
// Of one product: stands in the elements of the products, or in the event where it is about one product.
constexpr bool is_of_product(Role role) { return role >= Role::kPrice && role <= Role::kName; }

// Candidates in the order in which they are tried: names or paths of properties. Of a product: within it.
using RoleProperties = std::array<std::vector<std::string>, kRoleCount>;

// That an event of this name is one of the standard events.
struct EventMeaning {
  std::string event;
  std::string means;          // a standard event, or kMeansNothing
  RoleProperties properties;  // a role without candidates has the standard properties
  std::string currency;       // of amounts that name none
  bool only_with_id = false;  // counts only with an order id: details of an order that comes whole as well

  std::vector<std::string>& of(Role role) { return properties[static_cast<size_t>(role)]; }
  const std::vector<std::string>& of(Role role) const { return properties[static_cast<size_t>(role)]; }
};
inline constexpr std::string_view kMeansNothing = "nothing";

// Settings::vocabulary: how the events of a project, or of one source, say what they mean
// (docs/vocabulary.md).
struct Vocabulary {
  struct Words {
    std::optional<std::vector<std::string>> use;  // ready-made tables; absent: those around it
    std::vector<EventMeaning> events;
    std::string currency;  // of amounts that name none
  };
  struct OfSource : Words {
    std::string source;
  };
  Words project;
  std::vector<OfSource> sources;

  static constexpr size_t kEventsMax = 1000;
  static constexpr size_t kSourcesMax = 64;
  static constexpr size_t kCandidatesMax = 16;
};

// The events whose meaning is built in: "Order Completed", "Product Viewed"…
absl::Span<const std::string_view> standard_events();
// The names of the ready-made tables, all in use where the settings do not choose.
absl::Span<const std::string_view> ready_tables();
// What events of a source are held to mean, one entry a name: what the source says, then the project, then
// the standard events by their own names, then the ready-made tables in the order of `use`. Entries that mean
// nothing are left out. Empty properties are filled in. `source` may be empty.
std::vector<EventMeaning> meanings(const Vocabulary& vocabulary, std::string_view source);

}  // namespace kehu
