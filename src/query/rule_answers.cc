#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "json/writer.h"
#include "lake/owners.h"
#include "query/reader_core.h"
#include "query/rule_question.h"
#include "query/views.h"
#include "rule/check.h"
#include "rule/nodes.h"
#include "translation/functions.h"

// Rules over the archive. Most are false of somebody who has done nothing, which a statement without rows
// says in a few milliseconds. Those have their members among the events that they name: nobody else is looked
// at.
namespace kehu::query {
namespace {

using Names = std::set<std::pair<rule::Kind, std::string>>;

using Asks = bool (*)(rule::Op op);

bool asks_any_trait(rule::Op op) { return rule::asks_trait(op) || rule::asks_list(op); }
bool asks_origin(rule::Op op) { return rule::asks_trait(op) && op != rule::Op::kTrait; }

bool has(const rule::Node& node, Asks asks) {
  return asks(node.op) ||
         std::ranges::any_of(node.of, [&](const rule::Node& child) { return has(child, asks); });
}

// Whether a rule has such an operator, or another has one that it names.
bool has(const RuleQuestion& question, const rule::Node& rule, Asks asks, Names& seen) {
  if (has(rule, asks)) return true;
  for (const auto& [kind, name] : rule::references(rule).all()) {
    if (!question.definition || !seen.emplace(kind, name).second) continue;
    const auto named = question.definition(kind, name);
    if (named && has(question, *named->body, asks, seen)) return true;
  }
  return false;
}

constexpr char kNoEvents[] =
    "(SELECT '' AS customer_id, TIMESTAMPTZ '2000-01-01 00:00:00Z' AS time, '' AS type, '' AS event, '' AS "
    "channel, "
    "'' AS source, '' AS properties WHERE false)";
constexpr char kSomebody[] = "(SELECT '' AS customer_id, '{}' AS traits, '{}' AS origins)";

std::string last_of_each(const std::string& column) {
  return cat("list_reduce(list(", column,
             " ORDER BY time, sequence), lambda a, b: CAST(json_merge_patch(a, b) AS VARCHAR))");
}

// Who wrote a trait last.
std::string last_source(const std::string& trait) {
  return cat("arg_max(source, (time, sequence)) FILTER (", translation::kValueFunction, "(traits, ",
             sql_literal(trait), ") IS NOT NULL)");
}

// A column without the members that are not believed.
std::string believed(std::string column, const RuleQuestion& question) {
  for (size_t i = 0; i < question.quarantines.size(); ++i) {
    const auto& [trait, source] = question.quarantines[i];
    std::string patch;
    json::Writer(patch).begin_object().raw_field(trait, "null").end_object();
    column = cat("CASE WHEN source", i, " = ", sql_literal(source), " THEN CAST(json_merge_patch(", column,
                 ", ", sql_literal(patch), ") AS VARCHAR) ELSE ", column, " END");
  }
  return column;
}

// Everybody with the last value of each trait; those without any are left out. So is what a source wrote that
// nobody believes.
std::string traits_of(const std::string& events, const RuleQuestion& question, bool with_origins) {
  const std::string origins = with_origins
                                  ? cat(", ",
                                        last_of_each(cat(translation::kOriginsFunction,
                                                         "(traits, epoch_us(time), coalesce(source, ''))")),
                                        " AS origins")
                                  : "";
  std::string sources;
  for (size_t i = 0; i < question.quarantines.size(); ++i) {
    sources += cat(", ", last_source(question.quarantines[i].first), " AS source", i);
  }
  const std::string all =
      cat("SELECT customer_id, ", last_of_each("traits"), " AS traits", origins, sources, " FROM ", events,
          " WHERE traits <> '{}' AND customer_id IS NOT NULL GROUP BY customer_id");
  if (sources.empty()) return cat("(", all, ")");
  return cat("(SELECT customer_id, ", believed("traits", question), " AS traits",
             with_origins ? cat(", ", believed("origins", question), " AS origins") : "", " FROM (", all,
             "))");
}

// Owners are looked up for parts, of which there are fewer than events.
std::string everybody(const std::string& rows, const std::string& owner, bool moved) {
  return cat("(SELECT DISTINCT customer_id FROM (SELECT ", owner, " FROM (SELECT DISTINCT ",
             moved ? "part, " : "", "customer_id FROM (", rows, "))) WHERE customer_id IS NOT NULL)");
}

// Where nothing has ever moved, everything is where it was put.
constexpr char kFirstOwner[] = "nullif(customer_id, repeat('0', 32)) AS customer_id";

std::string these(const RuleQuestion& question) {
  std::string rows;
  for (const RuleQuestion::Customer& customer : question.customers) {
    rows += cat(rows.empty() ? "(" : ", (", sql_literal(customer.id.hash.hex()), ", ",
                sql_literal(customer.traits), ", ", sql_literal(customer.origins), ")");
  }
  return cat("(SELECT * FROM (VALUES ", rows, ") these(customer_id, traits, origins))");
}

std::string events_of_these(const RuleQuestion& question, const std::string& rows) {
  std::string parts;
  for (const RuleQuestion::Customer& customer : question.customers) {
    for (const Token& part : customer.parts) {
      parts += cat(parts.empty() ? "(" : ", (", sql_literal(part.hash.hex()), ", ",
                   sql_literal(customer.id.hash.hex()), ")");
    }
  }
  if (parts.empty()) return kNoEvents;
  return cat("(SELECT e.* REPLACE (o.owner AS customer_id) FROM (SELECT * FROM (", rows,
             ") WHERE sequence <= ", question.up_to.value(), ") e JOIN (VALUES ", parts,
             ") o(part, owner) ON e.part = o.part)");
}

CustomerId customer_at(const duck::Batch& batch, size_t row) {
  return CustomerId{Hash128::from_hex(batch.text(0, row)).value_or(Hash128{})};
}

// A rule on its way to a statement.
class Asking {
 public:
  Asking(Session::Core& session, const RuleQuestion& question) : session_(session), question_(question) {}

