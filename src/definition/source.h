#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu::definition {

// A write key of a source as it is kept: never the key, only its keyed hash and what a person needs to
// recognise it.
struct WriteKey {
  Hash128 hash;
  std::string hint;  // its first characters, "kwk_3f9a…"
  Instant created;
  std::optional<Instant> revoked;
};

// Where events come from: one app, site, import or partner.
struct Source {
  static constexpr int64_t kEventsPerSecondMax = 1'000'000'000;

  SourceId id;                  // 0 until the project gives it one
  std::string name;             // unique in the project
  ChannelReading channel = {};  // of events that say nothing of it
  bool enabled = true;
  // What is let in of it; 0 = no limit.
  uint32_t events_per_second = 0;
  uint32_t events_per_second_per_address = 0;  // of each sender's address
  std::vector<WriteKey> keys;
};

// A name stands in addresses, commands, figures and names of files: 1 to 64 bytes, letters and digits of any
// script, and between them ., _, - and single spaces. Sources of before that rule keep theirs.
bool is_source_name(std::string_view name);

// The body of a definition. InvalidArgument says which member is wrong.
std::string to_json(const Source& source);
absl::StatusOr<Source> parse_source(std::string_view json);

// What a file says of a source: everything but its name, its id and its keys, which `before` has, if it is
// there already.
std::string to_file(const Source& source);
absl::StatusOr<Source> source_from_file(std::string_view name, std::string_view json, const Source* before);

}  // namespace kehu::definition
