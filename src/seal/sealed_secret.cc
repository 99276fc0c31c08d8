#include "seal/sealed_secret.h"

#include <openssl/rand.h>

#include "base/check.h"
#include "seal/ciphers.h"

namespace kehu::seal {

std::string seal_secret(WrappingKey wrapping, Cipher cipher, std::string_view bound_to,
                        std::string_view secret) {
  std::string key = wrapping(cipher);
  Nonce nonce;
  KEHU_CHECK(RAND_bytes(nonce.data(), nonce.size()) == 1);
  std::string out(1, static_cast<char>(cipher));
  out.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  Aead(cipher).seal({key, nonce, bound_to}, secret, out);
  wipe(key.data(), key.size());
  return out;
}

std::optional<std::string> open_secret(WrappingKey wrapping, std::string_view bound_to,
                                       std::string_view sealed) {
  const auto cipher = cipher_of_payload(sealed);
  if (!cipher) return std::nullopt;
  const Nonce nonce = nonce_of(sealed.substr(1));
  std::string key = wrapping(*cipher);
  std::string secret;
  const bool opened = Aead(*cipher).open({key, nonce, bound_to}, sealed.substr(1 + kNonceBytes), secret);
  wipe(key.data(), key.size());
  if (!opened) return std::nullopt;
  return secret;
}

}  // namespace kehu::seal
