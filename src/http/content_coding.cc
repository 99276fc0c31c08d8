#include "http/content_coding.h"

#include <variant>

#include "base/text.h"

namespace kehu::http {
namespace {

bool is_plain(std::string_view coding) { return coding.empty() || equals_ignore_case(coding, "identity"); }

bool reads_body(const Route& route) {
  return std::holds_alternative<BufferedBody>(route.action) ||
         std::holds_alternative<StreamedBody>(route.action);
}

}  // namespace

bool says_compressed(const Request& request) {
  const auto coding = request.header("Content-Encoding");
  return coding && (equals_ignore_case(*coding, "gzip") || equals_ignore_case(*coding, "x-gzip") ||
                    equals_ignore_case(*coding, "deflate"));
}

std::optional<Problem> unsupported_coding(const Route& route, const Request& request) {
  const auto coding = request.header("Content-Encoding");
  if (!coding || is_plain(*coding) || !reads_body(route)) return std::nullopt;
  const bool inflates = route.doc.group == "intake";
  if (inflates && says_compressed(request)) return std::nullopt;
  return Problem{
      .status = 415,
      .code = "unsupported_encoding",
      .title = "The body's encoding is not supported",
      .detail = cat("this path does not read Content-Encoding: ", coding->substr(0, 40), "; send the body ",
                    inflates ? "as it is, or compressed with gzip or deflate" : "as it is")};
}

}  // namespace kehu::http
