#include "identity/forest.h"

#include <algorithm>
#include <deque>

#include "absl/container/flat_hash_map.h"

namespace kehu::identity {
namespace {

using Neighbours = absl::flat_hash_map<Token, std::vector<const Link*>>;

// The links of a customer are a spanning forest (docs/decisions/identity.md), so both questions that are
// asked of them, what still hangs together and why two tokens are one, are those of a forest and take
// linear time. A customer has at most kTokensPerCustomer members, so nothing is kept between calls: each
// builds what it needs.
Neighbours neighbours_of(absl::Span<const Link> links) {
  Neighbours neighbours;
  for (const Link& link : links) {
    neighbours[link.a].push_back(&link);
    neighbours[link.b].push_back(&link);
  }
  return neighbours;
}

Token other_end(const Link& link, Token end) { return link.a == end ? link.b : link.a; }

// Breadth first from `start`: gives each token that is reached, with the link by which it was reached. In
// a forest there is only one way to each token, so the order in which links are followed does not change
// the answer.
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

// Union-find with path halving. The smaller position always becomes the root, which costs the usual
// balancing by size, but makes the root the first member of its component: so sides come out in an order
// that depends on the members alone and is the same in every replay. Links to tokens that have just been
// taken out are passed over.
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

// Walks back from `to` by the link through which each token was reached, and turns the way round at the
// end.
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
