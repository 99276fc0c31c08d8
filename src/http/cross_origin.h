#pragma once

#include <vector>

#include "http/router.h"

namespace kehu::http {

// Lets pages of any site send events: the one place that does so for all intake routes. Adds an OPTIONS route
// beside each path of the group "intake", which answers the preflight (204; the headers asked for are
// allowed, for a day), and lets the page that sent an Origin read the answers. Costs a look for that header
// per request.
void allow_cross_origin(std::vector<Route>& routes);

// Whether a browser sent the request from a page that is not of the address it went to: its Origin, or what
// Sec-Fetch-Site says. A browser may be made to send an administrator's request with what it knows of him.
bool comes_from_another_site(const Request& request);

// The same headers on an answer that is given before a route's handler is called.
void allow_origin(const Route& route, const Request& request, Response& response);

}  // namespace kehu::http
