#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace kehu::workbook {

// Attributes of an element: names and values in turn, valid during the call only.
class Attributes {
 public:
  explicit Attributes(const char** list) : list_(list) {}
  // Empty when there is none. Names are compared without the prefix of their name space.
  std::string_view find(std::string_view name) const;

 private:
  const char** list_;
};

// What reads an XML document. Names come without the prefix of their name space.
class XmlVisitor {
 public:
  virtual ~XmlVisitor() = default;
  virtual void on_begin(std::string_view name, const Attributes& attributes) = 0;
  virtual void on_end(std::string_view name) = 0;
  virtual void on_text(std::string_view text) = 0;
  // Looked at behind each call: not OK when no more of the document is wanted.
  virtual const absl::Status& status() const;
};

// Feeds a visitor from a document in pieces. Documents that declare a type are refused, and such as nest
// elements deeper than kDepthMax: workbooks do neither, and bombs are made of them. Takes at most 64 MiB.
class XmlParser {
 public:
  static constexpr int kDepthMax = 64;
  static constexpr size_t kTagBytesMax = 256u << 10;  // of a tag or comment that comes in pieces

  // `part` names the document in errors.
  XmlParser(XmlVisitor& visitor, std::string part);
  ~XmlParser();
  XmlParser(const XmlParser&) = delete;
  XmlParser& operator=(const XmlParser&) = delete;

  // An error of the visitor (XmlVisitor::status) ends the reading within the piece.
  absl::Status feed(std::string_view piece);
  absl::Status finish();

 private:
  struct State;
  absl::Status parse(std::string_view piece, bool last);
  absl::Status strange_tags() const;
  std::unique_ptr<State> state_;
};

// The whole document at once.
absl::Status parse_xml(std::string_view document, XmlVisitor& visitor, std::string part);

}  // namespace kehu::workbook
