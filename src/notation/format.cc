#include "notation/format.h"

#include <algorithm>

#include "notation/characters.h"
#include "notation/printer.h"

namespace kehu::notation {
namespace {

constexpr size_t kColumns = 100;

bool is_broken(const std::string& text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size(); at += character_at(text, at).bytes) ++columns;
  return columns > kColumns || text.find('\n') != std::string::npos;
}

bool has_clauses(const Definition& definition) {
  return !definition.owner.empty() || !definition.description.empty() || !definition.time_zone.empty() ||
         definition.keep_when_empty;
}

void print_clauses(const Definition& definition, Printer& printer) {
  const auto clause = [&](Keyword keyword, const std::string& text) {
    if (text.empty()) return;
    printer.new_line();
    printer.keyword(keyword);
    printer.quoted(text);
  };
  clause(Keyword::kOwner, definition.owner);
  clause(Keyword::kDescription, definition.description);
  clause(Keyword::kTimeZone, definition.time_zone);
  if (!definition.keep_when_empty) return;
  printer.new_line();
  printer.keyword(Keyword::kKeep);
}

std::string print(const Definition& definition, Language language, bool broken) {
  Printer printer(language);
  printer.comments(definition.comments);
  printer.keyword(definition.kind == rule::Kind::kSegment ? Keyword::kSegment
                  : definition.kind == rule::Kind::kTag   ? Keyword::kTag
                                                          : Keyword::kCheck);
  printer.name(definition.name);
  printer.indent(4);
  print_clauses(definition, printer);
  if (has_clauses(definition)) printer.new_line();
  printer.word("=");
  if (broken && definition.body.op != Op::kCase) printer.new_line();
  if (broken) {
    printer.broken(definition.body);
  } else {
    printer.whole(definition.body);
  }
  return printer.take();
}

std::string print(const Node& node, Language language, bool broken) {
  Printer printer(language);
  if (broken) {
    printer.broken(node);
  } else {
    printer.whole(node);
  }
  return printer.take();
}

bool breaks(const Node& node) { return node.op == Op::kAnd || node.op == Op::kOr || node.op == Op::kCase; }

}  // namespace

std::string format(const Definition& definition, Language language) {
  const bool must = definition.body.op == Op::kCase;
  std::string text = print(definition, language, must);
  if (!must && breaks(definition.body) && is_broken(print(definition.body, language, false))) {
    text = print(definition, language, true);
  }
  return text + "\n";
}

std::string format(const Node& expression, Language language) {
  std::string text = print(expression, language, false);
  return breaks(expression) && is_broken(text) ? print(expression, language, true) : text;
}

}  // namespace kehu::notation
