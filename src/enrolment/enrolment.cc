#include "enrolment/enrolment.h"

#include <algorithm>
#include <set>

#include "base/civil_day.h"
#include "base/text.h"
#include "document/customer_name.h"
#include "fields/policy.h"
#include "intake/bulk.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/door.h"
#include "seal/opener.h"

namespace kehu::enrolment {
namespace {

constexpr size_t kRowsOfALook = 100;  // which others wait for

// A row on its way.
struct Entry {
  const Row* row;
  document::CustomerName name;
  // Who that is, and by what identifier the event names him.
  std::optional<CustomerId> customer = {};
  std::optional<identity::KnownIdentifier> identifier = {};  // of a row that names a customer's id
  bool member = false;                                       // by an earlier row
};

// What of one upload its rows have in common.
class Enrolment {
 public:
  Enrolment(engine::Engine& engine, std::string_view list, const list::Upload& upload, Options options)
      : engine_(engine),
        list_(list),
        upload_(upload),
        options_(options),
        trait_(list::trait_of(list, upload)),
        project_(engine.project()),
        policy_(project_->settings()),
        door_(engine::Project::kDefault, engine.key(), *project_->settings(), engine.ring()),
        opener_(engine.key(), engine.ring()) {}

  absl::StatusOr<Outcome> run(absl::Span<const Row> rows) {
    const engine::Source* source = project_->find(upload_.source);
    if (source == nullptr) {
      return failure(absl::StatusCode::kFailedPrecondition, "the source ", upload_.source,
                     " is gone: begin another upload");
    }
    read(rows);
    for (size_t i = 0; i < entries_.size(); i += kRowsOfALook) {
      const absl::Status status =
          look(absl::MakeSpan(entries_).subspan(i, std::min(kRowsOfALook, entries_.size() - i)));
      if (!status.ok()) return status;
    }
    write(*source);
    if (auto status = send(); !status.ok()) return status;
    return std::move(outcome_);
  }

 private:
  void fault(const Row& row, std::string reason) {
    ++outcome_.unreadable;
    outcome_.faults.push_back({row.number, std::move(reason)});
  }

  void read(absl::Span<const Row> rows) {
    const document::NameReader reader{*project_->settings(), door_};
    for (const Row& row : rows) {
      auto name = document::parse_customer_name(reader, row.who);
      if (!name.ok()) {
        fault(row, message_of(name.status()));
      } else if (row.value && row.value->size() > list::List::kValueBytes) {
        fault(row, cat("the value is longer than ", list::List::kValueBytes, " bytes"));
      } else {
        entries_.push_back({.row = &row, .name = *std::move(name)});
      }
    }
  }

  // On the apply thread, behind everything that was sent before.
  absl::Status look(absl::Span<Entry> entries) {
    return engine_
        .ask<bool>([&](replica::Replica& replica) {
          for (Entry& entry : entries) {
            const auto customer = document::find_customer(replica, entry.name);
            if (!customer.ok()) continue;
            entry.customer = *customer;
            entry.member = is_member(replica, *customer);
            if (std::holds_alternative<Token>(entry.name.who) && !names_token(*entry.row)) continue;
            const auto known = replica.shard().identities().identifiers_of(*customer);
            const auto own = std::ranges::find(known, false, &identity::KnownIdentifier::shared);
            if (own != known.end()) entry.identifier = *own;
          }
          return true;
        })
        .status();
  }
  static bool names_token(const Row& row) { return row.who.starts_with("token:"); }

  bool is_member(replica::Replica& replica, CustomerId customer) const {
    const auto profile = replica.shard().profile(customer, replica.tick());
    if (!profile.ok()) return false;
    const auto trait = std::ranges::find(profile->traits, trait_, &TraitView::name);
    if (trait == profile->traits.end()) return false;
    const auto document = json::Document::parse(trait->value);
    return document.ok() && document->root().find(list::kNonceMember).as_string() == upload_.nonce;
  }

  void write(const engine::Source& source) {
    const intake::Sender sender{.policy = &policy_,
                                .door = &door_,
                                .project = engine::Project::kDefault,
                                .source = source.id,
                                .default_channel = source.channel.name(),
                                .received_at = engine_.clock().now(),
                                .remote_ip = {},
                                .origin = "list",
                                .list_traits = intake::ListTraits::kAllowed};
    intake::BulkDecoder decoder(sender);
    std::set<CustomerId> customers;
    std::set<Token> strangers;
    for (const Entry& entry : entries_) {
      if (!entry.customer &&
          (!options_.create || !std::holds_alternative<Token>(entry.name.who) || names_token(*entry.row))) {
        ++outcome_.unknown;
        outcome_.unknown_rows.push_back(entry.row->number);
        continue;
      }
      const std::string event = event_of(entry);
      const uint32_t before = intake_.accepted;
      if (!event.empty()) decoder.decode_whole(event, intake_);
      if (intake_.accepted == before) {
        fault(*entry.row, "it names nobody: the value stands for no single customer");
        continue;
      }
      const bool created = !entry.customer && strangers.insert(std::get<Token>(entry.name.who)).second;
      const bool joined = entry.customer && !entry.member && customers.insert(*entry.customer).second;
      outcome_.created += created;
      ++(created || joined ? outcome_.customers : outcome_.repeats);
    }
  }

  // Empty: the customer has no identifier of its own that can be read.
  std::string event_of(const Entry& entry) {
    const Row& row = *entry.row;
    std::string type, value;
    if (entry.identifier) {
      type = project_->settings()->rule(entry.identifier->type).name;
      value = entry.identifier->value;
      if (entry.identifier->sealed) {
        const auto opened = opener_.open_identifier(entry.identifier->token, value);
        if (!opened.ok()) return {};
        value = opened.value;
      }
    } else {
      const size_t colon = row.who.find(':');
      if (colon == std::string::npos || std::holds_alternative<CustomerId>(entry.name.who)) return {};
      type = row.who.substr(0, colon);
      value = row.who.substr(colon + 1);
    }
    std::string out;
    json::Writer writer(out);
    writer.begin_object().field("type", "identify");
    writer.field("message_id", cat("list:", list_, ":", upload_.number, ":", row.number));
    writer.field("time", format_utc(upload_.at + Duration(static_cast<int64_t>(row.number))));
    writer.key("identifiers").begin_object().field(type, value).end_object();
    writer.key("traits").begin_object().raw_field(trait_, list::trait_json(upload_, row.value)).end_object();
    writer.end_object();
    return out;
  }

  absl::Status send() {
    if (intake_.records.empty()) return absl::OkStatus();
    return engine_
        .submit_and_wait({.batch = std::move(intake_.records),
                          .data_keys = std::move(intake_.new_key_ids),
                          .conflicts = engine::Submission::Conflicts::kOnlyCount,
                          .done = {}})
        .status();
  }

  engine::Engine& engine_;
  const std::string_view list_;
  const list::Upload& upload_;
  const Options options_;
  const std::string trait_;
  const std::shared_ptr<const engine::Project> project_;
  fields::Policy policy_;
  seal::Door door_;
  seal::Opener opener_;
  std::vector<Entry> entries_;
  intake::Intake intake_;
  Outcome outcome_;
};

}  // namespace

absl::StatusOr<Outcome> enrol(engine::Engine& engine, std::string_view list, const list::Upload& upload,
                              absl::Span<const Row> rows, Options options) {
  return Enrolment(engine, list, upload, options).run(rows);
}

}  // namespace kehu::enrolment
