#include "net/self_made_certificate.h"

#include <arpa/inet.h>

#include <boost/asio/ssl/detail/openssl_types.hpp>
#include <ctime>
#include <memory>

#include "base/text.h"

namespace kehu::net {
namespace {

constexpr int64_t kDay = 24 * 3600;
constexpr int64_t kLifeDays = 397;  // longer ones are refused by browsers

template <class T, void (*Free)(T*)>
struct Freer {
  void operator()(T* pointer) const { Free(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    unsigned char address[16];
    const bool is_address =
        ::inet_pton(AF_INET, name.c_str(), address) == 1 || ::inet_pton(AF_INET6, name.c_str(), address) == 1;
    list += cat(list.empty() ? "" : ",", is_address ? "IP:" : "DNS:", name);
  }
  return list;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509* certificate) {
  BIGNUM* number = BN_new();
  const bool set = BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& names, std::time_t now) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* common_name = reinterpret_cast<const unsigned char*>("Kehu");
  return X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), now - kDay) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), now + (kLifeDays - 1) * kDay) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         add_extension(certificate, NID_subject_alt_name, alternative_names(names)) &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

}  // namespace

absl::StatusOr<std::string> make_certificate(const std::vector<std::string>& names, Instant now) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool made =
      key && certificate && bio && fill(certificate.get(), key.get(), names, now.micros() / 1'000'000) &&
      PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
      PEM_write_bio_X509(bio.get(), certificate.get()) == 1;
  if (!made) {
    ERR_clear_error();
    return failure(absl::StatusCode::kInternal, "cannot make a certificate for ", alternative_names(names));
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

absl::StatusOr<Instant> end_of_certificate(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  std::tm utc{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &utc) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("there is no certificate in the text");
  }
  return Instant(static_cast<int64_t>(::timegm(&utc)) * 1'000'000);
}

}  // namespace kehu::net
