#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "duck/database.h"
#include "query/session.h"

namespace kehu::query {

// Turns batches of a result into the text of one format. Values of kinds kDate, kTimestamp, kExact, kNested
// and kOther come as text. One result, one thread.
class Output {
 public:
  virtual ~Output() = default;
  // Appends to `out` what precedes the rows, rows, and what follows them.
  virtual void begin(std::string& out) = 0;
  virtual void row(const duck::Batch& batch, size_t row, std::string& out) = 0;
  virtual void end(std::string& out) = 0;
};

// `kinds` are those of the statement; where they come as text (see above) the batch holds text.
std::unique_ptr<Output> make_output(Format format, std::vector<duck::ResultColumn> columns);

// True when values of the kind are read from a batch as they are.
bool is_native(duck::ValueKind kind);

}  // namespace kehu::query
