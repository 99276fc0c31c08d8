#include "rule/check.h"

#include <algorithm>
#include <utility>

#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/characters.h"
#include "rule/bounds.h"
#include "rule/nodes.h"
#include "rule/percentile.h"
#include "rule/shape.h"
#include "rule/value.h"
#include "text/near_word.h"
#include "text/pattern.h"

namespace kehu::rule {
namespace {

std::string_view said(Type type) {
  switch (type) {
    case Type::kBool:
      return "a condition";
    case Type::kNumber:
      return "a number";
    case Type::kText:
      return "a text";
    case Type::kInstant:
      return "an instant";
    case Type::kSpan:
      return "a span of time";
    case Type::kList:
      return "a list";
  }
  return "";
}

bool is_of_event(Op op) { return op >= Op::kProperty && op <= Op::kEventWorkday; }

// What depends on more than the event: on the customer, on the moment, on other events.
bool is_beyond_event(Op op) {
  const bool is_customer = op >= Op::kTrait && op <= Op::kToday;
  const bool is_function = op >= Op::kDid && op != Op::kBand && op != Op::kCase;
  return is_customer || op == Op::kWithin || op == Op::kBirthday || is_function;
}

bool is_order(Op op) { return op >= Op::kLess && op <= Op::kBetween; }

// Walks a tree that has a shape. The first problem stays.
class Checker {
 public:
  Checker(const Definition& definition, const KnownNames& known, std::vector<Problem>* warnings)
      : definition_(definition), known_(known), warnings_(warnings) {}

  std::optional<Problem> run() {
    clauses();
    whole();
    visit(definition_.body);
    if (definition_.kind == Kind::kSegment) expect(definition_.body, Type::kBool);
    if (definition_.body.op == Op::kSpan) stray_span(definition_.body);
    if (moves_with_now(definition_.body)) stray_now(definition_.body);
    if (has_several(definition_.body)) stray_several(definition_.body);
    return std::move(problem_);
  }

 private:
  void fail(Place place, std::string message, std::string expected, std::string suggestion = "") {
    if (!problem_) problem_ = {place, std::move(message), std::move(expected), std::move(suggestion)};
  }

  void clauses() {
    const Place place = definition_.place;
    if (definition_.name.empty() || definition_.name.size() > limits::kNameBytes) {
      fail(place, "the name of the definition is empty or too long",
           cat("1 to ", limits::kNameBytes, " bytes"));
    }
    if (strip(definition_.name) != definition_.name) {
      fail(place, cat("the name \"", definition_.name, "\" begins or ends with a blank"),
           "a name without blanks around it", std::string(strip(definition_.name)));
    }
    if (definition_.name.find_first_of("\n\r\t") != std::string::npos || has_forbidden(definition_.name)) {
      fail(place, "the name of the definition holds a line break, a tab or a control character",
           "a name in one line");
    }
    for (const std::string* text : {&definition_.owner, &definition_.description, &definition_.time_zone}) {
      printable(place, *text);
    }
    for (const std::string& comment : definition_.comments) printable(place, comment);
    if (!definition_.time_zone.empty() && !BusinessZone::load(definition_.time_zone)) {
      fail(place, cat("there is no time zone \"", definition_.time_zone, "\""),
           "an IANA name such as Asia/Shanghai");
    }
    if (definition_.keep_when_empty && definition_.kind != Kind::kTag) {
      fail(place, "only a tag is ever empty", "when empty keep of a tag");
    }
  }

  void printable(Place place, std::string_view text) {
    if (has_forbidden(text)) fail(place, "a text holds a control character", "letters, signs, tabs and \\n");
  }

