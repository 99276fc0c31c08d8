#include "openapi/document.h"

#include <map>

#include "base/text.h"
#include "json/writer.h"

namespace kehu::openapi {
namespace {

// Component schemas that the routes' documentation names.
constexpr std::string_view kSchemas = R"json({
"Success":{"type":"object","properties":{"success":{"type":"boolean"}}},
"Problem":{"type":"object","description":"RFC 9457; compare `code`, it is stable","required":["type","title","status","detail","code"],
 "properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},
 "code":{"type":"string"},"pointer":{"type":"string"},"message":{"type":"string"}}},
"Event":{"type":"object","description":"Identifiers stand at the top level by type, or in `identifiers`.",
 "properties":{"type":{"type":"string","enum":["track","identify","page","screen","group","alias"]},
 "event":{"type":"string"},"user_id":{"type":"string"},"anonymous_id":{"type":"string"},"phone":{"type":"string"},
 "email":{"type":"string"},"identifiers":{"type":"object"},"time":{"type":"string"},"message_id":{"type":"string"},
 "channel":{"type":"string"},"properties":{"type":"object"},"traits":{"type":"object"},"context":{"type":"object"}}},
"SegmentEvent":{"type":"object","properties":{"type":{"type":"string"},"event":{"type":"string"},"userId":{"type":"string"},
 "anonymousId":{"type":"string"},"messageId":{"type":"string"},"timestamp":{"type":"string"},"properties":{"type":"object"},
 "traits":{"type":"object"},"context":{"type":"object"},"writeKey":{"type":"string"}}},
"SegmentBatch":{"type":"object","required":["batch"],"properties":{"batch":{"type":"array","maxItems":2500,
 "items":{"$ref":"#/components/schemas/SegmentEvent"}},"writeKey":{"type":"string"},"sentAt":{"type":"string"},"context":{"type":"object"}}},
"PostHogBatch":{"type":"object","properties":{"api_key":{"type":"string"},"batch":{"type":"array","items":{"type":"object"}},
 "sent_at":{"type":"string"},"event":{"type":"string"},"distinct_id":{"type":"string"},"properties":{"type":"object"}}},
"PostHogProblem":{"type":"object","properties":{"type":{"type":"string"},"code":{"type":"string"},"detail":{"type":"string"}}},
"CloudEvent":{"type":"object","required":["specversion","id","source","type"],"properties":{"specversion":{"const":"1.0"},
 "id":{"type":"string"},"source":{"type":"string"},"type":{"type":"string"},"time":{"type":"string"},"subject":{"type":"string"},
 "datacontenttype":{"type":"string"},"dataschema":{"type":"string"},"data":{},"data_base64":{"type":"string"}}},
"CloudEventsTaken":{"type":"object","properties":{"accepted":{"type":"integer"},"repeats":{"type":"integer"},
 "conflicts":{"type":"integer"},"rejected":{"type":"integer"}}},
"UploadSummary":{"type":"object","properties":{"accepted":{"type":"integer"},"repeats":{"type":"integer"},
 "conflicts":{"type":"integer"},"rejected":{"type":"integer","description":"new in quarantine"},
 "rejected_by_reason":{"type":"object","description":"found in this upload, those known already included","additionalProperties":{"type":"integer"}},
 "identifiers_left_out":{"type":"object","description":"of its events, by reason","additionalProperties":{"type":"integer"}}}},
"Customer":{"type":"object","description":"docs/customer.md","required":["customer_id","identifiers","traits","counters"],
 "properties":{"customer_id":{"type":"string"},"as_of":{"type":"string"},"identifiers":{"type":"array","items":{"type":"object"}},
 "traits":{"type":"object"},"counters":{"type":"array","items":{"type":"object"}},"orders":{"type":"array","items":{"type":"object"}},
 "recent_events":{"type":"array","items":{"type":"object"}}}},
"Reveal":{"type":"object","required":["field","reason"],"properties":{"field":{"type":"string"},"reason":{"type":"string"}}},
"Merge":{"type":"object","required":["winner","loser","reason"],"properties":{"winner":{"type":"string"},"loser":{"type":"string"},"reason":{"type":"string"}}},
"Unmerge":{"type":"object","required":["customer","link","reason"],"properties":{"customer":{"type":"string"},"link":{"type":"integer"},"reason":{"type":"string"}}},
"Rule":{"type":"object","properties":{"rule":{"type":"string"},"tree":{"type":"object","description":"in place of rule"},"time_zone":{"type":"string"},"segment":{"type":"string"}}},
"RuleOrFile":{"type":"object","properties":{"rule":{"type":"string"},"file":{"type":"string","description":"instead: the text of a *.kehu file"}}},
"RuleName":{"type":"object","properties":{"segment":{"type":"string"},"tag":{"type":"string"}}},
"NewSource":{"type":"object","required":["name"],"properties":{"name":{"type":"string","maxLength":64},"channel":{"type":"string"}}},
"SourceChange":{"type":"object","properties":{"enabled":{"type":"boolean"},"channel":{"type":"string"},
 "events_per_second":{"type":"integer","minimum":0,"description":"more are answered 429; 0 is no limit"},
 "events_per_second_per_address":{"type":"integer","minimum":0,"description":"the same for each sender's address"}}},
"Source":{"type":"object","properties":{"name":{"type":"string"},"id":{"type":"integer"},"channel":{"type":"string"},
 "enabled":{"type":"boolean"},"events_per_second":{"type":"integer"},"events_per_second_per_address":{"type":"integer"},
 "write_key":{"type":"string"},"keys":{"type":"array","items":{"type":"object"}}}},
"NewEncryptionKey":{"type":"object","properties":{"pkv":{"type":"integer","minimum":1},
 "private_key":{"type":"string","description":"PEM of an RSA key that is in use already; without it a new pair is made"}}},
"EncryptionKey":{"type":"object","properties":{"pkv":{"type":"integer"},"created":{"type":"string"},
 "public_key":{"type":"string","description":"base64 of the X.509 SubjectPublicKeyInfo"},"offered":{"type":"boolean"}}},
"NewWebhook":{"type":"object","required":["name","url"],"properties":{"name":{"type":"string","maxLength":64},
 "url":{"type":"string","maxLength":2000},"segments":{"description":"\"all\", or names"},"tags":{"description":"\"all\", or names"},
 "enabled":{"type":"boolean"},"give_up_after_s":{"type":"integer","minimum":1,"maximum":2592000},
 "secret":{"type":"string","description":"one that the receiver has already, whsec_…; without it a new one is made"}}},
"WebhookChange":{"type":"object","properties":{"url":{"type":"string"},"segments":{},"tags":{},"enabled":{"type":"boolean"},
 "give_up_after_s":{"type":"integer"},"version":{"type":"integer"}}},
"WebhookRotation":{"type":"object","properties":{"overlap_s":{"type":"integer","minimum":0,"maximum":2592000},"secret":{"type":"string"}}},
"Webhook":{"type":"object","properties":{"name":{"type":"string"},"url":{"type":"string"},"version":{"type":"integer"},
 "segments":{},"tags":{},"enabled":{"type":"boolean"},"disabled_because":{"type":"string"},"give_up_after_s":{"type":"integer"},
 "secret":{"type":"string"},"secrets":{"type":"array","items":{"type":"object"}},"messages":{"type":"integer"},
 "delivered":{"type":"integer"},"refused":{"type":"integer"},"pending":{"type":"integer"},"last_delivered":{"type":"string"},
 "failing_since":{"type":"string"},"last_failure":{"type":"string"}}},
"Sql":{"type":"object","required":["sql"],"properties":{"sql":{"type":"string"},"format":{"type":"string","enum":["csv","json","ndjson","table"]}}}
})json";

