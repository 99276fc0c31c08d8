#pragma once

#include <string>
#include <vector>

#include "base/hash.h"
#include "rows/row.h"

namespace kehu::mapping {

// How a file begins, by what its rows say and not its bytes (see RowContent): the same when another program
// saved it again with a byte order mark or in another encoding, when it was packed, and when rows were added
// behind.
struct FileBeginning {
  // Of the first row, of the first two, and so on, until they have kBeginningBytes.
  std::vector<Hash128> heads;
  std::vector<Hash128> former_heads;  // by the rows' bytes without quotes, as earlier versions did
  std::string first_row;              // its first kBeginningBytes without quotes; empty: no UTF-8
  bool whole = false;                 // these are all rows
  bool last_may_grow = false;         // the last of them has no line end yet
};

inline constexpr size_t kBeginningBytes = 4096;

// Reads the first rows; what cannot be read ends them.
FileBeginning beginning_of(rows::RowReader& reader);

}  // namespace kehu::mapping
