#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace kehu {

// Values are stored: never renumber.
enum class EventType : uint8_t { kTrack = 1, kIdentify = 2, kPage = 3, kScreen = 4, kGroup = 5, kAlias = 6 };
std::string_view to_string(EventType type);

enum class Channel : uint8_t {
  kUnknown = 0,
  kWeb = 1,
  kApp = 2,
  kMiniProgram = 3,
  kShop = 4,
  kService = 5,
  kServer = 6,
  kDevice = 7,
  kPartner = 8,
};
inline constexpr int kChannelCount = 9;
std::string_view to_string(Channel channel);
// Names as above plus the usual synonyms of SDKs ("browser", "mobile", "miniprogram"…); kUnknown for others.
Channel parse_channel(std::string_view name);

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
};
std::string_view to_string(LeftOut reason);

// An identifier behind the door: its token, and its value as clear text or, when its type is personal,
// sealed.
struct Identifier {
  IdentifierTypeId type;
  LeftOut left_out = LeftOut::kNo;
  bool sealed = false;
  // Set on the second identifier of an alias call: the value may be known as another type as well.
  bool previous = false;
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
  Channel channel = Channel::kUnknown;
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
