#include "websocket/message_reader.h"

#include <algorithm>
#include <cstring>

#include "json/text.h"

// A frame may arrive in any pieces. Its head is collected in a few bytes of its own, because nothing can be
// said before it is whole; its payload is unmasked where it was read. A message that is one frame and came
// in one piece is given out as a view of that place, and only others are copied together. Text is checked
// while it comes, so a message of many frames is refused at its first wrong byte and not at its end.
namespace kehu::websocket {
namespace {

using http::CloseCode;

constexpr size_t kKeptBytes = 16 * 1024;

}  // namespace

MessageReader::Item MessageReader::broken(CloseCode code, const char* why) {
  broken_ = true;
  return {Kind::kBroken, why, code};
}

void MessageReader::forget_delivered() {
  delivered_ = false;
  control_.clear();
  if (in_message_) return;
  message_.clear();
  if (message_.capacity() > kKeptBytes) message_.shrink_to_fit();
}

size_t MessageReader::memory() const {
  static const size_t kInside = std::string().capacity();  // costs no memory
  return message_.capacity() - std::min(message_.capacity(), kInside);
}

void MessageReader::release() {
  if (in_message_ || in_frame_) return;
  delivered_ = false;
  std::string().swap(message_);  // an assignment keeps the memory
  control_.clear();
}

void MessageReader::abandon() {
  broken_ = true;
  in_message_ = in_frame_ = false;
  head_size_ = 0;
  release();
  inflater_.reset();
}

MessageReader::Item MessageReader::next(std::span<char> bytes, size_t& used) {
  used = 0;
  if (delivered_) forget_delivered();
  while (!broken_) {
    if (!in_frame_) {
      if (const Item item = read_head(bytes, used); item.kind != Kind::kNothing) return item;
      if (!in_frame_) return {};
    }
    if (left_ > 0 && used == bytes.size()) return {};
    if (const Item item = take_payload(bytes, used); item.kind != Kind::kNothing) return item;
  }
  used = bytes.size();
  return {};
}

MessageReader::Item MessageReader::read_head(std::span<char> bytes, size_t& used) {
  const size_t before = head_size_;
  const size_t taken = std::min(bytes.size() - used, kFrameHeadBytesMax - before);
  std::memcpy(head_bytes_ + before, bytes.data() + used, taken);
  const FrameHeadResult result = parse_frame_head({head_bytes_, before + taken}, head_);
  if (result.refusal != nullptr) return broken(CloseCode::kProtocolError, result.refusal);
  if (result.used == 0) {
    head_size_ = static_cast<uint8_t>(before + taken);
    used += taken;
    return {};
  }
  used += result.used - before;
  head_size_ = 0;
  return begin_frame();
}

MessageReader::Item MessageReader::begin_frame() {
  in_frame_ = true;
  left_ = head_.size;
  if (is_control(head_.opcode)) return {};
  const bool continues = head_.opcode == Opcode::kContinuation;
  if (continues && !in_message_) return broken(CloseCode::kProtocolError, "there is no message to continue");
  if (!continues && in_message_) {
    return broken(CloseCode::kProtocolError, "a message begins before the last one ended");
  }
  if (head_.compressed && (continues || !options_.deflate)) {
    return broken(CloseCode::kProtocolError, "a reserved bit is set");
  }
  if (!continues) {
    type_ = head_.opcode;
    compressed_ = head_.compressed;
    utf8_.reset();
    message_.clear();
    came_ = 0;
  }
  const size_t held = compressed_ ? 0 : message_.size();
  if (head_.size > options_.message_bytes - std::min(held, options_.message_bytes)) {
    return broken(CloseCode::kTooBig, "the message is too big");
  }
  return {};
}

MessageReader::Item MessageReader::take_payload(std::span<char> bytes, size_t& used) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - used));
  const std::span<char> piece = bytes.subspan(used, size);
  unmask(piece, head_.mask, head_.size - left_);
  left_ -= size;
  used += size;
  const std::string_view text(piece.data(), piece.size());
  return is_control(head_.opcode) ? take_control(text) : take_data(text);
}

MessageReader::Item MessageReader::take_control(std::string_view piece) {
  control_.append(piece);
  if (left_ > 0) return {};
  in_frame_ = false;
  delivered_ = true;
  if (head_.opcode == Opcode::kClose) return read_close();
  return {head_.opcode == Opcode::kPing ? Kind::kPing : Kind::kPong, control_};
}

MessageReader::Item MessageReader::read_close() {
  if (control_.empty()) return {Kind::kClose};
  if (control_.size() == 1) return broken(CloseCode::kProtocolError, "half a close code");
  const auto code =
      static_cast<uint16_t>(static_cast<uint8_t>(control_[0]) << 8 | static_cast<uint8_t>(control_[1]));
  if (!is_close_code(code)) return broken(CloseCode::kProtocolError, "the close code is not valid");
  const std::string_view reason = std::string_view(control_).substr(2);
  if (!json::is_valid_utf8(reason)) return broken(CloseCode::kNotUtf8, "the close reason is not UTF-8");
  return {Kind::kClose, reason, static_cast<CloseCode>(code)};
}

MessageReader::Item MessageReader::take_data(std::string_view piece) {
  came_ += piece.size();
  const bool whole = piece.size() == head_.size && head_.final && !in_message_ && !compressed_;
  if (left_ == 0) in_frame_ = false;
  if (whole) return whole_message(piece);
  in_message_ = true;
  if (const Item item = add(piece); item.kind != Kind::kNothing) return item;
  return left_ == 0 && head_.final ? end_message() : Item{};
}

MessageReader::Item MessageReader::whole_message(std::string_view content) {
  if (type_ == Opcode::kBinary) return {Kind::kBinary, content};
  if (!json::is_valid_utf8(content)) return broken(CloseCode::kNotUtf8, "the text is not UTF-8");
  return {Kind::kText, content};
}

MessageReader::Item MessageReader::add(std::string_view piece) {
  const size_t before = message_.size();
  if (!compressed_) {
    message_.append(piece);
    return check_inflated(MessageInflater::Verdict::kGood, before);
  }
  if (inflater_ == nullptr) inflater_ = std::make_unique<MessageInflater>();
  return check_inflated(inflater_->feed(piece, options_.message_bytes, message_), before);
}

// `before`: bytes of the message that were checked already.
MessageReader::Item MessageReader::check_inflated(MessageInflater::Verdict verdict, size_t before) {
  if (verdict == MessageInflater::Verdict::kTooLarge) {
    return broken(CloseCode::kTooBig, "the message is too big when decompressed");
  }
  if (verdict == MessageInflater::Verdict::kBroken) {
    return broken(CloseCode::kNotUtf8, "the message cannot be decompressed");
  }
  if (type_ == Opcode::kText && !utf8_.feed(std::string_view(message_).substr(before))) {
    return broken(CloseCode::kNotUtf8, "the text is not UTF-8");
  }
  return {};
}

MessageReader::Item MessageReader::end_message() {
  if (compressed_) {
    const size_t before = message_.size();
    const auto verdict = inflater_->end_message(options_.message_bytes, message_);
    if (const Item item = check_inflated(verdict, before); item.kind != Kind::kNothing) return item;
  }
  if (type_ == Opcode::kText && !utf8_.complete()) {
    return broken(CloseCode::kNotUtf8, "the text ends within a character");
  }
  in_message_ = false;
  delivered_ = true;
  return {type_ == Opcode::kText ? Kind::kText : Kind::kBinary, message_};
}

}  // namespace kehu::websocket
