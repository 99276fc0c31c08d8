#include "gateway/gateway.h"

#include <algorithm>

#include "directory/credentials.h"
#include "http/credentials.h"

namespace kehu::gateway {
namespace {

Hash128 hash_or_none(const seal::ProjectKey& key, const std::string& credential) {
  return credential.empty() ? Hash128{} : directory::credential_hash(key, credential);
}

// The key of the environment is in no definition, but that it was taken away is.
bool is_revoked(const engine::Source& source, const Hash128& hash) {
  return std::any_of(source.keys.begin(), source.keys.end(),
                     [&](const engine::WriteKey& key) { return key.hash == hash && key.revoked; });
}

}  // namespace

Gateway::Gateway(engine::Engine& engine, GatewayOptions options)
    : engine_(engine),
      admin_hashes_{directory::credential_hash(engine.key(), directory::derived_admin_token(engine.key())),
                    hash_or_none(engine.key(), options.admin_token)},
      write_key_hash_(hash_or_none(engine.key(), options.write_key)),
      workers_(options.workers),
      debugger_(engine),
      strangers_(std::move(options.warn)) {}

std::shared_ptr<const Principal> Gateway::admin(const Request& request) const {
  if (request.local) return local_;
  const std::string credential = bearer_of(request);
  if (credential.empty()) return nullptr;
  // Keyed hashes are compared, not texts: the time of the comparison tells nothing about the token.
  const Hash128 hash = directory::credential_hash(engine_.key(), credential);
  const bool given = !admin_hashes_[1].is_zero();
  if (hash == (given ? admin_hashes_[1] : admin_hashes_[0])) return admin_;
  return nullptr;
}

const engine::Source* Gateway::source_of(const engine::Project& project, std::string_view write_key) const {
  if (write_key.empty()) return nullptr;
  const Hash128 hash = directory::credential_hash(engine_.key(), write_key);
  if (!write_key_hash_.is_zero() && hash == write_key_hash_) {
    const engine::Source* source = project.find(SourceId(1));
    if (source != nullptr && source->enabled && !is_revoked(*source, hash)) return source;
  }
  return project.source_of_key(hash);
}

}  // namespace kehu::gateway
