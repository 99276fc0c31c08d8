#include "seal/envelope.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <chrono>
#include <iostream>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "seal/seal_test.h"
#include "seal/test_envelope.h"

namespace kehu::seal {
namespace {

constexpr EnvelopeVersion kVersion(3);
const std::string kSession = "0123456789abcdef";

EnvelopeKey new_key(Cipher cipher = Cipher::kAes256Gcm, EnvelopeVersion version = kVersion) {
  return make_envelope_key(test_project_key(), {.cipher = cipher, .version = version, .created = Instant(7)});
}

// Made once: an RSA pair takes a tenth of a second.
const EnvelopeKey& test_key() {
  static const EnvelopeKey key = new_key();
  return key;
}

std::string opened(EnvelopeOpener& opener, std::string_view wrapped, std::string_view message) {
  const auto session = opener.open_session(kVersion, wrapped);
  if (!session) return "no key";
  std::string out = "untouched";
  return opener.open(*session, message, out) ? cat("clear: ", out) : cat("closed", out);
}

TEST(Envelope, OpensWhatWasSealedForIt) {
  for (const Cipher cipher : {Cipher::kAes256Gcm, Cipher::kSm4Gcm}) {
    const EnvelopeKey key = new_key(cipher);
    EnvelopeOpener opener(test_project_key(), {key});
    const std::string wrapped = wrapped_session(key.public_key, kSession);
    EXPECT_EQ(wrapped.size(), 256u);
    for (const size_t size : {0u, 1u, 15u, 16u, 17u, 4096u}) {
      const std::string text(size, 'x');
      EXPECT_EQ(opened(opener, wrapped, sealed_message(kSession, text)), cat("clear: ", text)) << size;
    }
    EXPECT_EQ(opener.versions(), "3");
  }
}

TEST(Envelope, ThatIsNotForUsDoesNotOpen) {
  const EnvelopeKey& key = test_key();
  const std::string wrapped = wrapped_session(key.public_key, kSession);
  const std::string message = sealed_message(kSession, "text");
  const auto changed = [](std::string text, size_t at) {
    text[at] = static_cast<char>(text[at] ^ 1);
    return text;
  };
  struct Case {
    const char* name;
    std::string wrapped;
    std::string message;
  };
  const Case cases[] = {
      {"a session key for another pair", wrapped_session(new_key().public_key, kSession), message},
      {"a damaged session key", changed(wrapped, 100), message},
      {"a session key cut off", wrapped.substr(0, 255), message},
      {"no session key", "", message},
      {"a session key of another length", wrapped_session(key.public_key, cat(kSession, "0123456789abcdef")),
       message},
      {"a short session key", wrapped_session(key.public_key, "0123"), message},
      {"a message under another session key", wrapped, sealed_message("another session!", "text")},
      {"no message", wrapped, ""},
      {"an initialisation vector alone", wrapped, message.substr(0, 16)},
      {"a message cut off", wrapped, message.substr(0, 31)},
      {"wrong padding", wrapped, changed(message, 15)},
  };
  EnvelopeOpener opener(test_project_key(), {key});
  for (const Case& c : cases) EXPECT_EQ(opened(opener, c.wrapped, c.message), "closed") << c.name;
  EXPECT_EQ(opened(opener, wrapped, message), "clear: text");
}

TEST(Envelope, APrivateHalfOpensOnlyForItsProjectAndVersion) {
  EnvelopeKey renamed = test_key();
  renamed.version = EnvelopeVersion(4);
  EnvelopeKey damaged = test_key();
  damaged.sealed_private.back() = static_cast<char>(damaged.sealed_private.back() ^ 1);
  EnvelopeKey cut = test_key();
  cut.sealed_private.resize(10);
  EnvelopeKey of_no_cipher = test_key();
  of_no_cipher.sealed_private[0] = 9;
  struct Case {
    const char* name;
    ProjectKey project_key;
    EnvelopeKey key;
  };
  const Case cases[] = {{"another project", test_project_key('x'), test_key()},
                        {"another version", test_project_key(), renamed},
                        {"damaged", test_project_key(), damaged},
                        {"cut off", test_project_key(), cut},
                        {"of no cipher", test_project_key(), of_no_cipher}};
  const std::string wrapped = wrapped_session(test_key().public_key, kSession);
  for (const Case& c : cases) {
    EnvelopeOpener opener(c.project_key, {c.key});
    EXPECT_FALSE(opener.open_session(c.key.version, wrapped)) << c.name;
  }
  EnvelopeOpener none(test_project_key(), {});
  EXPECT_FALSE(none.open_session(kVersion, wrapped));
  EXPECT_EQ(none.versions(), "");
}

TEST(Envelope, EachVersionHasItsPair) {
  const EnvelopeKey old = new_key(Cipher::kAes256Gcm, EnvelopeVersion(1));
  EnvelopeOpener opener(test_project_key(), {old, test_key()});
  const std::string message = sealed_message(kSession, "text");
  std::string out;
  EXPECT_TRUE(opener.open(*opener.open_session(EnvelopeVersion(1), wrapped_session(old.public_key, kSession)),
                          message, out));
  // The same bytes under another version are another session.
  EXPECT_FALSE(
      opener.open(*opener.open_session(kVersion, wrapped_session(old.public_key, kSession)), message, out));
  EXPECT_EQ(opener.versions(), "1, 3");
}

TEST(Envelope, SessionsAreRememberedAndForgotten) {
  EnvelopeOpener opener(test_project_key(), {test_key()});
  const std::string wrapped = wrapped_session(test_key().public_key, kSession);
  const std::string message = sealed_message(kSession, "text");
  const auto time = [&](auto work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  };
  // The first one opens the private half too.
  opened(opener, wrapped_session(test_key().public_key, "another session!"), message);
  const double first = time([&] { opened(opener, wrapped, message); });
  double again = 1e9;
  for (int i = 0; i < 100; ++i) again = std::min(again, time([&] { opened(opener, wrapped, message); }));
  std::cout << "session key: " << first << " us, remembered: " << again << " us\n";
  EXPECT_LT(again, first / 4);
  // More sessions than are kept: those that nobody can open cost no RSA.
  for (size_t i = 0; i < 2 * EnvelopeOpener::kSessions; ++i)
    opener.open_session(kVersion, cat("session ", i));
  EXPECT_EQ(opened(opener, wrapped, message), "clear: text");
}

TEST(Envelope, ReadsAPairThatIsThereAlready) {
  EVP_PKEY* const pair = EVP_RSA_gen(2048);
  const std::string pem = private_pem(pair);
  EVP_PKEY_free(pair);
  const EnvelopeKeyOptions options{.version = kVersion, .created = Instant(1)};
  const auto key = read_envelope_key(test_project_key(), options, pem);
  ASSERT_TRUE(key.ok()) << key.status();
  EnvelopeOpener opener(test_project_key(), {*key});
  EXPECT_EQ(opened(opener, wrapped_session(key->public_key, kSession), sealed_message(kSession, "text")),
            "clear: text");

  EVP_PKEY* const weak = EVP_RSA_gen(1024);
  EVP_PKEY* const curve = EVP_EC_gen("P-256");
  const std::string refused[] = {"", "no key", pem.substr(0, 500), private_pem(weak), private_pem(curve)};
  EVP_PKEY_free(weak);
  EVP_PKEY_free(curve);
  for (const std::string& text : refused) {
    EXPECT_EQ(read_envelope_key(test_project_key(), options, text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace kehu::seal
