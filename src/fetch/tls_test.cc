#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>

#include "fetch/session.h"
#include "fetch/test_party.h"

namespace kehu::fetch {
namespace {

using testing::HasSubstr;

// A key and the certificate for 127.0.0.1 that it signs itself, both in a file of PEM for the length of a
// test.
class TestCertificate {
 public:
  explicit TestCertificate(std::string path) : path_(std::move(path)) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    EXPECT_NE(X509_sign(certificate, key, EVP_sha256()), 0);
    std::FILE* const file = std::fopen(path_.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    PEM_write_X509(file, certificate);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() { std::remove(path_.c_str()); }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// Says "trusted" to every connection that shakes hands, once.
class TlsParty {
 public:
  explicit TlsParty(const std::string& pem) : context_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_, pem.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, pem.c_str(), SSL_FILETYPE_PEM), 1);
    thread_ = std::thread([this] {
      while (socket_.wait()) serve(socket_.accept());
    });
  }
  ~TlsParty() {
    socket_.stop();
    thread_.join();
    SSL_CTX_free(context_);
  }
  std::string url(const char* host = "127.0.0.1") const {
    return "https://" + std::string(host) + ":" + std::to_string(socket_.port()) + "/";
  }

 private:
  void serve(int descriptor) {
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, descriptor);
    char request[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
      const std::string answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\ntrusted";
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    ::close(descriptor);
  }

  SSL_CTX* const context_;
  TestListener socket_;
  std::thread thread_;
};

TEST(Tls, AStrangersCertificateIsNotTrustedUnlessItsFileIsGiven) {
  std::signal(SIGPIPE, SIG_IGN);  // who refuses a certificate closes while tickets are written
  const TestCertificate certificate("/tmp/kehu-fetch-test-" + std::to_string(::getpid()) + ".pem");
  const TlsParty party(certificate.path());
  Session session;
  const auto untrusted = session.run({.url = party.url()});
  EXPECT_EQ(untrusted.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(cause_of(untrusted.status()), Cause::kUntrusted);
  EXPECT_THAT(std::string(untrusted.status().message()), HasSubstr("give the CA file"));
  const auto trusted = session.run({.url = party.url(), .ca_file = certificate.path()});
  ASSERT_TRUE(trusted.ok()) << trusted.status();
  EXPECT_EQ(trusted->body, "trusted");
  EXPECT_FALSE(session.run({.url = party.url()}).ok());
  EXPECT_FALSE(session.run({.url = party.url("localhost"), .ca_file = certificate.path()}).ok());
  EXPECT_EQ(session.run({.url = party.url("localhost"), .verify_tls = false})->body, "trusted");
  const auto no_file = session.run({.url = party.url(), .ca_file = "/nowhere.pem"});
  EXPECT_EQ(no_file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(no_file.status().message()), HasSubstr("/nowhere.pem"));
}

}  // namespace
}  // namespace kehu::fetch
