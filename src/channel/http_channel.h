#pragma once

#include <memory>
#include <string>

#include "channel/channel.h"
#include "fetch/fetcher.h"

namespace kehu::channel {

// POSTs each intent to one address as {"key": "1234-0", "customer_id": "…", "text": "…"}, with the key also
// as the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). 2xx: delivered. 4xx but 408, 425
// and 429: refused. Everything else is tried again.
class HttpChannel final : public Channel {
 public:
  struct Options {
    std::string url;
    Duration timeout = Duration::seconds(10);
  };
  explicit HttpChannel(Options options);

  void deliver(const Intent& intent, Done done) override;

 private:
  Options options_;
  fetch::Fetcher fetcher_;
};

}  // namespace kehu::channel
