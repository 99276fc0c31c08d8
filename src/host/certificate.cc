#include "host/certificate.h"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/text.h"
#include "host/log_line.h"
#include "net/self_made_certificate.h"
#include "os/clock.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

namespace kehu::host {
namespace {

constexpr Duration kRenewBefore = Duration::days(30);

std::vector<std::string> names_of_this_machine(const std::string& listen) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') names.emplace_back(host);
  const std::string given = listen.substr(0, listen.rfind(':'));
  const bool is_any = given.empty() || given == "*" || given == "0.0.0.0" || given.front() == '[';
  if (!is_any && given != "localhost" && given != "127.0.0.1") names.push_back(given);
  return names;
}

}  // namespace

absl::StatusOr<CertificateSource> CertificateSource::open(const Given& given, const std::string& data) {
  if (given.certificate_file.empty() != given.key_file.empty()) {
    return absl::InvalidArgumentError("give both --tls-cert and --tls-key, or neither");
  }
  CertificateSource source;
  source.self_made_ = given.certificate_file.empty();
  source.host_ = given.host;
  const std::string own = data + "/keys/tls.pem";
  source.options_ = {.certificate_file = source.self_made_ ? own : given.certificate_file,
                     .key_file = source.self_made_ ? own : given.key_file,
                     .only_tls13 = given.only_tls13};
  if (auto changed = source.changed(); !changed.ok()) return changed.status();
  return source;
}

absl::Status CertificateSource::renew_if_due() {
  os::FileSystem& files = os::posix_file_system();
  const Instant now = os::system_clock().now();
  if (files.exists(options_.key_file)) {
    const auto text = os::read_whole_file(files, options_.key_file);
    if (!text.ok()) return text.status();
    const auto end = net::end_of_certificate(*text);
    if (end.ok() && now + kRenewBefore < *end) return absl::OkStatus();
  }
  const auto made = net::make_certificate(names_of_this_machine(host_), now);
  if (!made.ok()) return made.status();
  return os::replace_whole_file(files, options_.key_file, *made);
}

absl::StatusOr<bool> CertificateSource::changed() {
  if (self_made_) {
    if (absl::Status status = renew_if_due(); !status.ok()) return status;
  }
  std::string now = signature();
  if (now == seen_) return false;
  seen_ = std::move(now);
  return true;
}

// What a change of the files changes.
std::string CertificateSource::signature() const {
  std::string all;
  for (const std::string& path : {options_.certificate_file, options_.key_file}) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) continue;
    all += cat(found.st_ino, " ", found.st_size, " ", found.st_mtim.tv_sec, ".", found.st_mtim.tv_nsec, " ");
  }
  return all;
}

void watch_certificate(CertificateSource& source, StopSignal& signal, server::Server& server) {
  const bool asked = signal.take_reload();
  const auto changed = source.changed();
  if (!changed.ok()) log_line(server::Severity::kError, message_of(changed.status()));
  if (!asked && !(changed.ok() && *changed)) return;
  const absl::Status status = server.reload_tls();
  log_line(status.ok() ? server::Severity::kInfo : server::Severity::kError,
           status.ok() ? "the certificate was read again"
                       : cat("the certificate before stays in use: ", message_of(status)));
}

}  // namespace kehu::host
