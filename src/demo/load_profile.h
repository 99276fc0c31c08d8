#pragma once

#include <cstdint>
#include <string>

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
  struct Options {
    uint64_t seed = 1;
    uint32_t customers = 1'000'000;  // at most 90 million
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
  Catalog catalog_;
  Population population_;
  Random random_;
  TimeText time_;
  uint64_t number_ = 0;
};

}  // namespace kehu::demo
