#include "rows/file_head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

#include "base/text.h"
#include "json/text.h"
#include "rows/byte_source.h"
#include "rows/encoding.h"

namespace kehu::rows {
namespace {

// UTF-16 and its kin have bytes of two or four; everything else that is read has NUL for no letter.
bool is_wide(std::string_view encoding) {
  std::string name(encoding);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name.find("16") != name.npos || name.find("32") != name.npos || name.find("UCS") != name.npos;
}

// The encoding's name when the bytes are UTF-16: by their mark, or by the zeros beside ASCII letters, which
// stand on one side of them. Zeros on both sides are other data, at the end they are padding.
std::optional<std::string_view> wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "UTF-16";
  bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  std::array<size_t, 2> zeros{};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0';
  const auto [few, many] = std::minmax(zeros[0], zeros[1]);
  if (many < bytes.size() / 8 + 1 || few > many / 4) return std::nullopt;
  return zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE";
}

// Without the beginning of a character that the end of the bytes cuts.
std::string_view whole_characters(std::string_view bytes) {
  for (int i = 0; i < 3 && !bytes.empty() && (bytes.back() & 0xc0) == 0x80; ++i) bytes.remove_suffix(1);
  if (!bytes.empty() && (bytes.back() & 0x80) != 0) bytes.remove_suffix(1);
  return bytes;
}

using Byte = unsigned char;

bool is_in(Byte byte, Byte first, Byte last) { return byte >= first && byte <= last; }

// Encodings of one and two bytes a character that are known by their common characters. In the order in which
// they are asked: what is common Korean could be Chinese, but Chinese text is not all of one third of GB
// 2312.
struct TwoBytes {
  std::string_view name;
  bool (*fits)(Byte lead, Byte trail);
  bool (*common)(Byte lead, Byte trail);
  bool (*single)(Byte byte) = [](Byte) { return false; };  // beyond ASCII
  size_t fewest = 2;                                       // different common characters that say so
  bool alone = false;                                      // says so only where nothing else is beyond ASCII
  bool in_words = true;  // and where they stand beside one another, as no accents of Latin letters do
};
constexpr std::array kTwoBytes = {
    TwoBytes{"EUC-KR",  // Hangul
             [](Byte lead, Byte trail) { return is_in(lead, 0xa1, 0xfe) && is_in(trail, 0xa1, 0xfe); },
             [](Byte lead, Byte) { return is_in(lead, 0xb0, 0xc8); }, [](Byte) { return false; }, 12, true},
    TwoBytes{"GBK",  // GB 2312, first level
             [](Byte lead, Byte trail) {
               return is_in(lead, 0x81, 0xfe) && is_in(trail, 0x40, 0xfe) && trail != 0x7f;
             },
             [](Byte lead, Byte trail) { return is_in(lead, 0xb0, 0xd7) && trail >= 0xa1; },
             [](Byte) { return false; }, 1, false, false},
    TwoBytes{"Big5",  // its first level
             [](Byte lead, Byte trail) {
               return is_in(lead, 0xa1, 0xf9) && (is_in(trail, 0x40, 0x7e) || is_in(trail, 0xa1, 0xfe));
             },
             [](Byte lead, Byte) { return is_in(lead, 0xa4, 0xc6); }},
    TwoBytes{"Shift_JIS",  // kana, and JIS X 0208's first level
             [](Byte lead, Byte trail) {
               return (is_in(lead, 0x81, 0x9f) || is_in(lead, 0xe0, 0xfc)) && is_in(trail, 0x40, 0xfc) &&
                      trail != 0x7f;
             },
             [](Byte lead, Byte) { return is_in(lead, 0x82, 0x83) || is_in(lead, 0x88, 0x97); },
             [](Byte byte) { return is_in(byte, 0xa1, 0xdf); }},
};

// Most characters beyond ASCII are common ones. A single broken byte in other text is the matter of its row.
bool looks_like(const TwoBytes& encoding, std::string_view bytes) {
  size_t common = 0, others = 0, beside = 0, end = 0;
  std::set<std::string_view> different;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const Byte lead = bytes[i];
    if (lead < 0x80 || encoding.single(lead)) continue;
    if (i + 1 == bytes.size()) break;  // cut in the middle of a character
    const Byte trail = bytes[i + 1];
    if (!encoding.fits(lead, trail)) return false;
    const bool is_common = encoding.common(lead, trail);
    ++(is_common ? common : others);
    if (is_common && different.size() < encoding.fewest) different.insert(bytes.substr(i, 2));
    beside += i == end;
    end = ++i + 1;
  }
  const bool clear = encoding.alone ? others == 0 : common >= 2 * others;
  return different.size() >= encoding.fewest && clear &&
         (!encoding.in_words || 3 * beside >= common + others);
}

