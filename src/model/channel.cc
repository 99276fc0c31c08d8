#include "model/channel.h"

#include <algorithm>
#include <utility>

#include "base/plain_text.h"

namespace kehu {
namespace {

struct Spellings {
  std::string_view name;      // as it is kept
  std::string_view spelt_as;  // folded, separated by blanks
};

// Folded: small letters, half width, without blanks and - _ . /
constexpr Spellings kSpellings[] = {
    {"web",
     "web website webpage browser h5 wap pc site www mobileweb webapp pcweb 网站 网页 官网 浏览器 "
     "商城"},
    {"app",
     "app mobile mobileapp nativeapp ios android iphone ipad harmony harmonyos 应用 客户端 手机 手机app "
     "移动端 "
     "安卓 苹果 鸿蒙"},
    {"mini_program",
     "miniprogram miniprograms miniapp minigame wechatminiprogram wechatminiapp wechatmini weixinminiprogram "
     "wxminiprogram weapp wxapp wxmini alipayminiprogram alipaymini baidumini bytedancemini qqmini 小程序 "
     "微信小程序 支付宝小程序 百度小程序 抖音小程序 快应用 小游戏"},
    {"shop",
     "shop store pos retail retailstore offline instore counter brickandmortar 门店 店铺 店 线下 线下门店 "
     "实体店 专柜 柜台"},
    {"service",
     "service callcenter callcentre customerservice customersupport support helpdesk hotline ivr 客服 "
     "呼叫中心 电话客服 在线客服 热线 客户服务"},
    {"server", "server backend serverside api 服务端 服务器 后端 后台"},
    {"device", "device iot 设备 物联网 智能设备"},
    {"partner", "partner reseller distributor 合作伙伴 合作方 经销商 分销"},
    {"email", "email mail edm newsletter 邮件 电子邮件 邮箱"},
    {"sms", "sms textmessage mms 短信 彩信"},
    {"push", "push pushnotification apppush webpush 推送 消息推送"},
    {"wecom", "wecom wxwork workwechat wechatwork enterprisewechat qywx qyweixin 企业微信 企微"},
    {"wechat", "wechat weixin wx officialaccount wechatofficialaccount 微信 公众号 微信公众号 服务号 订阅号"},
    {"whatsapp", "whatsapp whatsappbusiness"},
    {"live", "live livestream livestreaming 直播 直播间"},
};

constexpr std::pair<std::string_view, Channel> kNumbered[] = {
    {"unknown", Channel::kUnknown}, {"web", Channel::kWeb},
    {"app", Channel::kApp},         {"mini_program", Channel::kMiniProgram},
    {"shop", Channel::kShop},       {"service", Channel::kService},
    {"server", Channel::kServer},   {"device", Channel::kDevice},
    {"partner", Channel::kPartner},
};

// What libraries call themselves, in small letters. Suffixes of names that are told apart by them stand in
// kLibraryParts.
constexpr std::pair<std::string_view, Channel> kLibraries[] = {
    {"js", Channel::kWeb},           {"web", Channel::kWeb},
    {"analytics.js", Channel::kWeb}, {"rudderlabs javascript sdk", Channel::kWeb},
    {"posthog-js", Channel::kWeb},   {"posthog-js-lite", Channel::kWeb},
    {"kehu-browser", Channel::kWeb}, {"android", Channel::kApp},
    {"ios", Channel::kApp},          {"macos", Channel::kApp},
    {"harmonyos", Channel::kApp},    {"harmony", Channel::kApp},
    {"flutter", Channel::kApp},      {"reactnative", Channel::kApp},
    {"react native", Channel::kApp}, {"unity", Channel::kApp},
    {"weex", Channel::kApp},         {"apicloud", Channel::kApp},
    {"quickapp", Channel::kApp},     {"python", Channel::kServer},
    {"java", Channel::kServer},      {"node", Channel::kServer},
    {"php", Channel::kServer},       {"ruby", Channel::kServer},
    {"golang", Channel::kServer},    {"go", Channel::kServer},
    {"csharp", Channel::kServer},    {"dotnet", Channel::kServer},
    {"net", Channel::kServer},       {"c++", Channel::kServer},
    {"cpp", Channel::kServer},       {"c", Channel::kServer},
    {"lua", Channel::kServer},       {"rust", Channel::kServer},
    {"clojure", Channel::kServer},   {"elixir", Channel::kServer},
    {"http", Channel::kServer},
};

// Names such as "analytics-node", "posthog-python", "@segment/analytics-react-native", "analytics-kotlin".
// The first that a name has as a word of its own.
constexpr std::pair<std::string_view, Channel> kLibraryParts[] = {
    {"react-native", Channel::kApp}, {"reactnative", Channel::kApp}, {"android", Channel::kApp},
    {"ios", Channel::kApp},          {"swift", Channel::kApp},       {"kotlin", Channel::kApp},
    {"flutter", Channel::kApp},      {"unity", Channel::kApp},       {"unreal", Channel::kApp},
    {"browser", Channel::kWeb},      {"next", Channel::kWeb},        {"js", Channel::kWeb},
    {"javascript", Channel::kWeb},   {"web", Channel::kWeb},         {"node", Channel::kServer},
    {"nodejs", Channel::kServer},    {"python", Channel::kServer},   {"java", Channel::kServer},
    {"go", Channel::kServer},        {"golang", Channel::kServer},   {"php", Channel::kServer},
    {"ruby", Channel::kServer},      {"rust", Channel::kServer},     {"dotnet", Channel::kServer},
    {"net", Channel::kServer},       {"csharp", Channel::kServer},   {"elixir", Channel::kServer},
    {"clojure", Channel::kServer},   {"server", Channel::kServer},
};

std::string without_marks(std::string_view folded) {
  std::string out;
  for (const char c : folded) {
    if (c != ' ' && c != '-' && c != '_' && c != '.' && c != '/') out.push_back(c);
  }
  return out;
}

bool has_word(std::string_view text, std::string_view word, std::string_view between) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || between.find(text[at - 1]) != std::string_view::npos;
    const bool ends = end == text.size() || between.find(text[end]) != std::string_view::npos;
    if (begins && ends) return true;
  }
  return false;
}

