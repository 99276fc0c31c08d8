#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "base/money.h"
#include "base/time.h"
#include "lake/lake.h"
#include "model/event.h"
#include "model/ids.h"
#include "translation/granules.h"

// Read-only SQL and timelines over the lake, rows of the last milliseconds included.
//
// Statements see the views `events`, `customers`, `segments` and others (docs/lake.md). They are SELECT,
// WITH, VALUES, FROM, DESCRIBE, SHOW TABLES, SUMMARIZE and EXPLAIN; nothing that changes anything, and no
// function that opens a file, a socket or a setting. A statement sees one snapshot, however long it runs.
namespace kehu::query {

enum class Format : uint8_t { kCsv, kJson, kNdjson, kTable };
std::optional<Format> parse_format(std::string_view name);  // csv, json, ndjson, table
std::string_view content_type(Format format);

struct QueryOptions {
  std::string temp_directory = {};     // Kehu's alone; without one nothing may spill
  std::string time_zone = "UTC";       // of the project: timestamps are printed and cut into days in it
  uint64_t memory_bytes = 1ull << 30;  // of all statements together
  int threads = 2;
  Duration time_limit = Duration::seconds(60);  // of one statement, while it works
  Duration reading_limit = Duration::hours(1);  // the same, with the time that whoever reads its rows takes
  // The settings of the project now, for the views of orders; asked before each statement. Those of a new
  // project when there is none.
  std::function<std::shared_ptr<const Settings>()> settings = {};
};

// One event of a customer, as the API shows it.
struct TimelineEvent {
  Sequence sequence;
  Instant time;
  Instant received_at;
  std::string event;
  std::string type;
  std::string source;
  std::string channel;
  std::string message_id;
  std::string part;
  std::string properties;   // JSON
  std::string traits;       // JSON
  std::string context;      // JSON
  std::string identifiers;  // JSON
};

struct TimelineCursor {
  Instant time;
  Sequence sequence;
};

struct TimelineRequest {
  std::vector<Token> parts;              // of the customer
  std::optional<TimelineCursor> before;  // continue behind this event
  std::optional<Instant> from;           // inclusive
  std::optional<Instant> to;             // exclusive
  std::vector<std::string> events;       // names; empty: all
  std::vector<std::string> types;
  std::vector<std::string> sources;
  std::string text;   // part of the properties' text; empty: any
  size_t limit = 50;  // at most 1,000
};

struct TimelinePage {
  std::vector<TimelineEvent> events;   // newest first
  std::optional<TimelineCursor> next;  // nullopt at the end
};

// A stretch of the log: after < sequence ≤ up_to.
struct LogStretch {
  Sequence after;
  Sequence up_to;
};

// A customer as it was when the event was ingested; zero for an event that belongs to nobody.
struct LoggedEvent {
  CustomerId customer;
  TimelineEvent event;
};

// Whom a stretch of the log concerns.
struct Concerned {
  std::vector<CustomerId> customers;  // with events, as they were when those were ingested
  std::vector<Token> parts;           // that changed hands
};

// A segment from day to day, in the project's time zone.
struct SegmentHistoryRequest {
  std::string segment;
  CivilDay from;  // both inclusive; at most kHistoryDays
  CivilDay to;
};
inline constexpr int32_t kHistoryDays = 1100;
struct SegmentDay {
  std::string day;      // 2026-11-22
  int64_t entered = 0;  // by the versions in force
  int64_t left = 0;
  int64_t size = 0;  // at its end, of the version in force then
};

class ResultText;
// An event as the archive has it, for whoever counts events part by part. Views are valid while it is
// visited.
struct StoredEvent {
  Token part;
  Sequence sequence;
  Event event;  // type, name, channel, time and properties
  std::string_view source;
};

// What the events of a part come to, of one of the things that are counted of it, in one granule.
struct StoredCount {
  Token part;
  size_t counting = 0;  // its place in PartsWanted::counted
  int64_t granule = 0;
  uint64_t count = 0;
  Sum sum = 0;  // of a path, as the next two; units of 10^-4
  int64_t least = 0;
  int64_t greatest = 0;
  Instant first;
  Instant last;
};

// Which events: those behind a part, in the order of parts.
struct PartsWanted {
  Token after;                      // parts behind this one
  Sequence up_to;                   // records up to this one
  std::vector<std::string> events;  // names of track events; empty: events of any kind
  bool properties = true;           // whether they are looked at: without them it is much faster
  bool each = true;                 // whether they are wanted one by one
  // What is to be counted by DuckDB: some ten times as fast as one by one.
  std::vector<translation::Counting> counted = {};
};

// What is asked of a rule, and the answers (rule_question.h).
struct RuleQuestion;
struct RuleSize;
struct Spread;
struct Agreement;
struct TraitOfSource;
using VisitAnswer = std::function<absl::Status(CustomerId customer, std::optional<std::string_view> value)>;

class Session;

// The locked-down DuckDB that all sessions share. Any thread. The lake outlives it.
class Reader {
 public:
  static absl::StatusOr<std::unique_ptr<Reader>> open(const lake::Lake& lake, const QueryOptions& options);
  ~Reader();

