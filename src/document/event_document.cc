#include "document/event_document.h"

#include "base/civil_day.h"
#include "seal/masks.h"

namespace kehu::document {

void write_event(json::Writer& writer, const query::TimelineEvent& event, seal::Opener& opener) {
  writer.field("record", event.sequence.value()).field("time", format_utc(event.time));
  writer.field("received_at", format_utc(event.received_at)).field("event", event.event);
  writer.field("type", event.type).field("source", event.source).field("channel", event.channel);
  writer.field("message_id", event.message_id);
  writer.raw_field("properties", seal::mask_json(event.properties, opener));
  writer.raw_field("traits", seal::mask_json(event.traits, opener));
  writer.raw_field("context", seal::mask_json(event.context, opener));
  writer.raw_field("identifiers", seal::mask_json(event.identifiers, opener));
}

}  // namespace kehu::document
