#include "identity/forest.h"

#include <algorithm>
#include <deque>

#include "absl/container/flat_hash_map.h"

namespace kehu::identity {
namespace {

using Neighbours = absl::flat_hash_map<Token, std::vector<const Link*>>;

Neighbours neighbours_of(absl::Span<const Link> links) {
  Neighbours neighbours;
  for (const Link& link : links) {
    neighbours[link.a].push_back(&link);
    neighbours[link.b].push_back(&link);
  }
  return neighbours;
}

Token other_end(const Link& link, Token end) { return link.a == end ? link.b : link.a; }

// Breadth first from `start`: each token reached, with the link it was reached by.
absl::flat_hash_map<Token, const Link*> reach(const Neighbours& neighbours, Token start) {
  absl::flat_hash_map<Token, const Link*> reached{{start, nullptr}};
  std::deque<Token> waiting{start};
  while (!waiting.empty()) {
    const Token at = waiting.front();
    waiting.pop_front();
    const auto links = neighbours.find(at);
    if (links == neighbours.end()) continue;
    for (const Link* link : links->second) {
      const Token next = other_end(*link, at);
      if (reached.emplace(next, link).second) waiting.push_back(next);
    }
  }
  return reached;
}

}  // namespace

std::vector<std::vector<size_t>> components(absl::Span<const Member> members, absl::Span<const Link> links) {
  std::vector<size_t> parent(members.size());
  absl::flat_hash_map<Token, size_t> position;
  for (size_t i = 0; i < members.size(); ++i) {
    parent[i] = i;
    position.emplace(members[i].token, i);
  }
  const auto root = [&](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const Link& link : links) {
    const auto a = position.find(link.a), b = position.find(link.b);
    if (a == position.end() || b == position.end()) continue;
    const size_t x = root(a->second), y = root(b->second);
    parent[std::max(x, y)] = std::min(x, y);
  }
  // A root is the smallest of its component, so components come out in the order of their first member.
  std::vector<std::vector<size_t>> found;
  std::vector<size_t> component(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const size_t r = root(i);
    if (r == i) {
      component[i] = found.size();
      found.emplace_back();
    }
    found[component[r]].push_back(i);
  }
  return found;
}

std::vector<Link> path(absl::Span<const Link> links, Token from, Token to) {
  const auto reached = reach(neighbours_of(links), from);
  std::vector<Link> way;
  if (!reached.contains(to)) return way;
  for (Token at = to; at != from;) {
    const Link* link = reached.at(at);
    way.push_back(*link);
    at = other_end(*link, at);
  }
  std::ranges::reverse(way);
  return way;
}

}  // namespace kehu::identity