constexpr std::string_view kSecuritySchemes = R"json({
"admin":{"type":"http","scheme":"bearer","description":"The admin token"},
"write_key":{"type":"http","scheme":"basic","description":"A write key as user name, no password"}})json";

// "/a/:b" as OpenAPI writes it: "/a/{b}".
std::string templated(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size();) {
    const bool variable = i > 0 && pattern[i - 1] == '/' && (pattern[i] == ':' || pattern[i] == '*');
    if (!variable) {
      out.push_back(pattern[i++]);
      continue;
    }
    const size_t end = std::min(pattern.find('/', i), pattern.size());
    out += cat("{", pattern.substr(i + 1, end - i - 1), "}");
    i = end;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(c));
  return out;
}

// getV1CustomersTimeline and the like: unique, because method and path are.
std::string operation_id(const http::Route& route) {
  std::string out = lower(to_string(route.method));
  bool upper = true;
  for (const char c : route.pattern) {
    if (!std::isalnum(static_cast<unsigned char>(c))) {
      upper = true;
    } else {
      out.push_back(upper ? static_cast<char>(std::toupper(c)) : c);
      upper = false;
    }
  }
  if (route.pattern.size() > 1 && route.pattern.ends_with('/')) out += "Slash";
  return out;
}

void write_parameters(json::Writer& writer, const http::RouteDoc& doc) {
  writer.key("parameters").begin_array();
  for (const http::FieldDoc& field : doc.fields) {
    static constexpr std::string_view kWhere[] = {"path", "query", "header"};
    writer.begin_object().field("name", field.name).field("in", kWhere[static_cast<size_t>(field.where)]);
    writer.field("required", field.required).field("description", field.text);
    writer.key("schema").begin_object().field("type", field.type).end_object().end_object();
  }
  writer.end_array();
}