std::string cut(std::string text) {
  if (text.size() <= ChannelName::kBytes) return text;
  size_t size = ChannelName::kBytes;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
  return text;
}

std::string small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool contains(std::string_view text, std::string_view piece) {
  return text.find(piece) != std::string_view::npos;
}

ChannelReading listed(std::string_view name) {
  for (const auto& [known, channel] : kNumbered) {
    if (name == known) return {.channel = channel, .other = {}, .listed = true};
  }
  return {.channel = Channel::kOther, .other = std::string(name), .listed = true};
}

}  // namespace

std::string_view to_string(Channel channel) {
  const auto* const found = std::find_if(std::begin(kNumbered), std::end(kNumbered),
                                         [channel](const auto& entry) { return entry.second == channel; });
  return found == std::end(kNumbered) ? "other" : found->first;
}

std::string_view to_string(ChannelName channel) {
  return channel.channel == Channel::kOther ? channel.text : to_string(channel.channel);
}

ChannelReading read_channel(std::string_view text) {
  // What clients send in almost every event.
  for (const auto& [name, channel] : kNumbered) {
    if (text == name) return {.channel = channel, .other = {}, .listed = true};
  }
  std::string folded = fold_text(text.substr(0, 4 * ChannelName::kBytes));
  const std::string bare = without_marks(folded);
  if (bare.empty() || bare == "unknown" || bare == "未知") return listed("unknown");
  for (const Spellings& channel : kSpellings) {
    if (has_word(channel.spelt_as, bare, " ")) return listed(channel.name);
  }
  return {.channel = Channel::kOther, .other = cut(std::move(folded)), .listed = false};
}

Channel channel_of_library(std::string_view library) {
  if (library.empty() || library.size() > ChannelName::kBytes) return Channel::kUnknown;
  const std::string name = small_letters(library);
  // MiniProgram, AlipayMini, BaiduMini, MiniGame, kehu-mini-program…
  if (contains(name, "mini")) return Channel::kMiniProgram;
  for (const auto& [known, channel] : kLibraries) {
    if (name == known) return channel;
  }
  for (const auto& [part, channel] : kLibraryParts) {
    if (has_word(name, part, "-_./@ ")) return channel;
  }
  return Channel::kUnknown;
}

Channel channel_of_user_agent(std::string_view user_agent) {
  if (!user_agent.starts_with("Mozilla/")) return Channel::kUnknown;
  return contains(user_agent, "miniProgram") || contains(user_agent, "MiniProgram") ? Channel::kMiniProgram
                                                                                    : Channel::kWeb;
}

}  // namespace kehu
