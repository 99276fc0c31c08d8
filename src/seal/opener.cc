#include "seal/opener.h"

#include "seal/data_key.h"
#include "seal/sealed_text.h"

namespace kehu::seal {

Opener::Opener(const ProjectKey& project_key, KeyRing& ring)
    : ring_(ring), project_key_(project_key), aes_(Cipher::kAes256Gcm), sm4_(Cipher::kSm4Gcm) {}
Opener::~Opener() = default;

Opened Opener::open_field(const Field& field, std::string_view text) {
  return open_text({.owner = {}, .what = kFieldPlace, .json_key = field.json_key}, field.owner, text);
}

Opened Opener::open_identifier(const std::optional<Token>& token, std::string_view text) {
  return open_text({.owner = {}, .what = kIdentifierPlace}, token, text);
}

// The owner is that of the key, which the text names, and not the one that the reader believes in: parts
// move between customers, and a text stays readable. Where a reader knows the owner, the two must agree. A
// key that is gone means that the value was erased, as it should be; whatever else does not open is damage,
// and told apart from it.
Opened Opener::open_text(Place place, const std::optional<Token>& owner, std::string_view text) {
  const auto sealed = parse_sealed_text(text);
  if (!sealed) return {Opened::State::kDamaged, {}};
  const KeyRing::ById key = ring_.find_by_id(sealed->key_id);
  if (!key.found) {
    return {key.why == KeyRing::Missing::kErased ? Opened::State::kErased : Opened::State::kDamaged, {}};
  }
  place.owner = key.found->name.token;
  if (owner && *owner != place.owner) return {Opened::State::kDamaged, {}};
  associated_.clear();
  append_place(place, associated_);
  const Nonce nonce = nonce_of(sealed->message);
  const DataKeySecret& secret = key.found->secret;
  return open_message({secret.seal_key(), nonce, associated_}, secret.cipher(),
                      std::string_view(sealed->message).substr(kNonceBytes));
}

Opened Opener::open_payload(std::string_view bytes) {
  const auto cipher = cipher_of_payload(bytes);
  if (!cipher) return {Opened::State::kDamaged, {}};
  bytes.remove_prefix(1);
  const Nonce nonce = nonce_of(bytes);
  std::string key = project_key_.payload_key(*cipher);
  Opened opened = open_message({key, nonce, kPayloadPlace}, *cipher, bytes.substr(kNonceBytes));
  wipe(key.data(), key.size());
  return opened;
}

Opened Opener::open_message(const Aead::Message& message, Cipher cipher, std::string_view sealed) {
  Opened opened;
  if (aead(cipher).open(message, sealed, opened.value)) opened.state = Opened::State::kValue;
  return opened;
}

}  // namespace kehu::seal
