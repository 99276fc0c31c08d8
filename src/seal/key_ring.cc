#include "seal/key_ring.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "base/text.h"

// Keys lie in stripes by token, and the tokens of key ids in indexes of their own, each with a mutex, so
// that threads seldom meet. A stripe's mutex may be held while an index's is taken, never the other way
// round: whoever comes from a key id copies the token and lets the index go before the stripe is locked.
// What happened to the key between the two is seen in the stripe, where a missing entry means that it was
// erased.
//
// A pending key is one whose record is not known to be durable. Each request that uses it carries the
// record again: were the second to rely on the first, a crash could leave it acknowledged and unreadable.
namespace kehu::seal {
namespace {

// Two equal ones of 64 random bits are not met in a lifetime.
constexpr int kClaimTries = 10;

}  // namespace

// One array holds the key in the form it has: wrapped until its first use after it became durable, then in
// clear. A pending key stays wrapped, because its record is still to be written.
struct KeyRing::Entry {
  uint64_t key_id = 0;
  Cipher cipher = Cipher::kAes256Gcm;
  bool clear = false;
  bool pending = false;
  std::array<char, kWrappedBytesMax> bytes{};

  Entry(uint64_t id, Cipher by, std::string_view wrapped) : key_id(id), cipher(by) {
    std::memcpy(bytes.data(), wrapped.data(), wrapped.size());
  }
  Entry(const Entry&) = default;
  Entry& operator=(const Entry&) = default;
  ~Entry() {
    if (clear) wipe(bytes.data(), bytes.size());
  }

  std::string_view wrapped() const { return {bytes.data(), wrapped_bytes(cipher)}; }
  std::string_view secret() const { return {bytes.data(), DataKeySecret::size_for(cipher)}; }
};

struct alignas(64) KeyRing::Stripe {
  std::mutex mutex;
  KeyWrap wrap;
  absl::flat_hash_map<Token, Entry> keys;
  // Second keys of a token, which only read what they once sealed. Nearly always empty.
  absl::flat_hash_map<Token, std::vector<Entry>> others;

  explicit Stripe(const ProjectKey& project_key) : wrap(project_key) {}

  Entry* entry(const KeyName& name) {
    const auto at = keys.find(name.token);
    if (at == keys.end()) return nullptr;
    if (at->second.key_id == name.key_id) return &at->second;
    const auto list = others.find(name.token);
    if (list == others.end()) return nullptr;
    const auto other = std::find_if(list->second.begin(), list->second.end(),
                                    [&](const Entry& e) { return e.key_id == name.key_id; });
    return other == list->second.end() ? nullptr : &*other;
  }

  std::optional<Found> open(const Token& token, Entry& entry) {
    const KeyName name{token, entry.key_id};
    if (entry.clear) return Found{name, DataKeySecret(entry.cipher, entry.secret()), false};
    const auto secret = wrap.unwrap(name, entry.wrapped());
    if (!secret) return std::nullopt;
    if (!entry.pending) {
      entry.clear = true;
      std::memcpy(entry.bytes.data(), secret->bytes().data(), secret->bytes().size());
    }
    return Found{name, *secret, entry.pending};
  }

