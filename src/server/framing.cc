#include "server/framing.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>  // Asio 1.74 forgets it

namespace kehu::server {
namespace {

namespace beast = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

constexpr size_t kFieldsMax = 100;

std::string_view to_std(string_view text) { return {text.data(), text.size()}; }

http::Problem malformed(std::string detail) {
  return http::Problem::bad_request("malformed_request", "The request is not well-formed HTTP/1.1",
                                    std::move(detail));
}

bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (http::equals_ignore_case(item, token)) return true;
  }
  return false;
}

// Fields that decide about framing. Beast accepts a list of equal lengths and takes an unknown transfer
// coding for no body at all; both are read otherwise by somebody, so both are refused.
class HeadParser final : public beast::basic_parser<true> {
 public:
  explicit HeadParser(Head& head) : head_(head) {
    header_limit(0xffffffff);
    // Limits are the routes'. (Not boost::none, which this version takes for a limit below every length.)
    body_limit(std::numeric_limits<uint64_t>::max());
    eager(false);
  }

  std::optional<http::Problem> problem;

 private:
  void refuse(http::Problem why, error_code& ec) {
    problem = std::move(why);
    ec = beast::error::bad_field;
  }

  void on_request_impl(beast::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = to_std(method);
    head_.target = to_std(target);
    head_.http11 = version == 11;
  }

  void on_field_impl(beast::field field, string_view name, string_view value, error_code& ec) override {
    if (head_.headers.size() == kFieldsMax) {
      return refuse({.status = 431,
                     .code = "header_too_large",
                     .title = "The request header is too large",
                     .detail = "a request has at most 100 header fields"},
                    ec);
    }
    head_.headers.push_back({to_std(name), to_std(value)});
    switch (field) {
      case beast::field::content_length:
        return on_content_length(to_std(value), ec);
      case beast::field::transfer_encoding:
        return on_transfer_encoding(to_std(value), ec);
      case beast::field::host:
        if (std::exchange(has_host_, true)) refuse(malformed("there is more than one Host field"), ec);
        return;
      case beast::field::expect:
        return on_expect(to_std(value), ec);
      case beast::field::upgrade:
        head_.websocket = list_has(to_std(value), "websocket");
        return;
      case beast::field::connection:
        upgrades_ = upgrades_ || list_has(to_std(value), "upgrade");
        return;
      default:
        return;
    }
  }

  void on_content_length(std::string_view value, error_code& ec) {
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), head_.content_length);
    const bool digits = error == std::errc() && end == value.data() + value.size();
    if (!digits) return refuse(malformed("Content-Length is not one decimal number"), ec);
    if (std::exchange(has_length_, true))
      refuse(malformed("there is more than one Content-Length field"), ec);
  }

  void on_transfer_encoding(std::string_view value, error_code& ec) {
    if (!http::equals_ignore_case(value, "chunked")) {
      return refuse({.status = 501,
                     .code = "unknown_transfer_coding",
                     .title = "The transfer coding is unknown",
                     .detail = "the only Transfer-Encoding understood is \"chunked\""},
                    ec);
    }
    head_.chunked = true;
  }

  void on_expect(std::string_view value, error_code& ec) {
    head_.expects_continue = http::equals_ignore_case(value, "100-continue");
    if (!head_.expects_continue) {
      refuse({.status = 417,
              .code = "unknown_expectation",
              .title = "The expectation cannot be met",
              .detail = "the only Expect understood is \"100-continue\""},
             ec);
    }
  }

  void on_header_impl(error_code& ec) override {
    if (head_.http11 && !has_host_) return refuse(malformed("the Host field is missing"), ec);
    if (head_.chunked && !head_.http11)
      return refuse(malformed("HTTP/1.0 has no chunked transfer coding"), ec);
    head_.websocket = head_.websocket && upgrades_ && head_.http11;
    head_.expects_continue = head_.expects_continue && head_.http11;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  bool has_host_ = false;
  bool has_length_ = false;
  bool upgrades_ = false;
};

// Empty lines before a request line are tolerated (RFC 9112, 2.2).
size_t leading_empty_lines(std::string_view bytes) {
  size_t at = 0;
  while (bytes.substr(at, 2) == "\r\n") at += 2;
  return at;
}

struct EndSearch {
  size_t end = 0;  // behind the empty line; 0: not there yet
  const char* refusal = nullptr;
};

// Line feeds without a carriage return and folded lines are seen here, before Beast, which joins the latter.
EndSearch find_end(std::string_view bytes, size_t scanned) {
  for (size_t at = bytes.find('\n', scanned); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return {.refusal = "a line ends without a carriage return"};
    if (at >= 3 && bytes[at - 2] == '\n') return {.end = at + 1};
    if (at + 1 < bytes.size() && (bytes[at + 1] == ' ' || bytes[at + 1] == '\t')) {
      return {.refusal = "a header line is folded"};
    }
  }
  return {};
}

// "http://host/path" (to a proxy, or as RFC 9112 3.2.2 demands of any server) is served as "/path".
bool to_origin_form(std::string_view& target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t path = target.find('/', target.find("//") + 2);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return (target.starts_with('/') || target == "*") && target.find('#') == std::string_view::npos &&
         http::valid_escapes(target);
}

http::Problem explain(const error_code& ec) {
  if (ec == beast::error::bad_version) {
    return {.status = 505,
            .code = "unknown_version",
            .title = "The HTTP version is not supported",
            .detail = "use HTTP/1.1"};
  }
  return malformed("the request header cannot be read: " + ec.message());
}

}  // namespace

HeadResult parse_head(std::string_view bytes, size_t scanned, size_t limit, Head& head) {
  const size_t start = leading_empty_lines(bytes);
  // A line feed is judged together with its neighbours, so the last three bytes seen are looked at again.
  const EndSearch search = find_end(bytes, std::max(start, scanned < 3 ? 0 : scanned - 3));
  if (search.refusal != nullptr) return {Verdict::kRefused, malformed(search.refusal)};
  if (search.end > limit || (search.end == 0 && bytes.size() > limit)) {
    return {Verdict::kRefused,
            {.status = 431,
             .code = "header_too_large",
             .title = "The request header is too large",
             .detail =
                 "request line and header fields together have at most " + std::to_string(limit) + " bytes"}};
  }
  if (search.end == 0) return {Verdict::kPartial};

  head.headers.clear();
  head.content_length = 0;
  head.chunked = head.expects_continue = head.websocket = false;
  head.size = search.end;
  HeadParser parser(head);
  error_code ec;
  parser.put(boost::asio::const_buffer(bytes.data() + start, search.end - start), ec);
  if (ec) return {Verdict::kRefused, parser.problem ? std::move(*parser.problem) : explain(ec)};
  if (!parser.is_header_done()) return {Verdict::kRefused, malformed("the request header is incomplete")};
  head.keep_alive = parser.keep_alive();
  if (!to_origin_form(head.target)) {
    return {Verdict::kRefused, http::Problem::bad_request("bad_target", "The request target is not valid",
                                                          "it is a path with well-formed % escapes")};
  }
  return {Verdict::kComplete};
}

}  // namespace kehu::server
