#include "intake/bulk.h"

#include <string>

#include "base/limits.h"
#include "base/text.h"

namespace kehu::intake {

void BulkDecoder::feed(std::string_view chunk, Intake& out) {
  splitter_.feed(chunk);
  decode_pieces(out);
}

void BulkDecoder::finish(Intake& out) {
  splitter_.finish();
  decode_pieces(out);
}

void BulkDecoder::decode_pieces(Intake& out) {
  for (Splitter::Piece piece; splitter_.next(piece);) decode_piece(piece, out);
  events_.take_keys(context_, out);
}

void BulkDecoder::decode_piece(const Splitter::Piece& piece, Intake& out) {
  EventDecoder::Broken broken{.path = {}, .detail = {}, .payload = piece.text, .position = piece.number};
  std::string detail;
  switch (piece.shape) {
    case Splitter::Shape::kWhole: {
      const auto error = index_.scan(piece.text);
      if (!error) {
        Envelope envelope;
        envelope.dialect = Envelope::Dialect::kBulk;
        envelope.position = piece.number;
        events_.decode(context_, envelope, index_, 0, out);
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
  events_.reject(context_, broken, out);
}

}  // namespace kehu::intake
