#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "demo/catalog.h"
#include "demo/population.h"
#include "demo/random.h"
#include "demo/wire_text.h"

namespace kehu::demo {

// The flat load of the benchmarks: "Product Viewed" of 370–400 bytes each, every event by a customer drawn
// uniformly, so that figures can be compared between runs and machines. One thread; several generators with
// different seeds never share a message id. ~100 ns an event.
class LoadProfile {
 public:
  static constexpr std::array<std::string_view, 20> kMixedEvents = {
      "Product Viewed",   "Product Added", "Checkout Started", "Order Completed", "Signed In",
      "Note Viewed",      "Search Made",   "Coupon Applied",   "Page Shared",     "Review Written",
      "Gift Card Bought", "Store Visited", "Ticket Opened",    "Item Returned",   "Wish Added",
      "Video Watched",    "Live Joined",   "Push Opened",      "Points Used",     "Game Played"};

  struct Options {
    uint64_t seed = 1;
    uint32_t customers = 1'000'000;  // at most 90 million
    bool mixed = false;              // events of kMixedEvents instead of "Product Viewed" alone
  };
  explicit LoadProfile(const Options& options);

  // Replaces `body` by {"batch":[…]} with this many events, all with the timestamp `now`.
  void next_batch(size_t events, Instant now, std::string& body);
  // Replaces `body` by one call for /v1/track.
  void next_call(Instant now, std::string& body);

 private:
  void append_event(Instant now, std::string& out);

  uint64_t run_;
  uint32_t customers_;
  bool mixed_;
  Catalog catalog_;
  Population population_;
  Random random_;
  TimeText time_;
  uint64_t number_ = 0;
};

}  // namespace kehu::demo
