#include "workbook/archive.h"

#include <zip.h>

#include "base/text.h"

namespace kehu::workbook {
namespace {

// Of lists of sheets and styles. Rows and texts are streamed.
constexpr size_t kSmallPartBytes = 32u << 20;

}  // namespace

Part::~Part() { zip_fclose(file_); }

absl::StatusOr<size_t> Part::read(char* to, size_t size) {
  const zip_int64_t count = zip_fread(file_, to, size);
  if (count >= 0) return static_cast<size_t>(count);
  return failure(absl::StatusCode::kDataLoss, name_,
                 " in the workbook is damaged: ", zip_error_strerror(zip_file_get_error(file_)),
                 "; fetch the file again");
}

absl::StatusOr<std::unique_ptr<Archive>> Archive::open(const std::string& path) {
  int code = 0;
  zip* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive != nullptr) return std::unique_ptr<Archive>(new Archive(archive));
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  return failure(absl::StatusCode::kInvalidArgument, path, " is a zip archive that cannot be read (", why,
                 "); it may have been cut off, fetch it again");
}

Archive::~Archive() { zip_discard(archive_); }

bool Archive::has(const std::string& part) const { return zip_name_locate(archive_, part.c_str(), 0) >= 0; }

uint64_t Archive::size_of(const std::string& part) const {
  zip_stat_t about;
  zip_stat_init(&about);
  const bool known = zip_stat(archive_, part.c_str(), 0, &about) == 0 && (about.valid & ZIP_STAT_SIZE) != 0;
  return known ? about.size : 0;
}

absl::StatusOr<std::unique_ptr<Part>> Archive::open_part(const std::string& part) const {
  zip_file* file = zip_fopen(archive_, part.c_str(), 0);
  if (file != nullptr) return std::make_unique<Part>(file, part);
  return failure(absl::StatusCode::kInvalidArgument, part,
                 " in the workbook cannot be opened: ", zip_strerror(archive_), "; save the workbook again");
}

absl::StatusOr<std::string> Archive::content(const std::string& part) const {
  auto opened = open_part(part);
  if (!opened.ok()) return opened.status();
  std::string out;
  char block[8192];
  while (true) {
    const auto count = (*opened)->read(block, sizeof block);
    if (!count.ok()) return count.status();
    if (*count == 0) return out;
    if (out.size() + *count > kSmallPartBytes) {
      return failure(absl::StatusCode::kResourceExhausted, part, " in the workbook has more than ",
                     kSmallPartBytes, " bytes: save the sheet as CSV");
    }
    out.append(block, *count);
  }
}

}  // namespace kehu::workbook
