#include "measure/measurements.h"

#include <gtest/gtest.h>

#include "store/map_store.h"

namespace kehu::measure {
namespace {

rule::Cuts some_cuts(int64_t first) {
  rule::Cuts cuts;
  for (size_t i = 0; i < rule::kCuts; ++i) cuts.push_back(Sum{first} + static_cast<int64_t>(i));
  cuts.front() = -(Sum{1} << 100);
  cuts.back() = Sum{1} << 100;
  return cuts;
}

// As it comes out of a record.
codec::Measurement measurement(std::string& bytes, std::string_view key, rule::Cuts cuts) {
  codec::Measurement given{.key = key,
                           .as_of = Instant(1'780'000'000'123'456),
                           .took = Duration::millis(1500),
                           .customers = cuts.empty() ? 0u : 4711u,
                           .cuts = std::move(cuts)};
  codec::append_measurement(given, bytes);
  auto read = codec::decode_measurement(bytes);
  EXPECT_TRUE(read.ok());
  return *std::move(read);
}

TEST(Measurements, AreThereAgainBehindARestart) {
  MapStore store;
  std::string first, second;
  Measurements measurements(store);
  EXPECT_TRUE(measurements.put(measurement(first, "a", some_cuts(5))));
  EXPECT_TRUE(measurements.put(measurement(second, "b", {})) == false) << "nothing is known as before";
  Measurements again(store);
  ASSERT_TRUE(again.load().ok());
  ASSERT_NE(again.cuts("a"), nullptr);
  EXPECT_EQ(again.cuts("a")->cuts, some_cuts(5));
  EXPECT_EQ(again.cuts("a")->taken.as_of, Instant(1'780'000'000'123'456));
  EXPECT_EQ(again.cuts("a")->taken.took, Duration::millis(1500));
  EXPECT_EQ(again.cuts("a")->taken.customers, 4711u);
  ASSERT_NE(again.cuts("b"), nullptr);
  EXPECT_EQ(again.known_cuts("b"), nullptr) << "measured, and nobody was there";
  EXPECT_EQ(again.cuts("c"), nullptr);
}

TEST(Measurements, SayWhetherAnythingIsOther) {
  MapStore store;
  std::string bytes, other;
  Measurements measurements(store);
  const codec::Measurement one = measurement(bytes, "a", some_cuts(5));
  EXPECT_TRUE(measurements.put(one));
  EXPECT_FALSE(measurements.put(one));
  EXPECT_TRUE(measurements.put(measurement(other, "a", some_cuts(6))));
}

TEST(Measurements, OfNothingThatIsAskedForAreForgotten) {
  MapStore store;
  std::string first, second;
  Measurements measurements(store);
  measurements.put(measurement(first, "a", some_cuts(1)));
  measurements.put(measurement(second, "b", some_cuts(2)));
  measurements.keep_only([](const std::string& key) { return key == "b"; });
  Measurements again(store);
  ASSERT_TRUE(again.load().ok());
  EXPECT_EQ(again.cuts("a"), nullptr);
  EXPECT_NE(again.cuts("b"), nullptr);
  again.keep_only([](const std::string&) { return false; });
  size_t blobs = 0;
  store.for_each([&](const Hash128&, std::string_view) { ++blobs; });
  EXPECT_EQ(blobs, 0u) << "a project that measures nothing keeps nothing";
}

TEST(Measurements, ASourceIsQuarantinedBelowItsShareAndComesBackALittleAbove) {
  struct Step {
    uint64_t compared, agreed;
    bool quarantined;
  };
  constexpr Step kSteps[] = {
      {99, 0, false},     // too few to say anything
      {100, 80, false},   // exactly enough
      {100, 79, true},    // below
      {1000, 800, true},  // enough, but not to come back
      {1000, 819, true}, {50, 50, true}, {1000, 820, false}, {1000, 800, false}, {1000, 799, true},
  };
  MapStore store;
  Measurements measurements(store);
  bool before = false;
  for (const Step& step : kSteps) {
    std::string bytes;
    codec::append_measurement({.kind = MeasurementKind::kAgreement,
                               .key = "check 1 a",
                               .as_of = Instant(1'780'000'000'000'000),
                               .took = Duration::millis(7),
                               .customers = step.compared,
                               .agreed = step.agreed},
                              bytes);
    const auto read = codec::decode_measurement(bytes);
    ASSERT_TRUE(read.ok());
    const bool other = measurements.put_check(*read, Decimal::from_units(8000));
    EXPECT_EQ(other, step.quarantined != before) << step.agreed << " of " << step.compared;
    Measurements again(store);
    ASSERT_TRUE(again.load().ok());
    ASSERT_NE(again.check("check 1 a"), nullptr);
    EXPECT_EQ(again.check("check 1 a")->quarantined, step.quarantined)
        << step.agreed << " of " << step.compared;
    EXPECT_EQ(again.check("check 1 a")->points.back().agreed, step.agreed);
    before = step.quarantined;
  }
  EXPECT_EQ(measurements.check("check 1 a")->points.size(), std::size(kSteps));
  measurements.keep_checks([](const std::string&) { return false; });
  EXPECT_EQ(measurements.check("check 1 a"), nullptr);
}

TEST(Measurements, AllOfThemAgreeingIsEnoughToComeBack) {
  MapStore store;
  Measurements measurements(store);
  codec::Measurement measurement{.kind = MeasurementKind::kAgreement, .key = "c", .as_of = {}, .took = {}};
  measurement.customers = 100;
  measurement.agreed = 98;
  measurements.put_check(measurement, Decimal::from_units(9900));
  EXPECT_TRUE(measurements.check("c")->quarantined);
  measurement.agreed = 100;
  measurements.put_check(measurement, Decimal::from_units(9900));
  EXPECT_FALSE(measurements.check("c")->quarantined) << "at most 100 %";
}

TEST(Measurements, DamageIsSaid) {
  MapStore store;
  std::string bytes;
  Measurements measurements(store);
  measurements.put(measurement(bytes, "a", some_cuts(1)));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(codec::decode_measurement(std::string_view(bytes).substr(0, size)).ok());
  }
  EXPECT_FALSE(codec::decode_measurement(bytes + "x").ok());
  bytes[1] = 99;
  EXPECT_FALSE(codec::decode_measurement(bytes).ok()) << "an unknown kind";
  store.put(Hash128{0, 2}, "\x01\x05");
  EXPECT_EQ(measurements.load().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kehu::measure
