#include "definition/webhook.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "definition/project.h"
#include "definition/source.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::definition {
namespace {

constexpr uint32_t kIdMax = 9'999'999;

absl::Status damaged() {
  return absl::InvalidArgumentError(
      "webhook definition: it needs `id`, `name`, `url`, `enabled`, `enabled_since`, `give_up_after_s` and "
      "`secrets`");
}

void write_names(json::Writer& writer, std::string_view key,
                 const std::optional<std::vector<std::string>>& names) {
  if (!names) return;
  writer.key(key).begin_array();
  for (const std::string& name : *names) writer.value(name);
  writer.end_array();
}

std::optional<std::vector<std::string>> read_names(const json::Value& list) {
  if (!list.exists()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& name : list) names.push_back(name.value.as_string().value_or(""));
  return names;
}

absl::StatusOr<WebhookSecret> read_secret(const json::Value& body) {
  WebhookSecret secret;
  const auto created = parse_iso8601(body.find("created").as_string().value_or(""));
  const auto sealed = body.find("sealed").as_string();
  if (!created || !sealed || !absl::Base64Unescape(to_absl(*sealed), &secret.sealed)) return damaged();
  secret.created = *created;
  if (const auto until = body.find("valid_until").as_string()) secret.valid_until = parse_iso8601(*until);
  return secret;
}

const Webhook& as_webhook(const Value& value) { return *static_cast<const Webhook*>(value.get()); }

// Blanks and control characters would end the line of a request; a password would stand here in clear.
absl::Status check_url(std::string_view url) {
  const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string_view host = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  const bool clean = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  if (scheme != 0 && !host.empty() && host.find('@') == host.npos && clean &&
      url.size() <= Webhook::kUrlBytes)
    return absl::OkStatus();
  return failure(absl::StatusCode::kInvalidArgument,
                 "`url` must be http://HOST/PATH or https://HOST/PATH, escaped, of at most ",
                 Webhook::kUrlBytes, " bytes, without a user name");
}

absl::Status check_names(const Project& project, std::string_view kind,
                         const std::optional<std::vector<std::string>>& names, const Webhook* before) {
  const auto& known = before == nullptr ? std::nullopt : kind == kSegment ? before->segments : before->tags;
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    const Version* rule = project.find(kind, name);
    const bool named_before = known && std::ranges::find(*known, name) != known->end();
    if ((rule != nullptr && !rule->deleted) || named_before) continue;
    return failure(absl::StatusCode::kInvalidArgument, "`", kind, "s`: there is no ", kind, " ", name);
  }
  return absl::OkStatus();
}

// Ids name the channels of the outbox, whose intents may outlive a webhook.
uint32_t next_id(const Project& project) {
  uint32_t last = 0;
  project.each_ever(kWebhook, [&](const std::string&, const Version& version) {
    last = std::max(last, as_webhook(version.value).id);
  });
  return last + 1;
}

}  // namespace

bool Webhook::wants(std::string_view kind, std::string_view rule) const {
  const auto& names = kind == kSegment ? segments : tags;
  return enabled && (!names || std::ranges::find(*names, rule) != names->end());
}

std::string Webhook::channel() const { return cat(kWebhookChannel, id); }

