#include "intake/translation.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

namespace kehu::intake {

void TranslationDecoder::decode(const Context& context, const Translation& translation, Intake& out) {
  if (const auto error = index_.scan(translation.plain)) {
    // A translation is made of valid values; only brackets around them can make it too deep.
    KEHU_CHECK(error->code == json::SyntaxError::Code::kTooDeep);
    const std::string detail = cat("nested deeper than ", limits::kJsonDepth);
    reject(context,
           {.reason = Reason::kInvalidJson,
            .path = translation.path,
            .detail = detail,
            .payload = translation.received,
            .position = translation.position},
           out);
    return;
  }
  Envelope envelope;
  envelope.dialect = Envelope::Dialect::kBulk;
  envelope.sent_at = translation.sent_at;
  envelope.position = translation.position;
  envelope.received = translation.received;
  envelope.received_path = translation.path;
  envelope.received_paths = translation.paths;
  events_.decode(context, envelope, index_, 0, out);
}

}  // namespace kehu::intake