void write_content(json::Writer& writer, const std::string& content_type, const std::string& schema) {
  if (content_type.empty()) return;
  writer.key("content").begin_object().key(content_type).begin_object().key("schema").begin_object();
  if (!schema.empty()) writer.field("$ref", cat("#/components/schemas/", schema));
  writer.end_object().end_object().end_object();
}

void write_operation(json::Writer& writer, const http::Route& route) {
  const http::RouteDoc& doc = route.doc;
  writer.key(lower(to_string(route.method))).begin_object().field("operationId", operation_id(route));
  writer.field("summary", doc.summary);
  if (!doc.text.empty()) writer.field("description", doc.text);
  writer.key("tags").begin_array().value(doc.group).end_array();
  write_parameters(writer, doc);
  if (!doc.body_content_type.empty()) {
    writer.key("requestBody").begin_object();
    write_content(writer, doc.body_content_type, doc.body_schema);
    writer.end_object();
  }
  writer.key("responses").begin_object();
  for (const http::AnswerDoc& answer : doc.answers) {
    writer.key(std::to_string(answer.status)).begin_object().field("description", answer.text);
    write_content(writer, answer.content_type, answer.schema);
    writer.end_object();
  }
  writer.end_object().key("security").begin_array();
  if (route.access == http::Access::kAdmin)
    writer.begin_object()
        .key("admin")
        .begin_array()
        .value(to_string(route.permission))
        .end_array()
        .end_object();
  if (route.access == http::Access::kWriteKey) {
    writer.begin_object().key("write_key").begin_array().end_array().end_object();
    writer.begin_object().end_object();  // the key may stand in the body
  }
  writer.end_array().end_object();
}

}  // namespace

std::string document(absl::Span<const http::Route> routes) {
  std::map<std::string, std::vector<const http::Route*>> paths;
  for (const http::Route& route : routes) {
    // Preflights are part of CORS, not of the interface.
    if (route.method != http::Method::kOptions) paths[templated(route.pattern)].push_back(&route);
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("openapi", "3.1.0").key("info").begin_object();
  writer.field("title", "Kehu").field("version", "1");
  writer.field("description",
               "Events in, one live customer out. Errors are RFC 9457 problems with a stable code.");
  writer.key("license")
      .begin_object()
      .field("name", "Apache-2.0")
      .field("identifier", "Apache-2.0")
      .end_object();
  writer.end_object().key("paths").begin_object();
  for (const auto& [path, operations] : paths) {
    writer.key(path).begin_object();
    for (const http::Route* route : operations) write_operation(writer, *route);
    writer.end_object();
  }
  writer.end_object().key("components").begin_object().raw_field("schemas", kSchemas);
  writer.raw_field("securitySchemes", kSecuritySchemes).end_object().end_object();
  return out;
}

}  // namespace kehu::openapi
