#include "directory/data_directory.h"

#include <algorithm>
#include <mutex>

#include "base/hash.h"
#include "base/text.h"
#include "directory/log_replacement.h"
#include "os/random.h"
#include "os/whole_file.h"

namespace kehu::directory {
namespace {

constexpr std::string_view kFormat = "kehu data directory, format 2\n";
// It differs in records and blobs that format 2 reads, too; a kehu that knows format 1 alone must not find
// those of format 2.
constexpr std::string_view kFormerFormat = "kehu data directory, format 1\n";
// It has definitions, records and blobs that kehus of format 2 do not know.
constexpr std::string_view kFormatOfRules = "kehu data directory, format 3\n";

absl::Status check_format(os::FileSystem& files, const std::string& path) {
  const std::string file = cat(path, "/FORMAT");
  if (!files.exists(file)) return os::replace_whole_file(files, file, kFormat);
  const auto format = os::read_whole_file(files, file);
  if (!format.ok()) return format.status();
  if (*format == kFormat || *format == kFormerFormat || *format == kFormatOfRules) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, file, " says \"", *format,
                 "\", which this kehu does not know: use the kehu that wrote it");
}

absl::Status take_over(os::FileSystem& files, const std::string& path) {
  const std::string file = cat(path, "/FORMAT");
  const auto format = os::read_whole_file(files, file);
  if (!format.ok() || *format != kFormerFormat) return format.status();
  return os::replace_whole_file(files, file, kFormat);
}

std::string bytes_of_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

// Another key, or a damaged one, would give other tokens to the same people without any error.
absl::Status check_fingerprint(os::FileSystem& files, const std::string& path, const seal::ProjectKey& key) {
  const std::string file = cat(path, "/keys/fingerprint");
  const std::string mine = cat(key.fingerprint(), "\n");
  if (!files.exists(file)) return os::replace_whole_file(files, file, mine);
  const auto expected = os::read_whole_file(files, file);
  if (!expected.ok()) return expected.status();
  if (*expected == mine) return absl::OkStatus();
  return failure(
      absl::StatusCode::kDataLoss, path, "/keys/project.key is damaged or of another directory: ", file,
      " belongs to another key. Restore the key from a backup; if it is surely the right one, remove ", file);
}

absl::StatusOr<seal::ProjectKey> project_key(os::FileSystem& files, const std::string& path) {
  const std::string file = cat(path, "/keys/project.key");
  if (!files.exists(file)) {
    const auto log = files.list(cat(path, "/log"));
    if (log.ok() && !log->empty()) {
      return failure(
          absl::StatusCode::kFailedPrecondition, file,
          " is missing, but the directory holds data: put the key back, without it nothing can be read");
    }
    if (auto status = files.create_directories(cat(path, "/keys")); !status.ok()) return status;
    const std::string text = os::random_hex(seal::ProjectKey::kBytes) + "\n";
    if (auto status = os::replace_whole_file(files, file, text); !status.ok()) return status;
  }
  return DataDirectory::read_key(files, path);
}

}  // namespace

absl::StatusOr<seal::ProjectKey> DataDirectory::read_key(os::FileSystem& files, const std::string& path) {
  const std::string file = cat(path, "/keys/project.key");
  const auto text = os::read_whole_file(files, file);
  if (!text.ok()) return text.status();
  const std::string_view hex = std::string_view(*text).substr(0, text->find('\n'));
  const bool valid = hex.size() == 2 * seal::ProjectKey::kBytes &&
                     hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!valid) {
    return failure(absl::StatusCode::kDataLoss, file,
                   " is not a key of 64 hexadecimal digits: restore it from a backup");
  }
  return seal::ProjectKey::from_bytes(bytes_of_hex(hex));
}

std::string DataDirectory::socket(const std::string& path) {
  constexpr size_t kSocketPathMax = 100;  // of the kernel's 108
  std::string inside = cat(path, "/kehu.sock");
  if (inside.size() <= kSocketPathMax) return inside;
  return cat("/tmp/kehu-", hash128(path).hex(), ".sock");
}

absl::Status DataDirectory::raise_format() {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const std::string file = cat(path_, "/FORMAT");
  const auto format = os::read_whole_file(*files_, file);
  if (!format.ok() || *format == kFormatOfRules) return format.status();
  return os::replace_whole_file(*files_, file, kFormatOfRules);
}

// A directory of somebody else's files is not written to: the name was probably mistaken, or FORMAT was lost
// and with it the version of what lies there.
absl::Status DataDirectory::may_begin(os::FileSystem& files, const std::string& path) {
  if (files.exists(cat(path, "/FORMAT")) || !files.exists(path)) return absl::OkStatus();
  const auto names = files.list(path);
  if (!names.ok()) return names.status();
  // A first start that was cut off leaves the first two, and an empty disk has the third.
  constexpr std::string_view kHarmless[] = {"LOCK", "FORMAT.tmp", "lost+found"};
  for (const std::string& name : *names) {
    if (std::find(std::begin(kHarmless), std::end(kHarmless), name) != std::end(kHarmless)) continue;
    return failure(
        absl::StatusCode::kFailedPrecondition, path, " holds \"", name,
        "\" but no file FORMAT, so it is no data directory of kehu: name a new or empty directory");
  }
  return absl::OkStatus();
}

// Nothing is written before the lock is held but the directory itself. Then the questions come that a wrong
// answer to would spoil data for: the format, then the key, whose fingerprint must be that of the data.
// Only a kehu that writes takes an older format over, so looking at a directory does not keep its own kehu
// out.
absl::StatusOr<DataDirectory> DataDirectory::open(os::FileSystem& files, std::string path, Purpose purpose) {
  if (auto status = files.create_directories(path); !status.ok()) return status;
  if (auto status = may_begin(files, path); !status.ok()) return status;
  auto lock = files.lock(cat(path, "/LOCK"));
  if (!lock.ok()) {
    return failure(lock.status().code(), "data directory ", path,
                   " is in use by another kehu: stop it first");
  }
  if (auto status = check_format(files, path); !status.ok()) return status;
  auto key = project_key(files, path);
  if (!key.ok()) return key.status();
  if (auto status = check_fingerprint(files, path, *key); !status.ok()) return status;
  if (purpose == Purpose::kWriting) {
    if (auto status = take_over(files, path); !status.ok()) return status;
  }
  if (auto status = finish_log_replacement(files, path); !status.ok()) return status;
  for (const char* child : {"/state", "/lake", "/tmp", "/log"}) {
    if (auto status = files.create_directories(cat(path, child)); !status.ok()) return status;
  }
  return DataDirectory(files, std::move(path), *std::move(lock), *std::move(key));
}

}  // namespace kehu::directory
