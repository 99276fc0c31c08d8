#include "demo/visit.h"

namespace kehu::demo {
namespace {

constexpr Pause kAtOnce{Duration::millis(200), Duration::seconds(2)};
constexpr Pause kGlance{Duration::seconds(2), Duration::seconds(25)};
constexpr Pause kRead{Duration::seconds(8), Duration::minutes(2)};
constexpr Pause kPay{Duration::seconds(15), Duration::minutes(4)};
constexpr Pause kTry{Duration::minutes(2), Duration::minutes(15)};
constexpr Pause kRepair{Duration::hours(1), Duration::hours(50)};

// Of the visits that put something into the cart: these go on to the checkout, and these pay.
constexpr double kCartToCheckout = 0.62;
constexpr double kCheckoutToOrder = 0.78;

uint8_t bit(Channel channel) { return static_cast<uint8_t>(1u << static_cast<unsigned>(channel)); }

Pause go(Visit& visit, Step step, Pause pause) {
  visit.step = step;
  return pause;
}

void put_into_basket(Visit& visit, Random& random) {
  if (visit.basket_size == visit.basket.size()) return;
  const auto quantity = static_cast<uint8_t>(random.chance(0.82) ? 1 : 2 + random.below(2));
  visit.basket[visit.basket_size++] = {visit.product, quantity};
}

void log_in(Visit& visit, Memory& memory) {
  visit.known = true;
  memory.member = true;
  memory.logged_in |= bit(visit.channel);
}

Pause look_on(Visit& visit, const Catalog& catalog, Random& random) {
  if (visit.views_left == 0) return go(visit, visit.basket_size > 0 ? Step::kCart : Step::kLeave, kGlance);
  --visit.views_left;
  visit.product = catalog.pick_product(visit.favourite_category, random);
  return go(visit, Step::kView, kRead);
}

Pause after_arrival(Visit& visit, const Catalog& catalog, Random& random) {
  if (random.chance(0.12)) return go(visit, Step::kLeave, kGlance);
  if (!visit.known && visit.joins && random.chance(visit.newcomer ? 0.06 : 0.45))
    return go(visit, Step::kLogin, kGlance);
  const double u = random.unit();
  if (u < 0.14) return go(visit, Step::kNote, kRead);
  if (u < 0.42) return go(visit, Step::kSearch, kGlance);
  if (u < 0.66) return go(visit, Step::kList, kGlance);
  return look_on(visit, catalog, random);
}

Pause after_view(Visit& visit, const Catalog& catalog, Random& random) {
  if (visit.will_buy && random.chance(0.45)) {
    put_into_basket(visit, random);
    return go(visit, Step::kAdd, kGlance);
  }
  if (random.chance(0.05)) return go(visit, Step::kWish, kGlance);
  return look_on(visit, catalog, random);
}

Pause after_cart(Visit& visit, Random& random) {
  if (!random.chance(kCartToCheckout)) return go(visit, Step::kLeave, kGlance);
  if (visit.known) return go(visit, Step::kCheckout, kGlance);
  return go(visit, visit.joins ? Step::kLogin : Step::kLeave, kPay);
}

Pause after_login(Visit& visit, const Catalog& catalog, Random& random) {
  if (visit.channel == Channel::kShop) return go(visit, Step::kOrder, kGlance);
  if (visit.basket_size > 0 && visit.views_left == 0) return go(visit, Step::kCheckout, kGlance);
  return look_on(visit, catalog, random);
}

Pause after_order(Visit& visit, Random& random) {
  const bool online = visit.channel != Channel::kShop;
  if (!visit.known || !random.chance(online ? 0.075 : 0.03)) return go(visit, Step::kLeave, kAtOnce);
  return go(visit, Step::kRefund, {Duration::days(1), Duration::days(12)});
}

Pause after_refund(Visit& visit, Random& random) {
  visit.channel = Channel::kService;
  visit.topic = 0;
  if (!random.chance(0.3)) return go(visit, Step::kLeave, kAtOnce);
  return go(visit, Step::kTicketOpened, {Duration::minutes(5), Duration::hours(20)});
}

Pause in_shop(Visit& visit, const Catalog& catalog, Random& random) {
  if (visit.views_left > 0) {
    --visit.views_left;
    visit.product = catalog.pick_product(visit.favourite_category, random);
    if (visit.will_buy) put_into_basket(visit, random);
    return go(visit, Step::kTryOn, kTry);
  }
  if (visit.basket_size == 0) return go(visit, Step::kLeave, kAtOnce);
  if (!visit.known && visit.joins && random.chance(0.6)) return go(visit, Step::kLogin, kPay);
  return go(visit, Step::kOrder, kPay);
}

}  // namespace

Fen Visit::basket_total(const Catalog& catalog) const {
  Fen total = 0;
  for (uint8_t i = 0; i < basket_size; ++i)
    total += catalog.product(basket[i].product).price * basket[i].quantity;
  return total;
}

Fen Visit::discount(const Catalog& catalog) const {
  // To whole yuan, as coupons are.
  return static_cast<Fen>(static_cast<double>(basket_total(catalog)) * discount_share) / 100 * 100;
}

Pause advance(Visit& visit, Memory& memory, const Catalog& catalog, Random& random) {
  switch (visit.step) {
    case Step::kArrive:
      if (visit.channel == Channel::kShop) return in_shop(visit, catalog, random);
      return after_arrival(visit, catalog, random);
    case Step::kNote:
    case Step::kSearch:
    case Step::kList:
    case Step::kWish:
    case Step::kAdd:
      return look_on(visit, catalog, random);
    case Step::kView:
      return after_view(visit, catalog, random);
    case Step::kTryOn:
      return in_shop(visit, catalog, random);
    case Step::kLogin:
      log_in(visit, memory);
      return after_login(visit, catalog, random);
    case Step::kCart:
      memory.open_cart = true;
      return after_cart(visit, random);
    case Step::kCheckout:
      return go(visit, random.chance(kCheckoutToOrder) ? Step::kOrder : Step::kLeave, kPay);
    case Step::kOrder:
      memory.open_cart = false;
      ++memory.orders;
      return after_order(visit, random);
    case Step::kRefund:
      return after_refund(visit, random);
    case Step::kTicketOpened:
      return go(visit, Step::kTicketClosed, kRepair);
    case Step::kTicketClosed:
    case Step::kAgain:
    case Step::kLeave:
      break;
  }
  return go(visit, Step::kLeave, kAtOnce);
}

}  // namespace kehu::demo
