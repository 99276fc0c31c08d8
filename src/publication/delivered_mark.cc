#include "publication/delivered_mark.h"

#include <charconv>

#include "base/crc32c.h"
#include "base/text.h"
#include "os/whole_file.h"

namespace kehu::publication {
namespace {

constexpr std::string_view kFirstLine = "kehu publication, format 1\n";

std::string to_text(const DeliveredMark& mark) {
  std::string text = cat(kFirstLine, "topic ", mark.topic, "\nposition ", mark.position.value(), "\n");
  text += cat("crc32c ", crc32c(text), "\n");
  return text;
}

// The rest of the line behind `word`, which is taken off; nullopt when another word begins it.
std::optional<std::string_view> take_line(std::string_view word, std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(word)) return std::nullopt;
  const std::string_view value = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return value;
}

std::optional<DeliveredMark> parse(std::string_view text) {
  std::string_view rest = text;
  if (!rest.starts_with(kFirstLine)) return std::nullopt;
  rest.remove_prefix(kFirstLine.size());
  const auto topic = take_line("topic ", rest);
  const auto position = take_line("position ", rest);
  if (!topic || !position) return std::nullopt;
  uint64_t number = 0;
  std::from_chars(position->data(), position->data() + position->size(), number);
  DeliveredMark mark{.topic = std::string(*topic), .position = Sequence(number)};
  // The checksum and every digit are as they were written.
  return to_text(mark) == text ? std::optional(std::move(mark)) : std::nullopt;
}

}  // namespace

std::string marks_directory(const std::string& data_directory) { return data_directory + "/publications"; }

absl::Status write_mark(os::FileSystem& files, const std::string& path, const DeliveredMark& mark) {
  return os::replace_whole_file(files, path, to_text(mark));
}

absl::StatusOr<std::optional<DeliveredMark>> read_mark(os::FileSystem& files, const std::string& path) {
  const auto text = os::read_whole_file(files, path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  auto mark = parse(*text);
  if (mark) return mark;
  return failure(
      absl::StatusCode::kDataLoss, path,
      " is damaged, so nobody can say what was published: remove it, and everything is published again");
}

absl::Status check_marks(os::FileSystem& files, const std::string& data_directory, Sequence end) {
  const std::string directory = marks_directory(data_directory);
  if (!files.exists(directory)) return absl::OkStatus();
  const auto names = files.list(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (name.ends_with(".tmp")) continue;
    const auto mark = read_mark(files, cat(directory, "/", name));
    if (!mark.ok()) return mark.status();
    if (*mark && (*mark)->position >= end) {
      return failure(absl::StatusCode::kDataLoss, directory, "/", name, " says that record ",
                     (*mark)->position.value(), " was published, but the log ends before record ",
                     end.value());
    }
  }
  return absl::OkStatus();
}

}  // namespace kehu::publication
