#include "query/session.h"

#include <algorithm>

#include "base/text.h"
#include "lake/columns.h"
#include "lake/owners.h"
#include "os/clock.h"
#include "query/output.h"
#include "query/reader_core.h"
#include "query/statement.h"
#include "query/views.h"

namespace kehu::query {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

class OwnersAsOf : public duck::Lookup {
 public:
  OwnersAsOf(std::shared_ptr<const lake::Owners> owners, Sequence as_of)
      : owners_(std::move(owners)), as_of_(as_of), empty_(owners_->size() == 0) {}

  void find(absl::Span<const std::string_view> parts, absl::Span<std::string_view> customers,
            std::string& scratch) const override {
    if (!empty_) owners_->find_all(parts, as_of_, customers, scratch);
  }

 private:
  std::shared_ptr<const lake::Owners> owners_;
  Sequence as_of_;
  bool empty_;
};

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

class PieceWriter {
 public:
  explicit PieceWriter(const Sink& sink) : sink_(sink) {}
  std::string& text() { return text_; }
  absl::Status flush(size_t beyond) {
    if (text_.size() <= beyond) return absl::OkStatus();
    absl::Status status = sink_(text_);
    text_.clear();
    return status;
  }

 private:
  const Sink& sink_;
  std::string text_;
};

}  // namespace

absl::Status Reader::Core::open() {
  // With an empty list of directories a database would be open to all files.
  auto opened = duck::Database::open({.memory_bytes = options.memory_bytes,
                                      .threads = options.threads,
                                      .temp_directory = options.temp_directory,
                                      .time_zone = options.time_zone,
                                      .only_directories = {lake.directory()}});
  if (!opened.ok()) return opened.status();
  database = *std::move(opened);
  absl::Status status = database->add_scan(kEventsFunction, lake::events_schema().columns, events.source());
  if (status.ok())
    status = database->add_scan(kMovesFunction, lake::identity_schema().columns, moves.source());
  if (!status.ok()) return status;
  return database->add_lookup(kOwnerFunction, [this](int64_t session) { return find_owners(session); });
}

absl::StatusOr<std::shared_ptr<const duck::Lookup>> Reader::Core::find_owners(int64_t session) {
  const std::lock_guard lock(owners_mutex);
  const auto found = owners.find(session);
  if (found == owners.end()) return failure(absl::StatusCode::kNotFound, "no session ", session);
  return found->second;
}

Reader::Reader(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Reader::~Reader() = default;

absl::StatusOr<std::unique_ptr<Reader>> Reader::open(const lake::Lake& lake, const QueryOptions& options) {
  auto core = std::make_unique<Core>(lake, options);
  if (absl::Status status = core->open(); !status.ok()) return status;
  return std::unique_ptr<Reader>(new Reader(std::move(core)));
}

absl::StatusOr<std::unique_ptr<Session>> Reader::connect() {
  auto connection = core_->database->connect();
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<Session>(
      new Session(std::make_unique<Session::Core>(*core_, *std::move(connection))));
}

Session::Core::Core(Reader::Core& the_reader, std::unique_ptr<duck::Connection> the_connection)
    : reader(the_reader), connection(std::move(the_connection)), id(reader.events.add({})) {}

Session::Core::~Core() {
  reader.events.remove(id);
  reader.moves.remove(id);
  const std::lock_guard lock(reader.owners_mutex);
  reader.owners.erase(id);
}

absl::Status Session::Core::refresh() {
  const auto snapshot = reader.lake.snapshot();
  reader.events.replace(id, snapshot->events_tail);
  reader.moves.replace(id, snapshot->identity_tail);
  {
    const std::lock_guard lock(reader.owners_mutex);
    reader.owners[id] = std::make_shared<OwnersAsOf>(snapshot->owners, snapshot->moved);
  }
  if (events_id == snapshot->events->id && identity_id == snapshot->identity_log->id) return absl::OkStatus();
  if (absl::Status status = connection->run(view_definitions(*snapshot, id)); !status.ok()) return status;
  events_id = snapshot->events->id;
  identity_id = snapshot->identity_log->id;
  return absl::OkStatus();
}

Running::Running(Session::Core& session)
    : session_(session),
      watch_(session.reader.watchdog, *session.connection, session.reader.options.time_limit) {
  const std::lock_guard lock(session_.watch_mutex);
  session_.watch = &watch_;
}

Running::~Running() {
  const std::lock_guard lock(session_.watch_mutex);
  session_.watch = nullptr;
}

absl::Status Running::explain(const absl::Status& status) const {
  if (!absl::IsCancelled(status)) return status;
  const absl::Status verdict = watch_.state();
  return verdict.ok() ? status : verdict;
}

absl::StatusOr<ResultSummary> Session::Core::run(std::string_view sql, Format format, const Sink& sink,
                                                 Watchdog::Watch& running) {
  auto statement = check_statement(*connection, sql);
  if (!statement.ok()) return statement.status();
  auto columns = connection->describe(statement->text);
  if (!columns.ok()) return columns.status();
  auto result = connection->query(as_readable(*statement, *columns));
  if (!result.ok()) return result.status();
  const std::unique_ptr<Output> output = make_output(format, *std::move(columns));
  PieceWriter pieces(sink);
  ResultSummary summary;
  output->begin(pieces.text());
  duck::Batch batch;
  while (true) {
    if (absl::Status status = running.state(); !status.ok()) return status;
    auto more = result->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) break;
    for (size_t row = 0; row < batch.rows(); ++row) {
      output->row(batch, row, pieces.text());
      if (absl::Status status = pieces.flush(kPieceBytes); !status.ok()) return status;
    }
    summary.rows += batch.rows();
  }
  output->end(pieces.text());
  if (absl::Status status = pieces.flush(0); !status.ok()) return status;
  return summary;
}

Session::Session(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Session::~Session() = default;

absl::StatusOr<ResultSummary> Session::run(std::string_view sql, Format format, const Sink& sink) {
  const Duration start = os::system_clock().monotonic();
  Running running(*core_);
  absl::Status refreshed = core_->refresh();
  if (!refreshed.ok()) return running.explain(refreshed);
  auto summary = core_->run(sql, format, sink, running.watch());
  if (!summary.ok()) return running.explain(summary.status());
  summary->time = os::system_clock().monotonic() - start;
  return summary;
}

absl::StatusOr<TimelinePage> Session::timeline(const TimelineRequest& request) {
  Running running(*core_);
  absl::Status refreshed = core_->refresh();
  if (!refreshed.ok()) return running.explain(refreshed);
  auto page = core_->timeline(request);
  if (!page.ok()) return running.explain(page.status());
  return page;
}

absl::Status Session::each_event(LogStretch stretch,
                                 const std::function<absl::Status(const LoggedEvent&)>& visit) {
  const Running running(*core_);
  return running.explain(core_->each_event(stretch, visit));
}

absl::StatusOr<Concerned> Session::concerned(LogStretch stretch) {
  const Running running(*core_);
  auto concerned = core_->concerned(stretch);
  if (!concerned.ok()) return running.explain(concerned.status());
  return concerned;
}

void Session::cancel() {
  const std::lock_guard lock(core_->watch_mutex);
  if (core_->watch != nullptr) core_->watch->cancel();
}

}  // namespace kehu::query
