#include "property/event_fields.h"

#include "json/scan.h"

namespace kehu::property {
namespace {

json::Kind scalar_kind(char first) {
  switch (first) {
    case '"':
      return json::Kind::kString;
    case 't':
    case 'f':
      return json::Kind::kBool;
    case 'n':
      return json::Kind::kNull;
    default:
      return json::Kind::kNumber;
  }
}

}  // namespace

// Goes from token to token; what no path leads to is stepped over without a look at the bytes between. It
// is recursive, but goes only as deep as the paths do, which people wrote.
//
// The tokens are the offsets that simdjson's first stage finds. The same tree walked by json::FieldReader
// reads what is nested once for each level: an order of ten products costs 671 ns with 4 paths and 2,371
// with 100 that way, against 397 and 1,053 (docs/decisions/event-fields.md). The meaning is that of
// json::FieldPath::visit, with which random texts and paths are compared.
class EventFields::Walk {
 public:
  Walk(EventFields& fields, const PathTree& paths, std::string_view text, absl::Span<const uint32_t> tokens)
      : fields_(fields),
        paths_(paths),
        text_(text.data()),
        token_(tokens.data()),
        last_(tokens.data() + tokens.size() - 1),
        escapes_(text.find('\\') != std::string_view::npos) {}

  void run() {
    if (next() == '{') object(paths_.root(), 0);
  }

 private:
  // Gives the first character of the token to read next; 0 behind the last one.
  char next() const { return token_ < last_ ? text_[*token_] : '\0'; }

  // Gives what begins there and ends before the next token, without the space between. There is no need to
  // look for the closing quote of a string or the end of a number.
  std::string_view piece(uint32_t begin) const {
    uint32_t end = *token_;
    while (end > begin + 1 && json::is_space(text_[end - 1])) --end;
    return {text_ + begin, end - begin};
  }

  void object(const PathNode& node, uint32_t element) {
    const char* const begin = text_ + *token_++;
    while (next() == '"') {
      const PathNode* const asked = paths_.member(node, key());
      if (asked == nullptr) {
        skip();
      } else {
        fields_.forget(asked->slots(), begin);
        value(*asked, element);
      }
      if (next() == ',') ++token_;
    }
    if (token_ < last_) ++token_;
  }

  // Reads a key and the colon behind it. Escapes in keys are rare: when the whole text has no backslash,
  // which is asked once for each event, no key is searched for one.
  std::string_view key() {
    const uint32_t begin = *token_++;
    const std::string_view literal = piece(begin);
    if (token_ < last_) ++token_;
    if (literal.size() < 2 || literal.back() != '"') return {};
    const std::string_view inner = literal.substr(1, literal.size() - 2);
    const bool escaped = escapes_ && inner.find('\\') != std::string_view::npos;
    return escaped ? json::unescape(literal, fields_.key_) : inner;
  }

  void list(const PathNode& node) {
    const PathNode& element = paths_.element(node);
    ++token_;
    while (token_ < last_ && next() != ']') {
      value(element, *token_);
      if (next() == ',') ++token_;
    }
    if (token_ < last_) ++token_;
  }

  void value(const PathNode& node, uint32_t element) {
    if (token_ == last_) return;
    const char first = next();
    const uint32_t begin = *token_;
    if (first == '{') {
      node.has_members() ? object(node, element) : skip();
      found(node, {json::Kind::kObject, container(begin)}, element);
    } else if (first == '[') {
      node.has_elements() ? list(node) : skip();
      found(node, {json::Kind::kArray, container(begin)}, element);
    } else {
      ++token_;
      found(node, {scalar_kind(first), piece(begin)}, element);
    }
  }

  std::string_view container(uint32_t begin) const { return {text_ + begin, *(token_ - 1) + 1 - begin}; }

  void found(const PathNode& node, const json::RawValue& raw, uint32_t element) {
    if (node.slot()) fields_.add(*node.slot(), FieldValue(raw, element));
  }

  // Steps over one value by counting depth. Brackets differ from braces in one bit, so setting it tests
  // for both. A mismatch of the two is not looked for, since the text is JSON that was checked before.
  void skip() {
    int depth = 0;
    do {
      const char c = static_cast<char>(next() | 0x20);
      depth += (c == '{' ? 1 : 0) - (c == '}' ? 1 : 0);
    } while (token_ < last_ && (++token_, depth > 0));
  }

  EventFields& fields_;
  const PathTree& paths_;
  const char* const text_;
  const uint32_t* token_;
  const uint32_t* const last_;  // the size of the text, behind the tokens
  const bool escapes_;
};

// Only slots that the last event filled are cleared: there may be hundreds, of which an event fills a few.
void EventFields::read(const PathTree* paths, std::string_view properties) {
  for (const Slot slot : filled_) slots_[slot.value()].clear();
  filled_.clear();
  used_texts_ = 0;
  if (paths == nullptr) return;
  if (slots_.size() < paths->slots_end()) slots_.resize(paths->slots_end());
  const auto tokens = structurals_.find(properties);
  if (tokens.size() > 1) Walk(*this, *paths, properties, tokens).run();
}

void EventFields::add(Slot slot, const FieldValue& value) {
  std::vector<FieldValue>& values = slots_[slot.value()];
  if (values.empty()) filled_.push_back(slot);
  values.push_back(value);
}

// Of a repeated key the last one counts, with all that is below it. What an earlier member of the same key
// brought stands behind the beginning of its object, so dropping whatever was found since then is enough,
// and nothing has to be remembered of the keys that came (docs/decisions/event-fields.md).
void EventFields::forget(absl::Span<const Slot> slots, const char* from) {
  for (const Slot slot : slots) {
    std::vector<FieldValue>& values = slots_[slot.value()];
    while (!values.empty() && values.back().raw().raw.data() >= from) values.pop_back();
  }
}

// Values are found and not read: a number is parsed when the first reader asks for it, and once for all of
// them.
std::optional<Decimal> EventFields::number(const FieldValue& value) const {
  if (!value.has_number_ && value.kind() == json::Kind::kNumber) {
    value.number_ = Decimal::parse(value.raw().raw);
    value.has_number_ = true;
  }
  return value.number_;
}

std::string_view EventFields::text(const FieldValue& value) const {
  if (value.has_text_ || value.kind() != json::Kind::kString) return value.text_;
  if (used_texts_ == texts_.size()) texts_.emplace_back();
  std::string& scratch = texts_[used_texts_];
  value.text_ = json::unescape(value.raw().raw, scratch);
  value.has_text_ = true;
  if (value.text_.data() == scratch.data()) ++used_texts_;
  return value.text_;
}

}  // namespace kehu::property
