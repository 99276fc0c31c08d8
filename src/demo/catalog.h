#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "demo/random.h"

namespace kehu::demo {

// Money of the demo is in fen (0.01 yuan), so that order totals are exact.
using Fen = int64_t;

struct Product {
  std::string name;
  uint8_t category = 0;
  Fen price = 0;
  std::string json;  // members of a JSON object: "product_id":"P0001",…,"price":129 (no braces)
};

struct City {
  std::string_view name;
  std::string_view province;
  uint32_t weight;  // share of the customers, relative
};

struct Store {
  std::string id;
  std::string name;
  uint8_t city = 0;
};

// What the retailer sells and where. Immutable after construction.
class Catalog {
 public:
  explicit Catalog(uint64_t seed);

  const Product& product(uint32_t index) const { return products_[index]; }
  size_t product_count() const { return products_.size(); }
  const Store& store(uint32_t index) const { return stores_[index]; }
  size_t store_count() const { return stores_.size(); }

  // A product that somebody with this favourite category looks at: mostly there, mostly a popular one.
  uint16_t pick_product(uint8_t favourite_category, Random& random) const;
  // A store in this city, or the nearest big one when it has none.
  uint16_t pick_store(uint8_t city, Random& random) const;

 private:
  void add_category(uint8_t category, Random& random);
  void add_stores();

  std::vector<Product> products_;
  std::vector<uint32_t> category_start_;  // one more than categories
  std::vector<Store> stores_;
  std::vector<uint16_t> first_store_;  // by city; one more than cities
};

size_t category_count();
std::string_view category_name(uint8_t category);
size_t city_count();
const City& city(uint8_t index);
// By weight; `random_bits` are uniform.
uint8_t city_of(uint64_t random_bits);

}  // namespace kehu::demo
