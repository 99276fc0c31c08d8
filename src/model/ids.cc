#include "model/ids.h"

#include "base/limits.h"

namespace kehu {

ShardId shard_of(CustomerId customer) {
  return ShardId(static_cast<uint32_t>(customer.hash.high >> 32) % limits::kShards);
}

NameId name_id(std::string_view name) { return NameId(hash64(name) & 0xffff'ffff'ffffULL); }

}  // namespace kehu
