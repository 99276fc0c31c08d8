#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "list/standing.h"

namespace kehu::list {

// One file that somebody uploads, from its beginning on.
struct Upload {
  uint64_t number = 0;  // of the list's, from 1
  // Names the upload in the traits that its rows write. Drawn at random, and shown to administrators alone:
  // who has only a write key cannot put anybody on a list.
  std::string nonce = {};
  int slot = 1;             // 1 or 2; see trait_of
  Instant at = {};          // when it began; the moment of its first row
  std::string source = {};  // by name: whose events the rows are
  std::string file = {};    // its name, for people; may be empty

  std::optional<Instant> finished = {};  // when the word came that its rows are all

  // Of the rows then.
  uint64_t rows = 0;
  uint64_t customers = 0;   // who are on the list
  uint64_t repeats = 0;     // rows of somebody who was on it by an earlier row
  uint64_t unknown = 0;     // rows whose identifier no customer has
  uint64_t unreadable = 0;  // rows that say nobody
};

// A list of customers that people upload (docs/rules.md): whose it is and what for. Its members are traits of
// the customers, which the log's events write.
struct List {
  static constexpr size_t kValueBytes = 256;  // of a member's value; longer ones are unreadable rows
  static constexpr size_t kTextBytes = 2000;  // of each

  std::string owner = {};
  std::string description = {};
};

// What was uploaded of a list: a definition of its own, so that whoever edits the list and whoever uploads it
// do not get into each other's way.
struct Uploads {
  std::optional<Upload> begun = {};     // the last one that was begun; may be the one in force
  std::optional<Upload> in_force = {};  // nullopt: nobody is on the list
};

// 1 to 64 bytes, letters and digits of any script, and between them _, - and single spaces.
bool is_list_name(std::string_view name);

std::string to_json(const List& list);
// InvalidArgument names a member that is unknown or no text.
absl::StatusOr<List> parse_list(std::string_view json);
std::string to_json(const Uploads& uploads);
absl::StatusOr<Uploads> parse_uploads(std::string_view json);

// The next upload, which writes where the one in force does not.
Upload next_upload(const Uploads& uploads, Instant now);

// The trait that an upload's rows write.
std::string trait_of(std::string_view list, const Upload& upload);
// How the trait of a member reads: {"upload":"NONCE","text":"VALUE"}; null in place of a value that is not
// there.
std::string trait_json(const Upload& upload, std::optional<std::string_view> value);

// What rules ask by; nullopt: nobody is on the list.
std::optional<Standing> standing_of(std::string_view list, const Uploads& uploads);

}  // namespace kehu::list
