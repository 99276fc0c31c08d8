#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "aggregate/properties.h"
#include "json/text.h"
#include "profile/trait_steps.h"
#include "profile/traits.h"

namespace kehu::profile {

// Single traits of one customer, without a view of the whole. Reused from customer to customer: reads its
// parts when the first trait is asked for.
class TraitReader {
 public:
  // The parts are kept by the caller as long as values are asked for.
  void open(absl::Span<const std::string_view> parts);

  // "city", or a path into an object: "address.city". Of several values the last. nullopt: there is none, or
  // the parts are damaged. Valid until the next call.
  std::optional<json::RawValue> find(std::string_view path);
  // Who wrote what find() found last, the newest part of it.
  SourceId source() const { return source_; }

 private:
  bool read();

  absl::Span<const std::string_view> parts_;
  bool is_read_ = false;
  bool is_sound_ = false;
  Traits traits_, other_traits_;
  TraitSteps steps_, other_steps_;
  aggregate::TextPool pool_;
  std::string value_;
  SourceId source_;
};

}  // namespace kehu::profile
