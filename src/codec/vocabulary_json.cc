#include "codec/vocabulary_json.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "json/fields.h"
#include "text/currency.h"

// Names of events are compared exactly, so a vocabulary is checked strictly when it is read: a meaning
// that nobody knows, or an event that is named twice, would otherwise show only as orders that are
// missing. Folding names at each event instead would make every event pay for it
// (docs/decisions/vocabulary.md).
namespace kehu::codec {
namespace {

std::string joined(absl::Span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += cat(out.empty() ? "" : ", ", name);
  return out;
}

bool is_one_of(std::string_view name, absl::Span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void read_use(const Node& node, std::optional<std::vector<std::string>>& out) {
  if (!node.is_list(ready_tables().size())) return;
  out.emplace();
  node.each([&](const std::string&, const Node& entry) {
    entry.read(out->emplace_back());
    if (!is_one_of(out->back(), ready_tables()))
      entry.fail(cat("one of ", joined(ready_tables())), "choose one of them");
  });
}

void read_currency_code(const Node& node, std::string& out) {
  if (!node.exists()) return;
  node.read(out);
  const text::CurrencyCode code = text::read_currency(out);
  if (code.empty()) return node.fail("a currency", "write its code, such as \"CNY\"");
  out = code.view();
}

void read_candidate(const Node& node, std::vector<std::string>& out) {
  node.read(out.emplace_back());
  if (json::FieldPath::parse(out.back()).ok()) return;
  node.fail("a property or a path to one", "write it as in order_amount or order.total");
}

// Reads one name or a list of names. The order matters: the first that an event has a value for counts.
void read_candidates(const Node& node, std::vector<std::string>& out) {
  if (!node.exists()) return;
  if (!node.is_array()) return read_candidate(node, out);
  if (!node.is_list(Vocabulary::kCandidatesMax)) return;
  node.each([&](const std::string&, const Node& entry) { read_candidate(entry, out); });
}

// An event may mean a standard event, one that metrics are declared for, or nothing, which ends what a
// ready-made table says of it (docs/decisions/vocabulary.md).
void check_means(const Node& node, const Settings& settings, const std::string& means) {
  const bool known = means == kMeansNothing || is_one_of(means, standard_events()) ||
                     std::any_of(settings.metrics.begin(), settings.metrics.end(),
                                 [&](const Metric& metric) { return metric.event == means; });
  if (known) return;
  node.fail(cat("one of ", joined(standard_events()), ", an event of your metrics, or nothing"),
            "write what this event means");
}

EventMeaning read_meaning(const std::string& event, const Node& node, const Settings& settings) {
  EventMeaning meaning;
  meaning.event = event;
  if (node.is_string()) {
    node.read(meaning.means);
    check_means(node, settings, meaning.means);
    return meaning;
  }
  if (!node.is_object()) return meaning;
  node.expect_only({"means", "amount", "order_id", "currency", "products", "price", "quantity", "product_id",
                    "category", "brand", "name", "query", "default_currency"});
  const Node means = node.find("means");
  if (!means.exists()) node.fail("an object with \"means\"", "add \"means\": \"Order Completed\"");
  means.read(meaning.means);
  check_means(means, settings, meaning.means);
  for (size_t i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    read_candidates(node.find(to_string(role)), meaning.of(role));
  }
  read_currency_code(node.find("default_currency"), meaning.currency);
  return meaning;
}

void read_words(const Node& node, const Settings& settings, Vocabulary::Words& out) {
  read_use(node.find("use"), out.use);
  read_currency_code(node.find("currency"), out.currency);
  const Node events = node.find("events");
  if (!events.exists() || !events.is_object()) return;
  if (events.size() > Vocabulary::kEventsMax)
    events.fail(cat("at most ", Vocabulary::kEventsMax, " events"), "leave out those without a meaning");
  std::set<std::string> names;
  events.each([&](const std::string& event, const Node& entry) {
    if (event.empty() || event.size() > limits::kNameBytes)
      entry.fail(cat("an event's name of 1 to ", limits::kNameBytes, " bytes"), "correct the name");
    if (!names.insert(event).second) entry.fail("one entry for an event", "leave one of them out");
    out.events.push_back(read_meaning(event, entry, settings));
  });
}

void write_words(const Vocabulary::Words& words, json::Writer& writer) {
  if (words.use) {
    writer.key("use").begin_array();
    for (const std::string& table : *words.use) writer.value(table);
    writer.end_array();
  }
  if (!words.currency.empty()) writer.field("currency", words.currency);
  if (words.events.empty()) return;
  writer.key("events").begin_object();
  for (const EventMeaning& meaning : words.events) {
    writer.key(meaning.event).begin_object().field("means", meaning.means);
    for (size_t i = 0; i < kRoleCount; ++i) {
      if (meaning.properties[i].empty()) continue;
      writer.key(to_string(static_cast<Role>(i))).begin_array();
      for (const std::string& name : meaning.properties[i]) writer.value(name);
      writer.end_array();
    }
    if (!meaning.currency.empty()) writer.field("default_currency", meaning.currency);
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace

void read_vocabulary(const Node& node, Settings& settings) {
  if (!node.exists() || !node.is_object()) return;
  node.expect_only({"use", "currency", "events", "sources"});
  Vocabulary& vocabulary = settings.vocabulary;
  vocabulary = Vocabulary{};
  read_words(node, settings, vocabulary.project);
  const Node sources = node.find("sources");
  if (!sources.exists() || !sources.is_object()) return;
  if (sources.size() > Vocabulary::kSourcesMax)
    return sources.fail(cat("at most ", Vocabulary::kSourcesMax, " sources"),
                        "say for all sources what holds for most");
  sources.each([&](const std::string& source, const Node& entry) {
    if (!entry.is_object()) return;
    entry.expect_only({"use", "currency", "events"});
    vocabulary.sources.emplace_back();
    vocabulary.sources.back().source = source;
    read_words(entry, settings, vocabulary.sources.back());
  });
}

void write_vocabulary(const Vocabulary& vocabulary, json::Writer& writer) {
  writer.begin_object();
  write_words(vocabulary.project, writer);
  if (!vocabulary.sources.empty()) {
    writer.key("sources").begin_object();
    for (const Vocabulary::OfSource& words : vocabulary.sources) {
      writer.key(words.source).begin_object();
      write_words(words, writer);
      writer.end_object();
    }
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace kehu::codec
