#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "model/settings.h"
#include "seal/ciphers.h"
#include "seal/key_ring.h"
#include "seal/project_key.h"

namespace kehu::seal {

struct Place;

// What became of a sealed text.
struct Opened {
  enum class State : uint8_t {
    kValue,    // `value` is the clear text
    kErased,   // its key was dropped, or it never had one
    kDamaged,  // changed since it was sealed, or moved to another place, or no sealed text at all
  };
  State state = State::kDamaged;
  std::string value;

  bool ok() const { return state == State::kValue; }
};

// Reads what Door wrote. Whoever shows the value to a person writes a Reveal record first. One thread at a
// time; the ring outlives it. 0.75 µs a value, 1.3 µs with SM4.
class Opener {
 public:
  Opener(const ProjectKey& project_key, KeyRing& ring);
  ~Opener();
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  // Where the text was found. With `owner`, a text sealed for another token is damaged.
  struct Field {
    std::string_view json_key;
    std::optional<Token> owner = {};
  };
  // `text` without its JSON quotes; the value is the JSON text that was sealed.
  Opened open_field(const Field& field, std::string_view text);
  // The value of an Identifier with `sealed` set, as the client sent it. Its token, when at hand, is checked.
  Opened open_identifier(const std::optional<Token>& token, std::string_view text);
  Opened open_payload(std::string_view bytes);

  // True for what Door::seal_field (without quotes) and Door::seal_identifier write, as far as the look
  // tells.
  static bool is_sealed(std::string_view text) { return text.starts_with("sealed:v"); }

 private:
  Aead& aead(Cipher cipher) { return cipher == Cipher::kAes256Gcm ? aes_ : sm4_; }
  // `place.owner` is filled in from the key that the text names.
  Opened open_text(Place place, const std::optional<Token>& owner, std::string_view text);
  Opened open_message(const Aead::Message& message, Cipher cipher, std::string_view sealed);

  KeyRing& ring_;
  ProjectKey project_key_;
  Aead aes_;
  Aead sm4_;
  std::string associated_;
};

}  // namespace kehu::seal
