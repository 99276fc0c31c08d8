#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "host/stop_signal.h"
#include "server/server.h"

namespace kehu::host {

// Where the server's certificate comes from: files of the operator, or one that Kehu makes and keeps in
// keys/tls.pem of the data directory (mode 0600) and makes again thirty days before its end.
class CertificateSource {
 public:
  struct Given {
    std::string certificate_file;  // both or none
    std::string key_file;
    bool only_tls13 = false;
    std::string host;  // that the server listens on, for a certificate of its own
  };
  static absl::StatusOr<CertificateSource> open(const Given& given, const std::string& data);

  const net::TlsOptions& options() const { return options_; }
  bool self_made() const { return self_made_; }
  // True when the files are others than at the last call, or the first. Makes a self-made one anew in time.
  absl::StatusOr<bool> changed();

 private:
  absl::Status renew_if_due();
  std::string signature() const;

  net::TlsOptions options_;
  bool self_made_ = false;
  std::string host_;
  std::string seen_;
};

// Lets the server read its certificate again when that was asked for or the files changed. Says so in the
// log, or why not.
void watch_certificate(CertificateSource& source, StopSignal& signal, server::Server& server);

}  // namespace kehu::host
