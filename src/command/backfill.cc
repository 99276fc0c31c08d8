#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "command/progress_bar.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::command {
namespace {

constexpr std::string_view kPath = "/api/v1/backfill";
constexpr auto kLook = std::chrono::milliseconds(250);
constexpr auto kLookUnseen = std::chrono::milliseconds(20);
constexpr auto kStandstill = std::chrono::seconds(60);  // of what tries again every five
constexpr int kBarCells = 24;

std::string grouped(int64_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string document_text(const json::Value& root) {
  std::string out = cat(backfill_text(root), "\n");
  if (const auto error = root.find("error").as_string()) {
    out += cat("it does not go on, and tries again every few seconds: ", *error, "\n");
  }
  for (const auto& rule : root.find("rules")) {
    const bool segment = rule.value.find("segment").exists();
    out += cat("  ", segment ? "segment " : "tag ",
               rule.value.find(segment ? "segment" : "tag").as_string().value_or(""), ", version ",
               rule.value.find("version").raw(), "\n");
  }
  return out;
}

absl::Status show(const BackfillCommand& command, const client::Request& request) {
  const auto body = call_once(command.where, request);
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  return print(document_text(document->root()));
}

}  // namespace

std::string backfill_text(const json::Value& backfill) {
  const std::string state = backfill.find("state").as_string().value_or("");
  if (state == "idle" && backfill.find("rules").size() > 0) return "waiting for what is measured";
  if (state == "idle") return "nothing is being filled in";
  const int64_t done = backfill.find("parts_done").as_int().value_or(0);
  const int64_t total = std::max(done, backfill.find("parts_total").as_int().value_or(0));
  if (total == 0) return state;
  const auto filled = static_cast<int>(done * kBarCells / total);
  std::string out;
  for (int i = 0; i < kBarCells; ++i) out += i < filled ? "█" : "░";
  out += cat(" ", done * 100 / total, " %, ", state == "paused" ? "PAUSED, " : "",
             backfill.find("step").as_string().value_or(""), ", ", grouped(done), " of about ",
             grouped(total), " parts");
  const int64_t events = backfill.find("events_per_second").as_int().value_or(0);
  return events == 0 ? out : cat(out, ", ", grouped(events), " events/s");
}

absl::Status show_backfill(const BackfillCommand& command) {
  return show(command, {.path = std::string(kPath)});
}

absl::Status pause_backfill(const BackfillCommand& command) {
  return show(command, {.method = "POST", .path = cat(kPath, "/pause")});
}

absl::Status resume_backfill(const BackfillCommand& command) {
  return show(command, {.method = "POST", .path = cat(kPath, "/resume")});
}

absl::Status cancel_backfill(const BackfillCommand& command) {
  std::string request;
  json::Writer(request).begin_object().field(command.tag ? "tag" : "segment", command.name).end_object();
  const auto body = call_once(
      command.where, {.method = "POST", .path = cat(kPath, "/cancel"), .headers = kJson, .body = request});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  const json::Value root = document->root();
  const bool deleted = root.find("deleted").as_bool().value_or(false);
  return print(cat("version ", root.find("withdrawn").raw(), " of ", command.name, " is withdrawn: ",
                   deleted ? "it had none before, and is deleted" : "the one before stays in force"));
}

namespace {

// What is being filled in, or waits for something else to be measured.
bool is_under_way(const json::Value& backfill) {
  const std::string state = backfill.find("state").as_string().value_or("");
  return state == "running" || (state == "idle" && backfill.find("rules").size() > 0);
}

// Why the statement of a tag has not filled it yet; empty: nothing is known. It is tried again in five
// minutes, which nobody waits for.
std::string failed_run(Caller& caller) {
  const auto body = body_of(caller.call({.path = "/api/v1/tags"}));
  const auto document = json::Document::parse(body.ok() ? *body : "{}");
  if (!document.ok()) return "";
  for (const auto& tag : document->root().find("tags")) {
    const auto error = tag.value.find("run").find("error").as_string();
    if (error && tag.value.find("state").as_string() != "live") {
      return cat("tag ", tag.value.find("name").as_string().value_or(""), ": ", *error);
    }
  }
  return "";
}

absl::Status not_in_force(const std::string& why) {
  return failure(absl::StatusCode::kUnavailable, "all is applied, and some rules are not in force yet",
                 why.empty() ? "" : ": ", why, "; `kehu backfill status` shows which");
}

}  // namespace

// A server goes on without whoever looks. Without one, nobody would: a failure that lasts ends the command,
// for else nobody could.
absl::Status watch_backfill(Caller& caller) {
  const bool draws = ::isatty(STDERR_FILENO) != 0;
  if (!draws && !caller.alone()) return absl::OkStatus();
  bool drawn = false;
  std::string seen;
  auto moved = std::chrono::steady_clock::now();
  for (;;) {
    const auto body = body_of(caller.call({.path = std::string(kPath)}));
    if (!body.ok()) return body.status();
    const auto document = json::Document::parse(*body);
    if (!document.ok()) return document.status();
    if (!is_under_way(document->root())) break;
    if (*body != seen) moved = std::chrono::steady_clock::now();
    seen = *body;
    std::string why = document->root().find("error").as_string().value_or("");
    const bool rests = document->root().find("state").as_string() != "running";
    if (rests) why = failed_run(caller);
    if (std::chrono::steady_clock::now() - moved > kStandstill || (rests && !why.empty())) {
      if (drawn) std::fprintf(stderr, "\n");
      return not_in_force(why);
    }
    if (draws) {
      std::fprintf(stderr, "\r\033[K%s", backfill_text(document->root()).c_str());
      drawn = true;
    }
    std::this_thread::sleep_for(draws ? kLook : kLookUnseen);
  }
  if (drawn) std::fprintf(stderr, "\r\033[Kthe rules are in force\n");
  return absl::OkStatus();
}

}  // namespace kehu::command
