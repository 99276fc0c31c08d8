#include "main/usage.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace kehu {
namespace {

// What other programs call it.
constexpr std::pair<std::string_view, std::string_view> kMeant[] = {
    {"port", "listen"}, {"host", "listen"},     {"bind", "listen"},    {"address", "listen"},
    {"addr", "listen"}, {"dir", "data"},        {"directory", "data"}, {"data-dir", "data"},
    {"path", "data"},   {"server", "url"},      {"endpoint", "url"},   {"output", "format"},
    {"mapping", "map"}, {"config", "settings"}, {"cert", "tls-cert"},  {"force", "all"},
    {"token", "url"},   {"write-key", "key"},   {"n", "limit"},        {"why", "reason"}};

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  return names;
}

std::string probably(std::string_view wrong, const std::vector<std::string>& names) {
  for (const auto& [said, meant] : kMeant) {
    if (said == wrong && std::find(names.begin(), names.end(), meant) != names.end())
      return std::string(meant);
  }
  std::string best;
  size_t nearest = wrong.size() / 3 + 2;
  for (const std::string& name : names) {
    const bool longer = wrong.size() >= 3 && name.starts_with(wrong);
    const size_t away = longer ? 1 : distance(wrong, name);
    if (away >= nearest) continue;
    nearest = away;
    best = name;
  }
  return best;
}

const CLI::App* command_named(const CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

}  // namespace

std::string command_list(const CLI::App& app) {
  std::string out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string& name = command->get_name();
    out += cat("  ", name, std::string(name.size() < 12 ? 12 - name.size() : 1, ' '),
               command->get_description(), "\n");
  }
  return out;
}

std::string missing_command(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* command = &app;
  std::string path = "kehu", stranger;
  for (int i = 1; i < argc && stranger.empty(); ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) continue;
    if (command_list(*command).empty()) return {};
    if (const CLI::App* inner = command_named(*command, word)) {
      command = inner;
      path += " " + word;
    } else {
      stranger = word;
    }
  }
  const std::string list = command_list(*command);
  if (list.empty()) return {};
  return cat(path,
             stranger.empty() ? " wants one of its commands:\n"
                              : cat(" has no command \"", stranger, "\"; its commands are\n"),
             list);
}

std::string unknown_option(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* command = &app;
  std::string path = "kehu";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") return {};
    if (!word.starts_with('-')) {
      if (const CLI::App* inner = command_named(*command, word)) {
        command = inner;
        path += " " + word;
      }
      continue;
    }
    if (!word.starts_with("--") || word.size() < 3) continue;
    const std::string name = word.substr(2, word.find('=') - 2);
    const std::vector<std::string> names = options_of(*command);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string meant = probably(name, names);
    return cat(path, " has no option --", name, meant.empty() ? "" : cat("; did you mean --", meant, "?"),
               "\n`", path, " --help` lists them");
  }
  return {};
}

}  // namespace kehu
