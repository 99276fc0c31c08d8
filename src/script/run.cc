#include "script/run.h"

#include <utility>

#include "base/text.h"
#include "json/writer.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"
#include "rule/check.h"
#include "rule/wall_clock.h"
#include "script/statement.h"
#include "script/world.h"
#include "text/near_word.h"

namespace kehu::script {
namespace {

std::string shown(const rule::Value& value, const BusinessZone& zone) {
  if (!value.known()) return "unknown";
  const std::string text = rule::as_text(value, zone).value_or("");
  return value.kind == rule::Value::Kind::kText ? cat("\"", text, "\"") : text;
}

// Carries out statements; what it answers is why one could not be.
class Runner {
 public:
  Runner(World& world, const std::string& directory, Report& report)
      : world_(world), directory_(directory), report_(report) {}

  absl::Status run(const Statement& statement) {
    place_ = statement.place;
    return std::visit([this](const auto& what) { return (*this)(what); }, statement.what);
  }

  absl::Status operator()(const SetClock& statement) {
    if (!statement.zone.empty()) {
      if (!world_.is_new()) return error("the time zone stands before the first event");
      if (auto status = world_.set_zone(statement.zone); !status.ok()) return status;
    }
    const auto then = instant(statement.to);
    if (!then.ok()) return then.status();
    if (!started_) {
      world_.set_clock(*then);
      started_ = true;
      return absl::OkStatus();
    }
    if (*then < world_.now()) {
      return error(cat("the clock shows ", clock(world_.now()),
                       " already and cannot go back; an event of before is ",
                       "written as: user u1 does \"…\" at TIME"));
    }
    return world_.advance_to(*then);
  }

  absl::Status operator()(const Advance& statement) {
    if (auto status = begun(); !status.ok()) return status;
    const Instant then = moved(world_.now(), statement.by, 1);
    if (then > kLastInstant) return error("the clock cannot go beyond the year 2199");
    return world_.advance_to(then);
  }

  absl::Status operator()(const Define& statement) { return world_.define(statement.rules); }

  absl::Status operator()(const RulesFile& statement) {
    const std::string path = path_of(statement.path);
    const auto text = os::read_whole_file(os::posix_file_system(), path);
    if (!text.ok()) return text.status();
    std::vector<rule::Definition> rules;
    if (const auto problem = notation::parse_file(*text, rules)) {
      return wrong(path, *problem);
    }
    for (const rule::Definition& definition : rules) {
      if (const auto problem = rule::check(definition, {})) return wrong(path, *problem);
    }
    return world_.define(rules);
  }

