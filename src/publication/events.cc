#include "publication/events.h"

#include "document/event_document.h"

namespace kehu::publication {

absl::Status Events::write(query::LogStretch stretch, Sink& sink) {
  return session_->each_event(stretch, [&](const query::LoggedEvent& logged) { return write(logged, sink); });
}

// Each event is marked for itself, so a stretch that breaks off goes on behind the last event that was
// handed over.
absl::Status Events::write(const query::LoggedEvent& logged, Sink& sink) {
  const bool owned = !logged.customer.hash.is_zero();
  const std::string customer = owned ? logged.customer.hash.hex() : std::string();
  document_.clear();
  json::Writer writer(document_);
  writer.begin_object().key("customer_id");
  owned ? writer.value(customer) : writer.null();
  document::write_event(writer, logged.event, opener_);
  writer.end_object();
  const absl::Status sent = sink.send({.key = customer,
                                       .value = document_,
                                       .message_id = logged.event.message_id,
                                       .position = logged.event.sequence});
  if (sent.ok()) sink.mark(logged.event.sequence);
  return sent;
}

}  // namespace kehu::publication
