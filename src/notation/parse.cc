#include "notation/parse.h"

#include <set>
#include <utility>

#include "base/text.h"
#include "notation/parser.h"
#include "rule/nodes.h"
#include "rule/shape.h"

namespace kehu::notation {

std::vector<Definition> Parser::file() {
  std::vector<Definition> definitions;
  while (!problem_ && token().kind != Token::Kind::kEnd) definitions.push_back(definition());
  return definitions;
}

Definition Parser::definition() {
  const size_t begin = token().begin;
  Definition definition{.place = token().place};
  definition.comments = std::exchange(comments_, {});
  if (accept(Keyword::kTag)) {
    definition.kind = rule::Kind::kTag;
  } else if (accept(Keyword::kCheck)) {
    definition.kind = rule::Kind::kCheck;
  } else if (!accept(Keyword::kSegment)) {
    unexpected("segment NAME = …, tag NAME = … or check NAME = …");
  }
  definition.name = name();
  clauses(definition);
  expect_sign("=");
  if (definition.kind == rule::Kind::kCheck) {
    definition.body = agreement();
  } else {
    definition.body = at(Keyword::kSql) ? statement() : expression();
  }
  bound(definition.body);
  if (token().kind != Token::Kind::kEnd && !at(Keyword::kSegment) && !at(Keyword::kTag) &&
      !at(Keyword::kCheck)) {
    unexpected("and, or, or the next definition");
  }
  if (token().begin - begin > rule::kRuleBytes) {
    fail(definition.place,
         cat("the definition ", definition.name, " is longer than ", rule::kRuleBytes, " bytes"),
         "parts of it as segments of their own");
  }
  leave_comments(definition);
  return definition;
}

void Parser::bound(const Node& root) {
  if (auto excess = excess_of(root); excess && !problem_) {
    fail(excess->place, std::move(excess->message), std::move(excess->expected));
  }
}

// Those behind the last word are this definition's, unless they stand in lines of their own in front of the
// next one.
void Parser::leave_comments(Definition& definition) {
  const std::vector<Comment>& next = token().comments;
  size_t mine = comments_.size() - std::min(next.size(), comments_.size());
  for (const Comment& comment : next) mine += comment.trails || token().kind == Token::Kind::kEnd;
  mine = std::min(mine, comments_.size());
  const auto end = comments_.begin() + static_cast<std::ptrdiff_t>(mine);
  definition.comments.insert(definition.comments.end(), comments_.begin(), end);
  comments_.erase(comments_.begin(), end);
}

// Each once, and of when empty keep and when empty clear one.
void Parser::clauses(Definition& definition) {
  std::set<Keyword> seen;
  while (!problem_ && !at_sign("=")) {
    for (const Keyword clause :
         {Keyword::kOwner, Keyword::kDescription, Keyword::kTimeZone, Keyword::kKeep, Keyword::kClear}) {
      if (!at(clause) || seen.insert(clause == Keyword::kClear ? Keyword::kKeep : clause).second) continue;
      return fail(token().place, cat(spelling(clause, Language::kEnglish), " is there a second time"),
                  "= or what was not said yet");
    }
    if (accept(Keyword::kOwner)) {
      definition.owner = clause_text();
    } else if (accept(Keyword::kDescription)) {
      definition.description = clause_text();
    } else if (accept(Keyword::kTimeZone)) {
      definition.time_zone = clause_text();
    } else if (definition.kind == rule::Kind::kTag && accept(Keyword::kKeep)) {
      definition.keep_when_empty = true;
    } else if (definition.kind == rule::Kind::kTag && accept(Keyword::kClear)) {
      definition.keep_when_empty = false;
    } else {
      return unexpected("= or owner \"…\", description \"…\", time zone \"…\", and of tags when empty keep");
    }
  }
}

Node Parser::agreement() {
  Node node = begin(Op::kAgrees);
  const bool listed = at(Keyword::kListed) > 0;
  if (!listed && !at(Keyword::kTrait))
    unexpected("trait.NAME from \"SOURCE\" agrees with VALUE at least 80%, or list.NAME agrees with …");
  node.of.push_back(value());
  if (!listed) {
    expect(Keyword::kFrom);
    node.text = clause_text();
  }
  expect(Keyword::kAgrees);
  node.of.push_back(sum());
  expect(Keyword::kAtLeast);
  node.number = token().number;
  if (token().kind != Token::Kind::kNumber) {
    unexpected("a share, such as 80%");
  } else {
    advance();
  }
  return node;
}

// A line break parts its texts, which are closed in their lines.
Node Parser::statement() {
  Node node = begin(Op::kSql);
  accept(Keyword::kSql);
  node.text = clause_text();
  while (!problem_ && token().kind == Token::Kind::kText) node.text.append("\n").append(clause_text());
  expect(Keyword::kEvery);
  node.span = {1, unit()};
  return node;
}

std::string Parser::clause_text() {
  accept_sign(":");
  std::string text = token().text;
  if (token().kind != Token::Kind::kText) {
    unexpected("a text in double quotes");
  } else {
    advance();
  }
  return text;
}

std::string Parser::name() {
  const Token& here = token();
  if (here.kind == Token::Kind::kName || here.kind == Token::Kind::kWord) {
    advance(here.parts);
    return here.parts > 1 ? here.whole : here.text;
  }
  std::string suggestion;
  if (here.kind == Token::Kind::kText) suggestion = cat("`", here.text, "`");
  if (here.kind == Token::Kind::kNumber && token(1).kind == Token::Kind::kWord) {
    suggestion = cat("`", here.text, token(1).parts > 1 ? token(1).whole : token(1).text, "`");
  }
  fail(here.place, cat(here.kind == Token::Kind::kEnd ? "a name" : here.text, " is no name"),
       "a name of letters, digits and _ that begins with a letter, or any in backticks",
       std::move(suggestion));
  return {};
}

Node Parser::whole_expression() { return whole(expression()); }
Node Parser::whole_body() { return whole(at(Keyword::kSql) ? statement() : expression()); }

Node Parser::whole(Node root) {
  bound(root);
  if (token().kind != Token::Kind::kEnd) unexpected("and, or, or the end");
  Node& first = leading(root);
  first.comments.insert(first.comments.end(), comments_.begin(), comments_.end());
  return root;
}

std::optional<Problem> parse_file(std::string_view text, std::vector<Definition>& definitions) {
  std::vector<Token> tokens;
  if (auto problem = read_tokens(text, tokens)) return problem;
  Parser parser(tokens);
  auto read = parser.file();
  if (!parser.problem()) definitions = std::move(read);
  return parser.problem();
}

namespace {

std::optional<Problem> parse_whole(std::string_view text, Node (Parser::*part)(), Node& root) {
  if (text.size() > rule::kRuleBytes) {
    return Problem{
        {}, cat("the rule is longer than ", rule::kRuleBytes, " bytes"), "parts of it as segments", ""};
  }
  std::vector<Token> tokens;
  if (auto problem = read_tokens(text, tokens)) return problem;
  Parser parser(tokens);
  Node read = (parser.*part)();
  if (!parser.problem()) root = std::move(read);
  return parser.problem();
}

}  // namespace

std::optional<Problem> parse_expression(std::string_view text, Node& expression) {
  return parse_whole(text, &Parser::whole_expression, expression);
}

std::optional<Problem> parse_body(std::string_view text, Node& body) {
  return parse_whole(text, &Parser::whole_body, body);
}

}  // namespace kehu::notation
