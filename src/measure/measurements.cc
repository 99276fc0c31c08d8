#include "measure/measurements.h"

#include "aggregate/wire.h"

// byte 1; varint how many numbers, ascending by key, each: text key, instant as of, duration how long it
// took, varint of how many customers, varint how many cuts, each wide.
namespace kehu::measure {
namespace {

constexpr Hash128 kPlace{0, 2};
constexpr uint8_t kVersion = 1;

}  // namespace

absl::Status Measurements::load() {
  cuts_.clear();
  const std::string_view bytes = store_.get(kPlace);
  if (bytes.empty()) return absl::OkStatus();
  aggregate::WireReader in(bytes);
  if (in.byte() != kVersion) in.fail();
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    MeasuredCuts& measured = cuts_[std::string(in.text())];
    measured.taken.as_of = in.instant();
    measured.taken.took = Duration(in.zigzag());
    measured.taken.customers = in.varint();
    for (uint64_t more = in.varint(); more > 0 && !in.failed(); --more) measured.cuts.push_back(in.wide());
  }
  if (!in.complete()) return absl::DataLossError("what was measured of all customers is damaged");
  return absl::OkStatus();
}

void Measurements::save() const {
  if (cuts_.empty()) return store_.erase(kPlace);
  aggregate::WireBuffer out;
  out.byte(kVersion);
  out.varint(cuts_.size());
  for (const auto& [key, measured] : cuts_) {
    out.text(key);
    out.instant(measured.taken.as_of);
    out.zigzag(measured.taken.took.micros());
    out.varint(measured.taken.customers);
    out.varint(measured.cuts.size());
    for (const Sum cut : measured.cuts) out.wide(cut);
  }
  store_.put(kPlace, out.view());
}

bool Measurements::put(const codec::Measurement& measurement) {
  MeasuredCuts& measured = cuts_[std::string(measurement.key)];
  const bool other = measured.cuts != measurement.cuts;
  measured = {.taken = {measurement.as_of, measurement.took, measurement.customers},
              .cuts = {measurement.cuts.begin(), measurement.cuts.end()}};
  save();
  return other;
}

const MeasuredCuts* Measurements::cuts(std::string_view key) const {
  const auto at = cuts_.find(key);
  return at == cuts_.end() ? nullptr : &at->second;
}

const rule::Cuts* Measurements::known_cuts(std::string_view key) const {
  const MeasuredCuts* measured = cuts(key);
  return measured == nullptr || measured->cuts.empty() ? nullptr : &measured->cuts;
}

void Measurements::keep_only(const std::function<bool(const std::string& key)>& asked) {
  if (std::erase_if(cuts_, [&](const auto& measured) { return !asked(measured.first); }) > 0) save();
}

}  // namespace kehu::measure
