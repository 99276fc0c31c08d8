#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/context.h"
#include "intake/sensors_body.h"
#include "intake/sensors_envelopes.h"
#include "intake/sensors_record.h"
#include "intake/splitter.h"
#include "intake/translation.h"
#include "json/index.h"

namespace kehu::intake {

// Requests of Sensors Analytics' SDKs (/sa, /sa.gif, /debug) → records. No request is refused: one that
// cannot be read is one rejection that holds all of it, because an SDK deletes what it was told is wrong, and
// sends again for ever what it was not told about.
//
//   SensorsDecoder decoder;                 // one per thread
//   decoder.open(query, body);
//   source = by decoder.write_keys(), else 403
//   while (decoder.decode(context, sender, intake)) …   // each part is a submission
class SensorsDecoder {
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
  bool decode(const Context& context, const SensorsRecord::Sender& sender, Intake& out);

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
  void open_envelopes(const Context& context);
  bool reject_closed(const Context& context, Intake& out);
  void reject_whole(const Context& context, Intake& out);
  bool decode_indexed(const Context& context, const SensorsRecord::Sender& sender, Intake& out);
  bool decode_pieces(const Context& context, const SensorsRecord::Sender& sender, Intake& out);
  void decode_piece(const Context& context, const SensorsRecord::Sender& sender, const Splitter::Piece& piece,
                    Intake& out);
  void decode_record(const Context& context, const SensorsRecord::Sender& sender, const Place& place,
                     Intake& out);
  std::optional<Instant> sent_at(const Context& context);
  void reject(const Context& context, Reason reason, std::string_view detail, std::string_view payload,
              uint64_t number, Intake& out);

  SensorsBody body_;
  std::optional<SensorsBody::Fault> fault_;
  std::string_view received_;
  std::string_view text_;
  json::Index index_;
  bool broken_ = false;  // not all of it is JSON: record by record then
  bool encrypted_ = false;
  SensorsEnvelopes envelopes_;
  size_t next_closed_ = 0;  // of the envelopes' faults
  size_t part_end_ = 0;     // of the records' bytes
  Splitter splitter_;
  uint32_t next_ = 0;       // node of the next record
  uint64_t number_ = 0;     // of the last record
  std::string trait_time_;  // of the last record that set traits
  int64_t trait_step_ = 0;  // how many before it in this request had the same
  SensorsRecord record_;
  Translation translation_;
  TranslationDecoder events_;
};

// Whether a JSON text is a record, or an array of them, as Sensors Analytics writes them, and no plain event.
bool is_sensors_text(std::string_view text);

}  // namespace kehu::intake
