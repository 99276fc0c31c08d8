#include "intake/bulk.h"

#include "base/limits.h"
#include "base/text.h"
#include "json/scan.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kOriginKey = R"({"$origin":")";
constexpr size_t kOriginBytes = 300;  // a file's name and a line

}  // namespace

void BulkDecoder::feed(std::string_view chunk, Intake& out) {
  splitter_.feed(chunk);
  decode_pieces(out);
}

void BulkDecoder::finish(Intake& out) {
  splitter_.finish();
  decode_pieces(out);
}

void BulkDecoder::decode_whole(std::string_view body, Intake& out) {
  splitter_ = Splitter();
  splitter_.feed(body);
  splitter_.finish();
  decode_pieces(out);
}

void BulkDecoder::decode_pieces(Intake& out) {
  for (Splitter::Piece piece; splitter_.next(piece);) decode_piece(piece, out);
  workspace_.events.take_keys(context_, out);
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

void BulkDecoder::decode_piece(const Splitter::Piece& piece, Intake& out) {
  const std::string_view text = take_origin(piece.text);
  EventDecoder::Broken broken{
      .path = {}, .detail = {}, .payload = text, .position = piece.number, .origin = origin_};
  std::string detail;
  switch (piece.shape) {
    case Splitter::Shape::kWhole: {
      const auto error = workspace_.index.scan(text);
      if (!error) {
        Envelope envelope;
        envelope.dialect = Envelope::Dialect::kBulk;
        envelope.position = piece.number;
        envelope.origin = origin_;
        workspace_.events.decode(context_, envelope, workspace_.index, 0, out);
        return;
      }
      if (error->code == json::SyntaxError::Code::kInvalidUtf8) broken.reason = Reason::kInvalidUtf8;
      detail = cat("invalid JSON at ", error->to_string());
      break;
    }
    case Splitter::Shape::kTooLarge:
      broken.reason = Reason::kEventTooLarge;
      detail = cat(piece.size, " bytes; at most ", limits::kEventBytes, "; only the beginning is kept");
      break;
    case Splitter::Shape::kUnclosed:
      detail = "the body ended inside the array; was it cut off?";
      break;
    case Splitter::Shape::kBehindTheEnd:
      detail = "text behind the end of the array";
      break;
  }
  broken.detail = detail;
  workspace_.events.reject(context_, broken, out);
}

}  // namespace kehu::intake
