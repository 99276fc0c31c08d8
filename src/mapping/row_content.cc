#include "mapping/row_content.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace kehu::mapping {
namespace {

constexpr char kBetweenValues = '\x1f';

void append_hash(const Hash128& hash, std::string& out) {
  for (const uint64_t half : {hash.high, hash.low}) {
    for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(half >> shift));
  }
}

std::string_view scalar_text(const json::Index& index, const json::Index::Node& node, std::string& scratch) {
  return node.kind == json::Kind::kString ? index.text_of(node, scratch) : index.raw(node);
}

bool is_container(const json::Index::Node& node) {
  return node.kind == json::Kind::kObject || node.kind == json::Kind::kArray;
}

// Members in the order of their names, elements in their own.
std::string joined_children(const json::Index& index, uint32_t at, const std::vector<Hash128>& hashes) {
  std::string out;
  if (index[at].kind == json::Kind::kArray) {
    for (uint32_t i = at + 1; i < index[at].next; i = index[i].next) append_hash(hashes[i], out);
    return out;
  }
  std::vector<std::pair<Hash128, Hash128>> members;
  for (uint32_t key = at + 1; key < index[at].next; key = index[key + 1].next)
    members.emplace_back(hashes[key], hashes[key + 1]);
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.high, a.first.low) < std::pair(b.first.high, b.first.low);
  });
  for (const auto& [key, value] : members) {
    append_hash(key, out);
    append_hash(value, out);
  }
  return out;
}

size_t scalar_bytes(const json::Index& index) {
  std::string scratch;
  size_t bytes = 0;
  for (uint32_t at = 0; at < index.size(); ++at) {
    if (!is_container(index[at])) bytes += scalar_text(index, index[at], scratch).size() + 1;
  }
  return bytes;
}

}  // namespace

// A JSON row counts by what it says, and not by how it is spelt: the hash of an object is over the hashes
// of its members in one fixed order, so the same file is recognised when it was saved anew by a program
// that writes members in another order (docs/decisions/recognised-files.md).
//
// From the last value to the first: what stands in a value comes behind it, and is known when it is reached.
Hash128 json_content(const json::Index& index) {
  std::vector<Hash128> hashes(index.size());
  std::string scratch;
  for (uint32_t at = index.size(); at-- > 0;) {
    const json::Index::Node& node = index[at];
    const auto kind = static_cast<uint64_t>(node.kind);
    hashes[at] = is_container(node) ? hash128(joined_children(index, at, hashes), kind)
                                    : hash128(scalar_text(index, node, scratch), kind);
  }
  return hashes.empty() ? Hash128{} : hashes.front();
}

std::string without_quotes(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != '"' && c != '\r'; });
  return out;
}

// Of a table the values count and not the line, so a file that was saved with other quotes or line ends is
// still the same. A row that cannot be read has no values, and counts by its text without them.
RowContent content_of(const rows::Row& row) {
  RowContent out;
  if (!row.fault && row.json != nullptr)
    return {.text = json_content(*row.json).hex(), .bytes = scalar_bytes(*row.json)};
  if (row.fault || row.values.empty()) {
    out.text = without_quotes(row.text);
  } else {
    for (const std::string_view value : row.values) out.text.append(value).push_back(kBetweenValues);
  }
  out.bytes = out.text.size();
  return out;
}

}  // namespace kehu::mapping