  absl::Status operator()(const EventsFile& statement) {
    const std::string path = path_of(statement.path);
    const auto text = os::read_whole_file(os::posix_file_system(), path);
    if (!text.ok()) return text.status();
    uint64_t line = 0;
    for (std::string_view rest = *text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      ++line;
      if (auto status = stream(rest.substr(0, end)); !status.ok()) {
        return error(cat(path, ":", line, ": ", message_of(status)));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const Does& statement) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    head(writer, "track", {statement.who});
    writer.field("event", statement.event).raw_field("properties", statement.properties);
    if (!statement.channel.empty()) writer.field("channel", statement.channel);
    return send(writer, out, statement.when);
  }

  absl::Status operator()(const Has& statement) {
    std::vector<Person> people{statement.who};
    people.insert(people.end(), statement.others.begin(), statement.others.end());
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    head(writer, "identify", people);
    if (!statement.traits.empty()) writer.raw_field("traits", statement.traits);
    return send(writer, out, statement.when);
  }

  absl::Status operator()(const UploadList& statement) {
    if (auto status = begun(); !status.ok()) return status;
    return world_.upload(statement);
  }

  absl::Status operator()(const ExpectIn& statement) {
    for (const Person& who : statement.people) {
      for (const std::string& name : statement.segments) {
        if (auto status = expect_in(who, name, statement.in); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const ExpectTag& statement) {
    const auto rule = rule_of(rule::Kind::kTag, statement.tag);
    if (!rule.ok()) return rule.status();
    ++report_.expectations;
    const auto customer = world_.customer_of(statement.who);
    if (!customer.ok()) return fail(message_of(customer.status()));
    const auto members = world_.replica().shard().members(*customer);
    if (!members.ok()) return members.status();
    const auto* entry = members->find((*rule)->id);
    const BusinessZone zone = zone_of(**rule);
    const rule::Value value = entry == nullptr ? rule::Value() : entry->value;
    const std::optional<std::string> found = rule::as_text(value, zone);
    if ((found == statement.value) == statement.equal) return absl::OkStatus();
    const std::string wanted = statement.value ? cat("\"", *statement.value, "\"") : "unknown";
    return fail(cat("expected tag ", statement.tag, " of ", statement.who.shown,
                    statement.equal ? " = " : " != ", wanted, " at ", clock(world_.now()), ", but it is ",
                    shown(value, zone)),
                *customer, *rule);
  }

  absl::Status operator()(const ExpectSize& statement) {
    const auto rule = rule_of(rule::Kind::kSegment, statement.segment);
    if (!rule.ok()) return rule.status();
    ++report_.expectations;
    const uint64_t size = world_.replica().shard().index().size((*rule)->id);
    if (size == statement.size) return absl::OkStatus();
    return fail(cat("expected size of ", statement.segment, " = ", statement.size, " at ",
                    clock(world_.now()), ", but it is ", size));
  }

  absl::Status operator()(const ExpectSame& statement) {
    ++report_.expectations;
    const auto first = world_.customer_of(statement.who), second = world_.customer_of(statement.other);
    if (!first.ok()) return fail(message_of(first.status()));
    if (!second.ok()) return fail(message_of(second.status()));
    if ((*first == *second) == statement.same) return absl::OkStatus();
    return fail(cat("expected that ", statement.who.shown, " is ", statement.same ? "" : "not ",
                    statement.other.shown, ", but they are ",
                    statement.same ? "two customers" : "one customer"));
  }

  absl::Status operator()(const Join& statement) { return world_.merge(statement.winner, statement.loser); }
  absl::Status operator()(const Part& statement) { return world_.unmerge(statement.who, statement.other); }
  absl::Status operator()(const Restart&) { return world_.restart(); }

 private:
  using Rule = membership::Plan::Rule;

  static absl::Status error(std::string message) { return absl::InvalidArgumentError(to_absl(message)); }
  static absl::Status wrong(const std::string& path, const rule::Problem& problem) {
    return error(cat(path, ":", problem.place.line, ":", problem.place.column, ": ", rule::to_text(problem)));
  }
  std::string path_of(const std::string& path) const {
    return path.starts_with('/') ? path : cat(directory_, "/", path);
  }
  // The first event sets a clock that nobody has set.
  absl::Status stream(std::string_view line) {
    if (line.empty() || line == "\r") return absl::OkStatus();
    started_ = true;
    return world_.stream(line);
  }
  std::string clock(Instant t) const { return world_.zone().format(t); }
  absl::Status begun() const {
    if (started_) return absl::OkStatus();
    return error("the clock has to be set first: at 2026-03-01 09:00");
  }

  absl::StatusOr<Instant> instant(const Moment& moment) const {
    if (moment.ago) return moved(world_.now(), *moment.ago, -1);
    if (moment.date.empty() && moment.time.empty()) return world_.now();
    if (moment.date.empty() && !started_) return begun();
    const bool whole = moment.date.find('T') != std::string::npos;
    const std::string date = moment.date.empty() ? clock(world_.now()).substr(0, 10) : moment.date;
    const std::string time = moment.time.size() == 4 ? cat("0", moment.time) : moment.time;  // 9:00
    const std::string text = whole || time.empty() ? date : cat(date, "T", time);
    const auto read = rule::as_instant(rule::Value::of(std::string_view(text)), world_.zone());
    if (read) return *read;
    return error(
        cat(date, time.empty() ? "" : " ", time, " is no time; expected one such as 2026-03-01 09:00"));
  }
  Instant moved(Instant from, const Length& length, int64_t direction) const {
    const int64_t count = length.count * direction;
    switch (length.unit) {
      case rule::Unit::kSecond:
        return from + Duration::seconds(count);
      case rule::Unit::kMinute:
        return from + Duration::minutes(count);
      case rule::Unit::kHour:
        return from + Duration::hours(count);
      default:
        break;
    }
    const int64_t days = length.unit == rule::Unit::kWeek ? 7 * count : count;
    const CivilDay day(static_cast<int32_t>(world_.zone().day_of(from).value() + days));
    return rule::at(day, rule::time_of_day(from, world_.zone()), world_.zone());
  }

  static void head(json::Writer& writer, std::string_view type, const std::vector<Person>& people) {
    writer.field("type", type).key("identifiers").begin_object();
    for (size_t i = 0; i < people.size(); ++i) {
      bool again = false;
      for (size_t j = 0; j < i; ++j) again = again || people[j].type == people[i].type;
      if (again) continue;
      writer.key(people[i].type).begin_array();
      for (size_t j = i; j < people.size(); ++j) {
        if (people[j].type == people[i].type) writer.value(people[j].value);
      }
      writer.end_array();
    }
    writer.end_object();
  }
  absl::Status send(json::Writer& writer, std::string& out, const Moment& when) {
    if (auto status = begun(); !status.ok()) return status;
    const auto time = instant(when);
    if (!time.ok()) return time.status();
    writer.field("time", format_utc(*time)).field("message_id", cat("script-", ++events_)).end_object();
    return world_.send(out);
  }

  absl::StatusOr<const Rule*> rule_of(rule::Kind kind, std::string_view name) {
    if (auto status = begun(); !status.ok()) return status;
    const membership::Plan& plan = world_.replica().shard().rules();
    if (const auto index = plan.find(kind, name)) return &plan.at(*index);
    std::vector<std::string> names;
    for (const uint32_t index : plan.all()) {
      const rule::Definition& definition = plan.at(index).version.definition;
      if (definition.kind == kind) names.push_back(definition.name);
    }
    return error(cat("there is no ", rule::to_string(kind), " ", name, text::did_you_mean(name, names)));
  }
  static BusinessZone zone_of(const Rule& rule) {
    return BusinessZone::load(rule.version.zone).value_or(BusinessZone());
  }

  absl::Status expect_in(const Person& who, const std::string& name, bool in) {
    const auto rule = rule_of(rule::Kind::kSegment, name);
    if (!rule.ok()) return rule.status();
    ++report_.expectations;
    const auto customer = world_.customer_of(who);
    if (!customer.ok()) return fail(message_of(customer.status()));
    const auto members = world_.replica().shard().members(*customer);
    if (!members.ok()) return members.status();
    const auto* entry = members->find((*rule)->id);
    if ((entry != nullptr) == in) return absl::OkStatus();
    std::string message = cat("expected ", who.shown, in ? " in " : " not in ", name, " at ",
                              clock(world_.now()), ", but ", who.shown, in ? " is not" : " is");
    if (entry != nullptr) message += cat(", since ", clock(entry->since));
    return fail(std::move(message), *customer, *rule);
  }

  absl::Status fail(std::string message) {
    report_.failures.push_back({place_, std::move(message), {}});
    return absl::OkStatus();
  }
  absl::Status fail(std::string message, CustomerId customer, const Rule* rule) {
    const auto reasons = world_.replica().shard().why(customer, *rule, world_.now());
    if (!reasons.ok()) return reasons.status();
    Failure failure{place_, std::move(message), {}};
    const BusinessZone zone = zone_of(*rule);
    for (const membership::Reason& reason : *reasons) {
      std::string line = cat(std::string(2 * reason.depth, ' '),
                             notation::format(*reason.node, notation::Language::kEnglish), "  →  ",
                             shown(reason.value, zone));
      if (reason.until != kLastInstant)
        line += cat("  (until ", zone.format(reason.until), " if nothing happens)");
      failure.reasons.push_back(std::move(line));
    }
    report_.failures.push_back(std::move(failure));
    return absl::OkStatus();
  }

  World& world_;
  const std::string& directory_;
  Report& report_;
  rule::Place place_;
  bool started_ = false;
  uint64_t events_ = 0;
};

}  // namespace

namespace {

std::string to_json(const shard::MembershipChange& change, std::string_view who) {
  const BusinessZone& zone = change.rule->zone;
  std::string out;
  json::Writer writer(out);
  const auto write = [&](std::string_view name, const rule::Value& value) {
    const auto text = rule::as_text(value, zone);
    text ? writer.field(name, *text) : writer.raw_field(name, "null");
  };
  writer.begin_object().field("at", format_utc(change.change.at));
  writer.field("rule", rule::to_string(change.rule->kind)).field("name", change.rule->name);
  writer.field("customer", who);
  write("before", change.change.before);
  write("after", change.change.after);
  writer.end_object();
  return out;
}

}  // namespace

Report run(std::string_view text, const std::string& directory, const ChangeSink& changes) {
  Report report;
  const auto stop = [&report](rule::Place place, std::string message) {
    report.failures.push_back({place, std::move(message), {}});
    report.broken = true;
    return report;
  };
  auto world = World::open();
  if (!world.ok()) return stop({}, message_of(world.status()));
  std::vector<Statement> statements;
  if (const auto problem = parse_script(text, (*world)->identifier_types(), statements)) {
    return stop(problem->place, rule::to_text(*problem));
  }
  if (changes) {
    (*world)->watch([&](const auto& change, std::string_view who) { changes(to_json(change, who)); });
  }
  Runner runner(**world, directory, report);
  for (const Statement& statement : statements) {
    if (auto status = runner.run(statement); !status.ok()) return stop(statement.place, message_of(status));
  }
  return report;
}

}  // namespace kehu::script
