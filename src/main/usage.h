#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace kehu {

// The commands, one a line.
std::string command_list(const CLI::App& app);

// What to say when a command of commands (`kehu source`) got none of them; empty when it did.
std::string missing_command(const CLI::App& app, int argc, const char* const* argv);

// What to say about the first option of `argv` that its command does not have, with the one that was probably
// meant; empty when there is none.
std::string unknown_option(const CLI::App& app, int argc, const char* const* argv);

}  // namespace kehu
