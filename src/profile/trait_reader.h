#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
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
  // All values of a path that takes a list apart: "tags[]", "pets[].name". Valid until the next call.
  void each(std::string_view path, absl::FunctionRef<void(const json::RawValue& value)> visit);
  // When and by whom the whole trait was written as it is.
  std::optional<Stamp> stamp(std::string_view name);

 private:
  std::optional<TraitValue> value(std::string_view name);
  bool read();

  absl::Span<const std::string_view> parts_;
  bool is_read_ = false;
  bool is_sound_ = false;
  Traits traits_, other_traits_;
  TraitSteps steps_, other_steps_;
  aggregate::TextPool pool_;
  std::string value_;
};

}  // namespace kehu::profile
