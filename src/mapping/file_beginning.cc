#include "mapping/file_beginning.h"

#include "json/text.h"
#include "mapping/row_content.h"

namespace kehu::mapping {
namespace {

// The hashes of the first row, the first two, and so on. Each hash goes into the next one, so none has to
// go over the rows before it, and the last that two files share stands for all that they share
// (docs/decisions/recognised-files.md).
class Heads {
 public:
  explicit Heads(std::vector<Hash128>& hashes) : hashes_(hashes) {}

  bool full() const { return bytes_ >= kBeginningBytes; }
  void add(std::string_view row, size_t bytes) {
    if (full()) return;
    text_.append(row).push_back('\n');
    hashes_.push_back(hash128(text_));
    text_ = hashes_.back().hex();
    bytes_ += bytes + 1;
  }

 private:
  std::vector<Hash128>& hashes_;
  std::string text_;
  size_t bytes_ = 0;
};

// As far as it is text. A cut may leave a part of a character.
std::string beginning_of_text(std::string text) {
  constexpr size_t kLongestCharacter = 4;
  if (text.size() > kBeginningBytes) text.resize(kBeginningBytes);
  for (size_t i = 1; i < kLongestCharacter && !text.empty() && !json::is_valid_utf8(text); ++i)
    text.pop_back();
  return json::is_valid_utf8(text) ? text : std::string();
}

}  // namespace

FileBeginning beginning_of(rows::RowReader& reader) {
  FileBeginning out;
  Heads heads(out.heads), former(out.former_heads);
  rows::Row row;
  while (!heads.full()) {
    const auto any = reader.next(row);
    if (!any.ok()) return out;
    if (!*any) {
      out.whole = true;
      out.last_may_grow = row.open;
      return out;
    }
    const std::string bare = without_quotes(row.text);
    if (out.heads.empty()) out.first_row = beginning_of_text(bare);
    const RowContent content = content_of(row);
    heads.add(content.text, content.bytes);
    former.add(bare, bare.size());
  }
  return out;
}

}  // namespace kehu::mapping