  void visit(const Node& node) {
    if (problem_) return;
    printable(node.place, node.text);
    if (is_path(node) && node.text.find("[][]") != std::string::npos) {
      fail(node.place, "[] stands twice, and lists in lists have no values", "[] once: products[].price");
    }
    for (const std::string& comment : node.comments) printable(node.place, comment);
    scope(node);
    const bool was_in_where = std::exchange(in_where_, in_where_ || node.op == Op::kEvents);
    for (size_t i = 0; i < node.of.size(); ++i) {
      const bool is_shift = i == 1 && (node.op == Op::kPlus || node.op == Op::kMinus);
      if (node.of[i].op == Op::kSpan && !is_shift) stray_span(node.of[i]);
      if (moves_with_now(node.of[i]) && !may_hold_now(node, i)) stray_now(node.of[i]);
      if (has_several(node.of[i]) && !may_hold_several(node, i)) stray_several(node.of[i]);
      visit(node.of[i]);
    }
    in_where_ = was_in_where;
    if (!problem_) own(node);
  }

  void scope(const Node& node) {
    if (in_where_ && is_beyond_event(node.op)) {
      fail(node.place, cat(to_string(node.op), " says more than one event does, and stands inside of where"),
           "a property of the event, channel, source, hour, weekday, holiday or workday");
    }
    if (!in_where_ && is_of_event(node.op)) {
      const std::string name = node.op == Op::kProperty ? node.text : std::string(to_string(node.op));
      fail(node.place, cat(name, " is of an event, and stands outside of where"),
           cat("\"EVENT\" where ", name, " …, or trait.", name), cat("trait.", name));
    }
  }

  void stray_span(const Node& node) {
    fail(node.place, "a span of time stands by itself", "an instant in front of it: now - 3 days");
  }

  void stray_several(const Node& node) {
    fail(node.place,
         cat("trait.", node.text, " has several values, and a condition alone looks at each of them"),
         cat("trait.", node.text, " = …, in, between, contains, is known and the like"));
  }

  // No answer would stay for any time: a comparison changes once, when now passes the other side.
  void stray_now(const Node& node) {
    fail(
        node.place, "now, and what is so much before or behind it, is another instant each time",
        "a comparison of it with an instant: last(\"EVENT\") < now - 3 days; or today, which stays for a day",
        "today");
  }
  static bool may_hold_now(const Node& node, size_t place) {
    if (node.op == Op::kPlus || node.op == Op::kMinus) return true;  // looked at where the sum stands
    const bool compares = is_comparison(node.op) || node.op == Op::kBetween;
    return compares && (place == 0 || !moves_with_now(node.of[0]));
  }

  static bool may_hold_several(const Node& node, size_t place) {
    if (is_comparison(node.op)) return true;
    const bool looks = node.op == Op::kBetween || node.op == Op::kIn || node.op == Op::kIsKnown ||
                       node.op == Op::kWithin || node.op == Op::kBirthday ||
                       (Op::kContains <= node.op && node.op <= Op::kMatches);
    return looks && place == 0;
  }

  // Looking for what is near costs a pass over all names, so it ends with the last warning.
  void warn_of_name(Place place, std::string_view what, const std::string& name,
                    const std::vector<std::string>& names, std::string_view prefix = "") {
    if (warnings_ == nullptr || warnings_->size() >= kWarnings || is_known(name, names)) return;
    if (names_looked_for_++ >= kWarnings) return;
    const std::string_view near = text::near_word(name, names);
    if (near.empty()) return;
    warnings_->push_back({place, cat("no ", what, " \"", name, "\" was seen yet"), "", cat(prefix, near)});
  }

  void warn_of_never(const Node& node) {
    if (warnings_ == nullptr || problem_ || warnings_->size() >= kWarnings) return;
    if (auto never = never_holds(node)) warnings_->push_back(*std::move(never));
  }

  void own(const Node& node) {
    warn_of_never(node);
    if (node.op < Op::kAnd) return named(node);
    if (node.op >= Op::kDid) return over_events(node);
    if (node.op >= Op::kContains && node.op <= Op::kMatches) return texts(node);
    switch (node.op) {
      case Op::kAnd:
      case Op::kOr:
      case Op::kNot:
        for (const Node& child : node.of) expect(child, Type::kBool);
        return;
      case Op::kIn:
        return member(node);
      case Op::kIsKnown:
        return;
      case Op::kWithin:
        expect(node.of[0], Type::kInstant);
        return window(node);
      case Op::kBirthday:
        expect(node.of[0], Type::kInstant);
        return bound(node, flaw_of_birthday(node.span));
      case Op::kPlus:
      case Op::kMinus:
        return arithmetic(node);
      default:
        return compared(node);
    }
  }

