#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/engine.h"
#include "list/list.h"

// Rows of uploaded lists become traits of the customers whom they name, by events that go the way of all
// others: through the door, where personal values are sealed, and the log.
namespace kehu::enrolment {

struct Row {
  uint64_t number = 0;  // of the upload's rows, from 1
  std::string who;      // "TYPE:VALUE" or a customer's id, as document::parse_customer_name reads it
  std::optional<std::string> value = {};
};

// Why a row made nobody a member; without the values of the row.
struct Fault {
  uint64_t row = 0;
  std::string reason;
};

struct Outcome {
  uint64_t customers = 0;  // who were not on the list by this upload before
  uint64_t repeats = 0;    // rows of those who were: their later value holds
  uint64_t created = 0;    // of `customers`: who had not been known
  uint64_t unknown = 0;    // rows of nobody who is known
  uint64_t unreadable = 0;
  std::vector<uint64_t> unknown_rows;
  std::vector<Fault> faults;  // of unreadable ones
};

struct Options {
  bool create = false;  // an identifier that no customer has makes one
};

// Waits until all are durable and applied. A row that comes again, by its number, is a repeat and changes
// nothing. FailedPrecondition: the upload's source is gone. Not for threads that must not wait.
absl::StatusOr<Outcome> enrol(engine::Engine& engine, std::string_view list, const list::Upload& upload,
                              absl::Span<const Row> rows, Options options);

}  // namespace kehu::enrolment
