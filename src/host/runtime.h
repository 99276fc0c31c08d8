#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/app.h"
#include "engine/engine.h"
#include "query/session.h"
#include "webhook/webhooks.h"

namespace kehu::host {

struct RuntimeOptions {
  std::string directory;
  std::string settings_file = {};  // of a new directory
  std::string settings_text = {};  // the same, as JSON
  uint64_t memory_bytes = 4ull << 30;
  engine::Depth depth = engine::Depth::kAll;
  trace::Tracer* tracer = nullptr;  // outlives the runtime
  std::map<std::string, std::shared_ptr<channel::Channel>, std::less<>> channels = {};  // see engine::Options
  // Webhooks are sent with these; otherwise their messages wait for whoever opens the directory next.
  std::optional<webhook::Options> webhooks = {};
  // Lines of /metrics about what is not in it.
  std::function<void(std::string&)> more_metrics = {};
  // What the operator is told of requests that nobody could take, and of channels that fail.
  std::function<void(std::string_view)> warn = {};
  // Records replayed so far, while the data directory recovers.
  std::function<void(uint64_t)> progress = {};
};

// One opened data directory with everything that answers about it. KEHU_ADMIN_TOKEN and KEHU_WRITE_KEY count.
class Runtime {
 public:
  static absl::StatusOr<std::unique_ptr<Runtime>> open(const RuntimeOptions& options);
  ~Runtime();

  engine::Engine& engine() { return *engine_; }
  query::Reader& query() { return *query_; }
  api::App& app() { return *app_; }
  std::string admin_token() const;
  // The first of KEHU_WRITE_KEY and the directory's own key that opens a source; empty when neither does,
  // because it was revoked or its source deleted or disabled.
  std::string write_key() const;

  // Waits for what runs, then closes the directory in order. Once.
  absl::Status stop();

 private:
  absl::Status check_credentials() const;
  Runtime() = default;

  std::shared_ptr<webhook::Webhooks> webhooks_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<query::Reader> query_;
  std::unique_ptr<api::App> app_;
};

// The value of an environment variable without blanks and line ends around it, or nothing.
std::string environment(const char* name);

}  // namespace kehu::host
