#include "rule/tree_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "rule/shape.h"
#include "text/near_word.h"

// Members that say nothing are left out: {"op":"count","of":[{"op":"events","text":"Order Completed"}],
// "window":{"kind":"last","count":30,"unit":"day"}}.
namespace kehu::rule {
namespace {

constexpr std::array<std::string_view, 8> kUnits = {"second", "minute", "hour",    "day",
                                                    "week",   "month",  "quarter", "year"};
constexpr std::array<std::string_view, 8> kWindows = {"ever", "last",     "today", "yesterday",
                                                      "this", "previous", "since", "between"};

std::string date_text(CivilDay day) {
  const BusinessZone utc;
  return utc.format(utc.start_of(day)).substr(0, 10);
}

// Writing.

void write_comments(const std::vector<std::string>& comments, json::Writer& writer) {
  if (comments.empty()) return;
  writer.key("comments").begin_array();
  for (const std::string& comment : comments) writer.value(comment);
  writer.end_array();
}

void write_span(Span span, json::Writer& writer) {
  writer.field("count", span.count).field("unit", kUnits[static_cast<size_t>(span.unit)]);
}

void write_window(const Window& window, json::Writer& writer) {
  writer.begin_object().field("kind", kWindows[static_cast<size_t>(window.kind)]);
  if (window.kind == Window::Kind::kLast) write_span(window.span, writer);
  if (window.kind == Window::Kind::kThis || window.kind == Window::Kind::kPrevious) {
    writer.field("unit", kUnits[static_cast<size_t>(window.span.unit)]);
  }
  if (window.kind == Window::Kind::kSince || window.kind == Window::Kind::kBetween) {
    writer.field("from", date_text(window.from));
  }
  if (window.kind == Window::Kind::kBetween) writer.field("to", date_text(window.to));
  writer.end_object();
}

bool has_number(Op op) {
  return op == Op::kBool || op == Op::kNumber || op == Op::kNth || op == Op::kTopN || op == Op::kAgrees;
}

void write(const Node& node, json::Writer& writer) {
  writer.begin_object().field("op", to_string(node.op));
  if (node.op == Op::kText || !node.text.empty()) writer.field("text", node.text);
  if (has_number(node.op)) writer.field("number", node.number);
  if (node.op == Op::kDate) writer.field("date", date_text(node.window.from));
  if (node.span != Span()) {
    writer.key("span").begin_object();
    write_span(node.span, writer);
    writer.end_object();
  }
  if (node.window.kind != Window::Kind::kEver) {
    writer.key("window");
    write_window(node.window, writer);
  }
  if (!node.of.empty()) {
    writer.key("of").begin_array();
    for (const Node& child : node.of) write(child, writer);
    writer.end_array();
  }
  write_comments(node.comments, writer);
  writer.end_object();
}

// Whether a number of JSON has no digit behind the fourth decimal place.
bool is_exact(std::string_view raw) {
  const std::string_view digits = raw.substr(0, raw.find_first_of("eE"));
  int64_t exponent = 0;
  if (digits.size() < raw.size()) {
    std::string_view text = raw.substr(digits.size() + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc()) return false;
  }
  const size_t last = digits.find_last_of("123456789");
  if (last == digits.npos) return true;
  const size_t point = std::min(digits.find('.'), digits.size());
  // Of the last digit that counts: 1, 2, … behind the point, 0, -1, … in front of it.
  const int64_t place = static_cast<int64_t>(last) - static_cast<int64_t>(point) + (last < point ? 1 : 0);
  return place - exponent <= 4;
}

// Whether a string of JSON, as it was written, has an escape of half a surrogate pair.
bool has_half_pair(std::string_view raw) {
  const auto unit_at = [&raw](size_t at) -> std::optional<uint32_t> {
    uint32_t unit = 0;
    if (raw.substr(std::min(at, raw.size()), 2) != "\\u" || at + 6 > raw.size()) return std::nullopt;
    std::from_chars(raw.data() + at + 2, raw.data() + at + 6, unit, 16);
    return unit;
  };
  const auto is_in = [](uint32_t unit, uint32_t first) { return unit >= first && unit < first + 0x400; };
  for (size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\') continue;
    const uint32_t unit = unit_at(at).value_or(0);
    if (is_in(unit, 0xdc00)) return true;
    if (is_in(unit, 0xd800)) {
      if (!is_in(unit_at(at + 6).value_or(0), 0xdc00)) return true;
      at += 6;
    }
    ++at;
  }
  return false;
}

// Reading. The first flaw stays; what is read behind it is not looked at.
class Reader {
 public:
  explicit Reader(Origin origin) : is_sent_(origin == Origin::kSent) {}
  absl::Status status() const { return status_; }

