#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kehu::json {

// Cuts a long body into the texts of its events while it arrives: the lines of NDJSON, or the elements of a
// JSON array when the first character is "[". Looks only for boundaries and judges nothing else. Holds at
// most one event of limits::kEventBytes, whatever the body's size.
//
// A broken element of an array ends where its brackets do; a string that a line break cuts off ends there.
//
//   splitter.feed(chunk); while (splitter.next(piece)) …    for each chunk
//   splitter.finish();    while (splitter.next(piece)) …
class Splitter {
 public:
  enum class Shape : uint8_t { kWhole, kTooLarge, kUnclosed, kBehindTheEnd };
  struct Piece {
    Shape shape = Shape::kWhole;
    std::string_view text;  // until the next call; the first limits::kEventBytes of one that is too large
    uint64_t number = 0;    // line or element, from 1
    uint64_t size = 0;      // of the whole event in bytes
  };

  // The chunk must stay alive until next() has returned false.
  void feed(std::string_view chunk) { rest_ = chunk; }
  void finish() { finished_ = true; }
  bool next(Piece& piece);

 private:
  enum class Mode : uint8_t { kStart, kLines, kArray, kDone };

  void start();
  void skip_byte_order_mark();
  bool next_line(Piece& piece);
  bool next_element(Piece& piece);
  bool next_behind(Piece& piece);
  size_t find_element_end();
  void keep(std::string_view part);
  void cut(size_t size, Piece& piece);
  void emit(Piece& piece, Shape shape, std::string_view text);

  Mode mode_ = Mode::kStart;
  bool finished_ = false;
  std::string_view rest_;  // of the chunk
  std::string held_;       // beginning of an event from chunks before
  uint64_t size_ = 0;      // of the event in work, before rest_
  uint64_t number_ = 0;    // of the last piece
  size_t depth_ = 0;       // open brackets of the element in work
  bool in_string_ = false;
  bool escaped_ = false;
  bool emitted_ = false;  // held_ belongs to a piece that was handed out
};

}  // namespace kehu::json