  void bound(const Node& node, Flaw flaw) {
    if (!flaw.message.empty()) fail(node.place, std::move(flaw.message), std::move(flaw.expected));
  }
  void window(const Node& node) { bound(node, flaw_of(node.window)); }

  void expect(const Node& node, Type wanted) {
    const auto type = static_type(node);
    if (!type || type == wanted) return;
    fail(node.place, cat(said(*type), " stands where ", said(wanted), " belongs"), std::string(said(wanted)));
  }

  void agree(const Node& a, const Node& b) {
    const auto left = static_type(a), right = static_type(b);
    if (!left || !right || left == right) return;
    fail(b.place, cat(said(*left), " is compared with ", said(*right)), std::string(said(*left)));
  }

  void compared(const Node& node) {
    for (size_t i = 1; i < node.of.size(); ++i) agree(node.of[i - 1], node.of[i]);
    agree(node.of[0], node.of.back());
    for (const Node& side : node.of) {
      if (!is_order(node.op) || static_type(side) != Type::kBool) continue;
      fail(side.place, "a condition is neither less nor greater than another", "= or !=, or a number");
    }
  }

  void member(const Node& node) {
    const Node& list = node.of[1];
    if (list.of.size() > kListItems) {
      return fail(list.place, cat("the list has more than ", kListItems, " items"),
                  "a trait, or several segments");
    }
    for (const Node& item : list.of) agree(node.of[0], item);
    for (const Node& item : list.of) agree(list.of[0], item);
  }

  void texts(const Node& node) {
    for (const Node& side : node.of) expect(side, Type::kText);
    if (node.op != Op::kMatches) return;
    const Node& pattern = node.of[1];
    if (pattern.op != Op::kText)
      return fail(pattern.place, "a pattern is no text in double quotes", "a text in double quotes");
    const auto compiled = text::Pattern::compile(pattern.text);
    if (!compiled.ok()) fail(pattern.place, message_of(compiled.status()), "a pattern in RE2's syntax");
  }

  void arithmetic(const Node& node) {
    const Node &left = node.of[0], &right = node.of[1];
    if (right.op == Op::kSpan) {
      expect(left, Type::kInstant);
      return bound(right, flaw_of_shift(right.span));
    }
    if (static_type(left) == Type::kInstant && static_type(right) == Type::kInstant) {
      return fail(right.place, "an instant is not added to another one, or taken away",
                  "days_since(…) for the days up to today, or an instant and a span such as 3 days");
    }
    expect(left, Type::kNumber);
    expect(right, Type::kNumber);
  }

  void named(const Node& node) {
    const bool is_of_trait = node.op == Op::kTraitTime || node.op == Op::kTraitSource;
    if (is_of_trait && trait_of(node.text) != node.text) {
      return fail(node.place,
                  cat("time and source are those of a whole trait, and ", node.text, " is a part of one"),
                  "the name of a trait", cat("trait.", trait_of(node.text)));
    }
    if (asks_list(node.op)) return listed(node);
    if (asks_trait(node.op)) {
      return warn_of_name(node.place, "trait", std::string(trait_of(node.text)), known_.traits, "trait.");
    }
    const bool is_segment = node.op == Op::kSegment;
    if (!is_segment && node.op != Op::kTag) return;
    const std::string_view kind = is_segment ? "segment" : "tag";
    if (node.text == definition_.name && is_segment == (definition_.kind == Kind::kSegment)) {
      return fail(node.place, cat("the ", kind, " ", node.text, " asks for itself"), cat("another ", kind));
    }
    const auto& names = is_segment ? known_.segments : known_.tags;
    if (is_known(node.text, names)) return;
    fail(node.place, cat("there is no ", kind, " ", node.text), cat("a ", kind, " that is defined"),
         std::string(text::near_word(node.text, names)));
  }
  // No other name is a list's, and a project may have none yet.
  void listed(const Node& node) {
    if (!known_.lists || std::ranges::find(*known_.lists, node.text) != known_.lists->end()) return;
    fail(node.place, cat("there is no list ", node.text), "a list that was uploaded: `kehu list upload`",
         std::string(text::near_word(node.text, *known_.lists)));
  }
  static bool is_known(const std::string& name, const std::vector<std::string>& names) {
    return names.empty() || std::ranges::find(names, name) != names.end();
  }

