#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/time.h"
#include "codec/record.h"
#include "identity/graph.h"
#include "model/blob_store.h"
#include "model/profile.h"
#include "model/settings.h"
#include "profile/folder.h"
#include "profile/plan.h"
#include "shard/customer_parts.h"
#include "shard/effects.h"
#include "shard/name_table.h"

namespace kehu::shard {

struct LogRecord {
  Sequence sequence;
  RecordKind kind;
  std::string_view payload;
};

// Where the state lives. All outlive the shard.
struct Stores {
  BlobStore& nodes;
  BlobStore& groups;
  BlobStore& customers;
  BlobStore& names;
};

// Applies log records to the state of customers: for each event, whose it is (identity), then what it says
// (profile). A function of the records alone: no clock, no randomness, no I/O but through the stores. So a
// live run, a replay and a simulator that apply the same records hold the same state (digest()).
//
// One owner thread.
class Shard {
 public:
  Shard(std::shared_ptr<const Settings> settings, Stores stores);

  // Rules for the records that follow.
  void use(std::shared_ptr<const Settings> settings);

  // Applies the records in order and appends what they did to `effects`; kinds that are not its business are
  // passed over. `tick` is the batch's "now". Not OK: the state is damaged, and nothing of it may be saved
  // any more.
  absl::Status apply(absl::Span<const LogRecord> records, Instant tick, Effects& effects);

  const identity::Graph& identities() const { return graph_; }
  // The profile of a current customer as of `now`; kNotFound when it has no events.
  absl::StatusOr<ProfileView> profile(CustomerId customer, Instant now);
  // The tokens of the parts that hold the customer's events.
  absl::StatusOr<std::vector<Token>> parts(CustomerId customer);

  // A hash of the whole state: equal in a live run, a replay and any simulator.
  uint64_t digest();
  // A hash of what the parts say, whoever owns them: equal also when the same events came in another order.
  uint64_t content_digest();

 private:
  absl::Status apply_events(absl::Span<const LogRecord> records, Effects& effects);
  absl::Status apply_command(const LogRecord& record, Instant tick, Effects& effects);
  absl::Status decode(absl::Span<const LogRecord> records, Effects& effects);
  void resolve(absl::Span<const LogRecord> records);
  absl::Status fold(const Applied& applied, Effects& effects);
  absl::Status move(const identity::Move& moved, Effects& effects);
  void put_or_erase(CustomerId customer);

  std::shared_ptr<const Settings> settings_;
  Stores stores_;
  identity::Graph graph_;
  profile::Plan plan_;
  profile::Folder folder_;
  NameTable names_;

  // Scratch of one wave, reused.
  std::vector<const Event*> events_;
  std::vector<identity::Resolution> resolutions_;
  std::vector<Hash128> keys_;
  CustomerParts parts_;
  std::string folded_;
  std::string blob_;
};

}  // namespace kehu::shard
