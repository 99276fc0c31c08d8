#include "host/welcome.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "host/log_line.h"

namespace kehu::host {
namespace {

constexpr const char* kOwn = "of this data directory";

std::string origin_of(const char* variable) {
  return environment(variable).empty() ? std::string(kOwn) : cat("of ", variable);
}

// Names of sources have single spaces at most.
std::string shell_word(const std::string& name) {
  return name.find(' ') == name.npos ? name : cat("'", name, "'");
}

std::string how_to_get_a_key(const definition::Project& project, const std::string& data) {
  const auto& sources = project.sources();
  const auto enabled =
      std::ranges::find_if(sources, [](const definition::Source& one) { return one.enabled; });
  if (enabled != sources.end()) {
    return cat("`kehu source key add ", shell_word(enabled->name), " --data ", data, "` makes one");
  }
  if (sources.empty()) return cat("`kehu source add NAME --data ", data, "` makes a source with one");
  return cat("no source is enabled; `kehu source set ", shell_word(sources[0].name),
             " --enabled true --data ", data, "` enables it");
}

}  // namespace

std::string page_of(const std::string& listen, int port) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "[::]" || host == "*";
  return cat("http://", everywhere ? "127.0.0.1" : host, ":", port);
}

void welcome(Runtime& runtime, const std::string& page, const std::string& data) {
  if (isatty(STDERR_FILENO) == 0) {
    const bool own_token = environment("KEHU_ADMIN_TOKEN").empty();
    log_line(server::Severity::kInfo, cat("`kehu keys --data ", data, "` shows the write keys",
                                          own_token ? " and the admin token" : ""));
    return;
  }
  const bool given = !environment("KEHU_ADMIN_TOKEN").empty() || !environment("KEHU_WRITE_KEY").empty();
  const std::string key = runtime.write_key();
  const std::string example = "/v1/track -d '{\"userId\":\"me\",\"event\":\"Hello\"}'\n";
  const std::string text = cat(
      "\n  page         ", page, "/#token=", runtime.admin_token(), "\n  admin token  ",
      runtime.admin_token(), "  (", origin_of("KEHU_ADMIN_TOKEN"), ")\n  write key    ",
      key.empty() ? cat("none: ", how_to_get_a_key(*runtime.engine().project(), data))
                  : cat(key, "  (", key == environment("KEHU_WRITE_KEY") ? "of KEHU_WRITE_KEY" : kOwn, ")"),
      "\n\nSend an event:\n  curl -u ", key.empty() ? "KEY" : key, ": ", page, example, "`kehu keys --data ",
      data, "` shows ", given ? "those of this data directory" : "them again",
      ". Ctrl-C stops the server.\n\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace kehu::host
