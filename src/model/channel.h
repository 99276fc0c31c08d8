#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kehu {

// Values are stored: never renumber.
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
  kOther = 15,  // a text of its own stands beside it
};
inline constexpr int kChannelCount = 9;  // numbered ones
// "web", "mini_program"…; kOther has no name of its own.
std::string_view to_string(Channel channel);

// A numbered channel, or any other by its name. A view.
struct ChannelName {
  Channel channel = Channel::kUnknown;
  std::string_view text;  // of kOther alone; 1 to kBytes

  static constexpr size_t kBytes = 64;

  constexpr ChannelName() = default;
  constexpr ChannelName(Channel numbered) : channel(numbered) {}
  constexpr explicit ChannelName(std::string_view other) : channel(Channel::kOther), text(other) {}

  bool operator==(const ChannelName&) const = default;
};
std::string_view to_string(ChannelName channel);

// What a client, a file or a person wrote, as it is kept.
struct ChannelReading {
  Channel channel = Channel::kUnknown;
  std::string other;    // of kOther
  bool listed = false;  // it is one that the table knows (docs/channels.md)

  ChannelName name() const { return other.empty() ? ChannelName(channel) : ChannelName(other); }
  operator ChannelName() const { return name(); }
  bool operator==(const ChannelReading&) const = default;
};

// The channel of a text: its case, width, blanks and - _ . / do not matter for those that the table knows;
// any other text is kept in small letters and half width, cut at a character to ChannelName::kBytes. Nothing
// is the unknown channel.
ChannelReading read_channel(std::string_view text);

// The channel that a client library is for, by the name it sends ("analytics.js", "posthog-python", "js",
// "MiniProgram"); kUnknown for names nobody knows.
Channel channel_of_library(std::string_view library);

// Web, or the mini-program of a super-app, by a browser's user agent; kUnknown for everything else.
Channel channel_of_user_agent(std::string_view user_agent);

// Where people use something: its library says more than what a source is said to be.
constexpr bool is_client(Channel channel) {
  return channel == Channel::kWeb || channel == Channel::kApp || channel == Channel::kMiniProgram;
}

}  // namespace kehu
