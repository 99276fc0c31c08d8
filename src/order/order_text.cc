#include "order/order_text.h"

#include <functional>
#include <set>

#include "json/writer.h"

namespace kehu::order {

OrderText::Step::Step(const EventMeaning& meaning)
    : means(meaning.means), words(meaning, [this](const json::FieldPath& path) {
        return paths.add(path, property::Slot(paths.size()));
      }) {}

// SQL asks for one event at a time and knows the source by its name. Each event that has a meaning gets
// its own small tree of paths, so that reading it is the walk and the function that the fold uses, and
// both give one amount.
OrderText::OrderText(const Settings& settings) : table_(compile(settings.vocabulary, "")) {
  for (const Vocabulary::OfSource& words : settings.vocabulary.sources) {
    of_source_.emplace(words.source, compile(settings.vocabulary, words.source));
  }
}

OrderText::Table OrderText::compile(const Vocabulary& vocabulary, std::string_view source) {
  Table table;
  for (const EventMeaning& meaning : meanings(vocabulary, source)) {
    if (order_step(meaning.means) == OrderStep::kNone) continue;
    table.try_emplace(meaning.event, meaning);
  }
  return table;
}

std::vector<std::string> OrderText::events() const {
  std::set<std::string> names;
  for (const auto& [event, step] : table_) names.insert(event);
  for (const auto& [source, table] : of_source_) {
    for (const auto& [event, step] : table) names.insert(event);
  }
  return {names.begin(), names.end()};
}

std::string OrderText::read(const Of& event, Scratch& scratch) const {
  const auto own = of_source_.find(event.source);
  const Table& table = own == of_source_.end() ? table_ : own->second;
  const auto step = table.find(event.event);
  if (step == table.end()) return {};
  scratch.pool.clear();
  scratch.fields.read(&step->second.paths, event.properties);
  const OrderFields fields = scratch.reader.read(step->second.words, scratch.fields, scratch.pool);
  if (step->second.words.only_with_id() && fields.id.empty()) return {};
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("means", step->second.means);
  if (!fields.id.empty()) writer.field("order_id", fields.id);
  if (fields.amount) writer.field("amount", sum_to_string(*fields.amount));
  writer.field("currency", fields.currency);
  if (fields.amount_unread) writer.field("amount_unread", true);
  if (fields.currency_unread) writer.field("currency_unread", true);
  writer.end_object();
  return out;
}

}  // namespace kehu::order
