#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/time.h"
#include "codec/measurement.h"
#include "codec/record.h"
#include "identity/graph.h"
#include "list/standing.h"
#include "measure/measurements.h"
#include "membership/index.h"
#include "membership/keeper.h"
#include "membership/plan.h"
#include "membership/registry.h"
#include "model/profile.h"
#include "model/settings.h"
#include "outbox/outbox.h"
#include "profile/folder.h"
#include "profile/plan.h"
#include "profile/trait_reader.h"
#include "property/event_fields.h"
#include "shard/customer_parts.h"
#include "shard/effects.h"
#include "shard/name_table.h"
#include "shard/notices.h"
#include "store/store_set.h"
#include "tally/folder.h"
#include "timer/timers.h"

namespace kehu::shard {

struct LogRecord {
  Sequence sequence;
  RecordKind kind;
  std::string_view payload;
};

// Applies log records to the state of customers: for each event, whose it is (identity), then what it says
// (profile). A function of the records alone: no clock, no randomness, no I/O but through the stores. So a
// live run, a replay and a simulator that apply the same records hold the same state (digest()).
//
// One owner thread.
class Shard {
 public:
  // `stores` outlives the shard.
  Shard(std::shared_ptr<const Settings> settings, StoreSet& stores);

  // Rules for the records that follow.
  void use(std::shared_ptr<const Settings> settings);

  // The numbers of rules and tallies, as the stores hold them; before use().
  absl::Status load_rules();
  // The rules that hold from the record behind `position` on, in their newest versions; zero: nothing has
  // happened yet that they could have missed. `older` are versions in force of those that are not yet, as the
  // registry names them; those that are known already need not be given.
  void use(std::vector<membership::RuleVersion> rules, Sequence position,
           std::vector<membership::RuleVersion> older = {});
  const membership::Registry& registry() const { return registry_; }
  // Behind a use() of record `sequence`: says which versions came into force by it, and which rules ended.
  void note_rules(Sequence sequence, Instant now, Effects& effects);
  // Versions in force, without their zones.
  std::vector<membership::Label> rules_in_force() const;
  // Who is told of changes of versions in force, for the records that follow.
  void use(std::vector<std::shared_ptr<const definition::Webhook>> webhooks) {
    notices_.use(std::move(webhooks));
  }
  // What has to be filled in, and from which events.
  struct BackfillJob {
    membership::Registry::Round round;
    // Of a round that counts: what is counted of the events up to its position.
    std::vector<std::pair<tally::TallyId, tally::Spec>> tallies;
  };
  BackfillJob backfill_job() const;
  // What has to be measured of all customers now and then, and when it last was.
  struct MeasureJob {
    std::string key;
    rule::Node number;  // whose cuts are asked for; or the statement (kSql) of a tag, or a check (kAgrees)
    std::string zone;
    std::optional<measure::Taken> last;
    // Of a statement.
    std::string tag = {};
    membership::RuleId rule = {};
    bool keep_when_empty = false;
    std::string error = {};  // of the last run
  };
  std::vector<MeasureJob> measure_jobs() const;
  const measure::Measurements& measurements() const { return measurements_; }
  // Which facts of others are compared with own ones, from the record behind `position` on; as use() of
  // rules, and before it when a state is opened.
  void use_checks(std::vector<membership::RuleVersion> checks, Sequence position);
  // Which upload of each list is in force, from the record behind `position` on; as use_checks(), and before
  // it.
  void use_lists(list::Standings lists, Sequence position);
  // Those that are believed, which is what rules ask.
  const list::Standings& lists() const { return believed_lists_; }
  const list::Standings& uploaded_lists() const { return lists_; }
  // A source whose values of a trait, or a list of which all, rules take for unknown, and why.
  struct Quarantine {
    std::string check;
    std::string trait;  // or the name of the list
    std::string source;
    bool list = false;
    Decimal least;
    measure::MeasuredCheck::Point last;
  };
  const std::vector<Quarantine>& quarantines() const { return quarantines_; }
  const Quarantine* quarantine_of(std::string_view trait, std::string_view source) const;
  const Quarantine* quarantine_of_list(std::string_view list) const;
  const std::vector<membership::RuleVersion>& checks() const { return checks_; }
  // All that is known of the checks that there are, oldest first, as if record `sequence` had measured it:
  // the state has forgotten which did, and what followed from any but the last.
  std::vector<CheckResult> check_results(Sequence sequence) const;
  static std::string check_key(const membership::RuleVersion& check);
  // What a customer has by a statement, in force or not; unknown: nothing. NotFound: there is no such
  // customer.
  absl::StatusOr<rule::Value> batch_value(CustomerId customer, membership::RuleId rule);
  const membership::Plan& rules() const { return rules_; }
  // What a customer is by the rules, as of the last record that concerned it. DataLoss when it is damaged.
  absl::StatusOr<membership::Members> members(CustomerId customer);
  // Why a customer is what it is by a rule, as of `now`. DataLoss when it is damaged.
  absl::StatusOr<std::vector<membership::Reason>> why(CustomerId customer, const membership::Plan::Rule& rule,
                                                      Instant now);
  // Who is in which segment.
  const membership::Index& index() const { return index_; }