  // Before the others.
  absl::Status begin() {
    const auto snapshot = session_.reader.lake.snapshot();
    const delta::FileSet& files = *snapshot->events().files;
    if (absl::Status status = session_.verify(files); !status.ok()) return status;
    session_.show_tail(*snapshot, lake::TableId::kEvents);
    session_.show_owners(*snapshot);
    rows_ = all_rows(lake::TableId::kEvents, files, session_.id);
    moved_ = snapshot->owners->size() > 0;
    owner_ = moved_ ? present_owner(session_.id) : kFirstOwner;
    events_ = question_.customers.empty() ? cat("(SELECT * REPLACE (", owner_, ") FROM (", rows_, "))")
                                          : events_of_these(question_, rows_);
    if (auto status = show_segment_log(*snapshot); !status.ok()) return status;
    if (!question_.customers.empty()) return absl::OkStatus();
    const auto anybody = holds_for_anybody();
    of_anybody_ = anybody.value_or(false);
    return anybody.status();
  }
  // Whether it is true, or anything at all, of somebody who has done nothing.
  bool of_anybody() const { return of_anybody_; }
  const std::string& events() const { return events_; }

  // The answers of all.
  absl::StatusOr<std::string> sql() const {
    if (!question_.customers.empty()) return translated(events_, these(question_), /*partial=*/false);
    if (!of_anybody_) return of_concerned();
    const std::string all = everybody(rows_, owner_, moved_);
    return translated(events_,
                      asks_traits(question_)
                          ? cat("(FROM ", all, " LEFT JOIN ", traits_of(events_, question_, asks_origins()),
                                " USING (customer_id))")
                          : all,
                      /*partial=*/false);
  }
  // Those of customers with events or traits that it names.
  absl::StatusOr<std::string> of_concerned() const {
    return translated(events_, asks_traits(question_) ? traits_of(events_, question_, asks_origins()) : "",
                      /*partial=*/true);
  }

