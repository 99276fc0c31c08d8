#include "fetch/request.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/cord.h"
#include "base/text.h"
#include "fetch/failure.h"

namespace kehu::fetch {
namespace {

constexpr const char* kCausePayload = "kehu.fetch/cause";

using UrlHandle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

absl::StatusOr<std::string> shown(const std::string& url) {
  const UrlHandle parsed(curl_url(), curl_url_cleanup);
  const bool readable = parsed != nullptr && (url.starts_with("http://") || url.starts_with("https://")) &&
                        curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK;
  if (!readable) {
    return with_cause(
        Cause::kBadRequest,
        absl::InvalidArgumentError("the URL cannot be read: give http://HOST:PORT/PATH or https://"));
  }
  const std::string port = part_of(parsed.get(), CURLUPART_PORT);
  return cat(part_of(parsed.get(), CURLUPART_SCHEME), "://", part_of(parsed.get(), CURLUPART_HOST),
             port.empty() ? "" : ":", port, part_of(parsed.get(), CURLUPART_PATH));
}

absl::Status with_cause(Cause cause, absl::Status status) {
  status.SetPayload(kCausePayload, absl::Cord(std::string(1, static_cast<char>(cause))));
  return status;
}

Cause cause_of(const absl::Status& status) {
  const auto payload = status.GetPayload(kCausePayload);
  return payload ? static_cast<Cause>((*payload)[0]) : Cause::kOther;
}

}  // namespace kehu::fetch
