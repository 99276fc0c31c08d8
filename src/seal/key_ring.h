#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/ids.h"
#include "model/record.h"
#include "model/settings.h"
#include "seal/data_key.h"
#include "seal/project_key.h"

namespace kehu::seal {

// Fills `size` bytes with unpredictable ones. The shell passes the operating system's; tests pass a seeded
// one. Called from several threads at once.
using RandomBytes = std::function<void(char* bytes, size_t size)>;

// The data keys of a project by token: one random key for each token that ever sealed something. Erasing a
// customer is dropping its keys here (and from disk): every copy of what they sealed is unreadable from then
// on.
//
// A key is pending from its creation until mark_durable: the request that made it may still fail. So every
// request that uses a pending key writes the key's record in its own batch (the same bytes; loading it twice
// changes nothing), and no acknowledged event depends on somebody else's batch.
//
// Thread-safe: 64 stripes by token, each with its lock, and as many by key id. A durable key is kept
// unwrapped from its first use on.
class KeyRing {
 public:
  KeyRing(const ProjectKey& project_key, Cipher cipher, RandomBytes random);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  struct Found {
    KeyName name;
    DataKeySecret secret;
    bool pending = false;
  };
  // The key that seals for `token`: the first loaded one when there are several. nullopt when there is none,
  // or when it does not unwrap.
  std::optional<Found> find(const Token& token);
  // The same, or a new pending one.
  Found find_or_create(const Token& token);

  enum class Missing : uint8_t { kErased, kDamaged };
  struct ById {
    std::optional<Found> found;
    Missing why = Missing::kErased;  // without `found`
  };
  // The key a sealed text names. kErased when there is none (any more), kDamaged when it does not unwrap.
  ById find_by_id(uint64_t key_id);

  // The wrapped bytes of a pending key; empty when it is not pending any more.
  std::string pending_record(const KeyName& name) const;
  // After the batch with their records is durable. Unknown ids are passed over.
  void mark_durable(absl::Span<const uint64_t> key_ids);

  // A key from the log or from state; durable by definition. Repeats change nothing. InvalidArgument when
  // `wrapped` has no valid length or cipher, AlreadyExists when another token has this key id.
  absl::Status load(const DataKey& key);
  // Forgets every key of the token, for ever. A later seal for the token makes a new key.
  void drop(const Token& token);

  size_t size() const;

 private:
  struct Entry;
  struct Stripe;
  struct Index;
  static constexpr size_t kStripes = 64;

  Stripe& stripe_of(const Token& token) const;
  Index& index_of(uint64_t key_id) const;
  Found create(Stripe& stripe, const Token& token);
  uint64_t claim_key_id(const Token& token);
  std::optional<Token> owner_of(uint64_t key_id) const;

  Cipher cipher_;
  RandomBytes random_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
  std::unique_ptr<Index[]> indexes_;
};

}  // namespace kehu::seal
