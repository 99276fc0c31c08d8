#include "definition/difference.h"

#include <algorithm>

#include "base/text.h"
#include "codec/node.h"
#include "json/document.h"

namespace kehu::definition {
namespace {

// Values with equal texts are equal and are not opened, so the cost follows what changed. Definitions are
// written by one writer, which always gives the same text, so this hardly ever misses.
class Comparison {
 public:
  explicit Comparison(size_t limit) : limit_(limit) {}

  void compare(const json::Value& before, const json::Value& after, const std::string& pointer) {
    if (before.raw() == after.raw() || found_.size() >= limit_) return;
    if (before.is_object() && after.is_object()) return compare_members(before, after, pointer);
    if (before.is_array() && after.is_array()) return compare_elements(before, after, pointer);
    found_.push_back({pointer, std::string(before.raw()), std::string(after.raw())});
  }
  std::vector<Difference> take() { return std::move(found_); }

 private:
  // Members are compared by name, those of `before` first and then those that only `after` has, so that a
  // key which moved is no difference.
  void compare_members(const json::Value& before, const json::Value& after, const std::string& pointer) {
    for (const auto& member : before) {
      compare(member.value, after.find(member.key), pointer + codec::pointer_token(member.key));
    }
    for (const auto& member : after) {
      if (before.find(member.key).exists()) continue;
      compare({}, member.value, pointer + codec::pointer_token(member.key));
    }
  }

  void compare_elements(const json::Value& before, const json::Value& after, const std::string& pointer) {
    auto a = before.begin(), b = after.begin();
    for (size_t i = 0; a != before.end() || b != after.end(); ++i) {
      const json::Value left = a != before.end() ? (*a).value : json::Value();
      const json::Value right = b != after.end() ? (*b).value : json::Value();
      compare(left, right, cat(pointer, "/", i));
      if (a != before.end()) ++a;
      if (b != after.end()) ++b;
    }
  }

  const size_t limit_;
  std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> differences(std::string_view before, std::string_view after, size_t limit) {
  const auto a = json::Document::parse(before), b = json::Document::parse(after);
  if (!a.ok() || !b.ok()) return {};
  Comparison comparison(limit);
  comparison.compare(a->root(), b->root(), "");
  return comparison.take();
}

}  // namespace kehu::definition
