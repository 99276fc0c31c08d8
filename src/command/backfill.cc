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
// How long the same failure lasts, of what tries again every five seconds, until nobody waits any more.
constexpr auto kFailing = std::chrono::seconds(60);
// How long nothing but what is measured is waited for: a statement may take a minute.
constexpr auto kMeasuring = std::chrono::seconds(150);
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
    const json::Value root = document->root();
    if (!is_under_way(root)) break;
    const bool measures = root.find("state").as_string() != "running";
    const std::string why = measures ? failed_run(caller) : root.find("error").as_string().value_or("");
    const std::string now =
        cat(root.find("step").raw(), root.find("parts_done").raw(), root.find("rules").raw());
    // However long the archive is read, nothing has to move while nothing fails.
    if (now != seen || (!measures && why.empty())) moved = std::chrono::steady_clock::now();
    seen = now;
    const auto patience = !measures ? kFailing : why.empty() ? kMeasuring : std::chrono::seconds(0);
    if (std::chrono::steady_clock::now() - moved > patience) {
      if (drawn) std::fprintf(stderr, "\n");
      const absl::Status status = not_in_force(why);
      if (caller.alone()) return status;
      std::fprintf(stderr, "kehu: %s\n", printable(message_of(status)).c_str());
      return absl::OkStatus();
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
