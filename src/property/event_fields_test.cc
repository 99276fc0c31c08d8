#include "property/event_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "json/index.h"

namespace kehu::property {
namespace {

json::FieldPath path(std::string_view text) { return *json::FieldPath::parse(text); }

PathTree tree_of(const std::vector<std::string>& paths) {
  PathTree tree;
  for (const std::string& each : paths) tree.add(path(each), Slot(tree.size()));
  return tree;
}

std::string listed(absl::Span<const FieldValue> values) {
  std::string out;
  for (const FieldValue& value : values) out.append(value.raw().raw).append(";");
  return out;
}

// The same by a walk for each path alone.
std::string visited(const std::string& of, std::string_view properties) {
  std::string out;
  path(of).visit(properties, [&](const json::RawValue& value) { out.append(value.raw).append(";"); });
  return out;
}

TEST(EventFields, OfOnePath) {
  struct Case {
    const char* name;
    const char* path;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"a member", "total", R"({"a":1,"total":12.50,"b":2})", "12.50;"},
      {"space", "total", " { \"total\" :\t12 \n, \"b\" : [ ] } ", "12;"},
      {"a text with brackets", "b", R"({"a":"}]\"","b":"{["})", R"("{[";)"},
      {"null is a value", "a", R"({"a":null})", "null;"},
      {"missing", "a", R"({"b":1})", ""},
      {"in an object", "address.city", R"({"address":{"street":{"city":1},"city":"上海"}})", "\"上海\";"},
      {"through a list without []", "a.b", R"({"a":[{"b":1}]})", ""},
      {"through a text", "a.b", R"({"a":"b"})", ""},
      {"of a scalar", "a[]", R"({"a":1})", ""},
      {"elements", "tags[]", R"({"tags":["a", 1 ,null,[2],{"b":3}]})", R"("a";1;null;[2];{"b":3};)"},
      {"a list as a whole", "tags", R"({"tags":[ 1, [2] ] })", "[ 1, [2] ];"},
      {"members of elements", "p[].x", R"({"p":[{"x":1},7,{"y":2},{"x":[3]}]})", "1;[3];"},
      {"lists in lists", "p[].q[].x", R"({"p":[{"q":[{"x":1},{"x":2}]},{"q":[]},{"q":[{"x":3}]}]})",
       "1;2;3;"},
      {"the last of a key", "a", R"({"a":1,"b":0,"a":2})", "2;"},
      {"the last of a key, below it", "a.b", R"({"a":{"b":1},"a":{"c":2}})", ""},
      {"the last of a key, which leads nowhere", "a.b", R"({"a":{"b":1},"a":3})", ""},
      {"the last of a key in each element", "p[].x", R"({"p":[{"x":1,"x":2},{"x":3}]})", "2;3;"},
      {"the last list", "p[].x", R"({"p":[{"x":1},{"x":2}],"p":[{"x":3}]})", "3;"},
      {"a key with escapes", "a\"b", R"({"\u0061\"b":1})", "1;"},
      {"a key that is a path", "a.b", R"({"a.b":1})", ""},
      {"an empty key", "a", R"({"":1,"a":2})", "2;"},
      {"no object", "a", R"([{"a":1}])", ""},
      {"no text", "a", "", ""},
      {"an empty object", "a", "{ }", ""},
  };
  EventFields fields;
  for (const Case& c : cases) {
    const PathTree tree = tree_of({c.path});
    fields.read(&tree, c.given);
    EXPECT_EQ(listed(fields.values(Slot(0))), c.want) << c.name;
    EXPECT_EQ(visited(c.path, c.given), c.want) << c.name;
  }
}

TEST(EventFields, NothingIsLeftOfTheEventBefore) {
  const PathTree tree = tree_of({"a", "b[]"});
  EventFields fields;
  fields.read(&tree, R"({"a":1,"b":[1,2]})");
  fields.read(&tree, R"({"b":[3]})");
  EXPECT_EQ(listed(fields.values(Slot(0))), "");
  EXPECT_EQ(listed(fields.values(Slot(1))), "3;");
  fields.read(nullptr, R"({"a":1})");
  EXPECT_EQ(listed(fields.values(Slot(1))), "");
  EXPECT_EQ(listed(fields.values(Slot(99))), "");
}

TEST(EventFields, ValuesHaveTypes) {
  struct Case {
    const char* given;
    json::Kind kind;
    const char* number;  // "-": none
    const char* text;
  };
  const Case cases[] = {
      {"1", json::Kind::kNumber, "1", ""},       {"-0.0", json::Kind::kNumber, "0", ""},
      {"1.5e2", json::Kind::kNumber, "150", ""}, {"0.00005", json::Kind::kNumber, "0.0001", ""},
      {"1e300", json::Kind::kNumber, "-", ""},   {"\"12\"", json::Kind::kString, "-", "12"},
      {"\"\"", json::Kind::kString, "-", ""},    {R"("\u4e0a\n\"x")", json::Kind::kString, "-", "上\n\"x"},
      {"true", json::Kind::kBool, "-", ""},      {"null", json::Kind::kNull, "-", ""},
      {"[1]", json::Kind::kArray, "-", ""},      {"{\"a\":1}", json::Kind::kObject, "-", ""},
  };
  const PathTree tree = tree_of({"a"});
  EventFields fields;
  for (const Case& c : cases) {
    const std::string given = cat("{\"a\":", c.given, "}");
    fields.read(&tree, given);
    ASSERT_EQ(fields.values(Slot(0)).size(), 1u) << given;
    const FieldValue& value = fields.values(Slot(0))[0];
    EXPECT_EQ(value.kind(), c.kind) << given;
    for (int again = 0; again < 2; ++again) {
      const auto number = fields.number(value);
      EXPECT_EQ(number ? number->to_string() : "-", c.number) << given;
      EXPECT_EQ(fields.text(value), c.text) << given;
    }
  }
}

