#include "demo/event_text.h"

#include <charconv>
#include <chrono>
#include <cstdio>

#include "demo/random.h"

namespace kehu::demo {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr char kHex[] = "0123456789abcdef";

constexpr std::string_view kNotes[] = {"通勤穿搭一周不重样", "平价好物红黑榜",  "小个子显高公式",
                                       "黄皮显白口红实测",   "宝妈囤货清单",    "租房改造前后对比",
                                       "周末露营装备分享",   "早八人十分钟妆容"};
constexpr std::string_view kAuthors[] = {"小鹿今天穿什么", "阿may的衣橱", "成分党老陈", "柚子妈妈",
                                         "一颗薄荷糖"};
constexpr std::string_view kTopics[] = {"退换货",     "物流查询", "商品咨询",
                                        "优惠券使用", "会员积分", "产品质量"};
constexpr std::string_view kIosModels[] = {"iPhone 13", "iPhone 14", "iPhone 15 Pro", "iPhone 16"};
constexpr std::string_view kAndroidModels[] = {"HUAWEI Mate 60", "Xiaomi 14", "OPPO Reno11", "vivo X100",
                                               "HONOR 100"};
constexpr std::string_view kPayments[] = {"微信支付", "支付宝", "花呗分期", "银行卡"};

// The random bits alone would repeat when a run goes on with other traffic than another of the same seed did.
uint64_t message_number(const EventText::Moment& moment) {
  return mix(moment.bits ^ mix(static_cast<uint64_t>(moment.time.micros())));
}

template <size_t N>
std::string_view pick(const std::string_view (&table)[N], uint64_t bits) {
  return table[bits % N];
}

void append_number(uint64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_padded(uint64_t number, int width, char* to) {
  for (int i = width - 1; i >= 0; --i, number /= 10) to[i] = static_cast<char>('0' + number % 10);
}

std::string_view event_name(const Visit& visit) {
  switch (visit.step) {
    case Step::kArrive:
      return visit.channel == Channel::kApp ? "Application Opened" : "Store Visited";
    case Step::kNote:
      return "Note Viewed";
    case Step::kSearch:
      return "Products Searched";
    case Step::kList:
      return "Product List Viewed";
    case Step::kView:
      return "Product Viewed";
    case Step::kAdd:
      return "Product Added";
    case Step::kWish:
      return "Product Added to Wishlist";
    case Step::kCart:
      return "Cart Viewed";
    case Step::kCheckout:
      return "Checkout Started";
    case Step::kOrder:
      return "Order Completed";
    case Step::kTryOn:
      return "Product Tried On";
    case Step::kRefund:
      return "Order Refunded";
    case Step::kTicketOpened:
      return "Ticket Opened";
    case Step::kTicketClosed:
      return "Ticket Closed";
    default:
      return "";
  }
}

}  // namespace

void TimeText::append(Instant time, std::string& out) {
  const int64_t micros = time.micros();
  const int64_t day = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  if (day != day_) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days(day)}};
    append_padded(static_cast<uint64_t>(static_cast<int>(date.year())), 4, date_);
    append_padded(static_cast<unsigned>(date.month()), 2, date_ + 5);
    append_padded(static_cast<unsigned>(date.day()), 2, date_ + 8);
    date_[4] = date_[7] = '-';
    day_ = day;
  }
  const auto millis = static_cast<uint64_t>((micros - day * kMicrosPerDay) / 1000);
  char clock[] = "T00:00:00.000Z";
  append_padded(millis / 3'600'000, 2, clock + 1);
  append_padded(millis / 60'000 % 60, 2, clock + 4);
  append_padded(millis / 1000 % 60, 2, clock + 7);
  append_padded(millis % 1000, 3, clock + 10);
  out.append(date_, sizeof date_).append(clock, sizeof clock - 1);
}

void append_message_id(uint64_t run, uint64_t number, std::string& out) {
  char text[29];
  for (int i = 0; i < 12; ++i) text[i] = kHex[run >> (i * 4) & 15];
  text[12] = '-';
  for (int i = 0; i < 16; ++i) text[13 + i] = kHex[number >> (60 - i * 4) & 15];
  out.append(text, sizeof text);
}

void EventText::append(const Visit& visit, const Moment& moment, std::string& out) {
  append_head(visit, out);
  append_envelope(visit, moment, out);
  append_context(visit, moment, out);
  append_body(visit, moment, out);
  out.push_back('}');
}

void EventText::append_head(const Visit& visit, std::string& out) {
  if (visit.step == Step::kLogin) {
    out.append("{\"type\":\"identify\"");
  } else if (visit.step == Step::kArrive && visit.channel == Channel::kWeb) {
    out.append("{\"type\":\"page\",\"name\":\"首页\"");
  } else if (visit.step == Step::kArrive && visit.channel == Channel::kMiniProgram) {
    out.append("{\"type\":\"screen\",\"name\":\"首页\"");
  } else {
    out.append("{\"type\":\"track\",\"event\":\"").append(event_name(visit)).push_back('"');
  }
}

