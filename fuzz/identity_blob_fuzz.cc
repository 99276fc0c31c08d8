// Any bytes as a blob of identity: read or refused, and what is read has canonical bytes that read back the
// same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "identity/group.h"
#include "identity/node.h"

namespace {

using kehu::CustomerId;
using kehu::Token;

constexpr Token kToken{{0x0123456789abcdef, 0xfedcba9876543210}};

void check_node(std::string_view bytes) {
  const auto head = kehu::identity::peek_node(kToken, bytes);
  const auto node = kehu::identity::parse_node(kToken, bytes);
  if (!node) return;
  KEHU_CHECK(head && head->owner == node->owner && head->shared == node->shared && head->type == node->type);
  std::string canonical;
  kehu::identity::append_node(kToken, *node, canonical);
  KEHU_CHECK(canonical.size() <= bytes.size());
  KEHU_CHECK(kehu::identity::parse_node(kToken, canonical) == node);
}

void check_group(std::string_view bytes) {
  const CustomerId id = CustomerId::named_after(kToken);
  const auto group = kehu::identity::parse_group(id, bytes);
  if (!group) return;
  std::string canonical;
  kehu::identity::append_group(*group, canonical);
  KEHU_CHECK(kehu::identity::parse_group(id, canonical) == group);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_node(bytes);
  check_group(bytes);
  return 0;
}
