#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

struct iovec;
struct ssl_ctx_st;
struct ssl_st;

// TLS by OpenSSL, as Boost.Asio brings it. 1.3, and 1.2 with forward secrecy and AEAD only; no compression,
// no renegotiation, no early data.
namespace kehu::net {

struct TlsOptions {
  std::string certificate_file = {};  // PEM, with the chain behind the server's own certificate
  std::string key_file = {};          // PEM; may be the same file
  bool only_tls13 = false;            // else 1.2 too
};

// The server's side of one connection on a socket that never blocks. Shakes hands with the first read.
class TlsStream {
 public:
  TlsStream(ssl_ctx_st* context, int descriptor);
  ~TlsStream();

  struct Outcome {
    size_t bytes = 0;
    bool closed = false;  // neither closed nor bytes: would block
  };
  Outcome read(char* to, size_t size);
  // After a write that took nothing, the next one must begin with the same bytes.
  Outcome write(std::span<const iovec> parts);

  bool shaking_hands() const;
  bool has_read_ahead() const;  // bytes that a wait on the socket would not see
  bool read_wants_to_write() const { return read_wants_to_write_; }
  void say_goodbye();  // close_notify, if the connection is in a state to

 private:
  Outcome judge(int result);

  ssl_st* const ssl_;
  bool broken_ = false;
  bool read_wants_to_write_ = false;
};

// Certificate and key, as they were in their files at one moment. Immutable, shared by the connections that
// began with it.
class TlsContext {
 public:
  // Fails with what is wrong with which file.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> load(const TlsOptions& options);
  ~TlsContext();

  std::unique_ptr<TlsStream> accept(int descriptor) const {
    return std::make_unique<TlsStream>(context_, descriptor);
  }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace kehu::net
