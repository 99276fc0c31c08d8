#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace kehu::websocket {

// The receiving half of permessage-deflate (RFC 7692): messages of one WebSocket, which may refer back to
// what was decompressed before. Takes about 43 KiB from the first compressed message on.
class MessageInflater {
 public:
  enum class Verdict { kGood, kBroken, kTooLarge };

  MessageInflater();
  ~MessageInflater();

  // Appends what the piece of a message decompresses to. kTooLarge before `out` has more than `limit` bytes,
  // and when it has become more than 100 times as large as what came (the first 64 KiB are free).
  Verdict feed(std::string_view piece, size_t limit, std::string& out);
  Verdict end_message(size_t limit, std::string& out);

 private:
  struct Stream;
  Verdict inflate(std::string_view piece, size_t limit, std::string& out);

  std::unique_ptr<Stream> stream_;
  size_t input_bytes_ = 0;  // of the message
};

}  // namespace kehu::websocket
