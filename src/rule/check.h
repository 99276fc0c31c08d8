#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rule/problem.h"
#include "rule/tree.h"

namespace kehu::rule {

// What a project knows by name, for errors that say what was meant. An empty list: nothing is known yet, and
// any name is good.
struct KnownNames {
  std::vector<std::string> events = {};
  std::vector<std::string> segments = {};
  std::vector<std::string> tags = {};
  std::vector<std::string> traits = {};
  // nullopt: any name is good. A project without lists has none.
  std::optional<std::vector<std::string>> lists = {};
};

// Whether a definition means something: types fit, bounds hold (tree.h), segments and tags that it names are
// there. A name of an event or trait that nobody has sent, while one like it was, is only a warning, which is
// added to `warnings`: a rule may be written before its first event. So is a condition that can never hold
// (`hour > 30`). There are at most kWarnings.
inline constexpr size_t kWarnings = 20;
std::optional<Problem> check(const Definition& definition, const KnownNames& known,
                             std::vector<Problem>* warnings = nullptr);

// The segments, tags and lists that an expression names.
struct References {
  std::vector<std::string> segments;
  std::vector<std::string> tags;
  std::vector<std::string> lists;

  // Segments and tags, in this order.
  std::vector<std::pair<Kind, std::string>> all() const;
};
References references(const Node& expression);

}  // namespace kehu::rule
