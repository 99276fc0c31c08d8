#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/sender.h"
#include "json/index.h"
#include "json/splitter.h"
#include "protocol/translation.h"
#include "sensors/body.h"
#include "sensors/envelopes.h"
#include "sensors/record.h"

namespace kehu::sensors {

// Requests of Sensors Analytics' SDKs (/sa, /sa.gif, /debug) → records. No request is refused: one that
// cannot be read is one rejection that holds all of it, because an SDK deletes what it was told is wrong, and
// sends again for ever what it was not told about.
//
//   Decoder decoder;                        // one per thread
//   decoder.open(query, body);
//   source = by decoder.write_keys(), else 403
//   while (decoder.decode(sender, intake)) …   // each part is a submission
class Decoder {
 public:
  static constexpr uint32_t kRecords = 2500;  // of a request; the rest of it is one rejection too_many_events

  // Both must stay alive until the last decode().
  void open(std::string_view query, std::string_view body);
  // Records as JSON text, one or an array.
  void open_text(std::string_view text);
  // Nothing was sent.
  bool empty() const { return !fault_ && text_.empty(); }

  // The JSON text of the request, unpacked; empty when there is none or it cannot be unpacked. Until the next
  // open().
  std::string_view text() const { return text_; }

  // What may be the write key, in the order in which it is to be tried: token, project, and the first
  // record's own.
  std::vector<std::string> write_keys() const;

  // Appends a part of the records of the request, and the data keys they need; true while there is more.
  // ~1.5 µs for an event of 700 bytes, base64 and gzip not counted.
  bool decode(const intake::Sender& sender, intake::Intake& out);

 private:
  // Of records in one part of a request, as they are stored.
  static constexpr size_t kPartBytes = 512 << 10;
  // A request that failed as a whole is kept as the text it holds, while that is not much longer.
  static constexpr size_t kKeptTextBytes = 512 << 10;

  struct Place {
    uint32_t node = 0;
    uint64_t number = 0;  // of the record, from 1; 0 = it is the only one
  };

  void start();
  bool is_encrypted() const;
  void open_envelopes(const intake::Sender& sender);
  bool reject_closed(const intake::Sender& sender, intake::Intake& out);
  void reject_whole(const intake::Sender& sender, intake::Intake& out);
  bool decode_indexed(const intake::Sender& sender, intake::Intake& out);
  bool decode_pieces(const intake::Sender& sender, intake::Intake& out);
  void decode_piece(const intake::Sender& sender, const json::Splitter::Piece& piece, intake::Intake& out);
  void decode_record(const intake::Sender& sender, const Place& place, intake::Intake& out);
  Duration next_trait_step();
  void reject(const intake::Sender& sender, Reason reason, std::string_view detail, std::string_view payload,
              uint64_t number, intake::Intake& out);

  Body body_;
  std::optional<Body::Fault> fault_;
  std::string_view received_;
  std::string_view text_;
  json::Index index_;
  bool broken_ = false;  // not all of it is JSON: record by record then
  bool encrypted_ = false;
  Envelopes envelopes_;
  size_t next_closed_ = 0;  // of the envelopes' faults
  size_t part_end_ = 0;     // of the records' bytes
  json::Splitter splitter_;
  uint32_t next_ = 0;       // node of the next record
  uint64_t number_ = 0;     // of the last record
  std::string trait_time_;  // of the last record that set traits
  int64_t trait_step_ = 0;  // how many before it in this request had the same
  Record record_;
  protocol::Translation translation_;
  protocol::TranslationDecoder events_;
};

// Whether a JSON text is a record, or an array of them, as Sensors Analytics writes them, and no plain event.
bool is_sensors_text(std::string_view text);

}  // namespace kehu::sensors
