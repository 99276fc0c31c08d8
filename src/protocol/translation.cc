#include "protocol/translation.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

namespace kehu::protocol {

void TranslationDecoder::decode(const intake::Sender& sender, const Translation& translation,
                                intake::Intake& out) {
  if (const auto error = index_.scan(translation.plain)) {
    // A translation is made of valid values; only brackets around them can make it too deep.
    KEHU_CHECK(error->code == json::SyntaxError::Code::kTooDeep);
    const std::string detail = cat("nested deeper than ", limits::kJsonDepth);
    reject(sender,
           {.reason = Reason::kInvalidJson,
            .path = translation.path,
            .detail = detail,
            .payload = translation.received,
            .position = translation.position},
           out);
    return;
  }
  intake::BatchHead batch_head;
  batch_head.dialect = intake::BatchHead::Dialect::kBulk;
  batch_head.sent_at = translation.sent_at;
  batch_head.step = translation.step;
  batch_head.position = translation.position;
  batch_head.received = translation.received;
  batch_head.received_path = translation.path;
  batch_head.received_paths = translation.paths;
  batch_head.ids = translation.ids;
  events_.decode(sender, batch_head, index_, 0, out);
}

}  // namespace kehu::protocol