void EventText::append_envelope(const Visit& visit, const Moment& moment, std::string& out) {
  append_identity(visit, out);
  out.append(",\"messageId\":\"");
  append_message_id(run_, message_number(moment), out);
  out.append("\",\"timestamp\":\"");
  time_.append(moment.time, out);
  out.append("\",\"channel\":\"").append(to_string(visit.channel)).push_back('"');
}

void EventText::append_identity(const Visit& visit, std::string& out) {
  if (visit.known || visit.step == Step::kLogin) {
    out.append(",\"userId\":\"");
    population_.append_member_no(visit.customer, out);
    out.push_back('"');
  }
  if (visit.channel == Channel::kService) return;
  if (visit.channel == Channel::kShop) {
    // A till knows nobody: a receipt without a member card stands for itself.
    if (visit.known) return;
    out.append(",\"anonymousId\":\"pos-");
    append_number(visit.order_no, out);
  } else {
    out.append(",\"anonymousId\":\"");
    population_.append_device_id(visit.device_owner, visit.channel, out);
  }
  out.push_back('"');
}

void EventText::append_context(const Visit& visit, const Moment& moment, std::string& out) {
  out.append(",\"context\":{");
  if (visit.channel == Channel::kApp) {
    out.append("\"device\":{\"id\":\"");
    population_.append_device_id(visit.device_owner, Channel::kDevice, out);
    out.append("\",\"type\":\"").append(visit.ios ? "ios" : "android").append("\",\"model\":\"");
    out.append(visit.ios ? pick(kIosModels, visit.device_owner) : pick(kAndroidModels, visit.device_owner));
    out.append("\"},\"app\":{\"name\":\"客湖优选\",\"version\":\"8.2.1\"}");
  } else if (visit.channel == Channel::kMiniProgram) {
    out.append("\"app\":{\"name\":\"客湖优选小程序\"},\"os\":{\"name\":\"")
        .append(visit.ios ? "iOS" : "Android")
        .append("\"}");
  } else if (visit.channel == Channel::kWeb) {
    out.append("\"page\":{\"url\":\"https://shop.example.cn/\",\"path\":\"/\"},\"locale\":\"zh-CN\"");
  } else {
    out.append("\"locale\":\"zh-CN\"");
  }
  if (visit.campaign != nullptr && visit.step == Step::kArrive) {
    out.append(",\"campaign\":{\"name\":\"").append(visit.campaign->name).append("\",\"source\":\"");
    out.append(moment.bits % 4 == 0 ? "百度" : visit.campaign->source).append("\",\"medium\":\"cpc\"}");
  }
  out.push_back('}');
}

void EventText::append_body(const Visit& visit, const Moment& moment, std::string& out) {
  if (visit.step == Step::kLogin) return append_traits(visit, moment, out);
  out.append(",\"properties\":{");
  const Product& product = catalog_.product(visit.product);
  switch (visit.step) {
    case Step::kArrive:
      append_arrival(visit, out);
      break;
    case Step::kNote:
      append_note(moment, out);
      break;
    case Step::kSearch:
      out.append("\"query\":\"").append(category_name(visit.favourite_category)).push_back('"');
      break;
    case Step::kList:
      out.append("\"category\":\"")
          .append(category_name(visit.favourite_category))
          .append("\",\"list_id\":\"推荐\"");
      break;
    case Step::kAdd:
      out.append(product.json).append(",\"currency\":\"CNY\",\"quantity\":");
      append_number(visit.basket[visit.basket_size - 1u].quantity, out);
      break;
    case Step::kTryOn:
      out.append(product.json).push_back(',');
      append_store(visit, out);
      break;
    case Step::kCart:
      append_products(visit, out);
      break;
    case Step::kCheckout:
    case Step::kOrder:
      append_order(visit, out);
      break;
    case Step::kRefund:
      append_refund(visit, out);
      break;
    case Step::kTicketOpened:
    case Step::kTicketClosed:
      append_ticket(visit, moment, out);
      break;
    default:
      out.append(product.json).append(",\"currency\":\"CNY\"");
      break;
  }
  if (visit.step == Step::kOrder) {
    out.append(",\"payment_method\":\"").append(pick(kPayments, moment.bits % 7)).push_back('"');
  }
  out.push_back('}');
}

void EventText::append_traits(const Visit& visit, const Moment& moment, std::string& out) {
  const Person person = population_.person(visit.customer);
  out.append(",\"traits\":{");
  append_phone_trait(visit, moment, out);
  out.append(",\"name\":\"");
  population_.append_name(person, out);
  out.append("\",\"gender\":\"").append(population_.gender(person)).append("\",\"birth_year\":");
  append_number(static_cast<uint64_t>(population_.birth_year(person)), out);
  out.append(",\"city\":\"")
      .append(city(person.city).name)
      .append("\",\"province\":\"")
      .append(city(person.city).province);
  if (population_.has_email(person)) {
    out.append("\",\"email\":\"");
    population_.append_member_no(person.index, out);
    out.append("@example.cn");
  }
  if (visit.channel == Channel::kMiniProgram) {
    out.append("\",\"union_id\":\"");
    population_.append_wechat_id(person.index, "oU", out);
    out.append("\",\"open_id\":\"");
    population_.append_wechat_id(person.index, "oP", out);
  }
  out.append("\"}");
}

