#include "demo/properties_text.h"

#include <iterator>
#include <string_view>

#include "demo/wire_text.h"

namespace kehu::demo {
namespace {

constexpr std::string_view kNotes[] = {"通勤穿搭一周不重样", "平价好物红黑榜",  "小个子显高公式",
                                       "黄皮显白口红实测",   "宝妈囤货清单",    "租房改造前后对比",
                                       "周末露营装备分享",   "早八人十分钟妆容"};
constexpr std::string_view kAuthors[] = {"小鹿今天穿什么", "阿may的衣橱", "成分党老陈", "柚子妈妈",
                                         "一颗薄荷糖"};
constexpr std::string_view kTopics[] = {"退换货",     "物流查询", "商品咨询",
                                        "优惠券使用", "会员积分", "产品质量"};
constexpr std::string_view kPayments[] = {"微信支付", "支付宝", "花呗分期", "银行卡"};

template <size_t N>
std::string_view pick(const std::string_view (&table)[N], uint64_t bits) {
  return table[bits % N];
}

}  // namespace

void PropertiesText::append(const Visit& visit, uint64_t bits, std::string& out) const {
  switch (visit.step) {
    case Step::kArrive:
      return append_arrival(visit, out);
    case Step::kNote:
      return append_note(bits, out);
    case Step::kSearch:
      out.append("\"query\":\"").append(category_name(visit.favourite_category)).push_back('"');
      return;
    case Step::kList:
      out.append("\"category\":\"")
          .append(category_name(visit.favourite_category))
          .append("\",\"list_id\":\"推荐\"");
      return;
    case Step::kAdd:
      return append_cart_line(visit, out);
    case Step::kTryOn:
      return append_try_on(visit, out);
    case Step::kCart:
      return append_products(visit, out);
    case Step::kCheckout:
      return append_order(visit, out);
    case Step::kOrder:
      append_order(visit, out);
      out.append(",\"payment_method\":\"").append(pick(kPayments, bits % 7)).push_back('"');
      return;
    case Step::kRefund:
      return append_refund(visit, out);
    case Step::kTicketOpened:
    case Step::kTicketClosed:
      return append_ticket(visit, bits, out);
    default:
      out.append(catalog_.product(visit.product).json).append(",\"currency\":\"CNY\"");
  }
}

void PropertiesText::append_arrival(const Visit& visit, std::string& out) const {
  if (visit.channel == Channel::kShop) return append_store(visit, out);
  if (visit.channel == Channel::kApp) {
    out.append("\"from_background\":").append(visit.newcomer ? "false" : "true");
  } else {
    out.append("\"path\":\"").append(visit.campaign != nullptr ? "/campaign" : "/").push_back('"');
  }
}

void PropertiesText::append_note(uint64_t bits, std::string& out) const {
  const uint64_t note = bits % (std::size(kNotes) * std::size(kAuthors));
  out.append("\"note_id\":\"n");
  append_number(1000 + note, out);
  out.append("\",\"title\":\"").append(pick(kNotes, note)).append("\",\"author\":\"");
  out.append(pick(kAuthors, note / std::size(kNotes))).append("\",\"platform\":\"小红书\"");
}

void PropertiesText::append_cart_line(const Visit& visit, std::string& out) const {
  out.append(catalog_.product(visit.product).json).append(",\"currency\":\"CNY\",\"quantity\":");
  append_number(visit.basket[visit.basket_size - 1u].quantity, out);
}

void PropertiesText::append_try_on(const Visit& visit, std::string& out) const {
  out.append(catalog_.product(visit.product).json).push_back(',');
  append_store(visit, out);
}

void PropertiesText::append_order_id(const Visit& visit, std::string& out) const {
  out.append("\"order_id\":\"D");
  append_number(visit.order_no, out);
  out.push_back('"');
}

void PropertiesText::append_order(const Visit& visit, std::string& out) const {
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

void PropertiesText::append_products(const Visit& visit, std::string& out) const {
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

void PropertiesText::append_refund(const Visit& visit, std::string& out) const {
  append_order_id(visit, out);
  out.append(",\"total\":");
  append_yuan(visit.basket_total(catalog_) - visit.discount(catalog_), out);
  out.append(",\"currency\":\"CNY\",\"reason\":\"七天无理由退货\"");
}

void PropertiesText::append_ticket(const Visit& visit, uint64_t bits, std::string& out) const {
  out.append("\"ticket_id\":\"T");
  append_number(visit.order_no, out);
  out.append("\",\"topic\":\"").append(kTopics[visit.topic % std::size(kTopics)]).push_back('"');
  if (visit.step == Step::kTicketClosed) {
    out.append(",\"satisfaction\":");
    append_number(5 - (bits % 10 < 6 ? 0 : bits % 4), out);
  }
}

void PropertiesText::append_store(const Visit& visit, std::string& out) const {
  const Store& store = catalog_.store(visit.store);
  out.append("\"store_id\":\"").append(store.id).append("\",\"store\":\"").append(store.name);
  out.append("\",\"city\":\"").append(city(store.city).name).push_back('"');
}

}  // namespace kehu::demo
