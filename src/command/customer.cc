#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "http/request.h"
#include "json/document.h"

namespace kehu::command {
namespace {

std::string text_of(const json::Value& value) {
  if (const auto text = value.as_string()) return *text;
  return std::string(value.raw());
}

// Calls without a name of their own, such as identify, are shown by their type.
std::string event_of(const json::Value& value) {
  const std::string name = text_of(value.find("event"));
  return name.empty() ? cat("(", text_of(value.find("type")), ")") : name;
}

void heading(std::string& out, std::string_view title) { out += cat("\n", title, "\n"); }

void row(std::string& out, std::string_view name, std::string_view value, std::string_view note = {}) {
  out += cat("  ", name, std::string(name.size() < 28 ? 28 - name.size() : 1, ' '), value);
  if (!note.empty()) out += cat("   ", note);
  out += "\n";
}

std::string profile_text(const json::Value& customer) {
  std::string out = cat("customer ", text_of(customer.find("customer_id")), "   ",
                        text_of(customer.find("events")), " events");
  if (customer.find("first_seen").exists()) {
    out += cat(", ", text_of(customer.find("first_seen")), " to ", text_of(customer.find("last_seen")));
  }
  out += "\n";
  heading(out, "identifiers");
  for (const auto& member : customer.find("identifiers")) {
    row(out, text_of(member.value.find("type")), text_of(member.value.find("value")));
  }
  if (customer.find("traits").size() > 0) heading(out, "traits");
  for (const auto& trait : customer.find("traits")) row(out, trait.key, text_of(trait.value));
  if (customer.find("counters").size() > 0) heading(out, "counters");
  for (const auto& member : customer.find("counters")) {
    row(out, event_of(member.value), text_of(member.value.find("total")),
        cat("last ", text_of(member.value.find("last"))));
  }
  if (customer.find("orders").size() > 0) heading(out, "orders");
  for (const auto& member : customer.find("orders")) {
    row(out, text_of(member.value.find("order_id")),
        cat(text_of(member.value.find("amount")), " ", text_of(member.value.find("currency"))),
        text_of(member.value.find("status")));
  }
  if (customer.find("recent_events").size() > 0) heading(out, "recent events");
  for (const auto& member : customer.find("recent_events")) {
    row(out, text_of(member.value.find("time")), event_of(member.value),
        text_of(member.value.find("channel")));
  }
  return out;
}

// Of an identify call the traits; of most others the properties.
std::string contents_of(const json::Value& event) {
  std::string out;
  for (const char* part : {"properties", "traits"}) {
    const json::Value object = event.find(part);
    if (object.size() > 0) out += cat("  ", text_of(object));
  }
  return out;
}

std::string timeline_text(const json::Value& timeline) {
  std::string out;
  for (const auto& member : timeline.find("events")) {
    out += cat(text_of(member.value.find("time")), "  ", text_of(member.value.find("channel")), "  ",
               event_of(member.value), contents_of(member.value), "\n");
  }
  return out.empty() ? "no events\n" : out;
}

// "phone 139****5678" for the token of an identifier that the document lists; else the token.
std::string identifier_of(const json::Value& identities, const std::string& token) {
  for (const auto& member : identities.find("identifiers")) {
    if (text_of(member.value.find("token")) != token) continue;
    return cat(text_of(member.value.find("type")), " ", text_of(member.value.find("value")));
  }
  return token;
}

std::string identities_text(const json::Value& identities) {
  std::string out = cat("customer ", text_of(identities.find("customer_id")), "\n");
  heading(out, "identifiers");
  for (const auto& member : identities.find("identifiers")) {
    row(out, text_of(member.value.find("type")), text_of(member.value.find("value")),
        text_of(member.value.find("token")));
  }
  if (identities.find("links").size() > 0) heading(out, "links: why they are one");
  for (const auto& member : identities.find("links")) {
    row(out, cat("record ", text_of(member.value.find("link"))), text_of(member.value.find("kind")),
        cat(identifier_of(identities, text_of(member.value.find("a"))), " – ",
            identifier_of(identities, text_of(member.value.find("b")))));
  }
  if (identities.find("refusals").size() > 0) heading(out, "left out");
  for (const auto& member : identities.find("refusals")) {
    row(out, text_of(member.value.find("type")), text_of(member.value.find("reason")));
  }
  return out;
}

}  // namespace

absl::Status run_customer(const CustomerCommand& command) {
  const std::string suffix = command.view == "profile" ? "" : cat("/", command.view);
  const auto body = call_once(
      command.where, {.path = cat("/api/v1/customers/", http::percent_encode(command.name), suffix)});
  if (!body.ok()) return body.status();
  if (command.json) return print(*body);
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  if (command.view == "timeline") return print(timeline_text(root));
  return print(command.view == "identities" ? identities_text(root) : profile_text(root));
}

}  // namespace kehu::command