  // The key the token seals with from now on; one it had before can only read.
  void put_first(const Token& token, Entry entry) {
    const auto [at, fresh] = keys.try_emplace(token, entry);
    if (fresh) return;
    std::swap(at->second, entry);
    others[token].push_back(entry);
  }
};

struct alignas(64) KeyRing::Index {
  std::mutex mutex;
  absl::flat_hash_map<uint64_t, Token> owners;
};

KeyRing::KeyRing(const ProjectKey& project_key, Cipher cipher, RandomBytes random)
    : cipher_(cipher), random_(std::move(random)), indexes_(std::make_unique<Index[]>(kStripes)) {
  stripes_.reserve(kStripes);
  for (size_t i = 0; i < kStripes; ++i) stripes_.push_back(std::make_unique<Stripe>(project_key));
}

KeyRing::~KeyRing() = default;

// The low half of a token picks its place in the maps, so the stripe is picked by the high half.
KeyRing::Stripe& KeyRing::stripe_of(const Token& token) const {
  return *stripes_[token.hash.high % kStripes];
}
KeyRing::Index& KeyRing::index_of(uint64_t key_id) const { return indexes_[key_id % kStripes]; }

std::optional<KeyRing::Found> KeyRing::find(const Token& token) {
  Stripe& stripe = stripe_of(token);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.keys.find(token);
  return at == stripe.keys.end() ? std::nullopt : stripe.open(token, at->second);
}

KeyRing::Found KeyRing::find_or_create(const Token& token) {
  Stripe& stripe = stripe_of(token);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.keys.find(token);
  if (at != stripe.keys.end()) {
    if (auto found = stripe.open(token, at->second)) return *std::move(found);
  }
  return create(stripe, token);
}

KeyRing::Found KeyRing::create(Stripe& stripe, const Token& token) {
  std::array<char, DataKeySecret::kBytesMax> bytes;
  const size_t size = DataKeySecret::size_for(cipher_);
  random_(bytes.data(), size);
  Found made{{token, claim_key_id(token)}, DataKeySecret(cipher_, {bytes.data(), size}), true};
  wipe(bytes.data(), bytes.size());
  Entry entry(made.name.key_id, cipher_, stripe.wrap.wrap(made.name, made.secret));
  entry.pending = true;
  stripe.put_first(token, entry);
  return made;
}

uint64_t KeyRing::claim_key_id(const Token& token) {
  for (int tries = 0;; ++tries) {
    KEHU_CHECK(tries < kClaimTries);  // the random bytes repeat
    uint64_t id = 0;
    random_(reinterpret_cast<char*>(&id), sizeof(id));
    Index& index = index_of(id);
    const std::lock_guard lock(index.mutex);
    if (index.owners.try_emplace(id, token).second) return id;
  }
}

std::optional<Token> KeyRing::owner_of(uint64_t key_id) const {
  Index& index = index_of(key_id);
  const std::lock_guard lock(index.mutex);
  const auto at = index.owners.find(key_id);
  return at == index.owners.end() ? std::nullopt : std::optional(at->second);
}

KeyRing::ById KeyRing::find_by_id(uint64_t key_id) {
  const auto owner = owner_of(key_id);
  if (!owner) return {std::nullopt, Missing::kErased};
  Stripe& stripe = stripe_of(*owner);
  const std::lock_guard lock(stripe.mutex);
  Entry* const entry = stripe.entry({*owner, key_id});
  if (entry == nullptr) return {std::nullopt, Missing::kErased};
  return {stripe.open(*owner, *entry), Missing::kDamaged};
}

std::string KeyRing::pending_record(const KeyName& name) const {
  Stripe& stripe = stripe_of(name.token);
  const std::lock_guard lock(stripe.mutex);
  const Entry* const entry = stripe.entry(name);
  return entry != nullptr && entry->pending ? std::string(entry->wrapped()) : std::string();
}

void KeyRing::mark_durable(absl::Span<const uint64_t> key_ids) {
  for (const uint64_t key_id : key_ids) {
    const auto owner = owner_of(key_id);
    if (!owner) continue;
    Stripe& stripe = stripe_of(*owner);
    const std::lock_guard lock(stripe.mutex);
    if (Entry* const entry = stripe.entry({*owner, key_id})) entry->pending = false;
  }
}

absl::Status KeyRing::load(const DataKey& key) {
  const auto cipher = cipher_of_wrapped(key.wrapped);
  if (!cipher) {
    return failure(absl::StatusCode::kInvalidArgument, "data key ", key.key_id, " has ", key.wrapped.size(),
                   " bytes of no known form; run `kehu check` on the data directory");
  }
  {
    Index& index = index_of(key.key_id);
    const std::lock_guard lock(index.mutex);
    const auto [at, fresh] = index.owners.try_emplace(key.key_id, key.token);
    if (!fresh && at->second != key.token) {
      return failure(absl::StatusCode::kAlreadyExists, "data key ", key.key_id,
                     " belongs to two tokens; run `kehu check` on the data directory");
    }
  }
  Stripe& stripe = stripe_of(key.token);
  const std::lock_guard lock(stripe.mutex);
  if (Entry* const known = stripe.entry({key.token, key.key_id})) {
    known->pending = false;
    return absl::OkStatus();
  }
  const auto [at, first] = stripe.keys.try_emplace(key.token, key.key_id, *cipher, key.wrapped);
  if (!first) stripe.others[key.token].emplace_back(key.key_id, *cipher, key.wrapped);
  return absl::OkStatus();
}

void KeyRing::drop(const Token& token) {
  std::vector<uint64_t> ids;
  {
    Stripe& stripe = stripe_of(token);
    const std::lock_guard lock(stripe.mutex);
    if (const auto at = stripe.keys.find(token); at != stripe.keys.end()) ids.push_back(at->second.key_id);
    if (const auto at = stripe.others.find(token); at != stripe.others.end()) {
      for (const Entry& entry : at->second) ids.push_back(entry.key_id);
    }
    stripe.keys.erase(token);
    stripe.others.erase(token);
  }
  for (const uint64_t id : ids) {
    Index& index = index_of(id);
    const std::lock_guard lock(index.mutex);
    index.owners.erase(id);
  }
}

size_t KeyRing::size() const {
  size_t count = 0;
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(indexes_[i].mutex);
    count += indexes_[i].owners.size();
  }
  return count;
}

}  // namespace kehu::seal
