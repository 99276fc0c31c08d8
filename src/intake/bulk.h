#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "intake/event_decoder.h"
#include "intake/sender.h"
#include "json/index.h"
#include "json/splitter.h"

namespace kehu::intake {

// What decoding needs beside its place in a body. Bodies that come side by side on one thread may share it.
struct BulkWorkspace {
  json::Index index;
  EventDecoder events;
  std::string event;  // without its origin
};

// The body of POST /api/v1/events: NDJSON or a JSON array of events in our own plain form or in Segment's, in
// chunks of any size. A broken line or element becomes a rejection that names its number, and the rest goes
// on. Memory: one event, whatever the body's size.
//
//   {"event": "Order Completed", "user_id": "u1", "phone": "138…", "time": "2026-11-22T10:00:00+08:00",
//    "message_id": "m1", "properties": {…}, "traits": {…}, "context": {…}, "channel": "shop"}
//
// An event that begins with {"$origin":"orders.csv:17", is named so when it is rejected, instead of by its
// number; the rest of it is the event. The name has up to 300 bytes and no escapes.
//
// "$former_id" is a message id under which the sender may have sent the event before, or a list of two: known
// by one of them with the same content, the event is a repeat (docs/decisions/row-identity.md).
//
// "type" is "track" when missing; identifiers stand at the top level by their type's name (a value or a
// list), or in "identifiers"; members nobody knows become properties. One per request, but for
// decode_whole().
class BulkDecoder {
 public:
  // Sender and workspace outlive the decoder. Without a workspace it has one of its own; with a shared one
  // it holds only what it has of an event.
  explicit BulkDecoder(const Sender& sender)
      : sender_(sender), own_(std::make_unique<BulkWorkspace>()), workspace_(*own_) {}
  BulkDecoder(const Sender& sender, BulkWorkspace& workspace) : sender_(sender), workspace_(workspace) {}

  // Appends the records of the events that the chunk completes, and the data keys they need.
  void feed(std::string_view chunk, Intake& out);
  // The same in parts: after begin(), decode() appends records until there are `bytes_max` of them or more;
  // true while there is more. Many short broken lines make many more bytes of rejections than they are.
  void begin(std::string_view chunk) { splitter_.feed(chunk); }
  void end() { splitter_.finish(); }
  void begin_whole(std::string_view body);
  bool decode(size_t bytes_max, Intake& out);
  // After the last chunk.
  void finish(Intake& out);
  // One whole body after the other, for which the decoder may be used again and again.
  void decode_whole(std::string_view body, Intake& out);

 private:
  void decode_piece(const json::Splitter::Piece& piece, Intake& out);
  std::string_view take_origin(std::string_view text);

  const Sender& sender_;
  json::Splitter splitter_;
  std::unique_ptr<BulkWorkspace> own_;
  BulkWorkspace& workspace_;
  std::string_view origin_;
};

}  // namespace kehu::intake
