#pragma once

#include <CLI/CLI.hpp>

#include "absl/status/status.h"
#include "command/caller.h"

// How the commands of command/administration.h are written.
namespace kehu {

// Declares them all; the one that was given leaves its outcome in `result`.
void add_administration(CLI::App& app, absl::Status& result);
// --data and --url.
void add_where(CLI::App* command, command::Where& where);

}  // namespace kehu
