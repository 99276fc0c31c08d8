#include "host/welcome.h"

#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "host/log_line.h"

namespace kehu::host {
namespace {

std::string origin_of(const char* variable) {
  return environment(variable).empty() ? std::string("of this data directory") : cat("of ", variable);
}

}  // namespace

std::string page_of(const std::string& listen, int port) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "[::]" || host == "*";
  return cat("http://", everywhere ? "127.0.0.1" : host, ":", port);
}

void welcome(const Runtime& runtime, const std::string& page, const std::string& data) {
  if (isatty(STDERR_FILENO) == 0) {
    const bool own_token = environment("KEHU_ADMIN_TOKEN").empty();
    log_line(server::Severity::kInfo, cat("`kehu keys --data ", data, "` shows the write keys",
                                          own_token ? " and the admin token" : ""));
    return;
  }
  const bool given = !environment("KEHU_ADMIN_TOKEN").empty() || !environment("KEHU_WRITE_KEY").empty();
  const std::string text = cat(
      "\n  page         ", page, "/#token=", runtime.admin_token(), "\n  admin token  ",
      runtime.admin_token(), "  (", origin_of("KEHU_ADMIN_TOKEN"), ")\n  write key    ", runtime.write_key(),
      "  (", origin_of("KEHU_WRITE_KEY"), ")\n\nSend an event:\n  curl -u ", runtime.write_key(), ": ", page,
      "/v1/track -d '{\"userId\":\"me\",\"event\":\"Hello\"}'\n`kehu keys --data ", data, "` shows ",
      given ? "those of this data directory" : "them again", ". Ctrl-C stops the server.\n\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace kehu::host
