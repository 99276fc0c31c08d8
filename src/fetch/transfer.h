#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fetch/request.h"

namespace kehu::fetch {

// Once per process, before anything else of libcurl.
absl::Status start_libcurl();

// One request on its way through one handle of libcurl. Used by one thread; the request and the handle
// outlive it.
class Transfer {
 public:
  Transfer(CURL* curl, const Request& request);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  // Sets the handle up. InvalidArgument: the request cannot be sent as it is.
  absl::Status prepare();
  // What libcurl's end of the transfer means.
  absl::StatusOr<Response> finish(CURLcode code);
  // For the end that stop() brings.
  absl::Status stopped() const;

 private:
  static size_t on_header(char* bytes, size_t size, size_t count, void* self);
  static size_t on_content(char* bytes, size_t size, size_t count, void* self);
  static size_t on_body(char* to, size_t size, size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  void take_header(std::string_view line);
  absl::Status take_content(std::string_view piece);
  absl::Status set_headers();
  void set_address();
  void set_tls();
  void set_times();
  void set_body();
  absl::Status explain(CURLcode code) const;

  CURL* const curl_;
  const Request& request_;
  std::string where_;
  curl_slist* headers_ = nullptr;
  size_t header_bytes_ = 0;
  Response response_;
  absl::Status ended_;  // by us, in a callback
  bool not_public_ = false;
  char error_[CURL_ERROR_SIZE] = "";
};

}  // namespace kehu::fetch
