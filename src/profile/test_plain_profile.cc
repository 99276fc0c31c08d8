#include "profile/test_plain_profile.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/document.h"
#include "model/spreadsheet.h"
#include "text/currency.h"
#include "text/money_text.h"

namespace kehu::profile {
namespace {

using Events = std::vector<const Event*>;
using json::Document;
using json::Value;

constexpr uint64_t kHashMask = 0xffff'ffff'ffffULL;
constexpr int64_t kDays = 400;

Document parse(std::string_view text) { return *Document::parse(text); }

int64_t bucket(Instant t, int64_t seconds) {
  const int64_t size = seconds * 1'000'000;
  int64_t number = t.micros() / size;
  if (number * size > t.micros()) --number;
  return number;
}

// Text of a scalar as metrics see it.
std::string text_of(const Value& value) {
  if (value.is_string()) return *value.as_string();
  if (value.is_number()) {
    const std::string plain = plain_number(value.raw()).text;
    return plain.empty() ? std::string(value.raw()) : plain;
  }
  return value.is_bool() ? std::string(value.raw()) : std::string();
}

// Of an order: as an identifier of the same spelling.
std::string id_of(const Value& value) {
  const std::string text = text_of(value), bare(without_guards(text));
  const PlainNumber read = value.is_number() ? plain_number(value.raw()) : number_in_text(bare);
  if (read.left_out != LeftOut::kNo) return {};
  return value.is_number() ? text : read.text.empty() ? bare : read.text;
}

bool is_blank(const Value& value) {
  return value.is_null() ||
         (value.is_string() && value.as_string()->find_first_not_of(" \t\r\n") == std::string::npos);
}

std::optional<Decimal> number_of(const Value& value) {
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  const auto money = text::read_money(text_of(value));
  return money ? std::optional(money->amount) : std::nullopt;
}

const EventMeaning* meaning_of(const std::vector<EventMeaning>& words, const Event& event) {
  for (const EventMeaning& meaning : words) {
    if (event.type == EventType::kTrack && meaning.event == event.name) return &meaning;
  }
  return nullptr;
}

// Events in windows of buckets that end with `now`, among those a ring of `length` still has.
uint64_t count_in(const std::vector<int64_t>& buckets, int64_t now, int64_t window, int64_t length) {
  const int64_t newest = *std::max_element(buckets.begin(), buckets.end());
  return static_cast<uint64_t>(std::count_if(buckets.begin(), buckets.end(), [&](int64_t b) {
    return b > newest - length && b <= now && b > now - window;
  }));
}

template <class T, class F>
Windows<T> each_window(F of) {
  return {.today = of(1), .last_7d = of(7), .last_30d = of(30), .last_90d = of(90), .last_365d = of(365)};
}

CounterView plain_counter(const Settings& settings, const Events& events, Instant now) {
  CounterView out;
  std::vector<int64_t> minutes, hours, days;
  out.first = out.last = events[0]->time;
  for (const Event* event : events) {
    out.first = std::min(out.first, event->time);
    out.last = std::max(out.last, event->time);
    minutes.push_back(bucket(event->time, 60));
    hours.push_back(bucket(event->time, 3600));
    days.push_back(settings.zone.day_of(event->time).value());
  }
  out.total = events.size();
  out.last_hour = count_in(minutes, bucket(now, 60), 60, 60);
  out.last_24h = count_in(hours, bucket(now, 3600), 24, 48);
  const int64_t today = settings.zone.day_of(now).value();
  out.days = each_window<uint64_t>([&](int64_t window) { return count_in(days, today, window, kDays); });
  return out;
}

void fill_counters(const Settings& settings, const std::vector<Event>& events, Instant now,
                   ProfileView& view) {
  std::map<NameId, Events> by_name;
  for (const Event& event : events) {
    const bool track = event.type == EventType::kTrack;
    by_name[track ? event.name_id() : NameId(static_cast<uint64_t>(event.type))].push_back(&event);
  }
  Events rest;
  size_t kept = 0;
  for (auto& [id, of_name] : by_name) {
    if (kept++ >= limits::kEventNamesPerCustomer) {
      rest.insert(rest.end(), of_name.begin(), of_name.end());
      continue;
    }
    CounterView counter = plain_counter(settings, of_name, now);
    counter.type = of_name[0]->type;
    counter.name = counter.type == EventType::kTrack ? std::string(of_name[0]->name)
                                                     : std::string(to_string(counter.type));
    view.counters.push_back(counter);
  }
  if (!rest.empty()) {
    view.counters.push_back(plain_counter(settings, rest, now));
    view.counters.back().name = "(other)";
  }
  std::sort(view.counters.begin(), view.counters.end(), [](const CounterView& a, const CounterView& b) {
    return std::tie(b.total, a.name, a.type) < std::tie(a.total, b.name, b.type);
  });
}

void fill_seen(const std::vector<Event>& events, ProfileView& view) {
  // Numbered ones first, by number; then others, by key.
  std::map<std::pair<int, uint64_t>, SeenView> seen;
  view.events = events.size();
  if (!events.empty()) view.first_seen = view.last_seen = events[0].time;
  for (const Event& event : events) {
    const std::string channel(to_string(event.channel));
    const bool other = event.channel.channel == Channel::kOther;
    const std::pair<int, uint64_t> place(static_cast<int>(event.channel.channel),
                                         other ? name_id(channel).value() : 0);
    SeenView& period = seen.try_emplace(place, SeenView{channel, event.time, event.time}).first->second;
    period.first = std::min(period.first, event.time);
    period.last = std::max(period.last, event.time);
    view.first_seen = std::min(view.first_seen, event.time);
    view.last_seen = std::max(view.last_seen, event.time);
  }
  std::optional<SeenView> beyond;
  size_t others = 0;
  for (const auto& [place, period] : seen) {
    const bool other = place.first == static_cast<int>(Channel::kOther);
    if (!other || others++ < limits::kChannelsPerCustomer) {
      view.channels.push_back(period);
      continue;
    }
    if (!beyond) beyond = SeenView{"(other)", period.first, period.last};
    beyond->first = std::min(beyond->first, period.first);
    beyond->last = std::max(beyond->last, period.last);
  }
  if (beyond) view.channels.push_back(*beyond);
}

// When, what, and with which operand a trait was written: in the order in which writes take effect.
using Moment = std::pair<Instant, SourceId>;
enum class How { kSetOnce, kAdd, kAppend, kSet };
using Write = std::tuple<Moment, How, std::string>;

struct PlainTrait {
  std::string name;
  std::set<Write> sets, onces;
  std::multiset<Write> changes;
};

using PlainTraits = std::map<NameId, PlainTrait>;

void write_trait(PlainTraits& traits, const Value::Member& member, const Moment& moment, How how) {
  if (member.value.is_null() && how != How::kSet) return;
  PlainTrait& trait = traits[name_id(member.key)];
  trait.name = member.key;
  const Write write{moment, how, member.value.is_null() ? "" : std::string(member.value.raw())};
  if (how == How::kSet) {
    trait.sets.insert(write);
  } else if (how == How::kSetOnce) {
    trait.onces.insert(write);
  } else {
    trait.changes.insert(write);
  }
}

// Applies one write to a value; false when it does not fit.
bool change(std::string& value, const Write& write) {
  const auto& [moment, how, operand] = write;
  if (how == How::kSetOnce) {
    if (!value.empty()) return false;
    value = operand;
  } else if (how == How::kAdd) {
    const auto old = Decimal::parse(value.empty() ? "0" : value);
    if (!old) return false;
    value = Decimal::from_units(old->units() + Decimal::parse(operand)->units()).to_string();
  } else {
    if (!value.empty() && value.front() != '[') return false;
    std::vector<std::string> elements;
    for (const std::string& list : {value, operand}) {
      const Document document = parse(list.empty() ? "[]" : list);
      for (const Value::Member& element : document.root()) {
        const std::string raw(element.value.raw());
        if (std::find(elements.begin(), elements.end(), raw) == elements.end()) elements.push_back(raw);
      }
    }
    value = "[";
    for (const std::string& element : elements) value += (value.size() > 1 ? "," : "") + element;
    value += "]";
  }
  return true;
}

void show_trait(const PlainTrait& trait, const std::optional<Moment>& cleared, ProfileView& view) {
  std::optional<Moment> lower = cleared;
  std::string value;
  Moment written;
  if (!trait.sets.empty() && (!lower || std::get<Moment>(*trait.sets.rbegin()) > *lower)) {
    written = *(lower = std::get<Moment>(*trait.sets.rbegin()));
    value = std::get<2>(*trait.sets.rbegin());
  }
  auto changes = trait.changes;
  const auto is_newer = [&lower](const Write& write) { return !lower || std::get<Moment>(write) > *lower; };
  if (!trait.onces.empty() && is_newer(*trait.onces.rbegin()))
    changes.insert(is_newer(*trait.onces.begin()) ? *trait.onces.begin() : *trait.onces.rbegin());
  for (const Write& write : changes) {
    if (is_newer(write) && change(value, write)) written = std::get<Moment>(write);
  }
  if (!value.empty()) view.traits.push_back({trait.name, value, written.first, written.second});
}

void fill_traits(const std::vector<Event>& events, ProfileView& view) {
  static const std::map<std::string, How, std::less<>> kOperations = {
      {"$set_once", How::kSetOnce}, {"$add", How::kAdd}, {"$append", How::kAppend}};
  PlainTraits traits;
  std::optional<Moment> cleared;
  for (const Event& event : events) {
    if (event.type == EventType::kGroup) continue;
    const Moment moment{event.time, event.source};
    const Document document = parse(event.traits);
    for (const Value::Member& member : document.root()) {
      if (member.key == "$clear") {
        cleared = std::max(cleared, std::optional(moment));
      } else if (const auto operation = kOperations.find(member.key); operation != kOperations.end()) {
        for (const Value::Member& step : member.value) write_trait(traits, step, moment, operation->second);
      } else if (member.value.raw().size() > limits::kTraitBytes) {
        ++view.traits_too_long;
      } else {
        write_trait(traits, member, moment, How::kSet);
      }
    }
  }
  size_t kept = 0;
  for (const auto& [id, trait] : traits) {
    view.traits_left_out = kept++ >= limits::kTraitsPerCustomer;
    if (view.traits_left_out) break;
    show_trait(trait, cleared, view);
  }
  std::sort(view.traits.begin(), view.traits.end(),
            [](const TraitView& a, const TraitView& b) { return a.name < b.name; });
}

// What a path ("a.b", "list[].b") reaches.
std::vector<Value> reach(std::vector<Value> values, std::string path) {
  while (!path.empty()) {
    const size_t dot = path.find('.');
    std::string step = path.substr(0, dot);
    path = dot == std::string::npos ? "" : path.substr(dot + 1);
    const bool each = step.ends_with("[]");
    if (each) step.resize(step.size() - 2);
    std::vector<Value> next;
    for (const Value& value : values) {
      const Value member = value.find(step);
      if (!each) {
        next.push_back(member);
      } else if (member.is_array()) {
        for (const Value::Member& element : member) next.push_back(element.value);
      }
    }
    values = next;
  }
  std::erase_if(values, [](const Value& value) { return value.is_null(); });
  return values;
}

// Where an event in other words has the property of a metric.
std::vector<std::string> instead_of(const std::string& property, const EventMeaning& meaning) {
  std::vector<std::string> paths;
  for (size_t i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    const std::string name(standard_property(role));
    if (property == name) {
      for (const std::string& each : meaning.of(role)) paths.push_back(each);
    }
    if (!is_of_product(role) || (property != name && property != "products[]." + name)) continue;
    for (const std::string& list : meaning.of(Role::kProducts)) {
      for (const std::string& each : meaning.of(role)) paths.push_back(list + "[]." + each);
    }
  }
  return paths;
}

std::vector<Value> metric_values(const Metric& metric, const EventMeaning* meaning, const Value& root) {
  if (meaning == nullptr || meaning->event == metric.event) return reach({root}, metric.property);
  std::vector<std::string> paths = instead_of(metric.property, *meaning);
  const bool by_its_name = std::erase(paths, metric.property) > 0;
  if (by_its_name || paths.empty()) paths.insert(paths.begin(), metric.property);
  std::vector<Value> unread;
  for (const std::string& path : paths) {
    const std::vector<Value> values = reach({root}, path);
    const bool reads =
        std::any_of(values.begin(), values.end(), [](const Value& v) { return number_of(v).has_value(); });
    if (!values.empty() && (metric.kind != Metric::Kind::kSum || reads)) return values;
    if (unread.empty()) unread = values;
  }
  return unread;
}

struct Dated {
  Sum value;
  int64_t day;
};

void fill_sum(const std::vector<Dated>& values, int64_t today, MetricView& out) {
  int64_t newest = INT64_MIN;
  for (const Dated& each : values) newest = std::max(newest, each.day);
  out.count = values.size();
  if (values.empty()) return;
  out.min = out.max = values[0].value;
  for (const Dated& each : values) {
    out.sum += each.value;
    out.min = std::min(out.min, each.value);
    out.max = std::max(out.max, each.value);
  }
  out.days = each_window<Sum>([&](int64_t window) {
    Sum sum = 0;
    for (const Dated& each : values) {
      if (each.day > newest - kDays && each.day <= today && each.day > today - window) sum += each.value;
    }
    return sum;
  });
}

uint64_t estimate(uint64_t kept, uint64_t largest) {
  const double density = (static_cast<double>(largest) + 1) / (static_cast<double>(kHashMask) + 1);
  return static_cast<uint64_t>(static_cast<double>(kept - 1) / density + 0.5);
}

std::string cut(std::string text) {
  if (text.size() <= 64) return text;
  size_t size = 64;
  while ((static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

void fill_texts(const std::vector<std::string>& texts, MetricView& out) {
  const bool top = out.kind == Metric::Kind::kTop;
  std::map<uint64_t, TopValue> by_hash;
  for (const std::string& text : texts) {
    const std::string shown = top ? cut(text) : text;
    TopValue& value = by_hash[hash64(shown) & kHashMask];
    value.value = shown;
    ++value.count;
  }
  out.exact = by_hash.size() <= 64;
  uint64_t largest = 0;
  size_t kept = 0;
  for (const auto& [hash, value] : by_hash) {
    if (kept++ == 64) break;
    if (top) out.top.push_back(value);
    largest = hash;
  }
  out.distinct = out.exact ? by_hash.size() : estimate(64, largest);
  if (!top) return;
  out.count = texts.size();
  std::sort(out.top.begin(), out.top.end(), [](const TopValue& a, const TopValue& b) {
    return std::tie(b.count, a.value) < std::tie(a.count, b.value);
  });
}

void fill_metrics(const Settings& settings, const std::vector<Event>& events, Instant now,
                  ProfileView& view) {
  const std::vector<EventMeaning> words = meanings(settings.vocabulary, "");
  for (const Metric& metric : settings.metrics) {
    std::vector<Dated> numbers;
    uint64_t unread = 0;
    std::vector<std::string> texts;
    for (const Event& event : events) {
      const bool page = metric.event == "page" && event.type == EventType::kPage;
      const EventMeaning* meaning = meaning_of(words, event);
      const bool named = event.type == EventType::kTrack && event.name == metric.event;
      if (!page && !named && (meaning == nullptr || meaning->means != metric.event)) continue;
      const Document document = parse(event.properties);
      for (const Value& value : metric_values(metric, meaning, document.root())) {
        if (const auto number = number_of(value)) {
          numbers.push_back({number->units(), settings.zone.day_of(event.time).value()});
        } else if (!is_blank(value)) {
          ++unread;
        }
        if (!text_of(value).empty()) texts.push_back(text_of(value));
      }
    }
    MetricView out;
    out.kind = metric.kind;
    out.event = metric.event;
    out.property = metric.property;
    const bool sum = metric.kind == Metric::Kind::kSum;
    if (sum ? numbers.empty() && unread == 0 : texts.empty()) continue;
    if (sum) {
      out.unread = unread;
      fill_sum(numbers, settings.zone.day_of(now).value(), out);
    } else {
      fill_texts(texts, out);
    }
    view.metrics.push_back(std::move(out));
  }
}

void fill_recent(const std::vector<Event>& events, ProfileView& view) {
  Events sorted;
  for (const Event& event : events) sorted.push_back(&event);
  const auto kind = [](const Event* e) {
    const NameId name = e->name.empty() ? NameId(0) : e->name_id();
    const bool other = e->channel.channel == Channel::kOther;
    const NameId channel = other ? name_id(e->channel.text) : NameId(0);
    return std::tuple(name, e->type, e->channel.channel, channel, e->source);
  };
  std::sort(sorted.begin(), sorted.end(), [&](const Event* a, const Event* b) {
    return a->time != b->time ? a->time > b->time : kind(a) < kind(b);
  });
  sorted.resize(std::min(sorted.size(), limits::kRecentEvents));
  for (const Event* e : sorted)
    view.recent.push_back(
        {e->time, e->type, std::string(to_string(e->channel)), e->source, std::string(e->name)});
}

// What one order event says.
struct Purchase {
  std::string step, id, currency;
  Instant time;
  std::optional<Sum> amount;
  bool amount_unread = false, currency_unread = false;
};

struct Amount {
  std::optional<Sum> sum;
  std::string currency;
  bool stated = false;
};

Amount amount_at(const Value& holder, const std::vector<std::string>& paths) {
  Amount none;
  for (const std::string& path : paths) {
    Amount amount;
    bool all = true;
    for (const Value& value : reach({holder}, path)) {
      if (is_blank(value)) continue;
      none.stated = true;
      const auto number = number_of(value);
      all = all && number;
      if (number) amount.sum = amount.sum.value_or(0) + number->units();
      if (const auto money = value.is_string() ? text::read_money(text_of(value)) : std::nullopt; money) {
        if (amount.currency.empty()) amount.currency = money->currency.view();
      }
    }
    if (amount.sum && all) {
      amount.stated = true;
      return amount;
    }
  }
  return none;
}

Amount product(const EventMeaning& words, const Value& holder) {
  Amount price = amount_at(holder, words.of(Role::kPrice));
  const Amount quantity = amount_at(holder, words.of(Role::kQuantity));
  if (!price.sum) return price;
  if (quantity.stated && !quantity.sum) {
    price.sum.reset();
    return price;
  }
  const Sum units = *price.sum * quantity.sum.value_or(10'000);
  price.sum = (units + (units < 0 ? -5'000 : 5'000)) / 10'000;
  return price;
}

// All products in whatever lists, objects and texts they lie.
void collect_products(const EventMeaning& words, const Value& value, int depth, std::vector<Amount>& out) {
  if (depth == 4) return;
  if (value.is_string()) {
    const std::string text = *value.as_string();
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos || std::string_view("[{\"").find(text[begin]) == std::string::npos) return;
    const auto document = Document::parse(text);
    if (!document.ok()) return out.push_back({std::nullopt, "", true});
    return collect_products(words, document->root(), text[begin] == '"' ? depth + 1 : depth, out);
  }
  if (value.is_object()) {
    const Amount one = product(words, value);
    if (one.stated) out.push_back(one);
    if (one.stated || depth > 0) return;
  }
  for (const Value::Member& member : value) collect_products(words, member.value, depth + 1, out);
}

Amount products_amount(const EventMeaning& words, const Value& root) {
  for (const std::string& path : words.of(Role::kProducts)) {
    std::vector<Amount> products;
    for (const Value& list : reach({root}, path)) collect_products(words, list, 0, products);
    if (products.empty()) continue;
    Amount total{0, "", true};
    for (const Amount& each : products) {
      if (total.currency.empty()) total.currency = each.currency;
      total.sum = total.sum && each.sum ? std::optional(*total.sum + *each.sum) : std::nullopt;
    }
    return total;
  }
  return {};
}

std::optional<Purchase> read_purchase(const std::vector<EventMeaning>& all, const Event& event) {
  const EventMeaning* words = meaning_of(all, event);
  static const std::set<std::string_view> kSteps = {"Order Completed", "Order Updated", "Order Refunded",
                                                    "Order Cancelled", "Order Line"};
  if (words == nullptr || !kSteps.contains(words->means)) return std::nullopt;
  const Document document = parse(event.properties);
  const Value root = document.root();
  Purchase purchase;
  purchase.step = words->means;
  for (const std::string& path : words->of(Role::kOrderId)) {
    for (const Value& value : reach({root}, path)) {
      if (purchase.id.empty()) purchase.id = id_of(value);
    }
  }
  if (words->only_with_id && purchase.id.empty()) return std::nullopt;
  Amount amount = amount_at(root, words->of(Role::kAmount));
  if (!amount.sum) {
    const bool stated = amount.stated;
    amount = purchase.step == "Order Line" ? product(*words, root) : products_amount(*words, root);
    amount.stated |= stated;
  }
  purchase.amount = amount.sum;
  purchase.amount_unread = amount.stated && !amount.sum;
  for (const std::string& path : words->of(Role::kCurrency)) {
    for (const Value& value : reach({root}, path)) {
      if (is_blank(value) || !purchase.currency.empty()) continue;
      purchase.currency = text::read_currency(text_of(value)).view();
      purchase.currency_unread |= purchase.currency.empty();
    }
  }
  if (!purchase.currency.empty()) purchase.currency_unread = false;
  if (purchase.currency.empty() && !purchase.currency_unread) purchase.currency = amount.currency;
  if (purchase.currency.empty() && !purchase.currency_unread) purchase.currency = words->currency;
  purchase.time = event.time;
  if (purchase.step == "Order Refunded" && purchase.amount && *purchase.amount < 0) *purchase.amount *= -1;
  return purchase;
}

OrderView plain_order(const std::vector<Purchase>& events) {
  OrderView out;
  std::optional<std::pair<Instant, Sum>> header;
  Sum lines = 0;
  bool completed = false, cancelled = false, refunded = false, whole = false;
  out.id = events[0].id;
  out.first = out.last = events[0].time;
  for (const Purchase& e : events) {
    out.currency = std::max(out.currency, e.currency);
    out.first = std::min(out.first, e.time);
    out.last = std::max(out.last, e.time);
    completed |= e.step == "Order Completed" || e.step == "Order Line";
    cancelled |= e.step == "Order Cancelled";
    out.amount_unread |= e.amount_unread;
    out.currency_unread |= e.currency_unread;
    if ((e.step == "Order Completed" || e.step == "Order Updated") && e.amount) {
      header = std::max(header, std::optional(std::pair(e.time, *e.amount)));
    }
    if (e.step == "Order Line") {
      ++out.lines;
      lines += e.amount.value_or(0);
    }
    if (e.step == "Order Refunded") {
      refunded = true;
      whole |= !e.amount && !e.amount_unread;
      out.refunded += e.amount.value_or(0);
    }
  }
  if (header) {
    out.amount = header->second;
  } else if (out.lines > 0) {
    out.amount = lines;
  }
  if (whole && out.amount) out.refunded = std::max(out.refunded, *out.amount);
  out.status = completed ? OrderStatus::kCompleted : OrderStatus::kOpen;
  if (refunded) {
    const bool all = whole || (out.amount ? out.refunded >= *out.amount : !out.amount_unread);
    out.status = all ? OrderStatus::kRefunded : OrderStatus::kPartlyRefunded;
  }
  if (cancelled) out.status = OrderStatus::kCancelled;
  return out;
}

void fill_orders(const Settings& settings, const std::vector<Event>& events, ProfileView& view) {
  std::map<std::string, std::vector<Purchase>> by_id;
  std::map<std::string, RevenueView> revenue;
  const auto of = [&](const std::string& currency) -> RevenueView& {
    revenue[currency].currency = currency;
    return revenue[currency];
  };
  const std::vector<EventMeaning> words = meanings(settings.vocabulary, "");
  for (const Event& event : events) {
    const auto purchase = read_purchase(words, event);
    if (!purchase) continue;
    view.amounts_unread += purchase->amount_unread ? 1 : 0;
    view.currencies_unread += purchase->currency_unread ? 1 : 0;
    if (!purchase->id.empty()) {
      by_id[purchase->id].push_back(*purchase);
      continue;
    }
    const Sum amount = purchase->amount.value_or(0);
    if (purchase->step == "Order Completed") of(purchase->currency).orders += 1;
    if (purchase->step == "Order Completed" || (purchase->step == "Order Line" && amount != 0)) {
      of(purchase->currency).revenue += amount;
    }
    if (purchase->step == "Order Refunded" && amount != 0) of(purchase->currency).refunded += amount;
  }
  for (const auto& [id, of_order] : by_id) {
    const OrderView order = plain_order(of_order);
    view.orders.push_back(order);
    if (order.status == OrderStatus::kCancelled) continue;
    const bool bought = std::any_of(of_order.begin(), of_order.end(), [](const Purchase& e) {
      return e.step == "Order Completed" || e.step == "Order Line";
    });
    if (!bought && order.refunded == 0) continue;
    RevenueView& total = of(order.currency);
    total.orders += bought ? 1 : 0;
    total.revenue += bought ? order.amount.value_or(0) : 0;
    total.refunded += order.refunded;
  }
  std::sort(view.orders.begin(), view.orders.end(), [](const OrderView& a, const OrderView& b) {
    return std::tie(b.last, a.id) < std::tie(a.last, b.id);
  });
  for (const auto& [currency, total] : revenue) view.revenue.push_back(total);
}

std::string text(Sum sum) { return sum_to_string(sum); }
std::string text(uint64_t count) { return std::to_string(count); }
std::string text(Instant t) { return format_utc(t); }

template <class T>
std::string text(const Windows<T>& w) {
  return cat(text(w.today), "/", text(w.last_7d), "/", text(w.last_30d), "/", text(w.last_90d), "/",
             text(w.last_365d));
}

}  // namespace

ProfileView plain_profile(const Settings& settings, const std::vector<Event>& events, Instant now) {
  ProfileView view;
  fill_seen(events, view);
  fill_traits(events, view);
  fill_counters(settings, events, now, view);
  fill_metrics(settings, events, now, view);
  fill_recent(events, view);
  fill_orders(settings, events, view);
  return view;
}

std::string describe(const ProfileView& view) {
  std::string out = cat("events ", view.events, " ", text(view.first_seen), " ", text(view.last_seen), "\n");
  for (const SeenView& s : view.channels)
    out += cat("seen ", s.channel, " ", text(s.first), " ", text(s.last), "\n");
  for (const TraitView& t : view.traits) {
    out += cat("trait ", t.name, " = ", t.value, " ", text(t.time), " ", t.source.value(), "\n");
  }
  out += cat("traits too long ", view.traits_too_long, view.traits_left_out ? ", some left out\n" : "\n");
  for (const CounterView& c : view.counters) {
    out += cat("counter ", to_string(c.type), " ", c.name, " ", c.total, " ", text(c.first), " ",
               text(c.last), " ", c.last_hour, "/", c.last_24h, "/", text(c.days), "\n");
  }
  for (const MetricView& m : view.metrics) {
    out += cat("metric ", m.event, ".", m.property, " ", m.count, " sum ", text(m.sum), " ", text(m.min),
               "..", text(m.max), " ", text(m.days), " distinct ", m.distinct, m.exact ? "" : " about");
    for (const TopValue& value : m.top) out += cat(" ", value.value, ":", value.count);
    out += "\n";
  }
  for (const RecentEventView& r : view.recent) {
    out += cat("recent ", text(r.time), " ", to_string(r.type), " ", r.channel, " ", r.source.value(), " ",
               r.name, "\n");
  }
  for (const OrderView& o : view.orders) {
    out += cat("order ", o.id, " ", to_string(o.status), " ", o.currency, " ",
               o.amount ? text(*o.amount) : "none", " -", text(o.refunded), " lines ", o.lines, " ",
               text(o.first), " ", text(o.last), o.amount_unread ? " amount unread" : "",
               o.currency_unread ? " currency unread" : "", "\n");
  }
  out += view.orders_sampled ? "orders sampled\n" : "";
  for (const RevenueView& r : view.revenue) {
    out += cat("revenue ", r.currency, " ", r.orders, " ", text(r.revenue), " -", text(r.refunded),
               r.estimated ? " estimated\n" : "\n");
  }
  if (view.amounts_unread + view.currencies_unread > 0) {
    out += cat("unread ", view.amounts_unread, " amounts, ", view.currencies_unread, " currencies\n");
  }
  return out;
}

}  // namespace kehu::profile
