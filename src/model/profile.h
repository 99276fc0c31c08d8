#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/settings.h"

namespace kehu {

// What is known of one customer, as values to show: computed from its parts by profile::view. Owns its texts.

struct SeenView {
  std::string channel;  // "(other)": those beyond limits::kChannelsPerCustomer
  Instant first;
  Instant last;
};

struct TraitView {
  std::string name;
  std::string value;  // JSON text; sealed values are still sealed
  Instant time;       // of the event that wrote it
  SourceId source;
};

// Amounts in windows that end now. "today" is the day of the business zone; "last_7d" are today and the six
// days before it. last_hour and last_24h end with the current minute and hour of UTC.
template <class T>
struct Windows {
  T today{};
  T last_7d{};
  T last_30d{};
  T last_90d{};
  T last_365d{};
};

struct CounterView {
  // kTrack: counted per event name; others: counted per type, and `name` is the type's name. limits::
  // kEventNamesPerCustomer and more names: the rest is one counter named "(other)".
  EventType type = EventType::kTrack;
  std::string name;
  uint64_t total = 0;
  Instant first;
  Instant last;
  uint64_t last_hour = 0;
  uint64_t last_24h = 0;
  Windows<uint64_t> days;
};

struct TopValue {
  std::string value;
  uint64_t count = 0;
};

// One of Settings::metrics for this customer. Only the fields of its kind are set.
struct MetricView {
  Metric::Kind kind = Metric::Kind::kSum;
  std::string event;
  std::string property;
  uint64_t count = 0;  // values seen

  uint64_t unread = 0;  // kSum: values that are no numbers, and are not in it
  Sum sum = 0;
  Sum min = 0;
  Sum max = 0;
  Windows<Sum> days;

  // kDistinct and kTop: how many different values; exact up to 64, an estimate (±12 %) beyond.
  uint64_t distinct = 0;
  bool exact = true;
  // Most frequent first. Counts are exact; when !exact the values are a uniform sample of 64.
  std::vector<TopValue> top;
};

struct RecentEventView {
  Instant time;
  EventType type = EventType::kTrack;
  std::string channel;
  SourceId source;
  std::string name;  // may be empty
};

enum class OrderStatus : uint8_t { kOpen, kCompleted, kPartlyRefunded, kRefunded, kCancelled };
std::string_view to_string(OrderStatus status);

struct OrderView {
  std::string id;
  OrderStatus status = OrderStatus::kOpen;
  std::string currency;  // three capital letters; empty when none could be read
  std::optional<Sum> amount;
  Sum refunded = 0;
  bool amount_unread = false;  // an event of it had an amount, or a currency, that could not be read
  bool currency_unread = false;
  uint64_t lines = 0;  // "Order Line" events; 0 when the amount came with the order
  Instant first;
  Instant last;
};

// Totals of the orders that are not cancelled, in one currency ("" where none was sent).
struct RevenueView {
  std::string currency;
  uint64_t orders = 0;
  Sum revenue = 0;  // before refunds
  Sum refunded = 0;
  bool estimated = false;  // of more orders than are kept: the refunds that named no amount are estimated
};

struct ProfileView {
  uint64_t events = 0;
  // Meaningless when there are no events.
  Instant first_seen;
  Instant last_seen;
  std::vector<SeenView> channels;

  std::vector<TraitView> traits;  // by name
  uint64_t traits_too_long = 0;   // writes left out because of limits::kTraitBytes
  bool traits_left_out = false;   // there were more names than limits::kTraitsPerCustomer

  std::vector<CounterView> counters;    // most frequent first
  std::vector<MetricView> metrics;      // in the order of the settings; those without a value are left out
  std::vector<RecentEventView> recent;  // newest first

  std::vector<OrderView> orders;     // newest first
  bool orders_sampled = false;       // more than limits::kOrdersPerCustomer: see docs/profile.md
  std::vector<RevenueView> revenue;  // by currency
  // Order events whose amount or currency was there and could not be read.
  uint64_t amounts_unread = 0;
  uint64_t currencies_unread = 0;
};

}  // namespace kehu
