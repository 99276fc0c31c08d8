#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "duck/database.h"
#include "order/order_text.h"
#include "query/session.h"
#include "query/watchdog.h"

// What the sessions of one reader share. Private to this folder.
namespace kehu::query {

// Plain digits, as DuckDB writes a HUGEINT.
Sum wide_number(std::string_view text);

struct Reader::Core {
  const lake::Lake& lake;
  QueryOptions options;
  // Before the database, whose functions refer to them.
  lake::PerTable<duck::ScanRegistry> tails;  // by session
  std::mutex owners_mutex;
  std::map<int64_t, std::shared_ptr<const duck::Lookup>> owners;  // by session
  std::map<int64_t, std::shared_ptr<const duck::Lookup>> orders;  // by session
  std::unique_ptr<duck::Database> database;
  Watchdog watchdog;

  Core(const lake::Lake& the_lake, const QueryOptions& the_options) : lake(the_lake), options(the_options) {}
  absl::Status open();
  using Lookups = std::map<int64_t, std::shared_ptr<const duck::Lookup>>;
  absl::StatusOr<std::shared_ptr<const duck::Lookup>> find_lookup(const Lookups& lookups, int64_t session);
};

struct Session::Core {
  Reader::Core& reader;
  std::unique_ptr<duck::Connection> connection;
  int64_t id;
  lake::PerTable<uint64_t> shown_files;      // the ids of the file sets in the views
  std::shared_ptr<const Settings> settings;  // of the views of orders
  std::shared_ptr<const order::OrderText> order_texts;
  std::mutex watch_mutex;
  Watchdog::Watch* watch = nullptr;  // of the running statement
  bool ended = false;

  Core(Reader::Core& the_reader, std::unique_ptr<duck::Connection> the_connection);
  ~Core();
  // Lets the views show the lake as it is now.
  absl::Status refresh();
  bool take_settings();
  // Lets the function of owners give those of now.
  void show_owners(const lake::Snapshot& snapshot);
  void show_tail(const lake::Snapshot& snapshot, lake::TableId table) {
    reader.tails[table].replace(id, snapshot.tables[table].tail);
  }
  // Before files are read: DataLoss when one does not have the bytes it was written with. The first one to
  // ask waits while they are compared; Unavailable when that takes long, and then it goes on the next time.
  absl::Status verify(const delta::FileSet& files);
  absl::StatusOr<TimelinePage> timeline(const TimelineRequest& request);
  absl::StatusOr<std::vector<SegmentDay>> segment_history(const SegmentHistoryRequest& request);
  absl::Status each_event(LogStretch stretch, const std::function<absl::Status(const LoggedEvent&)>& visit);
  absl::StatusOr<Concerned> concerned(LogStretch stretch);
  // What PartsWanted means, as SQL behind SELECT; shows the lake as it is now.
  absl::StatusOr<std::string> rows_of_parts(const PartsWanted& wanted);
};

// The columns of a TimelineEvent, and the event that they make.
inline constexpr char kTimelineColumns[] =
    "sequence, epoch_us(time), epoch_us(received_at), event, type, source, channel, message_id, part, "
    "properties, traits, context, identifiers";
inline constexpr size_t kTimelineColumnCount = 13;
TimelineEvent event_at(const duck::Batch& batch, size_t row);

// A statement under the watchdog, whose verdict replaces the error that an interrupt left.
class Running {
 public:
  // Without a limit: that of statements.
  explicit Running(Session::Core& session, std::optional<Duration> limit = std::nullopt);
  ~Running();
  Watchdog::Watch& watch() { return watch_; }
  absl::Status explain(const absl::Status& status) const;

 private:
  Session::Core& session_;
  Watchdog::Watch watch_;
};

}  // namespace kehu::query