  void over_events(const Node& node) {
    switch (node.op) {
      case Op::kEvents:
        return events(node);
      case Op::kCase:
        return cases(node);
      case Op::kBand:
        return bands(node);
      case Op::kDaysSince:
      case Op::kAge:
        return expect(node.of[0], Type::kInstant);
      case Op::kPercentile:
        return percentile(node);
      case Op::kSql:
        return statement(node);
      case Op::kAgrees:
        return agreement(node);
      case Op::kSequence:
      case Op::kStage:
        steps(node);
        break;
      case Op::kFirst:
      case Op::kNth:
        if (node.op == Op::kNth) bound(node, flaw_of_nth(node.number));
        if (node.window.kind == Window::Kind::kEver) return;
        return fail(node.place, cat(to_string(node.op), " looks at all events, and takes no window"),
                    cat(to_string(node.op), "(…) within a window, or last(…) with one"));
      case Op::kSum:
      case Op::kAverage:
      case Op::kMin:
      case Op::kMax:
      case Op::kRfm:
        if (is_event_text(node.text)) {
          return fail(node.place, cat("the ", node.text.substr(1), " of an event is a text, and no number"),
                      "count, distinct, top, first or last of it");
        }
        break;
      case Op::kTopN:
        bound(node, flaw_of_top(node.number));
        break;
      case Op::kShare:
        if (!node.of[0].of.empty()) break;
        return fail(node.of[0].place, "a share has no condition",
                    "\"EVENT\" where …: the part of its events for which that holds");
      default:
        break;
    }
    window(node);
  }

  // A check is one comparison, and nothing else is a check.
  void whole() {
    const Node& body = definition_.body;
    const bool agrees = body.op == Op::kAgrees;
    if (agrees == (definition_.kind == Kind::kCheck)) return;
    fail(body.place,
         agrees ? "a comparison of facts stands outside of a check" : "the check compares nothing",
         "check NAME = trait.NAME from \"SOURCE\" agrees with VALUE at least 80%, or list.NAME in its place");
  }

  void agreement(const Node& node) {
    const Node& trait = node.of[0];
    if (trait.op == Op::kTrait && trait_of(trait.text) != trait.text) {
      return fail(trait.place, "a check is of a part of a trait", "a whole trait: trait.NAME");
    }
    agree(trait, node.of[1]);
    bound(node, flaw_of_share(node.number));
  }

  void statement(const Node& node) {
    if (definition_.kind != Kind::kTag) {
      return fail(node.place, "a statement stands in a segment",
                  "a tag, which a segment may name: tag.NAME = …");
    }
    bound(node, flaw_of_schedule(node.span));
  }

  // The customers of a measured number are measured as they are: not by another measure, whose own moment is
  // another one.
  void percentile(const Node& node) {
    if (!measures_of(node.of[0], "").empty()) {
      return fail(node.of[0].place, "a percentile is taken of what names a percentile itself",
                  "a number of the customer: sum(…), count(…), days_since(…), trait.NAME");
    }
    expect(node.of[0], Type::kNumber);
  }

  void events(const Node& node) {
    if (node.text.size() > limits::kNameBytes) {
      return fail(node.place, "the name of an event is too long",
                  cat("at most ", limits::kNameBytes, " bytes"));
    }
    if (!node.of.empty()) expect(node.of[0], Type::kBool);
    if (!node.text.empty()) warn_of_name(node.place, "event", node.text, known_.events);
  }

