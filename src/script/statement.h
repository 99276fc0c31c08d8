#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rule/problem.h"
#include "rule/tree.h"

// What a script says, statement by statement (docs/scripts.md).
namespace kehu::script {

using rule::Place;
using rule::Problem;

// A length of time as the clock on the wall counts it: days and weeks are those of the calendar.
struct Length {
  int64_t count = 0;
  rule::Unit unit = rule::Unit::kSecond;
};

struct Person {
  std::string type;  // of the identifier: "user_id", "phone"
  std::string value;
  std::string shown;  // as the script has it
  Place place;
};

// "2026-03-01 09:00", "09:00" of the clock's day, or so long ago; neither: now.
struct Moment {
  std::string date, time;
  std::optional<Length> ago;
  Place place;
};

struct SetClock {
  Moment to;
  std::string zone;  // "" as before
};
struct Advance {
  Length by;
};
struct Define {
  std::vector<rule::Definition> rules;
};
struct RulesFile {
  std::string path;
};
struct EventsFile {
  std::string path;
};
struct Does {
  Person who;
  std::string event;
  std::string properties = "{}";  // JSON
  std::string channel;
  Moment when;
};
struct Has {
  Person who;
  std::string traits;          // JSON; "" when it has identifiers
  std::vector<Person> others;  // identifiers that are the same person's
  Moment when;
};
// An upload, which takes the place of the one before.
struct UploadList {
  struct Member {
    Person who;
    std::optional<std::string> value;
  };
  std::string name;
  std::vector<Member> members;
};
struct ExpectIn {
  std::vector<Person> people;
  std::vector<std::string> segments;
  bool in = true;
};
struct ExpectTag {
  std::string tag;
  Person who;
  std::optional<std::string> value;  // nullopt: unknown
  bool equal = true;
};
struct ExpectSize {
  std::string segment;
  uint64_t size = 0;
};
struct ExpectSame {
  Person who, other;
  bool same = true;
};
struct Join {
  Person winner, loser;
};
struct Part {
  Person who, other;
};
struct Restart {};

struct Statement {
  Place place;
  std::variant<SetClock, Advance, Define, RulesFile, EventsFile, Does, Has, UploadList, ExpectIn, ExpectTag,
               ExpectSize, ExpectSame, Join, Part, Restart>
      what;
};

// `types` are the names of the identifiers that there are.
std::optional<Problem> parse_script(std::string_view text, const std::vector<std::string>& types,
                                    std::vector<Statement>& statements);

}  // namespace kehu::script
