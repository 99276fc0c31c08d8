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

// A value with its place. The first thing that is wrong anywhere is kept in the status all nodes share; the
// rest is read on regardless and thrown away.
class SettingsNode {
 public:
  SettingsNode(json::Value value, std::string pointer, absl::Status& status)
      : value_(value), pointer_(std::move(pointer)), status_(&status) {}

  bool exists() const { return value_.exists(); }
  size_t size() const { return value_.size(); }
  SettingsNode find(std::string_view key) const;

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
      visit(name, SettingsNode(member.value, pointer_ + pointer_token(name), *status_));
    }
  }

  bool is_list(size_t entries_max) const {
    if (!exists()) return false;
    if (value_.is_array() && size() <= entries_max) return true;
    fail(cat("a list of at most ", entries_max, " entries"), "write it in [ ] and shorten it if need be");
    return false;
  }

  bool is_object() const {
    if (value_.is_object()) return true;
    if (exists()) fail("an object", "write it in { }");
    return false;
  }

  // Unknown members are typing errors: taken for nothing, they would leave a default where a choice was
  // meant.
  void expect_only(std::initializer_list<std::string_view> known) const {
    each([&](const std::string& name, const SettingsNode& member) {
      if (std::find(known.begin(), known.end(), name) != known.end()) return;
      std::string names;
      for (const auto& each_name : known) names += (names.empty() ? "" : ", ") + std::string(each_name);
      member.fail(cat("one of the fields ", names), "correct the name or leave it out");
    });
  }

 private:
  json::Value value_;
  std::string pointer_;
  absl::Status* status_;
};

inline SettingsNode SettingsNode::find(std::string_view key) const {
  return {value_.find(key), pointer_ + pointer_token(key), *status_};
}

inline void SettingsNode::fail(std::string_view expected, std::string_view advice) const {
  if (!status_->ok()) return;
  constexpr size_t kShownMax = 60;
  const std::string_view raw = exists() ? value_.raw() : "nothing";
  std::string shown(raw.substr(0, kShownMax));
  if (raw.size() > kShownMax) {
    // The cut may have gone through a character.
    while (!shown.empty() && (shown.back() & 0x80) != 0) shown.pop_back();
    shown += "…";
  }
  *status_ = failure(absl::StatusCode::kInvalidArgument, "settings", pointer_.empty() ? "" : " at ", pointer_,
                     ": expected ", expected, ", found ", shown, "; ", advice);
}

}  // namespace kehu::codec
