#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workbook/archive.h"
#include "workbook/cell_text.h"

namespace kehu::workbook {

struct SheetEntry {
  std::string name;
  std::string part;  // in the archive
  bool hidden = false;
};

// What stands beside the rows: the sheets, how numbers are shown, and the texts that cells share.
struct Parts {
  std::vector<SheetEntry> sheets;
  bool from_1904 = false;
  std::vector<NumberFormat> styles;  // by a cell's style
};

absl::StatusOr<Parts> read_parts(const Archive& archive);

// The texts that cells name by number. In memory, up to kBytesMax with what finding them takes; of one text
// up to kTextBytesMax, which is more than a row may have.
class SharedTexts {
 public:
  static constexpr size_t kBytesMax = 512u << 20;
  static constexpr size_t kTextBytesMax = 2u << 20;

  absl::Status read(const Archive& archive, size_t bytes_max = kBytesMax);
  // Empty when there is none of this number.
  std::string_view find(size_t number) const;

  void add(std::string_view text);

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

}  // namespace kehu::workbook
