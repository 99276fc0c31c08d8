#include "intake/bulk.h"

#include "base/limits.h"
#include "base/text.h"
#include "json/scan.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kOriginKey = R"({"$origin":")";
constexpr size_t kEverything = SIZE_MAX;
constexpr size_t kOriginBytes = 300;  // has room for a file's name and a line

}  // namespace

void BulkDecoder::feed(std::string_view chunk, Intake& out) {
  begin(chunk);
  decode(kEverything, out);
}

void BulkDecoder::finish(Intake& out) {
  end();
  decode(kEverything, out);
}

void BulkDecoder::decode_whole(std::string_view body, Intake& out) {
  begin_whole(body);
  decode(kEverything, out);
}

void BulkDecoder::begin_whole(std::string_view body) {
  splitter_ = json::Splitter();
  begin(body);
  end();
}

// A part ends behind the event that fills it, so it is larger than asked for by one event at most. Each
// part takes the records of the data keys that it was sealed with: parts become durable one by one, and
// none may rely on a key that only a later one carries.
bool BulkDecoder::decode(size_t bytes_max, Intake& out) {
  bool more = false;
  for (json::Splitter::Piece piece; !more && splitter_.next(piece);) {
    decode_piece(piece, out);
    more = out.records.bytes.size() >= bytes_max;
  }
  workspace_.events.take_keys(sender_, out);
  return more;
}

// Takes the sender's name of the event's place off: {"$origin":"orders.csv:17","event":… Only at the
// beginning, where it can be found before anything is known of the text.
std::string_view BulkDecoder::take_origin(std::string_view text) {
  origin_ = {};
  if (!text.starts_with(kOriginKey)) return text;
  const char* const begin = text.data() + kOriginKey.size() - 1;
  const char* const end = text.data() + text.size();
  const char* const close = json::find_string_stop(begin + 1, end);
  if (end - close < 2 || close[0] != '"' || close[1] != ',') return text;
  const std::string_view named(begin + 1, static_cast<size_t>(close - begin - 1));
  if (named.size() > kOriginBytes || !json::is_valid_utf8(named)) return text;
  origin_ = named;
  workspace_.event.assign("{").append(close + 2, end);
  return workspace_.event;
}

void BulkDecoder::decode_piece(const json::Splitter::Piece& piece, Intake& out) {
  const std::string_view text = take_origin(piece.text);
  EventDecoder::Broken broken{
      .path = {}, .detail = {}, .payload = text, .position = piece.number, .origin = origin_};
  std::string detail;
  switch (piece.shape) {
    case json::Splitter::Shape::kWhole: {
      const auto error = workspace_.index.scan(text);
      if (!error) {
        BatchHead batch_head;
        batch_head.dialect = BatchHead::Dialect::kBulk;
        batch_head.position = piece.number;
        batch_head.origin = origin_;
        workspace_.events.decode(sender_, batch_head, workspace_.index, 0, out);
        return;
      }
      broken.reason = reason_of(*error);
      detail = cat("invalid JSON at ", error->to_string());
      break;
    }
    case json::Splitter::Shape::kTooLarge:
      broken.reason = Reason::kEventTooLarge;
      detail = cat(piece.size, " bytes; at most ", limits::kEventBytes, "; only the beginning is kept");
      break;
    case json::Splitter::Shape::kUnclosed:
      detail = "the body ended inside the array; was it cut off?";
      break;
    case json::Splitter::Shape::kBehindTheEnd:
      detail = "text behind the end of the array";
      break;
  }
  broken.detail = detail;
  workspace_.events.reject(sender_, broken, out);
}

}  // namespace kehu::intake
