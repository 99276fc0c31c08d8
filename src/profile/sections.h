#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "aggregate/wire.h"

// A part is its version, a mask of the sections it has, and for each its size and bytes
// (docs/formats/profile.md).
namespace kehu::profile {

enum class SectionId : uint8_t {
  kSeen = 0,
  kTraits = 1,
  kCounters = 2,
  kMetrics = 3,
  kRecent = 4,
  kOrders = 5,
  kTraitSteps = 6
};
inline constexpr size_t kSectionCount = 7;
inline constexpr uint8_t kPartVersion = 1;

// The sections of a part as views, empty where there is none.
class Sections {
 public:
  std::string_view& operator[](SectionId id) { return bytes_[static_cast<size_t>(id)]; }
  std::string_view operator[](SectionId id) const { return bytes_[static_cast<size_t>(id)]; }

  // False on damage. The sections themselves are not looked into.
  bool split(std::string_view part) {
    bytes_ = {};
    if (part.empty()) return true;
    aggregate::WireReader in(part);
    if (in.byte() != kPartVersion) return false;
    const uint8_t present = in.byte();
    if (present == 0 || present >> kSectionCount != 0) return false;
    for (size_t i = 0; i < kSectionCount; ++i) {
      if ((present >> i & 1) == 0) continue;
      bytes_[i] = in.text();
      if (bytes_[i].empty()) return false;
    }
    return in.complete();
  }

  void join(aggregate::WireBuffer& head, std::string& out) const {
    out.clear();
    uint8_t present = 0;
    for (size_t i = 0; i < kSectionCount; ++i) present |= static_cast<uint8_t>(!bytes_[i].empty() << i);
    if (present == 0) return;
    out.push_back(static_cast<char>(kPartVersion));
    out.push_back(static_cast<char>(present));
    for (const std::string_view section : bytes_) {
      if (section.empty()) continue;
      head.clear();
      head.varint(section.size());
      out.append(head.view()).append(section);
    }
  }

 private:
  std::array<std::string_view, kSectionCount> bytes_{};
};

}  // namespace kehu::profile
