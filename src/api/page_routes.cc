#include "api/app.h"
#include "api/pages.h"

namespace kehu::api {

void add_page_routes(App& app, std::vector<Route>& routes) {
  const auto page = [](std::string_view content_type, std::string_view text) {
    return [content_type, text](const Request&, Responder responder) {
      Response response = Response::fixed(content_type, text);
      // Nothing from elsewhere, no framing: the page shows customers.
      response.with(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
          "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
      response.with("X-Content-Type-Options", "nosniff");
      responder.send(std::move(response));
    };
  };
  const auto add = [&](const char* path, auto handler, const char* summary) {
    routes.push_back(
        {.pattern = path,
         .access = Access::kPublic,
         .action = NoBody{handler},
         .doc = {.summary = summary, .group = "status", .answers = {{200, "The file", "text/html"}}}});
  };
  add("/", page("text/html; charset=utf-8", pages::kIndexHtml),
      "A page with live counters and a customer search");
  add("/page.js", page("text/javascript; charset=utf-8", pages::kPageJs), "Script of the page");
  add("/debugger.js", page("text/javascript; charset=utf-8", pages::kDebuggerJs), "Script of its debugger");
  add("/segments.js", page("text/javascript; charset=utf-8", pages::kSegmentsJs), "Script of its segments");
  add("/texts.js", page("text/javascript; charset=utf-8", pages::kTextsJs), "Words of the page");
  add("/page.css", page("text/css; charset=utf-8", pages::kPageCss), "Style of the page");
  routes.push_back(
      {.pattern = "/openapi.json",
       .access = Access::kPublic,
       .action = NoBody{[&app](const Request&, Responder responder) {
         responder.send(Response::json(app.openapi()));
       }},
       .doc = {.summary = "This document", .group = "status", .answers = {{200, "OpenAPI 3.1"}}}});
}

}  // namespace kehu::api
