#include "model/event.h"

namespace kehu {

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::kTrack:
      return "track";
    case EventType::kIdentify:
      return "identify";
    case EventType::kPage:
      return "page";
    case EventType::kScreen:
      return "screen";
    case EventType::kGroup:
      return "group";
    case EventType::kAlias:
      return "alias";
  }
  return "unknown";
}

std::string_view to_string(LeftOut reason) {
  switch (reason) {
    case LeftOut::kNo:
      return "no";
    case LeftOut::kBlocked:
      return "blocked";
    case LeftOut::kInvalid:
      return "invalid";
    case LeftOut::kUniqueConflict:
      return "unique_conflict";
    case LeftOut::kLimit:
      return "limit";
    case LeftOut::kWeak:
      return "weak";
    case LeftOut::kShared:
      return "shared";
    case LeftOut::kUnmerged:
      return "unmerged";
    case LeftOut::kDigitsLost:
      return "digits_lost";
    case LeftOut::kSeveral:
      return "several_values";
  }
  return "unknown";
}

std::string_view advice(LeftOut reason) {
  switch (reason) {
    case LeftOut::kDigitsLost:
      return "the digits are gone: export the column as text";
    case LeftOut::kSeveral:
      return "two values in one field: export a column for each";
    default:
      return {};
  }
}

}  // namespace kehu
