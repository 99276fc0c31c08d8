#include "demo/event_text.h"

#include "demo/random.h"
#include "demo/wire_text.h"

namespace kehu::demo {
namespace {

constexpr std::string_view kIosModels[] = {"iPhone 13", "iPhone 14", "iPhone 15 Pro", "iPhone 16"};
constexpr std::string_view kAndroidModels[] = {"HUAWEI Mate 60", "Xiaomi 14", "OPPO Reno11", "vivo X100",
                                               "HONOR 100"};

// The random bits alone would repeat when a run goes on with other traffic than another of the same seed did.
uint64_t message_number(const EventText::Moment& moment) {
  return mix(moment.bits ^ mix(static_cast<uint64_t>(moment.time.micros())));
}

template <size_t N>
std::string_view pick(const std::string_view (&table)[N], uint64_t bits) {
  return table[bits % N];
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
  properties_.append(visit, moment.bits, out);
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