  // What a source is called, for the settings that name it. For the records that follow.
  void name_source(SourceId id, std::string name);

  // Applies the records in order and appends what they did to `effects`; kinds that are not its business are
  // passed over. `tick` is the batch's "now". Not OK: the state is damaged, and nothing of it may be saved
  // any more.
  absl::Status apply(absl::Span<const LogRecord> records, Instant tick, Effects& effects);

  // Lets the next timers come due that are by `now`, in order; at most kTimersPerTick of them, so that a
  // million at once do not hold up the records behind. `tick` is the record that says so. What is left over
  // is due at the next tick.
  static constexpr size_t kTimersPerTick = 1024;
  absl::Status advance(Instant now, Sequence tick, Effects& effects);
  // When the next timer is due; nullopt: none is pending.
  std::optional<Instant> next_due() { return timers_.next_due(); }

  timer::Timers& timers() { return timers_; }
  outbox::Outbox& outbox() { return outbox_; }

  const identity::Graph& identities() const { return graph_; }
  // Of track events, channels and traits that customers have or had.
  const NameTable& names() const { return names_; }
  // The profile of a current customer as of `now`; kNotFound when it has no events.
  absl::StatusOr<ProfileView> profile(CustomerId customer, Instant now);
  // Every part that holds events, with the customer who has it. DataLoss when a customer cannot be decoded.
  absl::Status for_each_part(const std::function<void(Token, CustomerId)>& visit);
  // Every customer as it is by all rules, those that are being filled in too. DataLoss when one is damaged.
  absl::Status for_each_member(const std::function<void(CustomerId, const membership::Members&)>& visit);
  // The tokens of the parts that hold the customer's events.
  absl::StatusOr<std::vector<Token>> parts(CustomerId customer);

  // A hash of the whole state: equal in a live run, a replay and any simulator.
  uint64_t digest();
  // A hash of what the parts say, whoever owns them: equal also when the same events came in another order.
  uint64_t content_digest();

 private:
  // What a timer is for. The numbers are stored and never change.
  enum class Purpose : uint16_t { kReminder = 1, kRules = 2 };

