#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/rejection.h"

namespace kehu::sensors {

// Java's String.hashCode of ASCII text: what Sensors SDKs send as "crc" of the base64 text.
int32_t java_hash(std::string_view text);

// The wire form of a Sensors Analytics request: `data` (one record) or `data_list` (an array) in the query or
// in a form, base64 of JSON that may be gzipped, whatever `gzip` and the Content-Type say. The + of base64
// stays a + where form encoding would make it a space; a space is read as +. A body may also be the JSON text
// itself. Reused from request to request.
class Body {
 public:
  // Of one decompressed request; a larger one is a fault.
  static constexpr size_t kTextBytes = 3 << 20;

  struct Fault {
    Reason reason = Reason::kUnreadableBody;
    std::string detail;
  };

  // `query` without its "?". Both must stay alive as long as what is asked below. nullopt when text() holds
  // what was sent.
  std::optional<Fault> open(std::string_view query, std::string_view body);

  // Nothing was sent: a request without data, as of monitors and of browsers that only look.
  bool empty() const { return empty_; }
  // Its records are said to be encrypted by the SDK, which text() may tell too.
  bool encrypted() const { return gzip_ == "9" || gzip_ == "13"; }
  // JSON, not yet looked at.
  std::string_view text() const { return text_; }
  // What the sender wrote, for a rejection of the whole.
  std::string_view received() const { return received_; }
  const std::optional<std::string>& token() const { return token_; }
  const std::optional<std::string>& project() const { return project_; }

 private:
  void clear();
  void read_form(std::string_view form);
  void read_field(std::string_view name, std::string_view value);
  std::optional<Fault> check();
  std::optional<Fault> unpack();

  bool empty_ = true;
  std::string_view text_;
  std::string_view received_;
  std::string_view sent_;  // the value of data or data_list, as in the form
  std::string_view gzip_;
  std::string_view crc_;
  std::optional<std::string> token_;
  std::optional<std::string> project_;
  std::string base64_;
  std::string bytes_;
  std::string inflated_body_;
  std::string inflated_;
};

}  // namespace kehu::sensors
