#include "json/structurals.h"

#include <algorithm>

#include "simdjson.h"

namespace kehu::json {

// simdjson's public faces keep the offsets to themselves: On-Demand judges only what is visited, the DOM
// forgets where values stood. Its stages are open to users who bring their own second one; pinned by the
// package's version.
struct Structurals::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

Structurals::Structurals() : stage_(std::make_unique<Stage>()) {}
Structurals::~Structurals() = default;
Structurals::Structurals(Structurals&&) noexcept = default;
Structurals& Structurals::operator=(Structurals&&) noexcept = default;

// The first stage finds the offsets of all tokens and checks UTF-8. It writes the size of the text behind
// the last one, which the span includes: so each token ends where the next begins, and walkers need no
// case for the last.
absl::Span<const uint32_t> Structurals::find(std::string_view text) {
  auto& parser = stage_->parser;
  if (!parser || parser->capacity() < text.size()) {
    const size_t capacity = std::max<size_t>(text.size() + text.size() / 2, 16 * 1024);
    parser.reset();
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser))
      return {};
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (parser->stage1(bytes, text.size(), simdjson::stage1_mode::regular)) return {};
  return {parser->structural_indexes.get(), parser->n_structural_indexes + 1};
}

}  // namespace kehu::json
