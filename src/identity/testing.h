#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "identity/graph.h"

namespace kehu::identity {

class MapStore : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override {
    const auto found = blobs.find(key);
    return found == blobs.end() ? std::string_view() : found->second;
  }
  void put(const Hash128& key, std::string_view bytes) override {
    blobs[key] = std::string(bytes);
    ++writes;
  }
  void erase(const Hash128& key) override {
    blobs.erase(key);
    ++writes;
  }
  void prefetch(absl::Span<const Hash128>) override {}
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override {
    for (const auto& [key, bytes] : blobs) visit(key, bytes);
  }

  std::map<Hash128, std::string> blobs;
  int writes = 0;
};

// Types by the first letter of a name: U user (unique), W union id (unique), P phone (3 in 30 days), A
// anonymous, F fingerprint (weak). Three conflicts make a token shared.
inline Settings five_types() {
  Settings settings;
  for (const std::string_view name : {"U", "W", "P", "A", "F"}) {
    IdentifierRule rule;
    rule.name = std::string(name);
    rule.priority = static_cast<int>(settings.identifier_types.size()) + 1;
    settings.identifier_types.push_back(rule);
  }
  settings.identifier_types[0].unique = true;
  settings.identifier_types[1].unique = true;
  settings.identifier_types[2].limit = 3;
  settings.identifier_types[4].weak = true;
  return settings;
}

// A graph driven by short texts. An event is its identifiers, strongest first: "U1 A1"; "<A1" is the previous
// id of an alias, "!A1" was left out at the door, "=U1" is assumed, "~A1" is passing, "?A1" is the
// alternative of the other one with its number, or of itself. Other steps: "merge U1 U2", "unmerge 3" (the
// record),
// "+31d".
class World {
 public:
  explicit World(Settings given = five_types())
      : settings(std::move(given)), graph(settings, nodes, groups) {}

  Token token(std::string_view name) {
    const Token token{hash128(name)};
    names[token] = std::string(name);
    return token;
  }
  std::string name(Hash128 hash) const {
    const auto found = names.find(Token{hash});
    return found == names.end() ? "?" : found->second;
  }

  Resolution resolve(std::string_view text) {
    std::istringstream words{std::string(text)};
    std::vector<std::string> values;
    for (std::string word; words >> word;) values.push_back(word);
    std::vector<Identifier> identifiers;
    Event event;
    for (std::string_view value : values) {
      Identifier identifier;
      identifier.previous = value[0] == '<';
      if (identifier.previous) event.type = EventType::kAlias;
      if (value[0] == '!') identifier.left_out = LeftOut::kBlocked;
      if (value[0] == '=') identifier.standing = Standing::kAssumed;
      if (value[0] == '~') identifier.standing = Standing::kPassing;
      if (value[0] == '?') {
        identifier.alternative = true;
        identifier.standing = Standing::kAssumed;
        identifier.named = named_by(values, value.substr(1));
      }
      if (std::string_view("<!=~?").find(value[0]) != std::string_view::npos) value.remove_prefix(1);
      identifier.type = *settings.find_type(value.substr(0, 1));
      identifier.token = token(value);
      identifier.value = value;
      identifiers.push_back(identifier);
    }
    event.time = event.received_at = now;
    event.source = SourceId(7);
    const std::string message_id = "m" + std::to_string(last.value() + 1);
    event.message_id = message_id;
    event.identifiers = identifiers;
    last = last.next();
    return graph.resolve(event, last);
  }
  absl::StatusOr<Outcome> merge(std::string_view winner, std::string_view loser) {
    last = last.next();
    return graph.merge({token(winner), token(loser), "same person", "ann"}, last, now);
  }
  absl::StatusOr<Outcome> unmerge(uint64_t link, CustomerId customer) {
    last = last.next();
    return graph.unmerge({Sequence(link), customer, "not the same", "bob"}, last, now);
  }
  // Un-merges from whichever customer has the link.
  absl::StatusOr<Outcome> unmerge(uint64_t link) {
    for (const auto& [known, text] : names) {
      const auto customer = graph.customer_of(known);
      if (!customer) continue;
      for (const Link& has : graph.links(*customer)) {
        if (has.sequence == Sequence(link)) return unmerge(link, *customer);
      }
    }
    return absl::NotFoundError("no such link");
  }
  void wait(Duration time) { now = now + time; }

  // What the step answered: for an event "customer/part -left_out:reason…", for a command "ok" or its code.
  std::string step(std::string_view text) {
    std::istringstream words{std::string(text)};
    std::string verb, a, b;
    words >> verb >> a >> b;
    if (verb == "merge") return code(merge(a, b).status());
    if (verb == "unmerge") return code(unmerge(std::stoull(a)).status());
    if (verb[0] == '+') return wait(Duration::days(std::stoi(verb.substr(1)))), "";
    return describe(text, resolve(text));
  }

  std::string describe(std::string_view text, const Resolution& resolution) const {
    std::istringstream words{std::string(text)};
    std::vector<std::string> values;
    for (std::string word; words >> word;) values.push_back(word);
    std::string out = name(resolution.customer.hash) + "/" + name(resolution.part.hash);
    for (const Note& note : resolution.left_out) {
      out += " -" + values[note.identifier] + ":" + std::string(to_string(note.reason));
    }
    return out;
  }

  // All customers with their tokens, the one a customer is named after first: "A1 U1 | U2".
  std::string partition() const {
    std::map<std::string, std::string> customers;
    std::map<std::string, Token> by_name;
    for (const auto& [token, text] : names) by_name.emplace(text, token);
    for (const auto& [text, token] : by_name) {
      const auto owner = graph.customer_of(token);
      if (!owner) continue;
      std::string& tokens = customers[name(owner->hash)];
      if (name(owner->hash) != text) tokens += " " + text;
    }
    std::string out;
    for (const auto& [id, tokens] : customers) out += (out.empty() ? "" : " | ") + id + tokens;
    return out;
  }

  Settings settings;
  MapStore nodes, groups;
  Graph graph;
  Sequence last;
  Instant now = Instant::from_seconds(1'790'000'000);
  std::map<Token, std::string> names;

 private:
  // The place of the word with the same number and another letter.
  static uint8_t named_by(const std::vector<std::string>& words, std::string_view alternative) {
    for (size_t i = 0; i < words.size(); ++i) {
      const std::string_view number = std::string_view(words[i]).substr(words[i].find_first_of("UWPAF") + 1);
      if (words[i][0] != '?' && number == alternative.substr(1)) return static_cast<uint8_t>(i);
    }
    return static_cast<uint8_t>(std::ranges::find(words, "?" + std::string(alternative)) - words.begin());
  }
  static std::string code(const absl::Status& status) {
    return status.ok() ? "ok" : absl::StatusCodeToString(status.code());
  }
};

}  // namespace kehu::identity