void EventText::append_phone_trait(const Visit& visit, const Moment& moment, std::string& out) {
  out.append("\"phone\":\"");
  // Some people, and some shop assistants, type what the form accepts.
  const uint64_t luck = moment.bits >> 20 & 511;
  if (luck == 0) {
    out.append("13800138000");
  } else if (luck == 1) {
    out.append("00000000000");
  } else {
    if (luck % 8 == 2) out.append("+86 ");
    population_.append_phone(visit.customer, out);
  }
  out.push_back('"');
}

void EventText::append_arrival(const Visit& visit, std::string& out) {
  if (visit.channel == Channel::kShop) return append_store(visit, out);
  if (visit.channel == Channel::kApp) {
    out.append("\"from_background\":").append(visit.newcomer ? "false" : "true");
  } else {
    out.append("\"path\":\"").append(visit.campaign != nullptr ? "/campaign" : "/").push_back('"');
  }
}

void EventText::append_order_id(const Visit& visit, std::string& out) {
  out.append("\"order_id\":\"D");
  append_number(visit.order_no, out);
  out.push_back('"');
}

void EventText::append_order(const Visit& visit, std::string& out) {
  const Fen total = visit.basket_total(catalog_);
  const Fen discount = visit.discount(catalog_);
  append_order_id(visit, out);
  out.append(",\"revenue\":");
  append_yuan(total - discount, out);
  out.append(",\"total\":");
  append_yuan(total - discount, out);
  out.append(",\"discount\":");
  append_yuan(discount, out);
  out.append(",\"currency\":\"CNY\",");
  if (visit.channel == Channel::kShop) {
    append_store(visit, out);
    out.push_back(',');
  }
  append_products(visit, out);
}

void EventText::append_products(const Visit& visit, std::string& out) {
  out.append("\"products\":[");
  for (uint8_t i = 0; i < visit.basket_size; ++i) {
    out.append(i == 0 ? "{" : ",{")
        .append(catalog_.product(visit.basket[i].product).json)
        .append(",\"quantity\":");
    append_number(visit.basket[i].quantity, out);
    out.push_back('}');
  }
  out.push_back(']');
}

void EventText::append_refund(const Visit& visit, std::string& out) {
  append_order_id(visit, out);
  out.append(",\"total\":");
  append_yuan(visit.basket_total(catalog_) - visit.discount(catalog_), out);
  out.append(",\"currency\":\"CNY\",\"reason\":\"七天无理由退货\"");
}

void EventText::append_ticket(const Visit& visit, const Moment& moment, std::string& out) {
  out.append("\"ticket_id\":\"T");
  append_number(visit.order_no, out);
  out.append("\",\"topic\":\"").append(kTopics[visit.topic % std::size(kTopics)]).push_back('"');
  if (visit.step == Step::kTicketClosed) {
    out.append(",\"satisfaction\":");
    append_number(5 - (moment.bits % 10 < 6 ? 0 : moment.bits % 4), out);
  }
}

void EventText::append_note(const Moment& moment, std::string& out) {
  const uint64_t note = moment.bits % (std::size(kNotes) * std::size(kAuthors));
  out.append("\"note_id\":\"n");
  append_number(1000 + note, out);
  out.append("\",\"title\":\"").append(pick(kNotes, note)).append("\",\"author\":\"");
  out.append(pick(kAuthors, note / std::size(kNotes))).append("\",\"platform\":\"小红书\"");
}

void EventText::append_store(const Visit& visit, std::string& out) {
  const Store& store = catalog_.store(visit.store);
  out.append("\"store_id\":\"").append(store.id).append("\",\"store\":\"").append(store.name);
  out.append("\",\"city\":\"").append(city(store.city).name).push_back('"');
}

void EventText::append_broken(const Visit& visit, const Moment& moment, Fault fault, std::string& out) {
  if (fault == Fault::kNotAnObject) {
    out.append("\"undefined\"");
    return;
  }
  out.append("{");
  if (fault != Fault::kNoType) out.append("\"type\":\"track\",");
  if (fault != Fault::kNoEventName) out.append("\"event\":\"Product Viewed\",");
  out.append("\"messageId\":\"");
  append_message_id(run_, message_number(moment), out);
  out.append("\",\"timestamp\":\"");
  if (fault == Fault::kBadTime) {
    out.append("2026-13-45 25:61:00");
  } else {
    time_.append(fault == Fault::kFutureTime ? moment.time + Duration::days(30'000) : moment.time, out);
  }
  out.push_back('"');
  if (fault != Fault::kNobody) {
    out.append(",\"anonymousId\":\"");
    population_.append_device_id(visit.device_owner, visit.channel, out);
    out.push_back('"');
  }
  out.append(",\"properties\":")
      .append(fault == Fault::kPropertiesAreText ? "\"[object Object]\"" : "{}")
      .push_back('}');
}

}  // namespace kehu::demo
