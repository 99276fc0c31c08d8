#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/live_channel.h"
#include "websocket/frames.h"
#include "websocket/message_inflater.h"

namespace kehu::websocket {

// Puts the messages of one client together from what its WebSocket carries, cut anywhere (RFC 6455, 5 to 8).
// Strict, and as early as a fault can be seen. Memory: one message that is not complete yet; a message that
// arrives whole, in one frame and not compressed, is used where it lies.
class MessageReader {
 public:
  struct Options {
    size_t message_bytes = 0;  // of a message when decompressed; more: kTooBig
    bool deflate = false;      // permessage-deflate was agreed on
  };
  explicit MessageReader(const Options& options) : options_(options) {}

  enum class Kind : uint8_t {
    kNothing,  // everything is used; more bytes are needed
    kText,
    kBinary,
    kPing,
    kPong,
    kClose,   // `code` and the client's reason
    kBroken,  // `code` to close with and why; nothing more is read
  };
  struct Item {
    Kind kind = Kind::kNothing;
    std::string_view content = {};  // valid until the next call, as long as the bytes are
    http::CloseCode code = http::CloseCode::kNoStatus;
  };
  // The next item in `bytes`, which are unmasked where they lie. Sets `used` to the bytes that were taken.
  Item next(std::span<char> bytes, size_t& used);

  // Something is not complete: a message, or a frame of any kind.
  bool in_message() const { return in_frame_ || in_message_ || head_size_ > 0; }
  // Payload of the message in work that came so far, as it came.
  uint64_t came() const { return came_; }
  // What this holds of messages.
  size_t memory() const;
  // Between messages: gives back what is kept for the next one. No item may be in use.
  void release();
  // Nothing more is read; gives everything back.
  void abandon();

 private:
  Item read_head(std::span<char> bytes, size_t& used);
  Item begin_frame();
  Item take_payload(std::span<char> bytes, size_t& used);
  Item take_control(std::string_view piece);
  Item take_data(std::string_view piece);
  Item add(std::string_view piece);
  Item check_inflated(MessageInflater::Verdict verdict, size_t before);
  Item end_message();
  Item whole_message(std::string_view content);
  Item read_close();
  Item broken(http::CloseCode code, const char* why);
  void forget_delivered();

  const Options options_;
  char head_bytes_[kFrameHeadBytesMax];
  uint8_t head_size_ = 0;
  FrameHead head_;
  uint64_t left_ = 0;  // of the frame's payload
  uint64_t came_ = 0;
  bool in_frame_ = false;    // its header is read
  bool in_message_ = false;  // a data frame came that was not the last
  bool compressed_ = false;
  bool delivered_ = false;  // message_ or control_ was handed out
  bool broken_ = false;
  Opcode type_ = Opcode::kText;  // of the message
  std::string message_;
  std::string control_;
  Utf8Check utf8_;
  std::unique_ptr<MessageInflater> inflater_;
};

}  // namespace kehu::websocket