// EUC-JP has kana at the places at which GB 2312 has them, and kanji where it has Chinese characters. What
// tells them apart is how common kana are, every third character of Japanese texts; and, where a Chinese shop
// lists Japanese goods, that a quarter of Chinese characters (是, 有, 元) stand where EUC-JP has rare kanji.
// Words of kanji alone, a list of surnames, are GBK to anybody who has only the bytes.
bool looks_like_euc_jp(std::string_view bytes) {
  constexpr size_t kKana = 4;  // different ones
  size_t kana = 0, kanji = 0, rare = 0;
  std::set<std::string_view> different;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const Byte lead = bytes[i];
    if (lead < 0x80) continue;
    const bool half_width = lead == 0x8e, three = lead == 0x8f;
    const size_t size = three ? 3 : 2;
    if (i + size > bytes.size()) break;  // cut in the middle of a character
    if (!half_width && !three && !is_in(lead, 0xa1, 0xfe)) return false;
    for (size_t at = i + 1; at < i + size; ++at) {
      if (!is_in(bytes[at], 0xa1, half_width ? 0xdf : 0xfe)) return false;
    }
    const bool is_kana = half_width || lead == 0xa4 || lead == 0xa5;
    kana += is_kana;
    kanji += lead >= 0xb0 || three;
    rare += lead >= 0xd0 && !three;
    if (is_kana && different.size() < kKana) different.insert(bytes.substr(i, size));
    i += size - 1;
  }
  return different.size() == kKana && kana * 5 >= kanji && rare * 8 <= kanji;
}

// "" when none is recognised.
std::string_view two_byte_encoding(std::string_view bytes) {
  if (json::is_valid_utf8(whole_characters(bytes))) return {};
  if (looks_like_euc_jp(bytes)) return "EUC-JP";
  for (const TwoBytes& encoding : kTwoBytes) {
    if (looks_like(encoding, bytes)) return encoding.name;
  }
  return {};
}

// So many characters of several bytes are not UTF-8's by chance.
bool is_surely_utf8(std::string_view bytes) {
  constexpr size_t kEnough = 4;
  if (bytes.starts_with("\xef\xbb\xbf")) return false;  // a mark says it without being asked
  const size_t leads = std::count_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0xc0) == 0xc0; });
  return leads >= kEnough && json::is_valid_utf8(whole_characters(bytes));
}

}  // namespace

absl::StatusOr<std::string> read_first_bytes(const std::string& path, size_t count) {
  auto source = open_file(path);
  if (!source.ok()) return source.status();
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const auto read = (*source)->read(bytes.data() + filled, bytes.size() - filled);
    // A file that is damaged behind its first bytes has them all the same.
    if (!read.ok() && filled == 0) return read.status();
    if (!read.ok() || *read == 0) break;
    filled += *read;
  }
  bytes.resize(filled);
  return bytes;
}

// From what bytes can disprove to what they cannot: text that is valid UTF-8 is nearly never anything else,
// those of two bytes are told by their common characters, and windows-1252 is left, in which any bytes can
// be read.
std::string_view encoding_of(std::string_view first_bytes) {
  if (const auto wide = wide_encoding(first_bytes)) return *wide;
  if (json::is_valid_utf8(whole_characters(first_bytes))) return "UTF-8";
  const std::string_view found = two_byte_encoding(first_bytes);
  return found.empty() ? "windows-1252" : found;
}

bool is_empty(std::string_view first_bytes) {
  return first_bytes.empty() || first_bytes == "\xef\xbb\xbf" || first_bytes == "\xff\xfe" ||
         first_bytes == "\xfe\xff";
}

absl::Status check_text(const RowSpec& spec, std::string_view path, std::string_view first_bytes) {
  if (is_wide(spec.file.encoding)) return absl::OkStatus();
  if (const auto encoding = wide_encoding(first_bytes)) {
    return failure(absl::StatusCode::kInvalidArgument, path, " is ", *encoding, ", not ", spec.file.encoding,
                   ": write encoding = \"", *encoding, "\" into [file] of ", spec.name);
  }
  const bool utf8 = Encoding::of(spec.file.encoding).is_utf8;
  const std::string_view found = utf8 ? two_byte_encoding(first_bytes) : "";
  if (!found.empty()) {
    return failure(absl::StatusCode::kInvalidArgument, path, " is not UTF-8 and looks like ", found,
                   ": write encoding = \"", found, "\" into [file] of ", spec.name);
  }
  if (!utf8 && is_surely_utf8(first_bytes)) {
    return failure(absl::StatusCode::kInvalidArgument, path, " is UTF-8, not ", spec.file.encoding,
                   ": write encoding = \"UTF-8\" into [file] of ", spec.name);
  }
  // The last of the bytes may be the first of a CR LF.
  const std::string_view inner = first_bytes.substr(0, first_bytes.size() - !first_bytes.empty());
  const bool ends_in_cr = inner.find('\r') != inner.npos && first_bytes.find('\n') == first_bytes.npos;
  if (!ends_in_cr) return absl::OkStatus();
  return failure(
      absl::StatusCode::kInvalidArgument, path,
      ": its lines end in CR alone, as those of old Macs did: convert it with tr '\\r' '\\n' first");
}

}  // namespace kehu::rows
