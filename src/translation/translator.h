#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "translation/event_rows.h"
#include "translation/terms.h"
#include "translation/translate.h"

// What the sources of this folder share.
namespace kehu::translation {

// What all definitions of one statement share.
struct Statement {
  explicit Statement(const Question& the_question) : question(the_question) {}

  const Question& question;
  EventRows rows;
  std::vector<std::string> stored;  // selects of customer_id and a column, beside the customers
  std::vector<std::string> layers;  // of the customers: the definitions, each behind those that it names
  std::map<std::string, Term> definitions;  // by kind and name: a column of a layer
  std::set<std::string> open;  // definitions that are being written: one that names itself is a circle
  absl::Status status;         // the first failure
};

// One tree, in the zone of its definition.
class Translator {
 public:
  Translator(Statement& statement, const BusinessZone& zone)
      : statement_(statement), zone_(zone), terms_(zone) {}

  Term value(const rule::Node& node);
  // BOOLEAN, never NULL.
  std::string condition(const rule::Node& node);
  Term as(const rule::Node& node, Form form) { return terms_.as(value(node), form); }
  Terms& terms() { return terms_; }
  // A column of the walk: whether an event is one of these within the bounds.
  std::string flag(const rule::Node& events, const rule::Extent& bounds);
  // The values of a path of the events of a name.
  Term chosen(const std::string& path, const std::string& event);

  // As a condition looks at it: a list stands for each of its texts.
  Term side(const rule::Node& node);
  Term side(const rule::Node& node, Form form) { return terms_.as(side(node), form); }

 private:
  // Literals and facts.
  Term fact(const rule::Node& node);
  Term property(const std::string& path);
  Term listed(const rule::Node& node) const;
  std::string origin(const std::string& trait, const char* what) const;
  Term definition(rule::Kind kind, const std::string& name);
  Term stored_tag(const std::string& name, uint64_t version);
  // Conditions (conditions.cc).
  Term test(const rule::Node& node);
  Term joined(const rule::Node& node, const char* word);
  Term compared(const rule::Node& node, const char* sign);
  Term between(const rule::Node& node);
  Term in_list(const rule::Node& node);
  Term text_test(const rule::Node& node);
  Term is_known(const rule::Node& node);
  Term within(const rule::Node& node);
  Term birthday(const rule::Node& node);
  // Computed values.
  Term plus(const rule::Node& node);
  Term moved(const rule::Node& node);
  Term cases(const rule::Node& node);
  Term percentile(const rule::Node& number);
  Term rfm(const rule::Node& node);
  Term band(const rule::Node& node);
  // Functions of events (totals.cc).
  Term total(const rule::Node& node);
  std::string filtered(const std::string& aggregate, const std::string& flag);
  std::string count(const std::string& flag);
  Term numbers(const rule::Node& node, const std::string& flag);
  Term distinct(const rule::Node& node, const std::string& flag);
  Term top(const rule::Node& node, const std::string& flag);
  std::string counted(const Term& texts, const std::string& flag);
  Term end_value(const rule::Node& node, const std::string& flag);
  Term share(const rule::Node& node, const std::string& flag);
  Term interval(const std::string& flag);
  Term days_since(const rule::Node& node);
  Term age(const rule::Node& node);
  // Events one after the other (steps.cc).
  Term sequence(const rule::Node& node);
  Term stage(const rule::Node& node);
  std::string step_events(const rule::Node& node, const rule::Extent& bounds);
  Instant beginning(const rule::Node& node, const rule::Extent& window) const;

  std::string day_of(const std::string& micros) const;
  std::string date_of(const std::string& micros) const;
  std::string day_in(int64_t year, const std::string& born) const;
  rule::Extent extent(const rule::Window& window) const {
    return rule::extent(window, statement_.question.now, zone_);
  }
  void fail(const absl::Status& status) { statement_.status.Update(status); }

  Statement& statement_;
  const BusinessZone& zone_;
  Terms terms_;
  const std::string* event_ = nullptr;  // inside of `where`: the name of the events
};

}  // namespace kehu::translation
