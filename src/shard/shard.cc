#include "shard/shard.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "profile/view.h"

namespace kehu::shard {
namespace {

// Events are applied in waves: decode, prefetch identities, resolve, prefetch customers, fold. A wave is
// long enough to hide the memory behind the work and short enough to stay in the second-level cache.
// Identity does not depend on profiles, so resolving a whole wave first gives the same as going event by
// event.
constexpr size_t kWave = 256;

}  // namespace

Shard::Shard(std::shared_ptr<const Settings> settings, StoreSet& stores)
    : settings_(std::move(settings)),
      stores_(stores),
      customers_(stores.at(Space::kCustomers)),
      graph_(*settings_, stores.at(Space::kNodes), stores.at(Space::kGroups)),
      plan_(*settings_),
      names_(stores.at(Space::kNames)),
      timers_(stores.at(Space::kTimers)),
      outbox_(stores.at(Space::kOutbox)),
      registry_(stores.at(Space::kRules)),
      measurements_(stores.at(Space::kRules)),
      keeper_([this](std::string_view key) { return measurements_.known_cuts(key); }),
      index_(stores.at(Space::kMembers)),
      notices_(outbox_) {}

void Shard::use(std::shared_ptr<const Settings> settings) {
  graph_.use(*settings);
  settings_ = std::move(settings);
  compile();
}

void Shard::name_source(SourceId id, std::string name) {
  const auto at = std::find_if(sources_.begin(), sources_.end(),
                               [id](const profile::SourceName& source) { return source.id == id; });
  if (at != sources_.end() && at->name == name) return;
  if (at == sources_.end()) {
    sources_.push_back({id, std::move(name)});
  } else {
    at->name = std::move(name);
  }
  if (!settings_->vocabulary.sources.empty()) compile();
}

// Events between two commands form waves, and a command stands alone: it has to see all that came before
// it and be seen by all behind it. How the records are cut into calls and waves makes no difference to the
// state.
absl::Status Shard::apply(absl::Span<const LogRecord> records, Instant tick, Effects& effects) {
  tick_ = tick;
  for (size_t i = 0; i < records.size();) {
    size_t end = i;
    while (end < records.size() && end - i < kWave && records[end].kind == RecordKind::kEvent) ++end;
    const bool command = end == i;
    const absl::Status status = command ? apply_command(records[i], tick, effects)
                                        : apply_events(records.subspan(i, end - i), tick, effects);
    if (!status.ok()) return status;
    i = command ? i + 1 : end;
  }
  index_.settle();
  return absl::OkStatus();
}

absl::Status Shard::apply_events(absl::Span<const LogRecord> records, Instant tick, Effects& effects) {
  if (auto status = decode(records, effects); !status.ok()) return status;
  resolve(records);
  for (size_t i = 0; i < records.size(); ++i) {
    const identity::Resolution& whose = resolutions_[i];
    if (auto status = move(whose.moves, records[i].sequence, tick, effects); !status.ok()) return status;
    const Applied applied{.event = events_[i],
                          .sequence = records[i].sequence,
                          .customer = whose.customer,
                          .part = whose.part,
                          .new_customer = whose.new_customer};
    if (!applied.customer.hash.is_zero()) {
      if (auto status = fold(applied, tick, effects); !status.ok()) return status;
    }
    const ChannelName channel = applied.event->channel;
    const bool named = channel.channel == Channel::kOther;
    effects.unlisted_channels += named && !read_channel(channel.text).listed ? 1 : 0;
    effects.events.push_back(applied);
  }
  return absl::OkStatus();
}

absl::Status Shard::decode(absl::Span<const LogRecord> records, Effects& effects) {
  events_.clear();
  for (const LogRecord& record : records) {
    codec::EventRecord& event = effects.next_decoded();
    if (auto status = event.decode(record.payload); !status.ok()) {
      return failure(absl::StatusCode::kDataLoss, "log record ", record.sequence.value(), ": ",
                     message_of(status));
    }
    events_.push_back(&event.event());
  }
  return absl::OkStatus();
}

void Shard::resolve(absl::Span<const LogRecord> records) {
  graph_.prefetch(events_);
  resolutions_.clear();
  keys_.clear();
  for (size_t i = 0; i < records.size(); ++i) {
    resolutions_.push_back(graph_.resolve(*events_[i], records[i].sequence));
    keys_.push_back(resolutions_.back().customer.hash);
  }
  customers_.prefetch(keys_);
}

// An event is folded into one part, that of its strongest identifier, however many parts its customer has;
// reading merges them. So intake does not pay for large customers, and taking people apart is moving bytes
// (docs/decisions/parts.md).
absl::Status Shard::fold(const Applied& applied, Instant now, Effects& effects) {
  if (auto status = parts_.decode(customers_.get(applied.customer.hash)); !status.ok()) return status;
  const uint64_t unread = folder_.amounts_unread();
  fields_.read(plan_.fields(*applied.event), applied.event->properties);
  auto status = folder_.fold(plan_, parts_.find(applied.part), *applied.event, fields_, folded_);
  if (!status.ok()) return status;
  effects.amounts_unread += folder_.amounts_unread() - unread;
  for (const profile::MetName& name : folder_.new_names()) names_.learn(name.id, name.text);
  effects.customers_delta += parts_.empty() ? 1 : 0;
  if (auto kept = keep_rules(applied, now, effects); !kept.ok()) return kept;
  parts_.encode_with({applied.part, folded_, tallies_}, members_bytes_, blob_);
  customers_.put(applied.customer.hash, blob_);
  return absl::OkStatus();
}

absl::Status Shard::move(absl::Span<const identity::Move> moves, Sequence sequence, Instant now,
                         Effects& effects) {
  effects.moves.insert(effects.moves.end(), moves.begin(), moves.end());
  while (!moves.empty()) {
    size_t same = 1;
    while (same < moves.size() && moves[same].from == moves[0].from && moves[same].to == moves[0].to) ++same;
    if (auto status = move_between(moves.subspan(0, same), sequence, now, effects); !status.ok())
      return status;
    moves.remove_prefix(same);
  }
  return absl::OkStatus();
}

// Moves all parts of one pair of customers at once: each customer is read and written once. Moved one by
// one, the parts of a join cost the square of their number, since each would rewrite both customers
// (docs/decisions/joins.md).
absl::Status Shard::move_between(absl::Span<const identity::Move> moves, Sequence sequence, Instant now,
                                 Effects& effects) {
  const CustomerId from = moves[0].from, to = moves[0].to;
  if (from == to) return absl::OkStatus();
  // What time has changed before is told as it was then, apart.
  for (const CustomerId each : {from, to}) {
    if (rules_.empty()) break;
    if (auto status = catch_up(each, sequence, now, effects); !status.ok()) return status;
  }
  if (auto status = other_parts_.decode(customers_.get(from.hash)); !status.ok()) return status;
  moved_.clear();
  for (const identity::Move& moved : moves) moved_.push_back(moved.part);
  std::ranges::sort(moved_);
  kept_.clear();
  carried_.clear();
  for (const Part& part : other_parts_.parts()) {
    (std::ranges::binary_search(moved_, part.token) ? carried_ : kept_).push_back(part);
  }
  if (carried_.empty()) return absl::OkStatus();

  if (auto status = parts_.decode(customers_.get(to.hash)); !status.ok()) return status;
  effects.customers_delta += parts_.empty() ? 1 : 0;
  effects.customers_delta -= kept_.empty() ? 1 : 0;
  if (auto status = merge_parts(); !status.ok()) return status;
  // What statements found of the one holds for whoever takes its parts in, until they are run again.
  if (!members_.read(other_parts_.members())) return absl::DataLossError("damaged customer state");
  inherited_ = members_.entries();
  if (kept_.empty()) {
    if (auto status = leave_all(from, sequence, now, effects); !status.ok()) return status;
  }
  CustomerParts::encode(kept_, other_parts_.members(), blob_);
  CustomerParts::encode(all_, parts_.members(), other_blob_);
  put_or_erase(from);
  std::swap(blob_, other_blob_);
  put_or_erase(to);
  if (rules_.empty()) return absl::OkStatus();
  if (auto status = keep_all_rules(from, sequence, now, effects); !status.ok()) return status;
  return keep_all_rules(to, sequence, now, effects, inherited_);
}

// Merges parts_ and carried_ into all_, in the order of tokens. A token that both have becomes one part,
// whose bytes merged_ keeps; all others stay views into the two blobs.
absl::Status Shard::merge_parts() {
  all_.clear();
  merged_.clear();
  std::ranges::merge(parts_.parts(), carried_, std::back_inserter(all_), {}, &Part::token, &Part::token);
  size_t end = 0;
  for (const Part& part : all_) {
    if (end == 0 || all_[end - 1].token != part.token) {
      all_[end++] = part;
      continue;
    }
    Part& first = all_[end - 1];
    if (auto status = folder_.merge(first.bytes, part.bytes, folded_); !status.ok()) return status;
    first.bytes = merged_.emplace_back(folded_);
    auto status = tally_folder_.merge(rules_.tallies(), first.tallies, part.tallies, tallies_);
    if (!status.ok()) return status;
    first.tallies = merged_.emplace_back(tallies_);
  }
  all_.resize(end);
  return absl::OkStatus();
}

void Shard::put_or_erase(CustomerId customer) {
  if (blob_.empty()) {
    customers_.erase(customer.hash);
  } else {
    customers_.put(customer.hash, blob_);
  }
}

absl::Status Shard::apply_command(const LogRecord& record, Instant tick, Effects& effects) {
  absl::StatusOr<identity::Outcome> outcome = absl::UnknownError("not a command");
  if (record.kind == RecordKind::kMerge) {
    const auto command = codec::decode_merge(record.payload);
    if (!command.ok()) return command.status();
    outcome = graph_.merge(*command, record.sequence, tick);
  } else if (record.kind == RecordKind::kUnmerge) {
    const auto command = codec::decode_unmerge(record.payload);
    if (!command.ok()) return command.status();
    outcome = graph_.unmerge(*command, record.sequence, tick);
  } else if (record.kind == RecordKind::kTick) {
    const auto now = codec::decode_tick(record.payload);
    return now.ok() ? advance(now->time, record.sequence, effects) : now.status();
  } else if (record.kind == RecordKind::kReminder) {
    return set_reminder(record);
  } else if (record.kind == RecordKind::kReceipt) {
    return settle(record, effects);
  } else if (record.kind == RecordKind::kBackfill) {
    return fill_in(record, tick, effects);
  } else if (record.kind == RecordKind::kMeasurement) {
    return measured(record, tick, effects);
  } else {
    return absl::OkStatus();
  }
  if (outcome.ok()) {
    if (auto status = move(outcome->moves, record.sequence, tick, effects); !status.ok()) return status;
  }
  // A refused command is a result too: the log keeps that it was asked, the caller learns why not.
  absl::StatusOr<Outcome> result =
      outcome.ok() ? absl::StatusOr<Outcome>(*std::move(outcome)) : outcome.status();
  effects.commands.push_back({record.sequence, std::move(result)});
  return absl::OkStatus();
}

// Time is a record: what is due happens between the same two events in every replay
// (docs/decisions/time.md). Timers are first copied and then carried out, because a timer's payload is
// only valid while it is visited. Intents are named after the tick and their place in it, so a replay
// makes the same ones under the same names.
absl::Status Shard::advance(Instant now, Sequence tick, Effects& effects) {
  struct Due {
    timer::Timer timer;
    std::string payload;
  };
  std::vector<Due> due;
  timers_.advance(now, kTimersPerTick, [&due](const timer::Timer& timer) {
    due.push_back({timer, std::string(timer.payload)});
  });
  tick_ = now;
  for (Due& each : due) {
    each.timer.payload = each.payload;
    if (auto status = come_due(each.timer, tick, effects); !status.ok()) return status;
  }
  effects.timers_due += due.size();
  index_.settle();
  return absl::OkStatus();
}

absl::Status Shard::come_due(const timer::Timer& timer, Sequence tick, Effects& effects) {
  switch (static_cast<Purpose>(timer.kind)) {
    case Purpose::kReminder:
      return remind(timer, next_intent(tick, effects), effects);
    case Purpose::kRules:
      return catch_up(timer.owner, tick, timer.due, effects);
  }
  return failure(absl::StatusCode::kDataLoss, "a timer of the unknown kind ", timer.kind, " is due");
}

absl::Status Shard::remind(const timer::Timer& timer, const IntentKey& key, Effects& effects) {
  const std::string_view payload = timer.payload;
  const size_t channel = payload.empty() ? 0 : static_cast<uint8_t>(payload[0]);
  if (channel == 0 || channel >= payload.size()) return absl::DataLossError("a damaged timer is due");
  Intent intent{.key = key,
                .channel = std::string(payload.substr(1, channel)),
                .customer = timer.owner,
                .body = std::string(payload.substr(1 + channel))};
  outbox_.add(intent);
  effects.intents.push_back(std::move(intent));
  return absl::OkStatus();
}

absl::Status Shard::set_reminder(const LogRecord& record) {
  const auto reminder = codec::decode_reminder(record.payload);
  if (!reminder.ok()) return reminder.status();
  std::string payload(1, static_cast<char>(reminder->channel.size()));
  payload.append(reminder->channel).append(reminder->text);
  timers_.set({.due = reminder->due,
               .id = timer::TimerId{{0, record.sequence.value()}},
               .owner = reminder->customer,
               .kind = static_cast<uint16_t>(Purpose::kReminder),
               .payload = payload});
  return absl::OkStatus();
}

absl::Status Shard::settle(const LogRecord& record, Effects& effects) {
  const auto receipt = codec::decode_receipt(record.payload);
  if (!receipt.ok()) return receipt.status();
  const auto settled = outbox_.settle(*receipt);
  if (!settled.ok()) return settled.status();
  if (*settled) {
    effects.settled.push_back(receipt->intent);
  } else {
    ++effects.receipts_repeated;
  }
  return absl::OkStatus();
}

absl::StatusOr<ProfileView> Shard::profile(CustomerId customer, Instant now) {
  CustomerParts parts;
  const std::string blob(customers_.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  std::vector<std::string_view> bytes;
  for (const Part& part : parts.parts()) bytes.push_back(part.bytes);
  return profile::view(*settings_, bytes, now, [this](NameId id) { return names_.text(id); });
}

absl::Status Shard::for_each_part(const std::function<void(Token, CustomerId)>& visit) {
  absl::Status status;
  customers_.for_each([&](const Hash128& customer, std::string_view blob) {
    CustomerParts parts;
    status.Update(parts.decode(blob));
    for (const Part& part : parts.parts()) visit(part.token, CustomerId{customer});
  });
  return status;
}

absl::StatusOr<std::vector<Token>> Shard::parts(CustomerId customer) {
  CustomerParts parts;
  const std::string blob(customers_.get(customer.hash));
  if (auto status = parts.decode(blob); !status.ok()) return status;
  std::vector<Token> tokens;
  for (const Part& part : parts.parts()) tokens.push_back(part.token);
  return tokens;
}

// A sum, so that the digest does not depend on the order in which a store visits its blobs. The key goes
// into each hash, or two customers could change places unseen.
uint64_t Shard::digest() {
  uint64_t sum = 0;
  const auto add = [&sum](const Hash128& key, std::string_view bytes) {
    sum += hash_combine(hash_combine(key.high, key.low), hash64(bytes));
  };
  for (const SpaceTraits& store : kSpaces) {
    if (store.digested) stores_.at(store.space).for_each(add);
  }
  return sum;
}

// Hashes parts and not blobs: which customer owns a part may depend on the order of events, what the part
// says does not.
uint64_t Shard::content_digest() {
  uint64_t sum = 0;
  customers_.for_each([&sum](const Hash128&, std::string_view blob) {
    CustomerParts parts;
    KEHU_CHECK(parts.decode(blob).ok());
    for (const Part& part : parts.parts()) {
      sum +=
          hash_combine(hash_combine(part.token.hash.high, part.token.hash.low), profile::digest(part.bytes));
    }
  });
  return sum;
}

}  // namespace kehu::shard