  absl::Status apply_events(absl::Span<const LogRecord> records, Instant tick, Effects& effects);
  absl::Status apply_command(const LogRecord& record, Instant tick, Effects& effects);
  absl::Status set_reminder(const LogRecord& record);
  absl::Status measured(const LogRecord& record, Instant now, Effects& effects);
  static CheckResult result_of(const membership::RuleVersion& check,
                               const measure::MeasuredCheck::Point& point, bool quarantined,
                               Sequence sequence);
  void take_agreement(const codec::Measurement& measurement, Sequence sequence, Effects& effects);
  void find_quarantines();
  void believe_lists();
  void ask_about_traits(Sequence sequence);
  void ask_about_lists(const list::Standings& before, Sequence sequence);
  rule::Value listed(rule::Op op, std::string_view list);
  void take_cuts(absl::Span<const uint32_t> rules, Sequence sequence);
  absl::Status take_values(const codec::Measurement& measurement, uint32_t rule, Sequence sequence,
                           Instant now, Effects& effects);
  absl::Status take_value(const codec::Measurement::Entry& entry, uint32_t rule, Sequence sequence,
                          Instant now, Effects& effects);
  absl::Status fill_in(const LogRecord& record, Instant now, Effects& effects);
  absl::Status count_in(const codec::Backfill::Entry& entry, CustomerId owner);
  absl::Status ask_in(CustomerId owner, Sequence sequence, Instant now, Effects& effects);
  void finish_round(const codec::Backfill& backfill, Sequence sequence);
  std::vector<membership::RuleId> named_by(uint32_t rule) const;
  std::vector<membership::RuleId> held_back(Sequence position) const;
  void ask_waiting(Sequence sequence);
  std::vector<membership::Label> live_and_asked() const;
  void drop_older();
  absl::Status settle(const LogRecord& record, Effects& effects);
  absl::Status come_due(const timer::Timer& timer, Sequence tick, Effects& effects);
  absl::Status remind(const timer::Timer& timer, const IntentKey& key, Effects& effects);
  void tell_updated(const RuleChange& change, Effects& effects);
  absl::Status decode(absl::Span<const LogRecord> records, Effects& effects);
  void resolve(absl::Span<const LogRecord> records);
  absl::Status fold(const Applied& applied, Instant now, Effects& effects);
  absl::Status keep_rules(const Applied& applied, Instant now, Effects& effects);
  absl::Status leave_all(CustomerId customer, Sequence sequence, Instant now, Effects& effects);
  absl::Status keep_all_rules(CustomerId customer, Sequence sequence, Instant now, Effects& effects,
                              absl::Span<const membership::Members::Entry> inherited = {});
  absl::Status put_members(CustomerId customer, Sequence sequence, Instant now, Effects& effects);
  absl::Status catch_up(CustomerId customer, Sequence sequence, Instant now, Effects& effects);
  rule::Value trait(rule::Op op, std::string_view path);
  bool is_disbelieved(std::string_view trait);
  void open_rules(absl::Span<const Part> parts);
  void note(CustomerId customer, Sequence sequence, Effects& effects);
  void put_part(const Part& part);
  void finish_members(CustomerId customer, Instant now);
  std::string_view source_name(SourceId id) const;
  void compile();
  bool is_live_at_once(const membership::RuleVersion& version, Sequence position) const;
  absl::Status move(absl::Span<const identity::Move> moves, Sequence sequence, Instant now, Effects& effects);
  absl::Status move_between(absl::Span<const identity::Move> moves, Sequence sequence, Instant now,
                            Effects& effects);
  absl::Status merge_parts();
  void put_or_erase(CustomerId customer);

  std::shared_ptr<const Settings> settings_;
  StoreSet& stores_;
  BlobStore& customers_;
  identity::Graph graph_;
  std::vector<profile::SourceName> sources_;
  profile::Plan plan_;
  property::EventFields fields_;
  profile::Folder folder_;
  NameTable names_;
  timer::Timers timers_;
  outbox::Outbox outbox_;

  std::vector<membership::RuleVersion> rule_versions_;
  Sequence rules_since_;
  bool rules_given_ = false;  // by use()
  membership::Registry registry_;
  measure::Measurements measurements_;
  std::vector<membership::RuleVersion> checks_;
  std::vector<Quarantine> quarantines_;  // of checks_, by measurements_
  list::Standings lists_;
  list::Standings believed_lists_;           // without those in quarantine
  std::vector<membership::Label> in_force_;  // as effects have been told
  membership::Plan rules_;
  tally::Folder tally_folder_;
  membership::Keeper keeper_;
  membership::Index index_;
  Notices notices_;
  Instant tick_;             // of the record at hand
  bool filling_in_ = false;  // customers are asked by a back-fill

  // Scratch of one wave, reused.
  std::vector<const Event*> events_;
  std::vector<identity::Resolution> resolutions_;
  std::vector<Hash128> keys_;
  CustomerParts parts_;
  CustomerParts other_parts_;
  std::vector<Token> moved_;
  std::vector<Part> kept_;
  std::vector<Part> carried_;
  std::vector<Part> all_;
  std::deque<std::string> merged_;  // bytes that all_ refers to
  std::string folded_;
  std::string tallies_;
  std::string folded_tallies_;
  membership::Members members_;
  std::vector<uint32_t> asked_;
  std::vector<membership::Members::Entry> inherited_;
  std::string members_bytes_;
  std::vector<std::string_view> part_tallies_;
  std::vector<membership::Change> changes_;
  profile::TraitReader traits_;
  std::vector<std::string_view> trait_parts_;
  std::string blob_;
  std::string other_blob_;
};

}  // namespace kehu::shard
