#include "host/runtime.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "base/text.h"
#include "codec/settings_json.h"
#include "definition/webhook.h"
#include "directory/credentials.h"
#include "http/responder.h"
#include "os/clock.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

namespace kehu::host {

// A header's value has no blanks around it either: with them here, two texts could look different and yet
// open the same.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(absl::StripAsciiWhitespace(value));
}

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::open(const RuntimeOptions& options) {
  os::FileSystem& files = os::posix_file_system();
  engine::Options engine{.directory = options.directory,
                         .files = &files,
                         .clock = &os::system_clock(),
                         .first_settings = {},
                         .memory_bytes = options.memory_bytes,
                         // Many requests end with one sync: their answers share wake-ups.
                         .around_acks =
                             [](absl::FunctionRef<void()> acks) {
                               const http::AnswerBatch batch;
                               acks();
                             },
                         .depth = options.depth,
                         .tracer = options.tracer,
                         .channels = options.channels,
                         .warn = options.warn};
  if (!options.settings_file.empty() || !options.settings_text.empty()) {
    const auto text = options.settings_file.empty() ? absl::StatusOr<std::string>(options.settings_text)
                                                    : os::read_whole_file(files, options.settings_file);
    if (!text.ok()) return text.status();
    auto settings = codec::settings_from_json(*text);
    if (!settings.ok()) return settings.status();
    engine.first_settings = std::make_shared<const Settings>(*std::move(settings));
  }
  std::unique_ptr<Runtime> runtime(new Runtime());
  if (options.webhooks) {
    runtime->webhooks_ = std::make_shared<webhook::Webhooks>(*options.webhooks);
    engine.channels[std::string(definition::kWebhookChannel)] = runtime->webhooks_;
  }
  auto opened = engine::Engine::open(std::move(engine), options.progress);
  if (!opened.ok()) return opened.status();
  runtime->engine_ = *std::move(opened);
  if (auto status = runtime->check_credentials(); !status.ok()) return status;
  auto query = query::Reader::open(
      runtime->engine_->lake(),
      {.temp_directory = runtime->engine_->temporary_directory(),
       .time_zone = runtime->engine_->project()->settings()->time_zone,
       .settings = [engine = runtime->engine_.get()] { return engine->project()->settings(); }});
  if (!query.ok()) return query.status();
  runtime->query_ = *std::move(query);
  runtime->app_ = std::make_unique<api::App>(*runtime->engine_, *runtime->query_,
                                             api::AppOptions{.admin_token = environment("KEHU_ADMIN_TOKEN"),
                                                             .write_key = environment("KEHU_WRITE_KEY"),
                                                             .more_metrics = options.more_metrics,
                                                             .webhooks = runtime->webhooks_.get(),
                                                             .warn = options.warn});
  if (runtime->webhooks_ != nullptr) runtime->webhooks_->start(*runtime->engine_);
  return runtime;
}

Runtime::~Runtime() {
  if (engine_ != nullptr) (void)stop();
}

// A write key stands in pages and apps: it must not be the admin's token as well.
absl::Status Runtime::check_credentials() const {
  const std::string token = admin_token();
  const bool same = token == environment("KEHU_WRITE_KEY");
  const Hash128 hash = directory::credential_hash(engine_->key(), token);
  for (const engine::Source& source : engine_->project()->sources()) {
    for (const engine::WriteKey& key : source.keys) {
      if (key.hash != hash) continue;
      return failure(absl::StatusCode::kInvalidArgument, "KEHU_ADMIN_TOKEN is a write key of the source \"",
                     source.name, "\", which pages and apps show to everybody: choose another token");
    }
  }
  if (!same) return absl::OkStatus();
  return failure(
      absl::StatusCode::kInvalidArgument,
      "KEHU_WRITE_KEY is the admin token too, and pages and apps show it to everybody: choose another one");
}

std::string Runtime::admin_token() const {
  const std::string given = environment("KEHU_ADMIN_TOKEN");
  return given.empty() ? directory::derived_admin_token(engine_->key()) : given;
}

std::string Runtime::write_key() const {
  const auto project = engine_->project();
  for (std::string key : {environment("KEHU_WRITE_KEY"), directory::derived_write_key(engine_->key())}) {
    if (app_->source_of(*project, key) != nullptr) return key;
  }
  return {};
}

absl::Status Runtime::stop() {
  if (app_ != nullptr) app_->stop();  // it may have failed to open
  if (webhooks_ != nullptr) webhooks_->stop();
  const absl::Status status = engine_->stop();
  app_.reset();
  query_.reset();
  engine_.reset();
  return status;
}

}  // namespace kehu::host
