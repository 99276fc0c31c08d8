#include "codec/event_json.h"

#include <vector>

#include "base/civil_day.h"
#include "json/writer.h"

namespace kehu::codec {

// Identifiers come grouped by type, so several of one type become one list. Alternatives are guesses of
// the door about a value that is there already, and are left out.
void append_event_json(const Event& event, const Settings& settings, std::string& out) {
  json::Writer writer(out);
  writer.begin_object().field("type", to_string(event.type));
  if (!event.name.empty()) writer.field("event", event.name);
  writer.field("message_id", event.message_id).field("time", format_utc(event.original_time));
  writer.field("channel", to_string(event.channel));
  writer.key("identifiers").begin_object();
  std::vector<Identifier> named(event.identifiers.begin(), event.identifiers.end());
  std::erase_if(named, [](const Identifier& identifier) { return identifier.alternative; });
  for (size_t i = 0; i < named.size(); ++i) {
    const Identifier& identifier = named[i];
    const bool listed = i > 0 && named[i - 1].type == identifier.type;
    const bool goes_on = i + 1 < named.size() && named[i + 1].type == identifier.type;
    if (!listed) writer.key(settings.rule(identifier.type).name);
    if (!listed && goes_on) writer.begin_array();
    writer.value(identifier.value);
    if (listed && !goes_on) writer.end_array();
  }
  writer.end_object();
  writer.raw_field("properties", event.properties).raw_field("traits", event.traits);
  writer.raw_field("context", event.context).end_object();
}

}  // namespace kehu::codec
