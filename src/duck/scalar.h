#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

// Functions of ours that statements call, computed vector by vector.
namespace kehu::duck {

// The arguments of up to 2,048 calls. Getters demand the column's type and a value that is not null.
class Arguments {
 public:
  struct Column {
    const void* data = nullptr;
    const uint64_t* valid = nullptr;  // a bit for each row; null: all are
    const int64_t* items = nullptr;   // of all lists of a column
  };
  Arguments(absl::Span<const Column> columns, size_t rows) : columns_(columns), rows_(rows) {}

  size_t rows() const { return rows_; }
  bool any_null(size_t row) const;
  std::string_view text(size_t column, size_t row) const;
  int64_t integer(size_t column, size_t row) const {
    return static_cast<const int64_t*>(columns_[column].data)[row];
  }
  absl::Span<const int64_t> integers(size_t column, size_t row) const;

 private:
  absl::Span<const Column> columns_;
  size_t rows_;
};

// What the calls come to. Every row is answered once, in order.
class Answers {
 public:
  explicit Answers(void* vector);

  void set_null(size_t row);
  void set_text(size_t row, std::string_view text);
  void set_integer(size_t row, int64_t value) { static_cast<int64_t*>(data_)[row] = value; }
  void set_list(size_t row, absl::Span<const std::string> texts);

 private:
  void* vector_;
  void* data_;
  size_t items_ = 0;  // of lists so far
};

enum class ScalarType : uint8_t { kText, kInteger, kTexts, kIntegers };  // VARCHAR, BIGINT and lists of them

struct ScalarFunction {
  std::string name;
  std::vector<ScalarType> parameters;     // at most 8; any but kTexts
  ScalarType result = ScalarType::kText;  // any but kIntegers
  // Called by many threads at once; a status ends the statement. The same arguments give the same answer.
  std::function<absl::Status(const Arguments& arguments, Answers& answers)> run;
};

}  // namespace kehu::duck
