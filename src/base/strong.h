#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace kehu {

// An integer that does not mix with other integers: `using Sequence = Strong<struct SequenceTag, uint64_t>`.
template <class Tag, class Rep>
class Strong {
 public:
  using rep = Rep;

  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }
  constexpr auto operator<=>(const Strong&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const Strong& id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  Rep value_{};
};

}  // namespace kehu

template <class Tag, class Rep>
struct std::hash<kehu::Strong<Tag, Rep>> {
  size_t operator()(const kehu::Strong<Tag, Rep>& id) const noexcept { return std::hash<Rep>()(id.value()); }
};
