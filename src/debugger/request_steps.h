#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/record.h"

// What became of a request, step by step, for the developer who sent it: values only; who collects them is
// elsewhere.
namespace kehu::debugger {

// A request as it came in. Secrets and personal values in it are masked already.
struct Arrival {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  std::string protocol = {};  // whose manner of speaking: "segment", "events", …
  std::string method = {};    // of HTTP, or "MESSAGE" inside a stream
  std::string path = {};
  std::string remote = {};
  Pairs query = {};
  Pairs headers = {};
  std::string client = {};  // what the client calls itself in its header
  std::string key = {};     // the hint of the write key, where it is to be seen
  size_t bytes = 0;         // of the body on the wire
};

enum class Verdict : uint8_t { kPassed, kPartly, kFailed };
std::string_view to_string(Verdict verdict);  // "passed", "partly", "failed"

struct Step {
  std::string_view name;  // a literal
  Verdict verdict = Verdict::kPassed;
  std::string detail = {};
  std::vector<std::pair<std::string_view, uint64_t>> counts = {};
};

// One record of a batch as it was understood; see items_of().
struct Item {
  size_t entry = 0;  // of the batch
  bool rejected = false;
  std::string members = {};  // of a JSON object, without its braces
  std::string library = {};  // that the event names as its sender
};

// What the records of a part are, as far as they are shown.
struct Part {
  uint32_t accepted = 0;
  uint32_t rejected = 0;
  std::vector<Item> items = {};
  size_t first_entry = 0;              // of the batch; those before are of other requests
  std::vector<RecordKind> kinds = {};  // of each entry from there on
  bool stored = true;                  // false: it was only checked, and goes nowhere
};

// What the log said about a part.
struct LogOutcome {
  std::string failure = {};                 // empty: durable
  absl::Span<const RecordFate> fates = {};  // of all entries of the batch
};

// What applying one event meant.
struct AppliedItem {
  Sequence sequence;
  CustomerId customer;  // zero: nobody's
  bool created = false;
  std::vector<CustomerId> joined = {};  // customers that became this one in the same moment
};

struct Answer {
  int status = 0;  // 0: the protocol has none
  std::string text = {};
  Duration took;
};

// One request on its way, from any thread. Of the events the first 20 are kept, of everything else a bounded
// text.
class RequestSteps {
 public:
  static constexpr size_t kItems = 20;

  struct Start {
    uint64_t id = 0;
    uint64_t skipped = 0;  // requests of the source before this one that were not recorded
    SourceId source;
    std::string source_name = {};
    Instant received_at;
    Arrival arrival = {};
  };
  explicit RequestSteps(Start start) : start_(std::move(start)) {}

  uint64_t id() const { return start_.id; }
  SourceId source() const { return start_.source; }
  Instant received_at() const { return start_.received_at; }
  size_t bytes() const { return start_.arrival.bytes; }

  void add(Step step);
  // What the body was, unpacked; `text` is the shown part of it.
  void set_body(std::string text, size_t unpacked_bytes);
  // A part of the records is about to go to the log. Its number.
  size_t add_part(Part part);
  void logged(size_t part, const LogOutcome& outcome);
  // The records of shown events that are in the log and not applied yet.
  std::vector<Sequence> awaited() const;
  // True while some of its records are not applied.
  bool awaits() const;
  // Everything up to `last` is applied.
  void applied(absl::Span<const AppliedItem> items, Sequence last);
  void answered(Answer answer);
  bool is_answered() const;

  // The message: docs/debugger.md.
  std::string text() const;

 private:
  enum class State : uint8_t { kDecoded, kLogged, kRepeat, kConflict, kApplied, kNotStored };
  struct Shown {
    Item item;
    size_t part = 0;
    State state = State::kDecoded;
    Sequence sequence = {};
    std::optional<AppliedItem> applied = {};
  };
  struct Sums {
    uint64_t accepted = 0, rejected = 0, events = 0, repeats = 0, conflicts = 0, rejections = 0;
  };
  struct Entries {
    size_t first = 0;
    std::vector<RecordKind> kinds;
  };

  void count(RecordKind kind, const RecordFate& fate);
  bool complete() const;
  Verdict verdict() const;
  std::vector<Step> all_steps() const;
  Step decode_step() const;
  Step log_step() const;
  Step apply_step() const;
  std::string library() const;
  static std::string_view verdict_of(const Shown& shown);

  const Start start_;
  mutable std::mutex mutex_;
  std::vector<Step> steps_;
  std::string body_;
  size_t unpacked_bytes_ = 0;
  std::vector<Entries> parts_;
  size_t stored_parts_ = 0;
  size_t logged_parts_ = 0;
  std::string failure_;
  Sums sums_;
  std::vector<Shown> shown_;
  uint64_t more_ = 0;  // events beyond those
  Sequence first_, last_, applied_;
  std::optional<Answer> answer_;
};

}  // namespace kehu::debugger
