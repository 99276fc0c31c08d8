#include "net/tls.h"

#include <sys/uio.h>

#include <boost/asio/ssl/detail/openssl_types.hpp>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/text.h"

namespace kehu::net {
namespace {

constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr unsigned char kSessionContext[] = "kehu";
constexpr std::string_view kProtocol("\x08http/1.1", 9);

// What OpenSSL says about the last failure.
std::string last_error() {
  char text[256] = "unknown error";
  if (const unsigned long error = ERR_peek_last_error(); error != 0)
    ERR_error_string_n(error, text, sizeof text);
  ERR_clear_error();
  return text;
}

// A client that speaks other protocols only is refused (RFC 7301, 3.2): it would not understand us.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned size, void*) {
  unsigned char* chosen = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kProtocol.data());
  const int result = SSL_select_next_proto(&chosen, out_size, ours, kProtocol.size(), offered, size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void configure(SSL_CTX* context, const TlsOptions& options) {
  SSL_CTX_set_min_proto_version(context, options.only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  KEHU_CHECK(SSL_CTX_set_cipher_list(context, kTls12Suites) == 1);
  KEHU_CHECK(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

}  // namespace

TlsStream::TlsStream(ssl_ctx_st* context, int descriptor) : ssl_(SSL_new(context)) {
  KEHU_CHECK(ssl_ != nullptr && SSL_set_fd(ssl_, descriptor) == 1);
  SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

TlsStream::Outcome TlsStream::judge(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {};
    case SSL_ERROR_WANT_WRITE:
      read_wants_to_write_ = true;
      return {};
    case SSL_ERROR_ZERO_RETURN:
      return {.closed = true};
    default:
      broken_ = true;
      ERR_clear_error();
      return {.closed = true};
  }
}

TlsStream::Outcome TlsStream::read(char* to, size_t size) {
  Outcome outcome;
  read_wants_to_write_ = false;
  // A record at a time; several may have come.
  while (!broken_ && outcome.bytes < size) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_, to + outcome.bytes, size - outcome.bytes, &count);
    if (result != 1) {
      const Outcome end = judge(result);
      outcome.closed = end.closed && outcome.bytes == 0;
      return outcome;
    }
    outcome.bytes += count;
  }
  outcome.closed = broken_ && outcome.bytes == 0;
  return outcome;
}

TlsStream::Outcome TlsStream::write(std::span<const iovec> parts) {
  Outcome outcome;
  for (const iovec& part : parts) {
    size_t done = 0;
    while (done < part.iov_len) {
      if (broken_) return {.closed = true};
      ERR_clear_error();
      size_t count = 0;
      const int result =
          SSL_write_ex(ssl_, static_cast<const char*>(part.iov_base) + done, part.iov_len - done, &count);
      if (result != 1) {
        const bool reads = read_wants_to_write_;
        const Outcome end = judge(result);
        read_wants_to_write_ = reads;
        return outcome.bytes > 0 ? outcome : end;
      }
      done += count;
      outcome.bytes += count;
    }
  }
  return outcome;
}

bool TlsStream::shaking_hands() const { return !broken_ && SSL_is_init_finished(ssl_) == 0; }
bool TlsStream::has_read_ahead() const { return !broken_ && SSL_pending(ssl_) > 0; }

void TlsStream::say_goodbye() {
  if (broken_ || SSL_is_init_finished(ssl_) == 0) return;
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options) {
  SSL_CTX* const raw = SSL_CTX_new(TLS_server_method());
  KEHU_CHECK(raw != nullptr);
  std::shared_ptr<const TlsContext> context(new TlsContext(raw));
  configure(raw, options);
  if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_file.c_str()) != 1) {
    return failure(absl::StatusCode::kFailedPrecondition, "cannot use the certificate ",
                   options.certificate_file, ": ", last_error(),
                   "; it is a PEM file, the server's certificate first");
  }
  if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failure(absl::StatusCode::kFailedPrecondition, "cannot use the key ", options.key_file, ": ",
                   last_error(), "; it is a PEM file without a password, and belongs to the certificate ",
                   options.certificate_file);
  }
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace kehu::net
