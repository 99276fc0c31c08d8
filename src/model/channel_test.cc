#include "model/channel.h"

#include <gtest/gtest.h>

namespace kehu {
namespace {

TEST(Channel, EveryTextIsAChannel) {
  struct Case {
    const char* given;
    const char* want;
    bool listed;
  };
  const Case cases[] = {
      {"web", "web", true},
      {"WEB", "web", true},
      {" Web ", "web", true},
      {"ＷＥＢ", "web", true},
      {"H5", "web", true},
      {"App", "app", true},
      {"iOS", "app", true},
      {"mini-program", "mini_program", true},
      {"Mini Program", "mini_program", true},
      {"miniProgram", "mini_program", true},
      {"小程序", "mini_program", true},
      {"微信小程序", "mini_program", true},
      {"门店", "shop", true},
      {"store", "shop", true},
      {"POS", "shop", true},
      {"Call Center", "service", true},
      {"call_centre", "service", true},
      {"客服", "service", true},
      {"server-side", "server", true},
      {"IoT", "device", true},
      {"email", "email", true},
      {"E-Mail", "email", true},
      {"邮件", "email", true},
      {"SMS", "sms", true},
      {"短信", "sms", true},
      {"wecom", "wecom", true},
      {"企业微信", "wecom", true},
      {"公众号", "wechat", true},
      {"WhatsApp", "whatsapp", true},
      {"", "unknown", true},
      {" - ", "unknown", true},
      {"Unknown", "unknown", true},
      {"zeppelin", "zeppelin", false},
      {" Zeppelin　", "zeppelin", false},
      {"抖音旗舰店", "抖音旗舰店", false},
      {"TikTok-Shop", "tiktok-shop", false},
      {"other", "other", false},
      {"ap", "ap", false},
  };
  for (const Case& c : cases) {
    const ChannelReading got = read_channel(c.given);
    EXPECT_EQ(to_string(got.name()), c.want) << c.given;
    EXPECT_EQ(got.listed, c.listed) << c.given;
    const ChannelReading again = read_channel(to_string(got.name()));
    EXPECT_EQ(again.name(), got.name()) << c.given;
  }
}

TEST(Channel, ALongTextIsCutAtACharacter) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "店";
  const ChannelReading got = read_channel(text);
  EXPECT_EQ(got.other, text.substr(0, 63));
  EXPECT_LE(read_channel(std::string(100'000, ' ') + "x").other.size(), ChannelName::kBytes);
}

TEST(Channel, NumbersAreFixed) {
  const char* const names[] = {"unknown", "web",    "app",    "mini_program", "shop",
                               "service", "server", "device", "partner"};
  for (int i = 0; i < kChannelCount; ++i) {
    EXPECT_EQ(to_string(static_cast<Channel>(i)), names[i]);
    EXPECT_EQ(read_channel(names[i]).channel, static_cast<Channel>(i));
  }
}

TEST(Channel, OfLibraries) {
  struct Case {
    const char* library;
    Channel want;
  };
  const Case cases[] = {
      {"js", Channel::kWeb},
      {"web", Channel::kWeb},
      {"analytics.js", Channel::kWeb},
      {"analytics-next", Channel::kWeb},
      {"RudderLabs JavaScript SDK", Channel::kWeb},
      {"posthog-js", Channel::kWeb},
      {"kehu-browser", Channel::kWeb},
      {"kehu-miniprogram", Channel::kMiniProgram},
      {"MiniProgram", Channel::kMiniProgram},
      {"AlipayMini", Channel::kMiniProgram},
      {"Android", Channel::kApp},
      {"iOS", Channel::kApp},
      {"analytics-kotlin", Channel::kApp},
      {"posthog-ios", Channel::kApp},
      {"posthog-react-native", Channel::kApp},
      {"@segment/analytics-react-native", Channel::kApp},
      {"com.rudderstack.android.sdk.core", Channel::kApp},
      {"analytics-node", Channel::kServer},
      {"@segment/analytics-node", Channel::kServer},
      {"analytics-python", Channel::kServer},
      {"posthog-python", Channel::kServer},
      {"posthog-go", Channel::kServer},
      {"posthog-node", Channel::kServer},
      {"analytics-java", Channel::kServer},
      {"Analytics.NET", Channel::kServer},
      {"Node", Channel::kServer},
      {"python", Channel::kServer},
      {"Fridge", Channel::kUnknown},
      {"", Channel::kUnknown},
      {"gopher", Channel::kUnknown},
  };
  for (const Case& c : cases) EXPECT_EQ(channel_of_library(c.library), c.want) << c.library;
}

TEST(Channel, OfUserAgents) {
  EXPECT_EQ(channel_of_user_agent("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"), Channel::kWeb);
  EXPECT_EQ(channel_of_user_agent("Mozilla/5.0 (iPhone) MicroMessenger/8.0 miniProgram/wx1"),
            Channel::kMiniProgram);
  EXPECT_EQ(channel_of_user_agent("curl/8.0"), Channel::kUnknown);
  EXPECT_EQ(channel_of_user_agent(""), Channel::kUnknown);
}

}  // namespace
}  // namespace kehu
