#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/settings.h"
#include "order/order_fields.h"

namespace kehu::order {

// What events say about orders, as JSON for SQL: the same reading as that of the fold. Immutable; of any
// thread.
class OrderText {
 public:
  explicit OrderText(const Settings& settings);

  // The names that mean a step of an order for some source, ascending.
  std::vector<std::string> events() const;

  // {"means":"Order Completed","order_id":"A1","amount":"99.5","currency":"CNY"}, and "amount_unread" or
  // "currency_unread": true. Empty when such an event is no step of an order. `properties` must be valid.
  struct Of {
    std::string_view source;
    std::string_view event;
    std::string_view properties;
  };
  struct Scratch {
    property::EventFields fields;
    OrderReader reader;
    aggregate::TextPool pool;
  };
  std::string read(const Of& event, Scratch& scratch) const;

 private:
  struct Step {
    explicit Step(const EventMeaning& meaning);
    std::string means;
    property::PathTree paths;
    OrderWords words;
  };
  using Table = std::map<std::string, Step, std::less<>>;
  static Table compile(const Vocabulary& vocabulary, std::string_view source);

  Table table_;
  std::map<std::string, Table, std::less<>> of_source_;
};

}  // namespace kehu::order