TEST(EventFields, TextsWithEscapesStandBesideEachOther) {
  const PathTree tree = tree_of({"a[]"});
  EventFields fields;
  for (int round = 0; round < 2; ++round) {
    fields.read(&tree, R"({"a":["\u0031","2","\u0033"]})");
    const auto values = fields.values(Slot(0));
    const std::string_view first = fields.text(values[0]), second = fields.text(values[1]);
    EXPECT_EQ(fields.text(values[2]), "3");
    EXPECT_EQ(first, "1");
    EXPECT_EQ(second, "2");
  }
}

TEST(EventFields, MembersOfOneElementBelongTogether) {
  const PathTree tree = tree_of({"p[]", "p[].x", "p[].y.z", "total"});
  EventFields fields;
  fields.read(&tree, R"({"total":3,"p":[{"x":1},{"y":{"z":2}},{"y":{"z":4},"x":3}]})");
  const auto each = fields.values(Slot(0)), x = fields.values(Slot(1)), z = fields.values(Slot(2));
  ASSERT_EQ(each.size(), 3u);
  ASSERT_EQ(x.size(), 2u);
  ASSERT_EQ(z.size(), 2u);
  EXPECT_EQ(x[0].element(), each[0].element());
  EXPECT_EQ(z[0].element(), each[1].element());
  EXPECT_EQ(x[1].element(), each[2].element());
  EXPECT_EQ(z[1].element(), each[2].element());
  EXPECT_NE(each[0].element(), each[1].element());
  EXPECT_EQ(fields.values(Slot(3))[0].element(), 0u);
}

// Few keys, so that paths meet them and objects repeat them.
class RandomJson {
 public:
  explicit RandomJson(uint64_t seed) : random_(seed) {}

  uint64_t pick(uint64_t of) { return random_() % of; }

  std::string object(int depth) {
    std::string out = "{";
    for (uint64_t i = pick(6); i > 0; --i)
      out += cat(space(), key(), space(), ":", value(depth + 1), comma(i));
    return out + space() + "}";
  }

  std::string path() {
    std::string out;
    for (uint64_t i = 1 + pick(4); i > 0; --i) out += cat(name(), pick(3) == 0 ? "[]" : "", i > 1 ? "." : "");
    return out;
  }

 private:
  std::string name() { return std::string(1, static_cast<char>('a' + pick(4))); }
  std::string key() {
    static constexpr std::string_view kKeys[] = {"\"a\"", "\"b\"",       "\"c\"",     "\"d\"",
                                                 "\"\"",  "\"\\u0061\"", "\"a\\\"\"", "\"上海\""};
    return std::string(kKeys[pick(2) == 0 ? pick(4) : pick(std::size(kKeys))]);
  }
  std::string space() { return pick(8) == 0 ? std::string(1 + pick(2), " \n\t"[pick(3)]) : std::string(); }
  static std::string comma(uint64_t left) { return left > 1 ? "," : ""; }

  std::string value(int depth) {
    static constexpr std::string_view kScalars[] = {
        "0",          "-1.50", "1e9",     "123456789012345678901234567890",
        "true",       "false", "null",    "\"\"",
        "\"{[,\"",    "\"x\"", R"("\\")", R"("\"")",
        R"("\u4e0a")"};
    std::string out = space();
    const uint64_t kind = depth > 5 ? 0 : pick(6);
    if (kind < 3) return out + std::string(kScalars[pick(std::size(kScalars))]) + space();
    if (kind < 5) return out + object(depth) + space();
    out += "[";
    for (uint64_t i = pick(4); i > 0; --i) out += value(depth + 1) + comma(i);
    return out + space() + "]" + space();
  }

  std::mt19937_64 random_;
};

TEST(EventFields, AgreeWithAWalkForEachPath) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomJson random(seed);
  EventFields fields;
  json::Index index;
  size_t found = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> paths;
    PathTree tree;
    std::vector<Slot> slots;
    for (uint64_t i = random.pick(24); i > 0; --i) {
      paths.push_back(random.path());
      slots.push_back(tree.add(path(paths.back()), Slot(static_cast<uint32_t>(paths.size() * 3))));
    }
    for (int event = 0; event < 3; ++event) {
      const std::string text = random.object(0);
      ASSERT_FALSE(index.scan(text)) << text;
      fields.read(&tree, text);
      for (size_t i = 0; i < paths.size(); ++i) {
        const std::string want = visited(paths[i], text);
        ASSERT_EQ(listed(fields.values(slots[i])), want) << paths[i] << " of " << text;
        found += want.empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(found, 10'000u);
}

// Without escapes: a broken one in a key is a bug of who hands it in (json::unescape).
TEST(EventFields, OfAnyBytesIsNoCrash) {
  RandomJson random(7);
  const PathTree tree = tree_of({"a", "a.b", "a[].b", "b[]", "c.c.c"});
  EventFields fields;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = random.object(0);
    std::replace(text.begin(), text.end(), '\\', '_');
    for (uint64_t i = 1 + random.pick(3); i > 0; --i)
      text[random.pick(text.size())] = "{}[]:,\"1 "[random.pick(9)];
    fields.read(&tree, text);
  }
}

}  // namespace
}  // namespace kehu::property