  Node node(const json::Value& value, size_t depth = 1) {
    Node node;
    if (!is_object(value, "a part of a rule")) return node;
    if (depth > kRuleDepth) {
      fail(cat("more than ", kRuleDepth, " expressions stand inside of each other"));
      return node;
    }
    for (const json::Value::Member& member : value) node_member(member, node, depth);
    if (!value.find("op").exists()) fail("a part of a rule has no \"op\"");
    return node;
  }

  Definition definition(const json::Value& value) {
    Definition definition;
    if (!is_object(value, "a definition")) return definition;
    for (const json::Value::Member& member : value) definition_member(member, definition);
    if (definition.name.empty()) fail("a definition has no \"name\"");
    if (!value.find("body").exists()) fail("a definition has no \"body\"");
    return definition;
  }

 private:
  void fail(const std::string& what) {
    if (status_.ok()) status_ = failure(absl::StatusCode::kInvalidArgument, what);
  }
  bool is_object(const json::Value& value, std::string_view what) {
    if (!value.is_object()) fail(cat(what, " is not an object"));
    return value.is_object();
  }
  void unknown(std::string_view key, const std::vector<std::string>& known) {
    const std::string hint = text::did_you_mean(key, known);
    fail(cat("unknown member \"", key, "\"",
             hint.empty() ? cat("; known here: ", text::list_of(known)) : hint));
  }

  void node_member(const json::Value::Member& member, Node& node, size_t depth) {
    const auto& [key, value] = member;
    if (key == "op") {
      node.op = op(value);
    } else if (key == "text") {
      node.text = text_of(member);
    } else if (key == "number") {
      node.number = number(member);
    } else if (key == "date") {
      node.window.from = day(member);
    } else if (key == "span") {
      if (is_object(value, "span")) node.span = span(value, "span");
    } else if (key == "window") {
      if (is_object(value, "window")) window(value, node.window);
    } else if (key == "of") {
      if (!value.is_array()) return fail("\"of\" is not a list");
      for (const json::Value::Member& child : value) node.of.push_back(this->node(child.value, depth + 1));
    } else if (key == "comments") {
      node.comments = comments(value);
    } else {
      unknown(key, {"op", "text", "number", "date", "span", "window", "of", "comments"});
    }
  }

  void definition_member(const json::Value::Member& member, Definition& definition) {
    const auto& [key, value] = member;
    if (key == "kind") {
      const std::string kind = text_of(member);
      if (kind != "segment" && kind != "tag" && kind != "check")
        fail(cat("kind is \"", kind, "\"; segment, tag or check is expected"));
      definition.kind = kind == "tag" ? Kind::kTag : kind == "check" ? Kind::kCheck : Kind::kSegment;
    } else if (key == "name") {
      definition.name = text_of(member);
    } else if (key == "owner") {
      definition.owner = text_of(member);
    } else if (key == "description") {
      definition.description = text_of(member);
    } else if (key == "time_zone") {
      definition.time_zone = text_of(member);
    } else if (key == "keep_when_empty") {
      if (!value.is_bool()) fail("keep_when_empty is neither true nor false");
      definition.keep_when_empty = value.as_bool().value_or(false);
    } else if (key == "comments") {
      definition.comments = comments(value);
    } else if (key == "body") {
      definition.body = node(value);
    } else {
      unknown(key,
              {"kind", "name", "owner", "description", "time_zone", "keep_when_empty", "comments", "body"});
    }
  }

  std::string text_of(const json::Value::Member& member) {
    const auto text = member.value.as_string();
    if (!text) fail(cat("\"", member.key, "\" is not a text"));
    if (is_sent_ && has_half_pair(member.value.raw())) {
      fail(cat("\"", member.key, "\" has half of a surrogate pair, which is no character"));
    }
    return text.value_or("");
  }

  Op op(const json::Value& value) {
    const std::string name = value.as_string().value_or("");
    std::vector<std::string> known;
    for (int i = 0; i <= static_cast<int>(kLastOp); ++i) {
      if (to_string(static_cast<Op>(i)) == name) return static_cast<Op>(i);
      known.emplace_back(to_string(static_cast<Op>(i)));
    }
    fail(cat("there is no op \"", name, "\"", text::did_you_mean(name, known)));
    return Op::kBool;
  }