  absl::StatusOr<std::unique_ptr<Session>> connect();

  struct Core;

 private:
  explicit Reader(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// One statement at a time on the caller's thread; cancel() from any thread. ~1 ms to open, so keep it.
class Session {
 public:
  ~Session();

  // Begins a statement, whose rows are made as they are read (result_text.h).
  // InvalidArgument: the statement is wrong, with line and place. PermissionDenied: it is not for reading.
  // DeadlineExceeded, Cancelled, ResourceExhausted (memory limit), DataLoss (a file of the archive is
  // damaged), Unavailable (the archive is not compared with its checksums yet).
  absl::StatusOr<std::unique_ptr<ResultText>> start(std::string_view sql, Format format);
  absl::StatusOr<TimelinePage> timeline(const TimelineRequest& request);
  // Every day asked for, in order. A pass over the segment's rows of `segment_log`.
  absl::StatusOr<std::vector<SegmentDay>> segment_history(const SegmentHistoryRequest& request);
  // The events of a stretch in the order of the log, to `visit`, whose error ends it. What is not committed
  // yet costs 1 ms and 2 µs an event; each stretch of the archive costs a pass over the files that reach
  // beyond `after` and a sort of its rows, so take long ones.
  absl::Status each_event(LogStretch stretch, const std::function<absl::Status(const LoggedEvent&)>& visit);
  absl::StatusOr<Concerned> concerned(LogStretch stretch);
  // A pass over the archive for the events that are wanted one by one and one for each thing that is counted,
  // and a sort of what they give by part, which spills to disk.
  absl::Status each_of_parts(const PartsWanted& wanted,
                             const std::function<absl::Status(const StoredEvent&)>& visit,
                             const std::function<absl::Status(const StoredCount&)>& count);
  // All parts that have events.
  absl::Status each_part(const PartsWanted& wanted, const std::function<absl::Status(Token)>& visit);
  // How many a condition holds for, and some of them.
  absl::StatusOr<RuleSize> size_of(const RuleQuestion& question, size_t examples);
  // Of a rule that is a number (Answer::kNumber). One pass over the customers, a row for each different
  // number.
  absl::StatusOr<Spread> spread_of(const RuleQuestion& question);
  // Of a rule that is 1, 0 or unknown (Answer::kNumber), over those of the trait's customers alone.
  absl::StatusOr<Agreement> agreement_of(const RuleQuestion& question,
                                         const std::optional<TraitOfSource>& whose);
  // For whom a condition holds, without a value; or every customer with its value, tagged
  // (translation/tagged.h), nullopt the unknown.
  absl::Status each_answer(const RuleQuestion& question, const VisitAnswer& visit);
  // Ends the running statement, if any, with Cancelled within milliseconds; one that rests, when it goes on.
  void cancel();
  // The same, and no other statement of the session goes on from now on: nobody is there to read it.
  void end();

  struct Core;

 private:
  friend class Reader;
  explicit Session(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace kehu::query
