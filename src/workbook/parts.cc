#include "workbook/parts.h"

#include <charconv>
#include <unordered_map>

#include "base/text.h"
#include "workbook/xml.h"

namespace kehu::workbook {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

int number_of(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_true(std::string_view text) { return text == "1" || text == "true"; }

// Names of parts stand relative to xl/, or from the archive's root with a slash.
std::string part_of(std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  while (target.starts_with("../")) target.remove_prefix(3);
  return target.starts_with("xl/") ? std::string(target) : cat("xl/", target);
}

class Relations final : public XmlVisitor {
 public:
  void on_begin(std::string_view name, const Attributes& attributes) override {
    if (name != "Relationship") return;
    if (attributes.find("Type").ends_with("/worksheet"))
      sheets[std::string(attributes.find("Id"))] = part_of(attributes.find("Target"));
  }
  void on_end(std::string_view) override {}
  void on_text(std::string_view) override {}

  std::unordered_map<std::string, std::string> sheets;  // parts by their ids
};

class Sheets final : public XmlVisitor {
 public:
  Sheets(const Relations& relations, Parts& out) : relations_(relations), out_(out) {}

  void on_begin(std::string_view name, const Attributes& attributes) override {
    if (name == "workbookPr") out_.from_1904 = is_true(attributes.find("date1904"));
    if (name != "sheet") return;
    const auto part = relations_.sheets.find(std::string(attributes.find("id")));
    if (part == relations_.sheets.end()) return;  // a chart
    const std::string_view state = attributes.find("state");
    out_.sheets.push_back({.name = std::string(attributes.find("name")),
                           .part = part->second,
                           .hidden = state == "hidden" || state == "veryHidden"});
  }
  void on_end(std::string_view) override {}
  void on_text(std::string_view) override {}

 private:
  const Relations& relations_;
  Parts& out_;
};

class Styles final : public XmlVisitor {
 public:
  explicit Styles(Parts& out) : out_(out) {}

  void on_begin(std::string_view name, const Attributes& attributes) override {
    if (name == "numFmt") {
      own_[number_of(attributes.find("numFmtId"))] = format_of(attributes.find("formatCode"));
    } else if (name == "cellXfs") {
      in_cells_ = true;
    } else if (name == "xf" && in_cells_) {
      const int id = number_of(attributes.find("numFmtId"));
      const auto own = own_.find(id);
      out_.styles.push_back(own == own_.end() ? built_in_format(id) : own->second);
    }
  }
  void on_end(std::string_view name) override { in_cells_ = in_cells_ && name != "cellXfs"; }
  void on_text(std::string_view) override {}

 private:
  Parts& out_;
  std::unordered_map<int, NumberFormat> own_;
  bool in_cells_ = false;
};

// <si><t>…</t></si>, or in pieces <si><r><t>…</t></r>…</si>; <rPh> is how it is pronounced.
class Texts final : public XmlVisitor {
 public:
  Texts(SharedTexts& out, size_t bytes_max) : out_(out), bytes_max_(bytes_max) {}

  void on_begin(std::string_view name, const Attributes&) override {
    if (name == "si") text_.clear();
    in_sound_ = in_sound_ || name == "rPh";
    in_text_ = name == "t" && !in_sound_;
  }
  void on_end(std::string_view name) override {
    in_text_ = false;
    if (name == "rPh") in_sound_ = false;
    if (name != "si" || !take(sizeof(size_t))) return;
    out_.add(without_escapes(text_));
  }
  void on_text(std::string_view text) override {
    if (in_text_ && take(text.size()) && text_.size() < SharedTexts::kTextBytesMax) text_.append(text);
  }
  const absl::Status& status() const override { return status_; }

 private:
  // One text may be all there is: it is counted as it comes.
  bool take(size_t bytes) {
    bytes_ += bytes;
    if (bytes_ <= bytes_max_) return true;
    status_ = failure(absl::StatusCode::kResourceExhausted, "the workbook has more than ", bytes_max_ >> 20,
                      " MiB of texts: save the sheet as CSV");
    return false;
  }

  SharedTexts& out_;
  const size_t bytes_max_;
  std::string text_;
  size_t bytes_ = 0;
  absl::Status status_;
  bool in_text_ = false;
  bool in_sound_ = false;
};

absl::Status read_small(const Archive& archive, const std::string& part, XmlVisitor& visitor) {
  const auto content = archive.content(part);
  if (!content.ok()) return content.status();
  return parse_xml(*content, visitor, cat(part, " in the workbook"));
}

}  // namespace

absl::StatusOr<Parts> read_parts(const Archive& archive) {
  Parts out;
  Relations relations;
  if (auto status = read_small(archive, "xl/_rels/workbook.xml.rels", relations); !status.ok()) return status;
  Sheets sheets(relations, out);
  if (auto status = read_small(archive, "xl/workbook.xml", sheets); !status.ok()) return status;
  if (!archive.has("xl/styles.xml")) return out;
  Styles styles(out);
  if (auto status = read_small(archive, "xl/styles.xml", styles); !status.ok()) return status;
  return out;
}

absl::Status SharedTexts::read(const Archive& archive, size_t bytes_max) {
  const std::string part = "xl/sharedStrings.xml";
  if (!archive.has(part)) return absl::OkStatus();
  auto opened = archive.open_part(part);
  if (!opened.ok()) return opened.status();
  Texts texts(*this, bytes_max);
  XmlParser parser(texts, cat(part, " in the workbook"));
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const auto count = (*opened)->read(piece.data(), piece.size());
    if (!count.ok()) return count.status();
    if (*count == 0) return parser.finish();
    if (auto status = parser.feed(std::string_view(piece).substr(0, *count)); !status.ok()) return status;
  }
}

std::string_view SharedTexts::find(size_t number) const {
  if (number >= ends_.size()) return {};
  const size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(bytes_).substr(begin, ends_[number] - begin);
}

void SharedTexts::add(std::string_view text) {
  bytes_.append(text);
  ends_.push_back(bytes_.size());
}

}  // namespace kehu::workbook