  Decimal number(const json::Value::Member& member) {
    const auto number = member.value.is_number() ? Decimal::parse(member.value.raw()) : std::nullopt;
    if (!number) fail(cat("\"", member.key, "\" is no number, or too large"));
    if (is_sent_ && !is_exact(member.value.raw())) {
      fail(cat("the number ", cut_utf8(member.value.raw(), 40), " has more than four decimal places"));
    }
    return number.value_or(Decimal());
  }

  CivilDay day(const json::Value::Member& member) {
    const std::string text = text_of(member);
    const auto start = text.size() == 10 ? parse_iso8601(text) : std::nullopt;
    if (!start) fail(cat("\"", member.key, "\" is no date such as 2026-01-31"));
    return start ? BusinessZone().day_of(*start) : CivilDay();
  }

  template <size_t N>
  size_t one_of(const json::Value& value, std::string_view what,
                const std::array<std::string_view, N>& names) {
    const std::string name = value.as_string().value_or("");
    for (size_t i = 0; i < N; ++i) {
      if (names[i] == name) return i;
    }
    fail(cat("there is no ", what, " \"", name, "\"; known are ",
             text::list_of(std::vector<std::string>(names.begin(), names.end()))));
    return 0;
  }

  Span span(const json::Value& value, std::string_view what) {
    const auto count = value.find("count").as_int();
    if (!count) fail(cat(what, " has no whole number \"count\""));
    only(value, {"count", "unit"});
    return {count.value_or(0), static_cast<Unit>(one_of(value.find("unit"), "unit", kUnits))};
  }

  void window(const json::Value& value, Window& window) {
    window.kind = static_cast<Window::Kind>(one_of(value.find("kind"), "kind of window", kWindows));
    switch (window.kind) {
      case Window::Kind::kLast:
        window.span.count = value.find("count").as_int().value_or(0);
        [[fallthrough]];
      case Window::Kind::kThis:
      case Window::Kind::kPrevious:
        window.span.unit = static_cast<Unit>(one_of(value.find("unit"), "unit", kUnits));
        return only(value, {"kind", "count", "unit"});
      case Window::Kind::kBetween:
        window.to = day({"to", value.find("to")});
        [[fallthrough]];
      case Window::Kind::kSince:
        window.from = day({"from", value.find("from")});
        return only(value, {"kind", "from", "to"});
      default:
        return only(value, {"kind"});
    }
  }
  void only(const json::Value& value, const std::vector<std::string>& known) {
    for (const json::Value::Member& member : value) {
      if (std::find(known.begin(), known.end(), member.key) == known.end()) unknown(member.key, known);
    }
  }

  std::vector<std::string> comments(const json::Value& value) {
    std::vector<std::string> out;
    if (!value.is_array()) fail("\"comments\" is not a list of texts");
    for (const json::Value::Member& member : value) out.push_back(text_of({"comments", member.value}));
    return out;
  }

  const bool is_sent_;
  absl::Status status_;
};

absl::Status shape_of(const Node& node) {
  const auto problem = misshape_of(node);
  return problem ? failure(absl::StatusCode::kInvalidArgument, problem->message) : absl::OkStatus();
}

}  // namespace

std::string to_json(const Definition& definition) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("kind", to_string(definition.kind)).field("name", definition.name);
  if (!definition.owner.empty()) writer.field("owner", definition.owner);
  if (!definition.description.empty()) writer.field("description", definition.description);
  if (!definition.time_zone.empty()) writer.field("time_zone", definition.time_zone);
  if (definition.keep_when_empty) writer.field("keep_when_empty", true);
  write_comments(definition.comments, writer);
  writer.key("body");
  write(definition.body, writer);
  writer.end_object();
  return out;
}

std::string to_json(const Node& expression) {
  std::string out;
  json::Writer writer(out);
  write(expression, writer);
  return out;
}

absl::StatusOr<Definition> definition_from_json(std::string_view json, Origin origin) {
  const auto document = json::Document::parse(json);
  if (!document.ok()) return document.status();
  Reader reader(origin);
  Definition definition = reader.definition(document->root());
  if (!reader.status().ok()) return reader.status();
  if (auto status = shape_of(definition.body); !status.ok()) return status;
  return definition;
}

absl::StatusOr<Node> node_from_json(std::string_view json, Origin origin) {
  const auto document = json::Document::parse(json);
  if (!document.ok()) return document.status();
  Reader reader(origin);
  Node node = reader.node(document->root());
  if (!reader.status().ok()) return reader.status();
  if (auto status = shape_of(node); !status.ok()) return status;
  return node;
}

}  // namespace kehu::rule
