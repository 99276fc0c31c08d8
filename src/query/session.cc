#include "query/session.h"

#include "base/text.h"
#include "lake/owners.h"
#include "lake/tables.h"
#include "os/clock.h"
#include "query/order_lookup.h"
#include "query/reader_core.h"
#include "query/rule_functions.h"
#include "query/views.h"

namespace kehu::query {
namespace {

constexpr Duration kVerifyPatience = Duration::seconds(30);

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
  for (const lake::TableId table : lake::kAllTables) {
    absl::Status status =
        database->add_scan(tail_function(table), lake::schema_of(table).columns, tails[table].source());
    if (!status.ok()) return status;
  }
  if (absl::Status status = add_rule_functions(*database); !status.ok()) return status;
  absl::Status status =
      database->add_lookup(kOwnerFunction, [this](int64_t session) { return find_lookup(owners, session); });
  if (!status.ok()) return status;
  return database->add_lookup(kOrderFunction,
                              [this](int64_t session) { return find_lookup(orders, session); });
}

absl::StatusOr<std::shared_ptr<const duck::Lookup>> Reader::Core::find_lookup(const Lookups& lookups,
                                                                              int64_t session) {
  const std::lock_guard lock(owners_mutex);
  const auto found = lookups.find(session);
  if (found == lookups.end()) return failure(absl::StatusCode::kNotFound, "no session ", session);
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
    : reader(the_reader),
      connection(std::move(the_connection)),
      id(reader.tails[lake::TableId::kEvents].add({})) {}

Session::Core::~Core() {
  for (duck::ScanRegistry& tail : reader.tails) tail.remove(id);
  const std::lock_guard lock(reader.owners_mutex);
  reader.owners.erase(id);
  reader.orders.erase(id);
}

// True when what events mean may have changed.
bool Session::Core::take_settings() {
  auto now = reader.options.settings ? reader.options.settings() : nullptr;
  if (order_texts != nullptr && now == settings) return false;
  settings = std::move(now);
  order_texts = std::make_shared<const order::OrderText>(settings ? *settings : Settings());
  return true;
}

// What a statement sees is settled here: one snapshot, whose uncommitted rows and owners are put under the
// session's number, where the views' functions find them. The text of the views changes only with the list
// of files or with what events mean, so between two commits nothing is defined anew.
absl::Status Session::Core::refresh() {
  const bool other_meaning = take_settings();
  const auto snapshot = reader.lake.snapshot();
  for (const lake::TableId table : lake::kAllTables) show_tail(*snapshot, table);
  show_owners(*snapshot);
  if (other_meaning) {
    const std::lock_guard lock(reader.owners_mutex);
    reader.orders[id] = std::make_shared<OrderLookup>(order_texts);
  }
  lake::PerTable<uint64_t> files;
  for (const lake::TableId table : lake::kAllTables) {
    files[table] = snapshot->tables[table].files->id;
    if (absl::Status status = verify(*snapshot->tables[table].files); !status.ok()) return status;
  }
  if (!other_meaning && files == shown_files) return absl::OkStatus();
  if (absl::Status status = connection->run(view_definitions(*snapshot, *order_texts, id)); !status.ok())
    return status;
  shown_files = files;
  return absl::OkStatus();
}

void Session::Core::show_owners(const lake::Snapshot& snapshot) {
  const std::lock_guard lock(reader.owners_mutex);
  reader.owners[id] = std::make_shared<OwnersAsOf>(snapshot.owners, snapshot.moved);
}

absl::Status Session::Core::verify(const delta::FileSet& files) {
  const Duration deadline = os::system_clock().monotonic() + kVerifyPatience;
  const auto going = [&](size_t) -> absl::Status {
    {
      const std::lock_guard lock(watch_mutex);
      if (watch != nullptr) {
        if (absl::Status status = watch->state(); !status.ok()) return status;
      }
    }
    if (os::system_clock().monotonic() < deadline) return absl::OkStatus();
    return absl::UnavailableError(
        "the archive is compared with its checksums, as it is once after a start: try again in a moment");
  };
  for (const auto& file : files.files) {
    absl::Status status = reader.lake.file_check().before_reading(*file, going);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

Running::Running(Session::Core& session, std::optional<Duration> limit)
    : session_(session),
      watch_(session.reader.watchdog, *session.connection,
             {.work = limit.value_or(session.reader.options.time_limit),
              .whole = session.reader.options.reading_limit}) {
  const std::lock_guard lock(session_.watch_mutex);
  session_.watch = &watch_;
  if (session_.ended) watch_.cancel();
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

Session::Session(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Session::~Session() = default;

absl::StatusOr<TimelinePage> Session::timeline(const TimelineRequest& request) {
  Running running(*core_);
  auto page = core_->timeline(request);
  if (!page.ok()) return running.explain(page.status());
  return page;
}

absl::StatusOr<std::vector<SegmentDay>> Session::segment_history(const SegmentHistoryRequest& request) {
  Running running(*core_);
  auto days = core_->segment_history(request);
  if (!days.ok()) return running.explain(days.status());
  return days;
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

void Session::end() {
  const std::lock_guard lock(core_->watch_mutex);
  core_->ended = true;
  if (core_->watch != nullptr) core_->watch->cancel();
}

}  // namespace kehu::query
