#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "demo/calendar.h"
#include "demo/catalog.h"
#include "model/event.h"

namespace kehu::demo {

// What happens next in a visit; each step is one event.
enum class Step : uint8_t {
  kArrive,  // page / screen / Application Opened / Store Visited
  kNote,    // reads a note of 小红书
  kSearch,
  kList,
  kView,
  kLogin,  // identify: the anonymous visitor becomes known
  kAdd,
  kWish,
  kCart,
  kCheckout,
  kOrder,
  kTryOn,
  kRefund,
  kTicketOpened,
  kTicketClosed,
  kAgain,  // a client repeats what it sent before (a parked event)
  kLeave,
};

struct BasketLine {
  uint16_t product = 0;
  uint8_t quantity = 0;
};

// One customer's walk through one channel, from arrival to leaving; or a refund that follows an order days
// later.
struct Visit {
  uint32_t customer = 0;
  uint32_t device_owner = 0;
  Channel channel = Channel::kWeb;
  Step step = Step::kArrive;
  bool ios = false;
  bool known = false;  // events carry the member number
  bool joins = false;
  bool newcomer = false;  // not a member yet
  bool will_buy = false;  // adds to the cart if anything pleases
  uint8_t views_left = 0;
  uint8_t city = 0;
  uint8_t favourite_category = 0;
  uint8_t basket_size = 0;
  uint16_t product = 0;  // looked at last
  uint16_t store = 0;
  uint8_t topic = 0;
  uint32_t parked = 0;  // of kAgain
  std::array<BasketLine, 4> basket{};
  const Campaign* campaign = nullptr;
  double discount_share = 0;
  uint64_t order_no = 0;  // also of its receipt, refund and tickets
  Duration lag;           // the client was offline: its events arrive so much later than they happened

  Fen basket_total(const Catalog& catalog) const;
  Fen discount(const Catalog& catalog) const;
};

// What one customer remembers between visits.
struct Memory {
  bool member = false;
  uint8_t logged_in = 0;   // bit per Channel: this channel's device has its login
  bool open_cart = false;  // left something in the cart
  uint16_t orders = 0;
};

struct Pause {
  Duration low;
  Duration high;
};

// Decides what follows the visit's current step (just emitted) and how long it takes; kLeave ends the visit.
// Pure but for the random numbers it draws.
Pause advance(Visit& visit, Memory& memory, const Catalog& catalog, Random& random);

}  // namespace kehu::demo
