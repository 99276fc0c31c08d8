#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "base/text.h"

// What a client does that sends envelopes, straight on OpenSSL.
namespace kehu::seal {

// `public_key` as EnvelopeKey has it.
inline std::string wrapped_session(std::string_view public_key, std::string_view session) {
  std::string der;
  KEHU_CHECK(absl::Base64Unescape(to_absl(public_key), &der));
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  EVP_PKEY* const key = d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()));
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(key, nullptr);
  KEHU_CHECK(EVP_PKEY_encrypt_init(context) == 1);
  KEHU_CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
  std::string out(static_cast<size_t>(EVP_PKEY_get_size(key)), '\0');
  size_t size = out.size();
  KEHU_CHECK(EVP_PKEY_encrypt(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                              reinterpret_cast<const unsigned char*>(session.data()), session.size()) == 1);
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  return out;
}

inline std::string sealed_message(std::string_view session, std::string_view text) {
  const std::string vector = "sixteen bytes iv";
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  std::string out(text.size() + 32, '\0');
  int size = 0;
  int last = 0;
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  KEHU_CHECK(EVP_EncryptInit_ex(context, EVP_aes_128_cbc(), nullptr,
                                reinterpret_cast<const unsigned char*>(session.data()),
                                reinterpret_cast<const unsigned char*>(vector.data())) == 1);
  KEHU_CHECK(EVP_EncryptUpdate(context, to, &size, reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size())) == 1);
  KEHU_CHECK(EVP_EncryptFinal_ex(context, to + size, &last) == 1);
  EVP_CIPHER_CTX_free(context);
  out.resize(static_cast<size_t>(size + last));
  return vector + out;
}

inline std::string private_pem(EVP_PKEY* key) {
  BIO* const bio = BIO_new(BIO_s_mem());
  KEHU_CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string out(text, static_cast<size_t>(size));
  BIO_free(bio);
  return out;
}

}  // namespace kehu::seal
