#include "delta/log_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/crc32c.h"
#include "base/text.h"
#include "delta/checksum.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::delta {
namespace {

constexpr size_t kNameDigits = 20;
constexpr std::string_view kOwnField = "\"kehuCrc32c\":\"";
constexpr std::string_view kNoChecksum = "00000000";
constexpr std::string_view kLineEnd = "\"}}";

// Where the own checksum's digits are: at the end of the first line, so that they are found without parsing.
std::optional<size_t> own_checksum_at(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const size_t tail = kOwnField.size() + kNoChecksum.size() + kLineEnd.size();
  if (line.size() < tail || !line.ends_with(kLineEnd)) return std::nullopt;
  const size_t field = line.size() - tail;
  if (line.substr(field, kOwnField.size()) != kOwnField) return std::nullopt;
  return field + kOwnField.size();
}

// A sealed file says so in two places, so that one flipped bit cannot make it look like another writer's.
bool claims_seal(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  for (const std::string_view name : {kEngineName, std::string_view("kehuC")}) {
    if (line.find(name) != line.npos) return true;
  }
  return false;
}

void seal(std::string& text) {
  const std::string digits = checksum_text(crc32c(text));
  text.replace(*own_checksum_at(text), digits.size(), digits);
}

std::string mark_text(const CheckpointMark& mark) {
  return cat(mark.version, " ", mark.bytes, " ", checksum_text(mark.checksum));
}

std::optional<CheckpointMark> parse_mark(std::string_view text) {
  CheckpointMark mark;
  const char* const end = text.data() + text.size();
  const auto version = std::from_chars(text.data(), end, mark.version);
  if (version.ec != std::errc() || version.ptr == end) return std::nullopt;
  const auto bytes = std::from_chars(version.ptr + 1, end, mark.bytes);
  if (bytes.ec != std::errc() || bytes.ptr == end) return std::nullopt;
  const auto checksum = parse_checksum({bytes.ptr + 1, static_cast<size_t>(end - bytes.ptr - 1)});
  if (!checksum) return std::nullopt;
  mark.checksum = *checksum;
  return mark;
}

}  // namespace

std::optional<LogName> parse_log_name(std::string_view name) {
  LogName parsed;
  if (name.size() <= kNameDigits) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNameDigits, parsed.version);
  if (error != std::errc() || end != name.data() + kNameDigits) return std::nullopt;
  const std::string_view rest = name.substr(kNameDigits);
  if (rest == ".json") return parsed;
  parsed.checkpoint = true;
  if (rest.starts_with(".checkpoint.") && rest.ends_with(".parquet")) return parsed;
  return std::nullopt;
}

std::string version_name(int64_t version) {
  char text[32];
  std::snprintf(text, sizeof(text), "%020lld.json", static_cast<long long>(version));
  return text;
}

std::string checkpoint_name(int64_t version) {
  return cat(version_name(version).substr(0, kNameDigits), ".checkpoint.parquet");
}

// The field for the checksum is written with zeros, and the digits are put in their place at the end. A
// checksum so covers every other byte of the file, and a reader gets the same bytes by counting its digits
// as zeros.
std::string version_text(const CommitInfo& info, const LogMarks& marks, std::string_view actions) {
  std::string text;
  json::Writer writer(text);
  begin_commit_info(info, writer);
  if (marks.previous) writer.field("kehuPrevious", checksum_text(*marks.previous));
  if (marks.checkpoint) writer.field("kehuCheckpoint", mark_text(*marks.checkpoint));
  writer.field("kehuCrc32c", kNoChecksum).end_object().end_object();
  text.push_back('\n');
  text.append(actions);
  seal(text);
  return text;
}

std::string pointer_text(const CheckpointPointer& pointer) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("version", pointer.mark.version).field("size", pointer.actions);
  writer.field("sizeInBytes", pointer.mark.bytes).field("numOfAddFiles", pointer.files);
  writer.key("tags").begin_object().field("kehuCheckpoint", mark_text(pointer.mark));
  writer.field("kehuCrc32c", kNoChecksum).end_object().end_object();
  seal(text);
  return text;
}

absl::StatusOr<LogMarks> read_marks(std::string_view text) {
  if (!claims_seal(text)) return LogMarks{};
  const auto at = own_checksum_at(text);
  const auto own = at ? parse_checksum(text.substr(*at, kNoChecksum.size())) : std::nullopt;
  if (!own) return absl::DataLossError("its checksum cannot be read");
  const uint32_t head = crc32c(kNoChecksum, crc32c(text.substr(0, *at)));
  if (crc32c(text.substr(*at + kNoChecksum.size()), head) != *own) {
    return absl::DataLossError("its bytes do not have their checksum");
  }
  const auto line = json::Document::parse(text.substr(0, text.find('\n')));
  if (!line.ok()) return absl::DataLossError(line.status().message());
  const json::Value root = line->root();
  const json::Value fields =
      root.find("commitInfo").is_object() ? root.find("commitInfo") : root.find("tags");
  LogMarks marks{.sealed = true, .previous = {}, .checkpoint = {}};
  if (const auto previous = fields.find("kehuPrevious").as_string())
    marks.previous = parse_checksum(*previous);
  if (const auto mark = fields.find("kehuCheckpoint").as_string()) marks.checkpoint = parse_mark(*mark);
  return marks;
}

absl::Status verify_checkpoint(os::FileSystem& files, const std::string& path, const CheckpointMark& mark) {
  const auto size = files.file_size(path);
  if (!size.ok()) return size.status();
  if (*size != mark.bytes) return absl::OkStatus();
  const auto checksum = file_checksum(files, path);
  if (!checksum.ok()) return checksum.status();
  if (*checksum == mark.checksum) return absl::OkStatus();
  return failure(absl::StatusCode::kDataLoss, path,
                 " is damaged: its bytes do not have their checksum. The versions before "
                 "it hold the same: move it away, and _last_checkpoint with it");
}

}  // namespace kehu::delta
