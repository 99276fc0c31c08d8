#include "query/result_text.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "os/clock.h"
#include "query/output.h"
#include "query/reader_core.h"
#include "query/statement.h"

namespace kehu::query {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;
constexpr size_t kRowBytesMax = 256u << 20;

// Columns are named by their number, because two of them may have one name.
//
// The statement with each column that a batch cannot give as it is turned into text.
std::string as_readable(const Statement& statement, const std::vector<duck::ResultColumn>& columns) {
  const bool all_native = std::all_of(columns.begin(), columns.end(), [](const duck::ResultColumn& column) {
    return is_native(column.kind);
  });
  if (all_native || statement.query.empty()) return statement.text;
  std::string list;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string value = cat("#", i + 1);
    const bool nested = columns[i].kind == duck::ValueKind::kNested;
    list += cat(i > 0 ? ", " : "", is_native(columns[i].kind) ? value
                                   : nested                   ? cat("CAST(to_json(", value, ") AS VARCHAR)")
                                                              : cat("CAST(", value, " AS VARCHAR)"));
  }
  return cat("SELECT ", list, " FROM (", statement.query, ")");
}

absl::Status with_hint(const absl::Status& status) {
  if (status.message().find("JSON path error") == std::string_view::npos) return status;
  return failure(
      status.code(), message_of(status),
      "\n\nBehind -> and ->> a text that begins with $ is a path. For a property of that name write "
      "prop(properties, '$current_url')");
}

}  // namespace

struct ResultText::Core {
  explicit Core(Session::Core& the_session) : session(the_session), running(the_session) {}

  absl::Status begin(std::string_view sql, Format format);
  absl::StatusOr<bool> append(std::string& out);

  const Duration began = os::system_clock().monotonic();
  Session::Core& session;
  Running running;
  std::optional<duck::Result> result;
  std::unique_ptr<Output> output;
  bool headed = false;
  duck::Batch batch;
  size_t row = 0;  // of the batch, to be written next
  uint64_t rows = 0;
};

absl::Status ResultText::Core::begin(std::string_view sql, Format format) {
  if (absl::Status status = session.refresh(); !status.ok()) return status;
  auto statement = check_statement(*session.connection, sql);
  if (!statement.ok()) return statement.status();
  auto columns = session.connection->describe(statement->text);
  if (!columns.ok()) return columns.status();
  auto started = session.connection->query(as_readable(*statement, *columns));
  if (!started.ok()) return started.status();
  result = *std::move(started);
  output = make_output(format, *std::move(columns));
  return absl::OkStatus();
}

// A piece ends between two rows, behind the one that fills it. What the rest of the batch holds is written
// into the next piece, so DuckDB is asked for more only when a reader wants more
// (docs/decisions/streamed-answers.md).
absl::StatusOr<bool> ResultText::Core::append(std::string& out) {
  const size_t full = out.size() + kPieceBytes;
  if (!std::exchange(headed, true)) output->begin(out);
  while (true) {
    for (; row < batch.rows(); ++row, ++rows) {
      if (out.size() >= full) return true;
      output->row(batch, row, out);
      if (out.size() >= full + kRowBytesMax) {
        return failure(absl::StatusCode::kOutOfRange, "a row of the result is larger than ", kRowBytesMax,
                       " bytes: let it hold less");
      }
    }
    row = 0;
    if (absl::Status status = running.watch().state(); !status.ok()) return status;
    auto more = result->next(batch);
    if (!more.ok()) return more.status();
    if (*more) continue;
    output->end(out);
    return false;
  }
}

ResultText::ResultText(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ResultText::~ResultText() = default;

absl::StatusOr<std::unique_ptr<ResultText>> Session::start(std::string_view sql, Format format) {
  auto text = std::make_unique<ResultText::Core>(*core_);
  if (absl::Status status = text->begin(sql, format); !status.ok()) {
    return text->running.explain(with_hint(status));
  }
  text->running.watch().rest();
  return std::unique_ptr<ResultText>(new ResultText(std::move(text)));
}

absl::StatusOr<bool> ResultText::next(std::string& out) {
  core_->running.watch().go_on();
  auto more = core_->append(out);
  core_->running.watch().rest();
  if (!more.ok()) return core_->running.explain(with_hint(more.status()));
  return more;
}

uint64_t ResultText::rows() const { return core_->rows; }
Duration ResultText::time() const { return os::system_clock().monotonic() - core_->began; }

}  // namespace kehu::query
