#include <algorithm>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "json/document.h"
#include "json/writer.h"
#include "outbox/outbox.h"

// What waits to be done outside, and reminders, with which an operator tries time and outbox.
namespace kehu::api {
namespace {

constexpr size_t kRemindersMax = 10'000;

void answer_counts(App& app, const Request&, Responder responder) {
  answer_from_replica(
      app.engine(), std::move(responder), [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
        const auto counters = app.engine().outbox_sender().counters();
        std::string out;
        json::Writer writer(out);
        writer.begin_object().field("timers_pending", replica.shard().timers().pending());
        if (const auto due = replica.shard().next_due()) writer.field("next_timer", format_utc(*due));
        writer.key("channels").begin_array();
        for (const outbox::Counts& counts : replica.shard().outbox().counts()) {
          writer.begin_object().field("channel", counts.channel).field("intents", counts.intents);
          writer.field("delivered", counts.delivered).field("refused", counts.refused);
          writer.field("pending", counts.pending()).end_object();
        }
        writer.end_array().field("attempts", counters.attempts).field("failures", counters.failures);
        writer.field("without_channel", counters.without_channel).end_object();
        return out;
      });
}

absl::Status wrong(size_t position, std::string_view what) {
  return failure(absl::StatusCode::kInvalidArgument, "/reminders/", position, what);
}

absl::Status add_reminder(App& app, const json::Value& value, size_t position, RecordBatch& batch) {
  for (const auto& member : value) {
    if (!value.is_object()) break;
    constexpr std::string_view kMembers[] = {"channel", "text", "due", "customer_id"};
    if (std::ranges::find(kMembers, member.key) != std::end(kMembers)) continue;
    return wrong(position,
                 cat("/", member.key, " is unknown; a reminder has channel, text, due and customer_id"));
  }
  const auto channel = value.find("channel").as_string();
  const auto text = value.find("text").as_string();
  const json::Value due = value.find("due");
  const auto at = due.exists() ? parse_iso8601(due.as_string().value_or("")) : app.engine().clock().now();
  const json::Value named = value.find("customer_id");
  const auto customer = named.exists() ? Hash128::from_hex(named.as_string().value_or("")) : Hash128{};
  if (!channel || channel->empty() || channel->size() > Intent::kChannelBytes) {
    return wrong(position, cat("/channel must be a name of 1 to ", Intent::kChannelBytes, " bytes"));
  }
  if (!text || text->size() > Reminder::kTextBytes) {
    return wrong(position, cat("/text must be a text of at most ", Reminder::kTextBytes, " bytes"));
  }
  if (!at) return wrong(position, "/due must be a time, such as 2026-11-30T08:00:00Z; without it: at once");
  if (!customer) return wrong(position, "/customer_id must be the id of a customer, or be left out");
  codec::add_record(batch, RecordKind::kReminder, [&](std::string& out) {
    codec::append_reminder(
        {.due = *at, .customer = CustomerId{*customer}, .channel = *channel, .text = *text}, out);
  });
  return absl::OkStatus();
}

absl::StatusOr<Response> remind(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const json::Value reminders = document->root().find("reminders");
  if (!reminders.is_array() || reminders.size() > kRemindersMax) {
    return failure(absl::StatusCode::kInvalidArgument, "send {\"reminders\": […]} with at most ",
                   kRemindersMax,
                   ", each {\"channel\": \"test\", \"text\": \"1\", \"due\": a time or nothing}");
  }
  RecordBatch batch;
  size_t position = 0;
  for (const auto& member : reminders) {
    if (auto status = add_reminder(app, member.value, position++, batch); !status.ok()) return status;
  }
  const auto ack = app.engine().submit_and_wait(std::move(batch));
  if (!ack.ok()) return ack.status();
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("first", ack->first.value())
      .field("last", ack->last.value())
      .end_object();
  return Response::json(std::move(out), 201);
}

}  // namespace

void add_outbox_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/api/v1/outbox",
       .permission = Permission::kOperate,
       .action = NoBody{on_connection(app, answer_counts)},
       .doc = {.summary = "What waits to be done outside, by channel, and how many timers there are",
               .group = "outbox",
               .answers = with_admin_answers({{200, "The counts"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/reminders",
                    .permission = Permission::kOperate,
                    .action = BufferedBody{4u << 20, on_worker(app, remind)},
                    .doc = {.summary = "Sets timers, each of which gives a text to a channel: to try both",
                            .group = "outbox",
                            .body_content_type = "application/json",
                            .answers = with_admin_answers({{201, "They are set"}})}});
}

}  // namespace kehu::api
