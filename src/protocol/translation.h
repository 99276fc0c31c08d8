#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "intake/event_decoder.h"
#include "intake/sender.h"
#include "json/index.h"

namespace kehu::protocol {

// An event of a foreign protocol in our own plain form (BulkDecoder).
struct Translation {
  std::string plain;                    // one JSON object
  std::string_view received;            // what the sender wrote: a rejection keeps this
  std::string_view path = {};           // of it in the request's body, a JSON Pointer
  uint64_t position = 0;                // from 1 among the events of the request; 0 = it is the only one
  std::optional<Instant> sent_at = {};  // by the client's clock
  Duration step = {};                   // as BatchHead::step
  const intake::ReceivedPaths* paths = nullptr;  // of faults, behind `path`
  intake::BatchHead::Ids ids = intake::BatchHead::Ids::kTyped;
};

// Decodes translated events: all protocols mean what EventDecoder says they mean. One per thread.
class TranslationDecoder {
 public:
  void decode(const intake::Sender& sender, const Translation& translation, intake::Intake& out);
  // Of what cannot be translated. `broken.payload` is what was received.
  void reject(const intake::Sender& sender, const intake::EventDecoder::Broken& broken, intake::Intake& out) {
    events_.reject(sender, broken, out);
  }
  // Once at the end of each request.
  void take_keys(const intake::Sender& sender, intake::Intake& out) { events_.take_keys(sender, out); }

 private:
  json::Index index_;
  intake::EventDecoder events_;
};

}  // namespace kehu::protocol
