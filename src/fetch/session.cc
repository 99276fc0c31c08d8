#include "fetch/session.h"

#include "base/check.h"
#include "fetch/transfer.h"

namespace kehu::fetch {

struct Session::Handle {
  Handle() : curl(curl_easy_init()) { KEHU_CHECK(curl != nullptr); }
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  CURL* curl;
};

Session::Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

absl::StatusOr<Response> Session::run(const Request& request) {
  if (auto status = start_libcurl(); !status.ok()) return status;
  if (handle_ == nullptr) handle_ = std::make_unique<Handle>();
  Transfer transfer(handle_->curl, request);
  if (auto status = transfer.prepare(); !status.ok()) return status;
  return transfer.finish(curl_easy_perform(handle_->curl));
}

}  // namespace kehu::fetch
