#include "base/text.h"
#include "query/reader_core.h"
#include "query/views.h"

namespace kehu::query {
namespace {

// Most of the archive is before a stretch, and DuckDB would look into each file to learn that.
delta::FileSet reaching(const delta::FileSet& all, LogStretch stretch) {
  delta::FileSet files;
  for (const auto& file : all.files) {
    if (file->last_sequence > stretch.after) files.files.push_back(file);
  }
  return files;
}

// The rows of a stretch, from the files that reach into it.
std::string rows_of(lake::TableId table, const delta::FileSet& reaching, int64_t session,
                    LogStretch stretch) {
  return cat("FROM (", all_rows(table, reaching, session), ") WHERE sequence > ", stretch.after.value(),
             " AND sequence <= ", stretch.up_to.value());
}

Hash128 hash_at(const duck::Batch& batch, size_t column, size_t row) {
  if (batch.is_null(column, row)) return {};
  return Hash128::from_hex(batch.text(column, row)).value_or(Hash128{});
}

template <class Visit>
absl::Status each_row(duck::Connection& connection, const std::string& sql, Visit&& visit) {
  auto result = connection.query(sql);
  if (!result.ok()) return result.status();
  return result->each_row(visit);
}

}  // namespace

// The stored customer is given and not today's, so that a stretch that is read again has the same rows. At
// the tip no file reaches into the stretch and only the tail is read; far behind, files are sorted by part,
// so each stretch is a pass over the files that reach beyond it, and a sort.
absl::Status Session::Core::each_event(LogStretch stretch,
                                       const std::function<absl::Status(const LoggedEvent&)>& visit) {
  const auto snapshot = reader.lake.snapshot();
  const delta::FileSet events = reaching(*snapshot->events().files, stretch);
  if (absl::Status status = verify(events); !status.ok()) return status;
  show_tail(*snapshot, lake::TableId::kEvents);
  const std::string rows = rows_of(lake::TableId::kEvents, events, id, stretch);
  return each_row(*connection, cat("SELECT ", kTimelineColumns, ", customer_id ", rows, " ORDER BY sequence"),
                  [&](const duck::Batch& batch, size_t row) {
                    return visit({.customer = CustomerId{hash_at(batch, kTimelineColumnCount, row)},
                                  .event = event_at(batch, row)});
                  });
}

absl::StatusOr<Concerned> Session::Core::concerned(LogStretch stretch) {
  const auto snapshot = reader.lake.snapshot();
  const delta::FileSet events = reaching(*snapshot->events().files, stretch);
  const delta::FileSet moves = reaching(*snapshot->tables[lake::TableId::kIdentityLog].files, stretch);
  for (const delta::FileSet* files : {&events, &moves}) {
    if (absl::Status status = verify(*files); !status.ok()) return status;
  }
  show_tail(*snapshot, lake::TableId::kEvents);
  show_tail(*snapshot, lake::TableId::kIdentityLog);
  Concerned concerned;
  absl::Status status = each_row(
      *connection, cat("SELECT DISTINCT customer_id ", rows_of(lake::TableId::kEvents, events, id, stretch)),
      [&](const duck::Batch& batch, size_t row) {
        concerned.customers.push_back(CustomerId{hash_at(batch, 0, row)});
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  status = each_row(*connection,
                    cat("SELECT DISTINCT part ", rows_of(lake::TableId::kIdentityLog, moves, id, stretch)),
                    [&](const duck::Batch& batch, size_t row) {
                      concerned.parts.push_back(Token{hash_at(batch, 0, row)});
                      return absl::OkStatus();
                    });
  if (!status.ok()) return status;
  std::erase(concerned.customers, CustomerId{});
  return concerned;
}

}  // namespace kehu::query
