#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "base/civil_day.h"
#include "base/time.h"
#include "document/customer_name.h"
#include "fields/policy.h"
#include "intake/bulk.h"
#include "model/record.h"
#include "replica/replica.h"
#include "rule/tree.h"
#include "script/statement.h"
#include "seal/door.h"
#include "seal/key_ring.h"
#include "seal/project_key.h"
#include "state/database.h"

namespace kehu::script {

// An installation of which only the clock is made up: events go through the decoder and the door of a server,
// their records through its replica, and ticks come whenever something is due. It has no log and no archive:
// what new rules have missed is counted from the events it was given. Its state is in a directory of its own,
// which is removed with it. One thread.
class World {
 public:
  static absl::StatusOr<std::unique_ptr<World>> open();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Instant now() const { return now_; }
  const BusinessZone& zone() const { return project()->settings()->zone; }
  std::vector<std::string> identifier_types() const;
  // Nothing has happened yet.
  bool is_new() const { return replica_->totals().events == 0; }

  // Before the first event: a clock that shows another time.
  void set_clock(Instant now) { now_ = now; }
  absl::Status set_zone(const std::string& name);
  // Whatever is due until then happens at its time.
  absl::Status advance_to(Instant then);
  // They are in force on return, filled in with what happened before.
  absl::Status define(const std::vector<rule::Definition>& rules);
  // An event in our plain form (intake/bulk.h). InvalidArgument: why it would be rejected.
  absl::Status send(std::string_view event);
  // The same at the event's own time, to which the clock moves on; one that came before is passed over.
  absl::Status stream(std::string_view event);
  // All at the same moment, in the place of the list as it was. Whom nothing has been heard of is on no list.
  absl::Status upload(const UploadList& list);
  absl::Status merge(const Person& winner, const Person& loser);
  // Takes away the newest link that holds the two together.
  absl::Status unmerge(const Person& who, const Person& other);
  // Everything is written to the disk, forgotten, and read again.
  absl::Status restart();

  absl::StatusOr<Token> token_of(const Person& who);
  absl::StatusOr<CustomerId> customer_of(const Person& who);
  replica::Replica& replica() { return *replica_; }
  // Called with what each record has changed. Who a customer is: the first identifier that is not personal of
  // its first streamed event; empty for others.
  using Watch = std::function<void(const shard::MembershipChange& change, std::string_view who)>;
  void watch(Watch watch) { watch_ = std::move(watch); }

 private:
  World(std::string directory, const seal::ProjectKey& key);
  absl::Status open_state();
  absl::Status define(const std::vector<Definition>& changes);
  absl::Status make_list(const std::string& name);
  absl::Status tick(Instant at);
  absl::Status pass(Instant then);
  absl::Status decode(std::string_view event, Instant at, intake::Intake& intake,
                      intake::ListTraits lists = intake::ListTraits::kRefused);
  absl::Status send(std::string_view event, intake::ListTraits lists);
  absl::Status arrive(const intake::Intake& intake);
  absl::Status apply(const RecordBatch& batch);
  absl::Status apply_command(const RecordBatch& batch);
  std::shared_ptr<const definition::Project> project() const { return replica_->project(); }
  void open_door();
  void name(const shard::Applied& applied);
  void remember(const RecordBatch& batch);
  absl::Status fill_in();
  absl::StatusOr<std::string> count(const std::vector<std::string>& events,
                                    const shard::Shard::BackfillJob& job) const;

  std::string directory_;
  seal::ProjectKey key_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<seal::KeyRing> ring_;
  std::unique_ptr<replica::Replica> replica_;
  std::shared_ptr<const Settings> settings_;  // of policy and door
  std::unique_ptr<fields::Policy> policy_;
  std::unique_ptr<seal::Door> door_;
  shard::Effects effects_;
  intake::BulkWorkspace workspace_;
  std::map<Token, std::vector<std::string>> events_;  // records of each part
  absl::flat_hash_set<Hash128> streamed_;             // message keys
  absl::flat_hash_map<CustomerId, std::string> who_;  // of streamed events, if somebody watches
  Watch watch_;
  Instant now_;
};

}  // namespace kehu::script
