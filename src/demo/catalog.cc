#include "demo/catalog.h"

#include <array>
#include <cstdio>

#include "demo/wire_text.h"

namespace kehu::demo {
namespace {

constexpr uint32_t kProductsPerCategory = 48;
constexpr size_t kItems = 6;

struct Category {
  std::string_view name;
  std::array<std::string_view, kItems> items;
  Fen cheapest;
  Fen dearest;
};

constexpr Category kCategories[] = {
    {"女装", {"连衣裙", "针织开衫", "阔腿裤", "风衣", "真丝衬衫", "羊毛大衣"}, 12900, 129900},
    {"男装", {"圆领T恤", "牛仔裤", "商务夹克", "Polo衫", "休闲裤", "羽绒服"}, 9900, 159900},
    {"鞋靴", {"跑步鞋", "帆布鞋", "马丁靴", "凉鞋", "乐福鞋", "老爹鞋"}, 15900, 99900},
    {"箱包", {"托特包", "双肩包", "斜挎包", "拉杆箱", "长款钱包", "腋下包"}, 9900, 89900},
    {"美妆", {"丝绒口红", "粉底液", "精华液", "补水面膜", "防晒霜", "氨基酸洁面"}, 4900, 69900},
    {"母婴", {"纸尿裤", "婴儿推车", "宽口奶瓶", "爬行垫", "儿童保温杯", "连体衣"}, 3900, 199900},
    {"家居", {"四件套", "香薰蜡烛", "护眼台灯", "收纳盒", "记忆枕", "羊毛地毯"}, 2900, 79900},
    {"食品", {"坚果礼盒", "挂耳咖啡", "明前龙井", "零食大礼包", "有机杂粮", "黑巧克力"}, 1990, 39900},
    {"数码", {"蓝牙耳机", "充电宝", "机械键盘", "智能手环", "便携音箱", "平板支架"}, 5900, 129900},
    {"运动", {"瑜伽垫", "速干衣", "登山杖", "羽毛球拍", "运动水壶", "筋膜枪"}, 3900, 69900},
};

// Invented brands: the demo says nothing about real ones.
constexpr std::string_view kBrands[] = {"素里", "木栖", "拾光集", "云岫", "青禾记", "南麓",
                                        "半山", "桐语", "知夏",   "浅川", "北岸",   "一隅"};
constexpr std::string_view kVariants[] = {"经典款", "轻享版", "限定款", "升级款",
                                          "联名款", "礼盒装", "家庭装", "旅行装"};

constexpr City kCities[] = {
    {"上海", "上海市", 12}, {"北京", "北京市", 11},    {"深圳", "广东省", 9},
    {"广州", "广东省", 8},  {"杭州", "浙江省", 7},     {"成都", "四川省", 7},
    {"重庆", "重庆市", 5},  {"武汉", "湖北省", 5},     {"南京", "江苏省", 5},
    {"苏州", "江苏省", 5},  {"西安", "陕西省", 4},     {"长沙", "湖南省", 4},
    {"天津", "天津市", 3},  {"青岛", "山东省", 3},     {"郑州", "河南省", 3},
    {"宁波", "浙江省", 2},  {"合肥", "安徽省", 2},     {"厦门", "福建省", 2},
    {"昆明", "云南省", 1},  {"哈尔滨", "黑龙江省", 1}, {"乌鲁木齐", "新疆维吾尔自治区", 1},
};
constexpr size_t kCityCount = std::size(kCities);
constexpr size_t kCitiesWithStores = 14;
constexpr std::string_view kStorePlaces[] = {"万象城店", "大悦城店", "银泰店", "来福士店"};

constexpr uint32_t total_city_weight() {
  uint32_t sum = 0;
  for (const City& c : kCities) sum += c.weight;
  return sum;
}

// Shops ask for 129.00, 129.90 or 129.00-style round figures, never for 127.43.
Fen shop_price(Fen raw, Random& random) {
  const Fen tens = raw / 1000 * 1000;
  return tens + (random.chance(0.7) ? 900 : 990);
}

void append_product_json(const Product& product, std::string_view brand, uint32_t number, std::string& out) {
  char id[16];
  std::snprintf(id, sizeof id, "P%05u", 10000 + number);
  out.append("\"product_id\":\"").append(id).append("\",\"name\":\"").append(product.name);
  out.append("\",\"brand\":\"").append(brand).append("\",\"category\":\"");
  out.append(kCategories[product.category].name).append("\",\"price\":");
  append_yuan(product.price, out);
}

}  // namespace

size_t category_count() { return std::size(kCategories); }
std::string_view category_name(uint8_t category) { return kCategories[category].name; }
size_t city_count() { return kCityCount; }
const City& city(uint8_t index) { return kCities[index]; }

uint8_t city_of(uint64_t random_bits) {
  uint32_t at = static_cast<uint32_t>(random_bits % total_city_weight());
  uint8_t index = 0;
  while (at >= kCities[index].weight) at -= kCities[index++].weight;
  return index;
}

Catalog::Catalog(uint64_t seed) {
  Random random(mix(seed ^ 0xca7a106));
  products_.reserve(std::size(kCategories) * kProductsPerCategory);
  for (size_t i = 0; i < std::size(kCategories); ++i) add_category(static_cast<uint8_t>(i), random);
  category_start_.push_back(static_cast<uint32_t>(products_.size()));
  add_stores();
}

void Catalog::add_category(uint8_t category, Random& random) {
  const Category& source = kCategories[category];
  category_start_.push_back(static_cast<uint32_t>(products_.size()));
  for (uint32_t i = 0; i < kProductsPerCategory; ++i) {
    Product product;
    product.category = category;
    const std::string_view brand = kBrands[random.below(std::size(kBrands))];
    product.name.append(brand).append(source.items[i % kItems]).append(" ");
    product.name.append(kVariants[i / kItems % std::size(kVariants)]);
    const double share = random.unit() * random.unit();
    product.price = shop_price(
        source.cheapest + static_cast<Fen>(share * static_cast<double>(source.dearest - source.cheapest)),
        random);
    append_product_json(product, brand, static_cast<uint32_t>(products_.size()), product.json);
    products_.push_back(std::move(product));
  }
}

void Catalog::add_stores() {
  for (uint8_t i = 0; i < kCityCount; ++i) {
    first_store_.push_back(static_cast<uint16_t>(stores_.size()));
    const size_t count = i < kCitiesWithStores ? (i < 5 ? 4 : 2) : 0;
    for (size_t place = 0; place < count; ++place) {
      char id[16];
      std::snprintf(id, sizeof id, "S%03zu", 100 + stores_.size());
      stores_.push_back({id, std::string(kCities[i].name).append(kStorePlaces[place]), i});
    }
  }
  first_store_.push_back(static_cast<uint16_t>(stores_.size()));
}

uint16_t Catalog::pick_product(uint8_t favourite_category, Random& random) const {
  const auto categories = static_cast<uint32_t>(std::size(kCategories));
  const uint32_t category = random.chance(0.55) ? favourite_category : random.below(categories);
  return static_cast<uint16_t>(category_start_[category] + random.favoured(kProductsPerCategory));
}

uint16_t Catalog::pick_store(uint8_t city, Random& random) const {
  const uint32_t count = first_store_[city + 1u] - first_store_[city];
  if (count == 0) return static_cast<uint16_t>(random.below(first_store_[5]));
  return static_cast<uint16_t>(first_store_[city] + random.below(count));
}

}  // namespace kehu::demo