 private:
  // If the rule asks what statements have found.
  absl::Status show_segment_log(const lake::Snapshot& snapshot) {
    Names seen;
    if (!has(
            question_, *question_.rule, [](rule::Op op) { return op == rule::Op::kSql; }, seen))
      return absl::OkStatus();
    const delta::FileSet& files = *snapshot.tables[lake::TableId::kSegmentLog].files;
    if (absl::Status status = session_.verify(files); !status.ok()) return status;
    session_.show_tail(snapshot, lake::TableId::kSegmentLog);
    segment_log_ = all_rows(lake::TableId::kSegmentLog, files, session_.id);
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> translated(std::string events, std::string customers, bool partial) const {
    return translation::translate(
        *question_.rule,
        {.now = question_.now,
         .zone = question_.zone,
         .answer = question_.answer,
         .events = std::move(events),
         .customers = std::move(customers),
         .partial = partial,
         .definition = question_.definition,
         .cuts = question_.cuts,
         .stored_tag = [this](std::string_view tag, uint64_t version) { return stored_tag(tag, version); },
         .lists = question_.lists});
  }
  // As the log of memberships has it.
  std::string stored_tag(std::string_view tag, uint64_t version) const {
    const std::string up_to =
        question_.customers.empty() ? "" : cat(" AND sequence <= ", question_.up_to.value());
    return cat("(SELECT customer_id, ", translation::kValueFunction,
               "('{\"v\":' || arg_max(value, (sequence, ordinal)) || '}', 'v') AS value FROM (", segment_log_,
               ") WHERE kind = 'tag' AND name = ", sql_literal(tag), " AND version = ", version,
               " AND customer_id <> repeat('0', 32)", up_to,
               " GROUP BY customer_id HAVING arg_max(change, (sequence, ordinal)) = 'set')");
  }
  bool asks_origins() const {
    Names seen;
    return has(question_, *question_.rule, asks_origin, seen);
  }
  // Of whom nothing is known. What is no condition is always asked of all.
  absl::StatusOr<bool> holds_for_anybody() const {
    if (question_.answer != translation::Answer::kTruth) return true;
    const auto sql = translated(kNoEvents, kSomebody, /*partial=*/false);
    if (!sql.ok()) return sql.status();
    auto result = session_.connection->query(*sql);
    if (!result.ok()) return result.status();
    bool holds = false;
    const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
      holds = batch.boolean(1, row);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return holds;
  }

  Session::Core& session_;
  const RuleQuestion& question_;
  std::string rows_, owner_, events_, segment_log_;
  bool moved_ = false;
  bool of_anybody_ = false;
};

// How many, and some of them, as a statement.
absl::StatusOr<std::string> size_sql(const Asking& asking, size_t examples) {
  const auto sql = asking.sql();
  if (!sql.ok()) return sql.status();
  return cat("SELECT count(*), array_to_string(min(customer_id, ", examples, "), ',') FROM (", *sql,
             ") WHERE value");
}

// The same by those of whom it is false, which it can only be by their events. The first rows of the archive
// that are not theirs have examples.
absl::StatusOr<std::string> size_of_most_sql(const Asking& asking, size_t examples) {
  constexpr size_t kRows = 4096;
  const auto sql = asking.of_concerned();
  if (!sql.ok()) return sql.status();
  return cat("WITH others AS MATERIALIZED (SELECT customer_id FROM (", *sql,
             ") WHERE NOT value) SELECT (SELECT count(*) FROM others), (SELECT "
             "array_to_string(list_slice(list_sort(list_distinct(list(customer_id))), 1, ",
             examples, "), ',') FROM (SELECT customer_id FROM ", asking.events(),
             " WHERE customer_id IS NOT NULL AND customer_id NOT IN (SELECT customer_id FROM others) LIMIT ",
             kRows, "))");
}

// Each different number with how many have it, ascending, and how many there are in all.
std::string spread_sql(const std::string& answers) {
  return cat(
      "SELECT CAST(number AS VARCHAR), customers, CAST(sum(customers) OVER () AS BIGINT) FROM (SELECT ",
      "CAST(value AS HUGEINT) AS number, count(*) AS customers FROM (", answers,
      ") WHERE value IS NOT NULL GROUP BY ALL) ORDER BY number");
}

}  // namespace

bool asks_traits(const RuleQuestion& question) {
  Names seen;
  return has(question, *question.rule, asks_any_trait, seen);
}

absl::StatusOr<RuleSize> Session::size_of(const RuleQuestion& question, size_t examples) {
  const Running running(*core_, question.time_limit);
  Asking asking(*core_, question);
  if (absl::Status status = asking.begin(); !status.ok()) return running.explain(status);
  const bool most = question.everybody && asking.of_anybody();
  const auto sql = most ? size_of_most_sql(asking, examples) : size_sql(asking, examples);
  if (!sql.ok()) return sql.status();
  auto result = core_->connection->query(*sql);
  if (!result.ok()) return running.explain(result.status());
  RuleSize size;
  const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
    const auto counted = static_cast<uint64_t>(batch.integer(0, row));
    size.customers = most ? *question.everybody - std::min(*question.everybody, counted) : counted;
    std::string_view list = batch.is_null(1, row) ? std::string_view() : batch.text(1, row);
    while (!list.empty()) {
      const std::string_view one = list.substr(0, list.find(','));
      size.examples.push_back(CustomerId{Hash128::from_hex(one).value_or(Hash128{})});
      list.remove_prefix(std::min(list.size(), one.size() + 1));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return running.explain(status);
  return size;
}

absl::StatusOr<Spread> Session::spread_of(const RuleQuestion& question) {
  const Running running(*core_, question.time_limit);
  Asking asking(*core_, question);
  if (absl::Status status = asking.begin(); !status.ok()) return running.explain(status);
  const auto sql = asking.sql();
  if (!sql.ok()) return sql.status();
  auto result = core_->connection->query(spread_sql(*sql));
  if (!result.ok()) return running.explain(result.status());
  Spread spread;
  uint64_t below = 0;
  const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
    spread.customers = static_cast<uint64_t>(batch.integer(2, row));
    below += static_cast<uint64_t>(batch.integer(1, row));
    const Sum number = wide_number(batch.text(0, row));
    for (size_t k = spread.cuts.size() + 1; k <= rule::kCuts; ++k) {
      if (k * spread.customers / (rule::kCuts + 1) >= below) break;
      spread.cuts.push_back(number);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return running.explain(status);
  return spread;
}

absl::StatusOr<Agreement> Session::agreement_of(const RuleQuestion& question,
                                                const std::optional<TraitOfSource>& whose) {
  const Running running(*core_, question.time_limit);
  Asking asking(*core_, question);
  if (absl::Status status = asking.begin(); !status.ok()) return running.explain(status);
  const auto sql = asking.sql();
  if (!sql.ok()) return sql.status();
  std::string of_source;
  if (whose) {
    of_source = cat(" WHERE customer_id IN (SELECT customer_id FROM ", asking.events(),
                    " WHERE traits <> '{}' AND customer_id IS NOT NULL GROUP BY customer_id HAVING ",
                    last_source(whose->trait), " = ", sql_literal(whose->source), ")");
  }
  auto result = core_->connection->query(
      cat("SELECT count(value), count(value) FILTER (value > 0) FROM (", *sql, ")", of_source));
  if (!result.ok()) return running.explain(result.status());
  Agreement agreement;
  const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
    agreement = {static_cast<uint64_t>(batch.integer(0, row)), static_cast<uint64_t>(batch.integer(1, row))};
    return absl::OkStatus();
  });
  if (!status.ok()) return running.explain(status);
  return agreement;
}

absl::Status Session::each_answer(const RuleQuestion& question, const VisitAnswer& visit) {
  const Running running(*core_, question.time_limit);
  Asking asking(*core_, question);
  if (absl::Status status = asking.begin(); !status.ok()) return running.explain(status);
  const auto sql = asking.sql();
  if (!sql.ok()) return sql.status();
  const bool condition = question.answer == translation::Answer::kTruth;
  auto result =
      core_->connection->query(condition ? cat("SELECT customer_id FROM (", *sql, ") WHERE value") : *sql);
  if (!result.ok()) return running.explain(result.status());
  return running.explain(result->each_row([&](const duck::Batch& batch, size_t row) {
    const bool known = !condition && !batch.is_null(1, row);
    return visit(customer_at(batch, row), known ? std::optional(batch.text(1, row)) : std::nullopt);
  }));
}

}  // namespace kehu::query
