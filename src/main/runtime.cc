#include "main/runtime.h"

#include <cstdlib>

#include "api/responder.h"
#include "codec/settings_json.h"
#include "engine/credentials.h"
#include "os/clock.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

namespace kehu {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
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
                               const api::AnswerBatch batch;
                               acks();
                             },
                         .depth = options.depth,
                         .tracer = options.tracer};
  if (!options.settings_file.empty()) {
    const auto text = os::read_whole_file(files, options.settings_file);
    if (!text.ok()) return text.status();
    auto settings = codec::settings_from_json(*text);
    if (!settings.ok()) return settings.status();
    engine.first_settings = std::make_shared<const Settings>(*std::move(settings));
  }
  std::unique_ptr<Runtime> runtime(new Runtime());
  auto opened = engine::Engine::open(std::move(engine), options.progress);
  if (!opened.ok()) return opened.status();
  runtime->engine_ = *std::move(opened);
  auto query = query::Reader::open(runtime->engine_->lake(),
                                   {.temp_directory = runtime->engine_->temporary_directory(),
                                    .time_zone = runtime->engine_->project()->settings()->time_zone});
  if (!query.ok()) return query.status();
  runtime->query_ = *std::move(query);
  runtime->app_ = std::make_unique<api::App>(*runtime->engine_, *runtime->query_,
                                             api::AppOptions{.admin_token = environment("KEHU_ADMIN_TOKEN"),
                                                             .write_key = environment("KEHU_WRITE_KEY"),
                                                             .more_metrics = options.more_metrics});
  return runtime;
}

Runtime::~Runtime() {
  if (engine_ != nullptr) (void)stop();
}

std::string Runtime::admin_token() const {
  const std::string given = environment("KEHU_ADMIN_TOKEN");
  return given.empty() ? engine::derived_admin_token(engine_->key()) : given;
}

std::string Runtime::write_key() const {
  const std::string given = environment("KEHU_WRITE_KEY");
  return given.empty() ? engine::derived_write_key(engine_->key()) : given;
}

absl::Status Runtime::stop() {
  app_->stop();
  const absl::Status status = engine_->stop();
  app_.reset();
  query_.reset();
  engine_.reset();
  return status;
}

}  // namespace kehu
