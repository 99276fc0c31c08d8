#include "log/batch_builder.h"

#include <cstring>

#include "base/check.h"

// Frames are added behind room for the header. The writer fills the header in, and the same bytes go to the
// disk and then, as views, to the apply thread: a batch that is not packed is copied for neither.
namespace kehu::log {

BatchBuilder::BatchBuilder() { clear(); }

void BatchBuilder::clear() {
  bytes_.set_size(kBatchHeaderBytes);
  std::memset(bytes_.data(), 0, kBatchHeaderBytes);
  count_ = 0;
  committed_ = false;
  batch_ = {};
}

void BatchBuilder::add(RecordKind kind, std::string_view payload) {
  KEHU_CHECK(fits(payload.size()));
  const auto size = static_cast<uint32_t>(payload.size());
  char header[kFrameHeaderBytes];
  std::memcpy(header, &size, sizeof(size));
  header[4] = static_cast<char>(kind);
  bytes_.append({header, sizeof(header)});
  bytes_.append(payload);
  ++count_;
}

}  // namespace kehu::log
