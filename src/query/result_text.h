#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "query/session.h"

namespace kehu::query {

// The rows of a statement as text of one format, computed as they are read: a result of any length takes the
// memory of a piece, and what DuckDB reads ahead. Its session outlives it, and does nothing else meanwhile.
// One thread at a time, not always the same.
class ResultText {
 public:
  ~ResultText();

  // Appends the next whole rows, about 256 KiB of them; false: these were the last. The errors of
  // Session::start, and OutOfRange for a row of more than 256 MiB; what was appended before one stays.
  absl::StatusOr<bool> next(std::string& out);

  uint64_t rows() const;  // so far
  Duration time() const;  // since the statement began

  struct Core;

 private:
  friend class Session;
  explicit ResultText(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace kehu::query
