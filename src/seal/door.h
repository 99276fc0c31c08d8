#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.h"
#include "model/ids.h"
#include "model/record.h"
#include "model/settings.h"
#include "seal/ciphers.h"
#include "seal/key_ring.h"
#include "seal/project_key.h"

namespace kehu::seal {

struct Place;

// The line that clear personal values do not cross: intake turns identifiers into tokens and personal values
// into sealed texts here, before anything reaches log, state or lake. One per intake thread and project; ring
// and settings outlive it.
//
// Sealing is deterministic: one value in one field of one owner gives the same text as long as the owner's
// key lives. So a re-sent event has the same bytes, and a trait that did not change is seen not to have
// changed.
class Door {
 public:
  Door(ProjectId project, const ProjectKey& project_key, const Settings& settings, KeyRing& ring);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Stands for a value that went through normalise(). ~33 ns; for a personal type 0.3 µs, 0.7 µs with SM3.
  Token token(IdentifierTypeId type, std::string_view normalised);

  // The text to keep as Identifier::value of a personal type. `token` is the value's own.
  std::string seal_identifier(const Token& token, std::string_view value);

  // The JSON text to store under `json_key` in place of `value_json` (any JSON value): a JSON string that
  // only the key of `owner`, the token of the event's strongest identifier, opens, and only under this key.
  // `null` says that there is no value and stays as it is. Valid until the next call. 0.9 µs, 1.6 µs with
  // SM4; 3 µs for the first value of an owner, whose key is made then.
  std::string_view seal_field(const Token& owner, std::string_view json_key, std::string_view value_json);

  // A text that belongs to no token, such as a rejected body: bytes that the project key opens.
  std::string seal_payload(std::string_view text);

  // True for a JSON text that looks like one of ours, `"sealed:v…"`. A client's value of this look goes
  // through seal_field whatever its key, so that every such text behind the door was made by this door.
  static bool looks_sealed(std::string_view value_json) { return value_json.starts_with("\"sealed:v"); }

  // The keys that were used since the last call and are not durable yet. Their records go into the batch of
  // the events that used them, and their ids to KeyRing::mark_durable once that batch is durable. A batch
  // that is thrown away needs no call: the keys stay pending and go with the next batch that uses them.
  // Usually empty.
  struct NewKey {
    KeyName name;
    std::string wrapped;
    DataKey record() const { return {name.token, name.key_id, wrapped}; }
  };
  std::vector<NewKey> take_new_keys();

 private:
  Aead& aead(Cipher cipher) { return cipher == Cipher::kAes256Gcm ? aes_ : sm4_; }
  KeyRing::Found key_of(const Token& owner);
  void append_sealed(const Place& place, std::string_view text, std::string& out);

  const Settings& settings_;
  KeyRing& ring_;
  Cipher cipher_;
  std::vector<std::string> type_prefixes_;  // by identifier type, as are the keys
  std::vector<SipKey> token_keys_;
  Hmac personal_tokens_;
  Aead aes_;
  Aead sm4_;
  std::string payload_key_;
  SipKey payload_nonce_key_;
  std::vector<KeyName> pending_;  // used since the last take_new_keys
  std::string text_;
  std::string associated_;
  std::string message_;
  std::string scratch_;
};

}  // namespace kehu::seal
