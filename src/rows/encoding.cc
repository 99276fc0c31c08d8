#include "rows/encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "json/text.h"
#include "rows/byte_source.h"

namespace kehu::rows {
namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";

struct Labels {
  std::vector<std::string_view> folded;
  Encoding encoding;
};

// Labels are compared by their letters and digits in lower case, and read as browsers read them: who writes
// GB2312 means what GB18030 has, and who writes ISO-8859-1 means windows-1252. A label that is not here is
// ICU's to know.
const std::vector<Labels>& known_labels() {
  static const std::vector<Labels> kLabels = {
      {{"utf8", "utf8sig", "utf8bom", "unicode11utf8"}, {.icu_name = "UTF-8", .is_utf8 = true}},
      {{"utf16", "ucs2", "unicode", "csunicode", "iso10646ucs2"}, {.icu_name = "UTF-16LE", .is_utf16 = true}},
      {{"gb2312", "gb231280", "chinese", "csgb2312", "csiso58gb231280", "isoir58", "gbk", "xgbk", "cp936",
        "ms936", "windows936", "euccn", "xeuccn", "gb18030", "gb180302000", "gb180302005", "gb180302022"},
       {.icu_name = "gb18030", .is_gb = true}},
      {{"big5", "big5hkscs", "cnbig5", "csbig5", "xxbig5", "big5eten"},
       {.icu_name = "Big5-HKSCS", .has_private_letters = false}},
      {{"shiftjis", "sjis", "xsjis", "csshiftjis", "mskanji", "ms932", "windows31j", "cswindows31j", "cp932",
        "windows932"},
       {.icu_name = "ibm-943_P15A-2003"}},
      {{"eucjp", "xeucjp", "cseucpkdfmtjapanese"}, {.icu_name = "euc-jp-2007", .has_private_letters = false}},
      {{"euckr", "cseuckr", "ksc5601", "ksc56011987", "ksc56011989", "csksc56011987", "isoir149", "korean",
        "windows949", "cp949", "ms949", "uhc"},
       {.icu_name = "windows-949-2000", .has_private_letters = false}},
      {{"iso88591", "iso885911987", "latin1", "l1", "cp819", "ibm819", "isoir100", "csisolatin1",
        "windows1252", "cp1252", "xcp1252"},
       {.icu_name = "windows-1252"}},
      {{"iso88599", "iso885991989", "latin5", "l5", "isoir148", "csisolatin5", "windows1254", "cp1254"},
       {.icu_name = "windows-1254"}},
      {{"iso885911", "tis620", "dos874", "windows874", "cp874"}, {.icu_name = "windows-874-2000"}},
  };
  return kLabels;
}

// What stands for bytes that cannot be read. ICU's own substitute is U+001A for single bytes, which text may
// hold.
void U_CALLCONV substitute(const void* is_gb, UConverterToUnicodeArgs* args, const char* bytes, int32_t size,
                           UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;
  const bool euro = is_gb != nullptr && size == 1 && *bytes == '\x80';
  const UChar letter = euro ? 0x20ac : 0xfffd;
  *error = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(args, &letter, 1, 0, error);
}

// The bytes that were read ahead, then the rest.
class Rejoined final : public ByteSource {
 public:
  Rejoined(std::string head, std::unique_ptr<ByteSource> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    if (head_.empty()) return rest_->read(to, size);
    const size_t count = std::min(size, head_.size());
    std::memcpy(to, head_.data(), count);
    head_.erase(0, count);
    return count;
  }
  uint64_t position() const override { return rest_->position(); }
  std::string note() const override { return rest_->note(); }

 private:
  std::string head_;
  std::unique_ptr<ByteSource> rest_;
};

// A mark at the beginning says more than a label.
void settle_by_mark(std::string_view head, Encoding& encoding) {
  const bool gb_mark = encoding.is_gb && head.starts_with("\x84\x31\x95");
  if (gb_mark) return;  // GB18030's own, which decodes as one
  if (head.starts_with(kMark)) {
    encoding = {.icu_name = "UTF-8", .is_utf8 = true};
  } else if (head.starts_with("\xff\xfe") && !encoding.icu_name.starts_with("UTF-32")) {
    encoding = {.icu_name = "UTF-16LE", .is_utf16 = true};
  } else if (head.starts_with("\xfe\xff")) {
    encoding = {.icu_name = "UTF-16BE", .is_utf16 = true};
  }
}

// Drops the byte order mark at the beginning of UTF-8.
class MarkSkipper : public ByteSource {
 public:
  explicit MarkSkipper(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    if (!begun_) {
      if (const absl::Status status = begin(); !status.ok()) return status;
    }
    if (head_.empty()) return source_->read(to, size);
    const size_t count = std::min(size, head_.size());
    std::memcpy(to, head_.data(), count);
    head_.erase(0, count);
    return count;
  }
  uint64_t position() const override { return source_->position(); }
  std::string note() const override { return source_->note(); }

 private:
  absl::Status begin() {
    begun_ = true;
    while (head_.size() < kMark.size()) {
      char bytes[3];
      const auto count = source_->read(bytes, kMark.size() - head_.size());
      if (!count.ok()) return count.status();
      if (*count == 0) break;
      head_.append(bytes, *count);
    }
    if (head_ == kMark) head_.clear();
    return absl::OkStatus();
  }

