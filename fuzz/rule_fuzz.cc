// Any text as a file of rules: it is refused with a place and a sentence, or comes back the same from both
// languages; what passes the check comes back from JSON as well.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "rule/check.h"
#include "rule/tree_json.h"

namespace {

using kehu::notation::Language;
using kehu::rule::Definition;

void write_and_read(const std::vector<Definition>& definitions, Language language) {
  std::string text;
  for (const Definition& definition : definitions) text += kehu::notation::format(definition, language);
  std::vector<Definition> read;
  const auto problem = kehu::notation::parse_file(text, read);
  // Without blanks between words a definition can be shorter than as it is written.
  if (problem && problem->message.find("is longer than") != std::string::npos) return;
  KEHU_CHECK(!problem);
  KEHU_CHECK(read == definitions);
}

void look_at(const Definition& definition) {
  if (kehu::rule::check(definition, {})) return;
  const auto read = kehu::rule::definition_from_json(kehu::rule::to_json(definition));
  KEHU_CHECK(read.ok() && *read == definition);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Definition> definitions;
  const auto problem = kehu::notation::parse_file({reinterpret_cast<const char*>(data), size}, definitions);
  if (problem) {
    KEHU_CHECK(problem->place.line >= 1 && problem->place.column >= 1 && !problem->message.empty());
    return 0;
  }
  for (Language language : {Language::kEnglish, Language::kChinese}) write_and_read(definitions, language);
  for (const Definition& definition : definitions) look_at(definition);
  return 0;
}
