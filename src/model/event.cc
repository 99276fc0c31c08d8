#include "model/event.h"

#include <array>
#include <utility>

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

std::string_view to_string(Channel channel) {
  switch (channel) {
    case Channel::kUnknown:
      return "unknown";
    case Channel::kWeb:
      return "web";
    case Channel::kApp:
      return "app";
    case Channel::kMiniProgram:
      return "mini_program";
    case Channel::kShop:
      return "shop";
    case Channel::kService:
      return "service";
    case Channel::kServer:
      return "server";
    case Channel::kDevice:
      return "device";
    case Channel::kPartner:
      return "partner";
  }
  return "unknown";
}

Channel parse_channel(std::string_view name) {
  static constexpr std::pair<std::string_view, Channel> kNames[] = {
      {"web", Channel::kWeb},
      {"browser", Channel::kWeb},
      {"app", Channel::kApp},
      {"mobile", Channel::kApp},
      {"ios", Channel::kApp},
      {"android", Channel::kApp},
      {"mini_program", Channel::kMiniProgram},
      {"miniprogram", Channel::kMiniProgram},
      {"shop", Channel::kShop},
      {"store", Channel::kShop},
      {"pos", Channel::kShop},
      {"service", Channel::kService},
      {"call_center", Channel::kService},
      {"server", Channel::kServer},
      {"device", Channel::kDevice},
      {"iot", Channel::kDevice},
      {"partner", Channel::kPartner},
  };
  for (const auto& [known, channel] : kNames) {
    if (name == known) return channel;
  }
  return Channel::kUnknown;
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
  }
  return "unknown";
}

}  // namespace kehu
