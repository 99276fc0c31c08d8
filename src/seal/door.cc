#include "seal/door.h"

#include <algorithm>
#include <cstring>

#include "seal/sealed_text.h"

namespace kehu::seal {
namespace {

std::string type_prefix(ProjectId project, size_t type) {
  const uint32_t id = project.value();
  std::string prefix(reinterpret_cast<const char*>(&id), sizeof(id));
  prefix.push_back(static_cast<char>(type));
  return prefix;
}

}  // namespace

Door::Door(ProjectId project, const ProjectKey& project_key, const Settings& settings, KeyRing& ring)
    : settings_(settings),
      ring_(ring),
      cipher_(settings.cipher),
      personal_tokens_(cipher_, project_key.personal_token_key(cipher_)),
      aes_(Cipher::kAes256Gcm),
      sm4_(Cipher::kSm4Gcm),
      payload_key_(project_key.payload_key(cipher_)),
      payload_nonce_key_(project_key.payload_nonce_key(cipher_)) {
  const SipKey token_key = project_key.token_key();
  for (size_t type = 0; type < settings.identifier_types.size(); ++type) {
    type_prefixes_.push_back(type_prefix(project, type));
    // A key for each type saves joining the type and the value into one buffer for each token.
    const Hash128 hash = siphash128(token_key, type_prefixes_.back());
    token_keys_.push_back(SipKey{hash.low, hash.high});
  }
}

Door::~Door() {
  wipe(payload_key_.data(), payload_key_.size());
  wipe(token_keys_.data(), token_keys_.size() * sizeof(SipKey));
}

Token Door::token(IdentifierTypeId type, std::string_view normalised) {
  if (!settings_.rule(type).personal) return Token{siphash128(token_keys_[type.value()], normalised)};
  scratch_.assign(type_prefixes_[type.value()]).append(normalised);
  const Mac mac = personal_tokens_(scratch_);
  Token token;
  std::memcpy(&token.hash.high, mac.data(), 8);
  std::memcpy(&token.hash.low, mac.data() + 8, 8);
  return token;
}

KeyRing::Found Door::key_of(const Token& owner) {
  KeyRing::Found key = ring_.find_or_create(owner);
  if (key.pending) pending_.push_back(key.name);
  return key;
}

void Door::append_sealed(const Place& place, std::string_view text, std::string& out) {
  const KeyRing::Found key = key_of(place.owner);
  associated_.clear();
  append_place(place, associated_);
  const Nonce nonce = make_nonce(key.secret.nonce_key(), {associated_, text}, scratch_);
  message_.assign(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  aead(key.secret.cipher()).seal({key.secret.seal_key(), nonce, associated_}, text, message_);
  append_sealed_text(key.name.key_id, message_, out);
}

std::string Door::seal_identifier(const Token& token, std::string_view value) {
  std::string out;
  append_sealed({token, kIdentifierPlace}, value, out);
  return out;
}

std::string_view Door::seal_field(const Token& owner, std::string_view json_key,
                                  std::string_view value_json) {
  if (value_json == "null") return value_json;
  text_.assign(1, '"');
  append_sealed({owner, kFieldPlace, json_key}, value_json, text_);
  text_.push_back('"');
  return text_;
}

std::string Door::seal_payload(std::string_view text) {
  const Nonce nonce = make_nonce(payload_nonce_key_, {kPayloadPlace, text}, scratch_);
  std::string out(1, static_cast<char>(cipher_));
  out.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  aead(cipher_).seal({payload_key_, nonce, kPayloadPlace}, text, out);
  return out;
}

// A key that another request made a moment ago is among these, too, as long as its record is not known to
// be durable: 90 bytes twice in rare cases, and loading them twice changes nothing.
std::vector<Door::NewKey> Door::take_new_keys() {
  std::vector<NewKey> keys;
  if (pending_.empty()) return keys;
  const auto by_id = [](const KeyName& a, const KeyName& b) { return a.key_id < b.key_id; };
  const auto same_id = [](const KeyName& a, const KeyName& b) { return a.key_id == b.key_id; };
  std::sort(pending_.begin(), pending_.end(), by_id);
  pending_.erase(std::unique(pending_.begin(), pending_.end(), same_id), pending_.end());
  for (const KeyName& name : pending_) {
    std::string wrapped = ring_.pending_record(name);
    if (!wrapped.empty()) keys.push_back({name, std::move(wrapped)});
  }
  pending_.clear();
  return keys;
}

}  // namespace kehu::seal