std::string to_json(const Webhook& webhook) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("id", webhook.id).field("name", webhook.name).field("url", webhook.url);
  write_names(writer, "segments", webhook.segments);
  write_names(writer, "tags", webhook.tags);
  writer.field("enabled", webhook.enabled).field("enabled_since", format_utc(webhook.enabled_since));
  if (!webhook.disabled_because.empty()) writer.field("disabled_because", webhook.disabled_because);
  writer.field("give_up_after_s", webhook.give_up_after.micros() / 1'000'000).key("secrets").begin_array();
  for (const WebhookSecret& secret : webhook.secrets) {
    writer.begin_object().field("sealed", absl::Base64Escape(to_absl(secret.sealed)));
    writer.field("created", format_utc(secret.created));
    if (secret.valid_until) writer.field("valid_until", format_utc(*secret.valid_until));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

absl::StatusOr<Webhook> parse_webhook(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  Webhook webhook;
  const auto id = root.find("id").as_int();
  const auto name = root.find("name").as_string();
  const auto url = root.find("url").as_string();
  const auto enabled = root.find("enabled").as_bool();
  const auto since = parse_iso8601(root.find("enabled_since").as_string().value_or(""));
  const auto give_up = root.find("give_up_after_s").as_int();
  if (!id || *id < 0 || *id > kIdMax || !name || !url || !enabled || !since || !give_up || *give_up < 1 ||
      *give_up > Webhook::kGiveUpAfterMost.micros() / 1'000'000) {
    return damaged();
  }
  webhook.id = static_cast<uint32_t>(*id);
  webhook.name = *name;
  webhook.url = *url;
  webhook.segments = read_names(root.find("segments"));
  webhook.tags = read_names(root.find("tags"));
  webhook.enabled = *enabled;
  webhook.enabled_since = *since;
  webhook.disabled_because = root.find("disabled_because").as_string().value_or("");
  webhook.give_up_after = Duration::seconds(*give_up);
  for (const auto& each : root.find("secrets")) {
    auto secret = read_secret(each.value);
    if (!secret.ok()) return secret.status();
    webhook.secrets.push_back(*std::move(secret));
  }
  return webhook;
}

absl::StatusOr<Value> read_webhook(std::string_view body) {
  auto webhook = parse_webhook(body);
  if (!webhook.ok()) return webhook.status();
  return Value(std::make_shared<const Webhook>(*std::move(webhook)));
}

absl::Status admit_webhook(Candidate& candidate, const Project& project) {
  Webhook webhook = as_webhook(candidate.value);
  const Webhook* before = candidate.before == nullptr ? nullptr : &as_webhook(candidate.before->value);
  const Version* ever = project.find(kWebhook, candidate.name);
  if (webhook.name != candidate.name || !is_source_name(webhook.name)) {
    return failure(absl::StatusCode::kInvalidArgument, "\"", candidate.name,
                   "\" is no name for a webhook: it has 1 to 64 bytes, letters and digits of any script, and "
                   "between them ., _, - and single spaces");
  }
  if (auto status = check_url(webhook.url); !status.ok()) return status;
  if (auto status = check_names(project, kSegment, webhook.segments, before); !status.ok()) return status;
  if (auto status = check_names(project, kTag, webhook.tags, before); !status.ok()) return status;
  if (webhook.secrets.empty() || webhook.secrets.size() > Webhook::kSecretsMost) {
    return failure(absl::StatusCode::kFailedPrecondition, "the webhook ", webhook.name, " has ",
                   webhook.secrets.size(), " secrets: it needs one, and ", Webhook::kSecretsMost,
                   " are the most; wait until old ones have expired");
  }
  if (before == nullptr && webhooks_of(project).size() >= Webhook::kMost) {
    return failure(absl::StatusCode::kFailedPrecondition, "the project has ", Webhook::kMost,
                   " webhooks, and may not have more: delete one");
  }
  webhook.id = ever == nullptr ? next_id(project) : as_webhook(ever->value).id;
  candidate.body = to_json(webhook);
  candidate.value = std::make_shared<const Webhook>(std::move(webhook));
  return absl::OkStatus();
}

namespace {

void write_choice(json::Writer& writer, std::string_view key,
                  const std::optional<std::vector<std::string>>& names) {
  names ? write_names(writer, key, names) : static_cast<void>(writer.field(key, "all"));
}

// False: neither "all" nor names.
bool read_choice(const json::Value& value, std::optional<std::vector<std::string>>& names) {
  names.reset();
  if (value.as_string() == "all") return true;
  if (!value.is_array()) return false;
  names.emplace();
  for (const auto& each : value) {
    const auto name = each.value.as_string();
    if (!name) return false;
    names->push_back(*name);
  }
  return true;
}

// False: unknown, or of the wrong kind.
bool read_member(const json::Value::Member& member, Webhook& webhook) {
  const json::Value& value = member.value;
  if (member.key == "segments") return read_choice(value, webhook.segments);
  if (member.key == "tags") return read_choice(value, webhook.tags);
  if (const auto url = value.as_string(); url && member.key == "url") {
    webhook.url = *url;
    return true;
  }
  if (const auto enabled = value.as_bool(); enabled && member.key == "enabled") {
    webhook.enabled = *enabled;
    return true;
  }
  const auto seconds = value.as_int();
  if (!seconds || member.key != "give_up_after_s") return false;
  webhook.give_up_after = Duration::seconds(std::clamp<int64_t>(*seconds, 0, INT32_MAX));
  return webhook.give_up_after >= Duration::seconds(1) && webhook.give_up_after <= Webhook::kGiveUpAfterMost;
}

}  // namespace

std::string webhook_file(const Version& version) {
  const Webhook& webhook = as_webhook(version.value);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("url", webhook.url);
  write_choice(writer, "segments", webhook.segments);
  write_choice(writer, "tags", webhook.tags);
  writer.field("enabled", webhook.enabled);
  writer.field("give_up_after_s", webhook.give_up_after.micros() / 1'000'000).end_object();
  return out;
}

absl::StatusOr<std::string> webhook_from_file(std::string_view name, std::string_view json,
                                              const Version* before) {
  const auto document = json::Document::parse(json);
  if (!document.ok()) return document.status();
  Webhook webhook;
  webhook.name = name;
  for (const auto& member : document->root()) {
    if (read_member(member, webhook)) continue;
    return failure(
        absl::StatusCode::kInvalidArgument, "`", member.key,
        "` is unknown or of the wrong kind: a webhook has `url`, `segments` and `tags` (\"all\" or "
        "names), `enabled` and `give_up_after_s` (1 to ",
        Webhook::kGiveUpAfterMost.micros() / 1'000'000, ")");
  }
  if (before != nullptr && !before->deleted) {
    const Webhook& known = as_webhook(before->value);
    webhook.id = known.id;
    webhook.secrets = known.secrets;
    if (known.enabled || !webhook.enabled) webhook.enabled_since = known.enabled_since;
    if (!webhook.enabled) webhook.disabled_because = known.disabled_because;
  }
  return to_json(webhook);
}

std::vector<std::shared_ptr<const Webhook>> webhooks_of(const Project& project) {
  std::vector<std::shared_ptr<const Webhook>> webhooks;
  project.each(kWebhook, [&](const std::string&, const Version& version) {
    webhooks.push_back(std::static_pointer_cast<const Webhook>(version.value));
  });
  return webhooks;
}

std::shared_ptr<const Webhook> find_webhook(const Project& project, std::string_view name) {
  const Version* version = project.find(kWebhook, name);
  if (version == nullptr || version->deleted) return nullptr;
  return std::static_pointer_cast<const Webhook>(version->value);
}

std::shared_ptr<const Webhook> webhook_of_channel(const Project& project, std::string_view channel) {
  for (auto& webhook : webhooks_of(project)) {
    if (webhook->channel() == channel) return webhook;
  }
  return nullptr;
}

}  // namespace kehu::definition
