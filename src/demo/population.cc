#include "demo/population.h"

#include "demo/catalog.h"
#include "demo/random.h"

namespace kehu::demo {
namespace {

enum Purpose : uint64_t { kAttributes = 1, kName = 2, kWechat = 3, kDevice = 16 };

constexpr std::string_view kSurnames[] = {"王", "李", "张", "刘", "陈", "杨", "赵",   "黄",
                                          "周", "吴", "徐", "孙", "胡", "朱", "高",   "林",
                                          "何", "郭", "马", "罗", "梁", "宋", "欧阳", "上官"};
constexpr std::string_view kGivenFemale[] = {"静",   "雨桐", "丽", "欣怡", "思涵", "婷",
                                             "梓涵", "晓燕", "芳", "雪",   "佳琪", "敏"};
constexpr std::string_view kGivenMale[] = {"伟", "浩然", "强", "子轩", "磊", "宇航",
                                           "军", "志远", "杰", "俊豪", "涛", "明"};
constexpr std::string_view kPhonePrefixes[] = {"130", "135", "136", "137", "138", "139", "150", "151",
                                               "158", "159", "176", "177", "186", "187", "188", "189"};
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char kHex[] = "0123456789abcdef";

void append_digits(uint64_t number, int digits, std::string& out) {
  char text[20];
  for (int i = digits - 1; i >= 0; --i, number /= 10) text[i] = static_cast<char>('0' + number % 10);
  out.append(text, static_cast<size_t>(digits));
}

// A few regulars make most of the visits.
double activity_of(uint64_t bits) {
  const uint64_t percent = bits % 100;
  if (percent < 6) return 1.0;
  if (percent < 20) return 0.5;
  if (percent < 55) return 0.2;
  return 0.08;
}

}  // namespace

bool Person::uses(Channel channel) const {
  const uint64_t percent = bits >> 48 & 127;
  switch (channel) {
    case Channel::kApp:
      return percent < 70;
    case Channel::kMiniProgram:
      return percent > 25;
    case Channel::kWeb:
      return (bits >> 40 & 127) < 40;
    case Channel::kShop:
      return (bits >> 32 & 127) < 60;
    default:
      return true;
  }
}

uint64_t Population::mix_with_seed(uint64_t value) const { return mix(seed_ ^ mix(value)); }

Person Population::person(uint32_t index) const {
  Person out;
  out.index = index;
  out.bits = bits(index, kAttributes);
  out.activity = activity_of(out.bits >> 8);
  out.favourite_category = static_cast<uint8_t>((out.bits >> 16) % category_count());
  out.city = city_of(out.bits >> 20 & 0xfffff);
  out.joins = (out.bits >> 3 & 31) < 24;
  out.ios = (out.bits & 7) < 3;
  // Couples and families: the odd neighbour of some even customers uses the even one's phone and computer.
  const bool shares = index % 2 == 1 && (bits(index / 2, kAttributes) >> 25 & 31) == 0;
  out.device_owner = shares ? index - 1 : index;
  return out;
}

void Population::append_member_no(uint32_t index, std::string& out) const {
  out.append("M");
  append_digits(10'000'000 + uint64_t{index}, 8, out);
}

void Population::append_phone(uint32_t index, std::string& out) const {
  // Multiplying by a number prime to 10^8 permutes the eight digits, so neighbours look unrelated.
  const uint64_t digits = (uint64_t{index} * 38'709'121 + seed_ % 100'000'000) % 100'000'000;
  out.append(kPhonePrefixes[(index / 100'000'000 + digits) % std::size(kPhonePrefixes)]);
  append_digits(digits, 8, out);
}

void Population::append_name(const Person& person, std::string& out) const {
  const uint64_t random = bits(person.index, kName);
  out.append(kSurnames[random % std::size(kSurnames)]);
  const size_t given = (random >> 16) % std::size(kGivenFemale);
  out.append(gender(person) == "女" ? kGivenFemale[given] : kGivenMale[given]);
}

void Population::append_wechat_id(uint32_t index, std::string_view kind, std::string& out) const {
  out.append(kind);
  uint64_t random = bits(index, kWechat);
  const uint64_t unique = mix(random ^ index);
  for (int i = 0; i < 10; ++i, random >>= 6) out.push_back(kBase64[random & 63]);
  for (int i = 0; i < 10; ++i) out.push_back(kBase64[unique >> (i * 6) & 63]);
}

void Population::append_device_id(uint32_t owner, Channel channel, std::string& out) const {
  const uint64_t random = bits(owner, kDevice + static_cast<uint64_t>(channel));
  char text[16];
  for (int i = 0; i < 16; ++i) text[i] = kHex[random >> (i * 4) & 15];
  out.append(text, sizeof text);
}

std::string_view Population::gender(const Person& person) const {
  const uint64_t percent = person.bits >> 56 & 127;
  return percent < 80 ? "女" : "男";
}

int Population::birth_year(const Person& person) const {
  return 1958 + static_cast<int>((person.bits >> 12) % 48);
}

}  // namespace kehu::demo