  void bands(const Node& node) {
    expect(node.of[0], Type::kNumber);
    if (const size_t bands = (node.of.size() - 1) / 2; bands > kBands) {
      return fail(node.place, cat("there are ", bands, " bands"), cat("at most ", kBands, ", and else"));
    }
    for (size_t i = 1; i < node.of.size(); ++i) {
      const bool is_bound = i % 2 == 0;
      if (!is_bound) {
        agree(node.of[1], node.of[i]);
      } else if (node.of[i].op != Op::kNumber) {
        fail(node.of[i].place, "a band does not end with a number", "a number");
      } else if (i > 2 && node.of[i].number <= node.of[i - 2].number) {
        fail(node.of[i].place, "a band ends where the one before it does, or below", "the lower band first");
      }
    }
  }

  void cases(const Node& node) {
    if (const size_t branches = node.of.size() / 2; branches > kCaseBranches) {
      return fail(node.place, cat("the case has ", branches, " branches"),
                  cat("at most ", kCaseBranches, "; a part of it as a tag of its own"));
    }
    std::optional<Type> common;
    for (size_t i = 0; i < node.of.size(); ++i) {
      const bool is_value = i % 2 == 1 || i + 1 == node.of.size();
      if (!is_value) {
        expect(node.of[i], Type::kBool);
        continue;
      }
      if (common) expect(node.of[i], *common);
      if (!common) common = static_type(node.of[i]);
    }
  }

  void steps(const Node& node) {
    const auto positive = [](const Node& step) { return step.op == Op::kStep; };
    if (node.of.size() < 2 || node.of.size() > kSequenceSteps) {
      return fail(node.place, cat("the ", to_string(node.op), " has ", node.of.size(), " steps"),
                  cat("2 to ", kSequenceSteps, " steps; did(…) asks for one"));
    }
    if (!positive(node.of[0])) {
      return fail(node.of[0].place, "a sequence begins with what did not happen",
                  "an event, behind it then not …");
    }
    if (node.op == Op::kStage) {
      for (const Node& step : node.of) {
        if (step.of[0].text.empty())
          fail(step.place, "a step of a stage has no name", "the name of an event in double quotes");
      }
      return;
    }
    if (node.span != Span()) return bound(node, flaw_of_limit(node.span));
    if (positive(node.of.back())) return;
    fail(node.of.back().place, "the sequence ends with what does not happen, and never comes to its end",
         "within a length of time: … then not \"EVENT\" within 10 minutes");
  }

  const Definition& definition_;
  const KnownNames& known_;
  std::vector<Problem>* warnings_;
  size_t names_looked_for_ = 0;
  bool in_where_ = false;
  std::optional<Problem> problem_;
};

void add_references(const Node& node, References& out) {
  const auto add = [&node](std::vector<std::string>& names) {
    if (std::ranges::find(names, node.text) == names.end()) names.push_back(node.text);
  };
  if (node.op == Op::kSegment) add(out.segments);
  if (node.op == Op::kTag) add(out.tags);
  if (asks_list(node.op)) add(out.lists);
  for (const Node& child : node.of) add_references(child, out);
}

}  // namespace

std::optional<Problem> check(const Definition& definition, const KnownNames& known,
                             std::vector<Problem>* warnings) {
  if (auto problem = misshape_of(definition.body)) return problem;
  return Checker(definition, known, warnings).run();
}

std::vector<std::pair<Kind, std::string>> References::all() const {
  std::vector<std::pair<Kind, std::string>> all;
  for (const std::string& name : segments) all.emplace_back(Kind::kSegment, name);
  for (const std::string& name : tags) all.emplace_back(Kind::kTag, name);
  return all;
}

References references(const Node& expression) {
  References out;
  add_references(expression, out);
  return out;
}

std::string to_text(const Problem& problem) {
  std::string text = problem.message;
  if (!problem.expected.empty()) text += cat("; expected ", problem.expected);
  if (!problem.suggestion.empty()) text += cat("; did you mean ", problem.suggestion, "?");
  return text;
}

}  // namespace kehu::rule
