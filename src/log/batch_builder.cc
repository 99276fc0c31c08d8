#include "log/batch_builder.h"

#include <cstring>

#include "base/check.h"

namespace kehu::log {

BatchBuilder::BatchBuilder() { clear(); }

void BatchBuilder::clear() {
  bytes_.assign(kBatchHeaderBytes, '\0');
  count_ = 0;
  committed_ = false;
  batch_ = {};
}

void BatchBuilder::add(RecordKind kind, std::string_view payload) {
  add_with(kind, [payload](std::string& out) { out.append(payload); });
}

size_t BatchBuilder::open_frame(RecordKind kind) {
  const size_t frame = bytes_.size();
  const char header[kFrameHeaderBytes] = {0, 0, 0, 0, static_cast<char>(kind)};
  bytes_.append(header, sizeof(header));
  return frame;
}

void BatchBuilder::close_frame(size_t frame) {
  KEHU_CHECK(bytes_.size() <= kBatchBytesMax);
  const auto size = static_cast<uint32_t>(bytes_.size() - frame - kFrameHeaderBytes);
  std::memcpy(bytes_.data() + frame, &size, sizeof(size));
  ++count_;
}

}  // namespace kehu::log