  std::unique_ptr<ByteSource> source_;
  bool begun_ = false;
  std::string head_;
};

// Decodes through ICU in pieces; both converters keep a character that lies across two pieces.
class Decoder : public ByteSource {
 public:
  Decoder(std::unique_ptr<ByteSource> source, UConverter* from, UConverter* to)
      : source_(std::move(source)), from_(from), to_(to), raw_(kRaw), pivot_(kPivot) {
    raw_at_ = raw_end_ = raw_.data();
    pivot_source_ = pivot_target_ = pivot_.data();
  }
  ~Decoder() override {
    ucnv_close(from_);
    ucnv_close(to_);
  }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    char* target = to;
    while (target == to && !done_) {
      if (raw_at_ == raw_end_ && !at_end_) {
        const auto count = source_->read(raw_.data(), raw_.size());
        if (!count.ok()) return count.status();
        at_end_ = *count == 0;
        raw_at_ = raw_.data();
        raw_end_ = raw_.data() + *count;
      }
      UErrorCode error = U_ZERO_ERROR;
      ucnv_convertEx(to_, from_, &target, to + size, &raw_at_, raw_end_, pivot_.data(), &pivot_source_,
                     &pivot_target_, pivot_.data() + pivot_.size(), /*reset=*/false, /*flush=*/at_end_,
                     &error);
      if (U_FAILURE(error) && error != U_BUFFER_OVERFLOW_ERROR) {
        return failure(absl::StatusCode::kDataLoss, "the text cannot be decoded: ", u_errorName(error));
      }
      done_ = at_end_ && error != U_BUFFER_OVERFLOW_ERROR;
    }
    return static_cast<size_t>(target - to);
  }
  uint64_t position() const override { return source_->position(); }
  std::string note() const override { return source_->note(); }

 private:
  static constexpr size_t kRaw = 64 * 1024;
  static constexpr size_t kPivot = 8 * 1024;

  std::unique_ptr<ByteSource> source_;
  UConverter* from_;
  UConverter* to_;
  std::vector<char> raw_;
  const char* raw_at_;
  const char* raw_end_;
  std::vector<UChar> pivot_;
  UChar* pivot_source_;
  UChar* pivot_target_;
  bool at_end_ = false;
  bool done_ = false;
};

}  // namespace

Encoding Encoding::of(std::string_view label) {
  std::string folded;
  for (const unsigned char c : label) {
    if (std::isalnum(c)) folded.push_back(static_cast<char>(std::tolower(c)));
  }
  for (const Labels& labels : known_labels()) {
    if (std::find(labels.folded.begin(), labels.folded.end(), folded) != labels.folded.end())
      return labels.encoding;
  }
  return {.icu_name = std::string(label)};
}

// A converter gives something for every byte, so a wrong label is seen only by what comes out of it:
// U+FFFD, the controls U+0080 to U+009F, which nobody writes, and private letters where ICU puts them for
// bytes that the encoding leaves free. All of these begin with one of three bytes in UTF-8, and the search
// goes from one of those to the next.
bool TextCheck::is_readable(std::string_view text) const {
  if (!json::is_valid_utf8(text)) return false;
  if (encoding_.is_utf8) return true;
  for (size_t i = text.find_first_of("\xc2\xee\xef"); i != text.npos;
       i = text.find_first_of("\xc2\xee\xef", i + 1)) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\xef\xbf\xbd")) return false;
    const auto second = static_cast<unsigned char>(rest[1]);
    if (rest[0] == '\xc2' && second < 0xa0 && !encoding_.is_utf16) return false;
    const bool is_private = rest[0] == '\xee' || (rest[0] == '\xef' && second < 0xa4);
    if (is_private && !encoding_.has_private_letters) return false;
  }
  return true;
}

absl::StatusOr<std::unique_ptr<ByteSource>> as_utf8(std::unique_ptr<ByteSource> source,
                                                    const std::string& label) {
  Encoding encoding = Encoding::of(label);
  std::string head;
  while (head.size() < kMark.size()) {
    std::array<char, 3> bytes{};
    const auto count = source->read(bytes.data(), kMark.size() - head.size());
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    head.append(bytes.data(), *count);
  }
  settle_by_mark(head, encoding);
  source = std::make_unique<Rejoined>(std::move(head), std::move(source));
  if (encoding.is_utf8) return std::make_unique<MarkSkipper>(std::move(source));
  UErrorCode error = U_ZERO_ERROR;
  UConverter* from = ucnv_open(encoding.icu_name.c_str(), &error);
  if (U_FAILURE(error)) {
    return failure(
        absl::StatusCode::kInvalidArgument, "\"", label,
        "\" is not an encoding; use \"UTF-8\", \"GBK\", \"GB18030\", \"ISO-8859-1\" or another name of IANA");
  }
  ucnv_setToUCallBack(from, substitute, encoding.is_gb ? "gb" : nullptr, nullptr, nullptr, &error);
  UConverter* to = ucnv_open("UTF-8", &error);
  if (U_FAILURE(error)) {
    ucnv_close(from);
    return failure(absl::StatusCode::kInternal, "ICU has no UTF-8: ", u_errorName(error));
  }
  return std::make_unique<MarkSkipper>(std::make_unique<Decoder>(std::move(source), from, to));
}

}  // namespace kehu::rows
