#include "channel/channel.h"

#include "base/text.h"

namespace kehu::channel {

std::string key_text(const IntentKey& key) { return cat(key.sequence.value(), "-", key.ordinal); }

}  // namespace kehu::channel
