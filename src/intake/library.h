#pragma once

#include <string_view>

namespace kehu::intake {

// True of the names under which SDKs for servers send (context.library.name): "analytics-go",
// "analytics-ruby", "@segment/analytics-node", "RudderAnalytics.NET". They are told by the name of a server's
// language, as a word of its own.
bool is_server_library(std::string_view name);

}  // namespace kehu::intake
