#include "interpreter/selection.h"

#include "json/fields.h"
#include "rule/nodes.h"

namespace kehu::interpreter {
namespace {

// A selector without a name is "any event"; a name is that of a track event, so that a page of the same name
// is none.
bool is_named(const rule::Node& selector, const Event& event) {
  if (selector.text.empty()) return true;
  return event.type == EventType::kTrack && event.name == selector.text;
}

}  // namespace

Selected selected(const rule::Node& selector, const Asked& asked) {
  Selected out;
  for (const Event* event : asked.events) {
    if (!is_named(selector, *event)) continue;
    if (selector.of.empty() || holds(selector.of[0], asked, event)) out.push_back(event);
  }
  return out;
}

Selected selected(const rule::Node& selector, const rule::Window& window, const Asked& asked) {
  const rule::Extent extent = rule::extent(window, asked.moment.now, asked.moment.zone);
  Selected out = selected(selector, asked);
  std::erase_if(out, [&](const Event* event) { return !extent.contains(event->time); });
  return out;
}

Values values_at(std::string_view path, const Event& event, const Asked& asked) {
  Values out;
  if (rule::is_event_text(path)) {
    const rule::Op op = path == rule::kChannelPath ? rule::Op::kChannel : rule::Op::kSource;
    out = values_of({.op = op}, asked, &event);
    std::erase_if(out, [](const rule::Value& value) { return !value.known(); });
    return out;
  }
  const auto parsed = json::FieldPath::parse(path);
  if (!parsed.ok()) return out;
  parsed->visit(event.properties, [&](const json::RawValue& raw) {
    const rule::Value value = rule::Value::of(raw);
    if (value.known()) out.push_back(value);
  });
  return out;
}

std::vector<std::string> texts_at(std::string_view path, const Event& event, const Asked& asked) {
  std::vector<std::string> out;
  for (const rule::Value& value : values_at(path, event, asked)) {
    out.push_back(*rule::as_text(value, asked.moment.zone));
  }
  return out;
}

}  // namespace kehu::interpreter
