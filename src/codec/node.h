#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/document.h"

namespace kehu::codec {

// A key as a step of a JSON Pointer (RFC 6901).
inline std::string pointer_token(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// One text that is being read, and the first thing that is wrong anywhere in it.
struct Reading {
  std::string_view subject;  // "settings": begins every error
  absl::Status status = {};
};

// The reader of every definition: a JSON value with its place. The first thing that is wrong is kept in the
// reading that all nodes share; the rest is read on regardless and thrown away.
class Node {
 public:
  Node(json::Value value, std::string pointer, Reading& reading)
      : value_(value), pointer_(std::move(pointer)), reading_(&reading) {}
  static Node root(const json::Document& document, Reading& reading) {
    return {document.root(), "", reading};
  }

  bool exists() const { return value_.exists(); }
  size_t size() const { return value_.size(); }
  Node find(std::string_view key) const;

  void fail(std::string_view expected, std::string_view advice) const;

  // The readers below leave `out` alone when the value is left out.
  void read(bool& out) const {
    if (!exists()) return;
    const auto flag = value_.as_bool();
    if (!flag) return fail("true or false", "write it without quotes");
    out = *flag;
  }

  struct Range {
    int64_t min;
    int64_t max;
  };
  template <class Integer>
  void read(Range range, Integer& out) const {
    if (!exists()) return;
    const auto number = value_.as_int();
    if (!number || *number < range.min || *number > range.max) {
      return fail(cat("an integer from ", range.min, " to ", range.max), "choose one in this range");
    }
    out = static_cast<Integer>(*number);
  }

  void read(std::string& out) const {
    if (!exists()) return;
    auto text = value_.as_string();
    if (!text || text->empty() || text->size() > limits::kNameBytes) {
      return fail(cat("a text of 1 to ", limits::kNameBytes, " bytes"), "write one in double quotes");
    }
    out = *std::move(text);
  }

  // Visits the elements of an array or, with their keys, the members of an object.
  template <class Visit>
  void each(Visit&& visit) const {
    size_t position = 0;
    for (const auto& member : value_) {
      const std::string name = value_.is_object() ? member.key : cat(position++);
      visit(name, Node(member.value, pointer_ + pointer_token(name), *reading_));
    }
  }

  bool is_list(size_t entries_max) const {
    if (!exists()) return false;
    if (value_.is_array() && size() <= entries_max) return true;
    fail(cat("a list of at most ", entries_max, " entries"), "write it in [ ] and shorten it if need be");
    return false;
  }

  bool is_string() const { return value_.is_string(); }
  bool is_array() const { return value_.is_array(); }

  bool is_object() const {
    if (value_.is_object()) return true;
    if (exists()) fail("an object", "write it in { }");
    return false;
  }

  // Unknown members are typing errors: taken for nothing, they would leave a default where a choice was
  // meant.
  void expect_only(std::initializer_list<std::string_view> known) const {
    each([&](const std::string& name, const Node& member) {
      if (std::find(known.begin(), known.end(), name) != known.end()) return;
      std::string names;
      for (const auto& each_name : known) names += (names.empty() ? "" : ", ") + std::string(each_name);
      member.fail(cat("one of the fields ", names), "correct the name or leave it out");
    });
  }

 private:
  json::Value value_;
  std::string pointer_;
  Reading* reading_;
};

inline Node Node::find(std::string_view key) const {
  return {value_.find(key), pointer_ + pointer_token(key), *reading_};
}

inline void Node::fail(std::string_view expected, std::string_view advice) const {
  if (!reading_->status.ok()) return;
  constexpr size_t kShownMax = 60;
  const std::string_view raw = exists() ? value_.raw() : "nothing";
  const std::string shown = cat(cut_utf8(raw, kShownMax), raw.size() > kShownMax ? "…" : "");
  reading_->status =
      failure(absl::StatusCode::kInvalidArgument, reading_->subject, pointer_.empty() ? "" : " at ", pointer_,
              ": expected ", expected, ", found ", shown, "; ", advice);
}

}  // namespace kehu::codec
