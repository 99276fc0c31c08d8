// Any bytes as the head of a request and as a chunked body: the verdict does not depend on how they are cut.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/chunked_body.h"
#include "server/framing.h"

namespace {

using kehu::server::ChunkedBody;
using kehu::server::Head;
using kehu::server::parse_head;
using kehu::server::Verdict;

constexpr size_t kHeadLimit = 512;

void check_head(std::string_view bytes, size_t cut) {
  Head whole;
  const Verdict want = parse_head(bytes, 0, kHeadLimit, whole).verdict;
  Head head;
  Verdict got = parse_head(bytes.substr(0, cut), 0, kHeadLimit, head).verdict;
  if (got == Verdict::kPartial) got = parse_head(bytes, cut, kHeadLimit, head).verdict;
  KEHU_CHECK(got == want);
  if (got != Verdict::kComplete) return;
  KEHU_CHECK(head.size == whole.size && head.size <= bytes.size());
  KEHU_CHECK(head.headers.size() == whole.headers.size());
  KEHU_CHECK(!(head.chunked && head.content_length > 0));
}

void check_chunks(std::string_view bytes, size_t cut) {
  std::string whole, pieces;
  const auto into = [](std::string& content) {
    return [&content](std::string_view piece) {
      content += piece;
      return true;
    };
  };
  const auto want = ChunkedBody().decode(bytes, into(whole));
  ChunkedBody body;
  auto got = body.decode(bytes.substr(0, cut), into(pieces));
  if (got.verdict == ChunkedBody::Verdict::kPartial) got = body.decode(bytes.substr(cut), into(pieces));
  KEHU_CHECK(got.verdict == want.verdict && pieces == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = data[0] % (bytes.size() + 1);
  check_head(bytes, cut);
  check_chunks(bytes, cut);
  return 0;
}
