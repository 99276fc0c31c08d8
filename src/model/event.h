#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/channel.h"
#include "model/ids.h"

namespace kehu {

// Values are stored: never renumber.
enum class EventType : uint8_t { kTrack = 1, kIdentify = 2, kPage = 3, kScreen = 4, kGroup = 5, kAlias = 6 };
std::string_view to_string(EventType type);

// Why an identifier of an accepted event was not used to find its customer. Stored: never renumber.
enum class LeftOut : uint8_t {
  kNo = 0,
  kBlocked = 1,         // a blocked value or pattern ("0", "null", test numbers)
  kInvalid = 2,         // the normaliser of its type could not read it
  kUniqueConflict = 3,  // would give one customer two values of a unique type
  kLimit = 4,           // the customer already has as many of this type as the period allows
  kWeak = 5,            // a weak type never joins two known customers
  kShared = 6,          // the identifier belongs to a device or address shared by several customers
  kUnmerged = 7,        // the two sides were taken apart by a person
  kDigitsLost = 8,      // a spreadsheet rounded it (1.23457E+17): nobody can tell whose it was
  kSeveral = 9,         // two values in one field: nobody can tell which one was meant
};
inline constexpr size_t kLeftOutCount = 10;
std::string_view to_string(LeftOut reason);
// What an operator can do about it; empty when there is nothing to say.
std::string_view advice(LeftOut reason);

// What an identifier is worth as long as nothing better is known of it. Stored: never renumber.
enum class Standing : uint8_t {
  kFirm = 0,
  kAssumed = 1,  // taken for a user id without anybody saying so: does not count as a unique value
  kPassing = 2,  // came from a server's library beside a user id, and may be made up for that one call
};

// An identifier behind the door: its token, and its value as clear text or, when its type is personal,
// sealed.
struct Identifier {
  IdentifierTypeId type;
  LeftOut left_out = LeftOut::kNo;
  bool sealed = false;
  // Set on the second identifier of an alias call: the value may be known as another type as well.
  bool previous = false;
  // Not named by the event, but the value of identifiers[named] under another type: used only where it is
  // known and that is not. An event of nothing but alternatives (of themselves) names nobody new.
  bool alternative = false;
  uint8_t named = 0;
  Standing standing = Standing::kFirm;
  Token token;
  std::string_view value;
};

// The canonical event, as the log carries it. Views point into the bytes it was decoded from; a decoder's
// caller keeps those alive. Texts are UTF-8; JSON texts are validated objects ("{}" when empty) in which
// personal fields are already sealed.
struct Event {
  ProjectId project;
  SourceId source;
  EventType type = EventType::kTrack;
  ChannelName channel;
  Instant time;            // corrected by the client's clock error; decides windows
  Instant received_at;     // of the request
  Instant original_time;   // as the client wrote it; equal to `time` when it needed no correction
  Hash128 message_key;     // hash of (project, source, message id): the key of de-duplication
  uint64_t body_hash = 0;  // of the content without transport fields: tells a repeat from a conflict
  std::string_view message_id;
  std::string_view name;  // of a track event; page/screen name; group id for group; empty for identify
  std::string_view properties;
  std::string_view traits;
  std::string_view context;
  absl::Span<const Identifier> identifiers;  // strongest first, as the settings order them

  NameId name_id() const { return kehu::name_id(name); }
};

}  // namespace kehu
