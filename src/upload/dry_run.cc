#include "upload/dry_run.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "base/text.h"
#include "codec/settings_json.h"
#include "command/answers.h"
#include "intake/rehearsal.h"
#include "mapping/file_import.h"
#include "upload/import_report.h"

namespace kehu::upload {
namespace {

constexpr uint64_t kRowsPerFile = 1'000'000;

struct KnownSettings {
  Settings settings;
  const char* whose = "";
};

// Those that the events would meet. A write key does not open the settings of a server.
KnownSettings settings_of(const ImportCommand& command) {
  constexpr const char* kDefaults = "the default settings";
  std::error_code error;
  if (command.where.url.empty() && !std::filesystem::exists(command.where.data, error))
    return {Settings::defaults(), kDefaults};
  const auto text = command::call_once(command.where, {.method = "GET", .path = "/api/v1/settings"});
  auto settings = text.ok() ? codec::settings_from_json(*text) : text.status();
  if (!settings.ok()) return {Settings::defaults(), kDefaults};
  return {*std::move(settings), "the settings of this installation"};
}

Instant now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

class DryRun {
 public:
  DryRun(const ImportCommand& command, const mapping::Mapping& mapping)
      : command_(command),
        mapping_(mapping),
        known_(settings_of(command)),
        rehearsal_(std::make_shared<Settings>(known_.settings), now()) {}

  absl::Status run() {
    for (const std::string& file : command_.files) {
      if (auto status = read(file); !status.ok()) return status;
    }
    return command::print(summary());
  }

 private:
  absl::Status read(const std::string& file) {
    auto import = mapping::FileImport::open(mapping_, file);
    if (!import.ok()) return import.status();
    if ((*import)->empty()) std::fprintf(stderr, "kehu: %s is empty\n", file.c_str());
    mapping::MappedRow row;
    while ((*import)->report().rows < kRowsPerFile) {
      const auto more = (*import)->next(row);
      if (!more.ok()) return more.status();
      if (!*more) break;
      if ((*import)->report().rows == 1) warn(**import);
      judge(row);
    }
    if ((*import)->report().rows == kRowsPerFile)
      std::fprintf(stderr, "kehu: %s: looked at the first %llu rows\n", file.c_str(),
                   static_cast<unsigned long long>(kRowsPerFile));
    report_.add((*import)->report());
    return absl::OkStatus();
  }

  static void warn(const mapping::FileImport& import) {
    for (const std::string& warning : import.warnings())
      std::fprintf(stderr, "kehu: warning: %s\n", warning.c_str());
  }

  void judge(const mapping::MappedRow& row) {
    const bool shows = shown_ < *command_.dry_run;
    if (shows && row.event_count > 0)
      (void)command::print(cat("row ", row.line, ":\n", mapping::pretty(row.events)));
    for (const mapping::RowRejection& rejection : row.rejections) {
      if (shows) say(row, to_string(rejection.reason), rejection.column, rejection.detail);
    }
    for (const auto& verdict : rehearsal_.judge(row.events)) {
      if (!verdict.accepted) {
        ++refused_[verdict.reason];
        if (shows) say(row, to_string(verdict.reason), verdict.path, verdict.detail);
      }
      for (const auto& identifier : verdict.left_out) {
        const std::string what = cat(identifier.type, ": ", to_string(identifier.why));
        if (left_out_[what]++ == 0 || shows) {
          (void)command::print(cat("row ", row.line, ": the identifier ", what, ", so it would be left out"));
        }
      }
    }
    shown_ += row.event_count + row.rejections.size();
  }

  static void say(const mapping::MappedRow& row, std::string_view reason, std::string_view where,
                  std::string_view detail) {
    (void)command::print(cat("row ", row.line, ": ", reason, " ", where, ": ", detail));
  }

  std::string summary() const {
    uint64_t refused = 0;
    for (const auto& [reason, count] : refused_) refused += count;
    std::string out = cat("dry run: ", report_.rows, " rows read, ", report_.events, " events, ",
                          report_.filtered, " filtered out, ", report_.rejected, " could not be mapped");
    if (refused > 0) out += cat(", ", refused, " events would go into quarantine");
    out += cat("; by ", known_.whose, "; nothing was changed");
    for (size_t i = 0; i < report_.rejected_by_reason.size(); ++i) {
      const uint64_t count = report_.rejected_by_reason[i];
      if (count > 0) out += cat("\n  ", to_string(static_cast<Reason>(i)), ": ", count);
    }
    for (const auto& [reason, count] : refused_)
      out += cat("\n  ", to_string(reason), ": ", count, " of the events");
    for (const auto& [what, count] : left_out_)
      out += cat("\n  left out, ", what, ": ", count, " identifiers");
    std::string lost = digits_lost_text(report_);
    if (!lost.empty()) lost.pop_back();
    return lost.empty() ? out : cat(out, "\n", lost);
  }

  const ImportCommand& command_;
  const mapping::Mapping& mapping_;
  KnownSettings known_;
  intake::Rehearsal rehearsal_;
  mapping::Report report_;
  uint64_t shown_ = 0;
  std::map<Reason, uint64_t> refused_;
  std::map<std::string, uint64_t> left_out_;
};

}  // namespace

absl::Status dry_run(const ImportCommand& command, const mapping::Mapping& mapping) {
  return DryRun(command, mapping).run();
}

}  // namespace kehu::upload
