#include "measure/measurements.h"

#include <algorithm>

#include "aggregate/wire.h"

// byte 1; varint how many numbers, ascending by key, each: text key, taken, varint how many cuts, each wide;
// varint how many statements, ascending by key, each: text key, byte 1 and taken, or 0 of one that never came
// to its end, instant of the failure, text error; varint how many checks, ascending by key, each: text key,
// byte 1 when values are quarantined, zigzag microseconds that the newest took, varint how many points, each:
// instant as of, varint compared, varint agreed. Taken: instant as of, zigzag microseconds that it took,
// varint of how many customers.
namespace kehu::measure {
namespace {

constexpr Hash128 kPlace{0, 2};
constexpr uint8_t kVersion = 1;

void write(const Taken& taken, aggregate::WireBuffer& out) {
  out.instant(taken.as_of);
  out.zigzag(taken.took.micros());
  out.varint(taken.customers);
}

Taken read_taken(aggregate::WireReader& in) {
  Taken taken;
  taken.as_of = in.instant();
  taken.took = Duration(in.zigzag());
  taken.customers = in.varint();
  return taken;
}

template <class Map>
auto find_in(const Map& map, std::string_view key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

absl::Status Measurements::load() {
  cuts_.clear();
  runs_.clear();
  checks_.clear();
  const std::string_view bytes = store_.get(kPlace);
  if (bytes.empty()) return absl::OkStatus();
  aggregate::WireReader in(bytes);
  if (in.byte() != kVersion) in.fail();
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    MeasuredCuts& measured = cuts_[std::string(in.text())];
    measured.taken = read_taken(in);
    for (uint64_t more = in.varint(); more > 0 && !in.failed(); --more) measured.cuts.push_back(in.wide());
  }
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    MeasuredRun& run = runs_[std::string(in.text())];
    if (in.byte() == 1) run.taken = read_taken(in);
    run.failed_at = in.instant();
    run.error = std::string(in.text());
  }
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    MeasuredCheck& check = checks_[std::string(in.text())];
    check.quarantined = in.byte() == 1;
    check.took = Duration(in.zigzag());
    for (uint64_t more = in.varint(); more > 0 && !in.failed(); --more) {
      MeasuredCheck::Point& point = check.points.emplace_back();
      point.as_of = in.instant();
      point.compared = in.varint();
      point.agreed = in.varint();
    }
    if (check.points.empty()) in.fail();
  }
  if (!in.complete()) return absl::DataLossError("what was measured of all customers is damaged");
  return absl::OkStatus();
}

void Measurements::save() const {
  if (cuts_.empty() && runs_.empty() && checks_.empty()) return store_.erase(kPlace);
  aggregate::WireBuffer out;
  out.byte(kVersion);
  out.varint(cuts_.size());
  for (const auto& [key, measured] : cuts_) {
    out.text(key);
    write(measured.taken, out);
    out.varint(measured.cuts.size());
    for (const Sum cut : measured.cuts) out.wide(cut);
  }
  out.varint(runs_.size());
  for (const auto& [key, run] : runs_) {
    out.text(key);
    out.byte(run.taken ? 1 : 0);
    if (run.taken) write(*run.taken, out);
    out.instant(run.failed_at);
    out.text(run.error);
  }
  out.varint(checks_.size());
  for (const auto& [key, check] : checks_) {
    out.text(key);
    out.byte(check.quarantined ? 1 : 0);
    out.zigzag(check.took.micros());
    out.varint(check.points.size());
    for (const MeasuredCheck::Point& point : check.points) {
      out.instant(point.as_of);
      out.varint(point.compared);
      out.varint(point.agreed);
    }
  }
  store_.put(kPlace, out.view());
}

bool Measurements::put(const codec::Measurement& measurement) {
  const Taken taken{measurement.as_of, measurement.took, measurement.customers};
  bool other = false;
  switch (measurement.kind) {
    case MeasurementKind::kCuts: {
      MeasuredCuts& measured = cuts_[std::string(measurement.key)];
      other = measured.cuts != measurement.cuts;
      measured = {.taken = taken, .cuts = measurement.cuts};
      break;
    }
    case MeasurementKind::kValues:
      if (!measurement.last) return false;
      runs_[std::string(measurement.key)] = {.taken = taken, .failed_at = {}, .error = {}};
      break;
    case MeasurementKind::kFailure: {
      MeasuredRun& run = runs_[std::string(measurement.key)];
      run.failed_at = measurement.as_of;
      run.error = std::string(measurement.error);
      break;
    }
    case MeasurementKind::kAgreement:
      return false;  // put_check()
  }
  save();
  return other;
}

// In whole numbers, so that every machine decides the same.
bool Measurements::put_check(const codec::Measurement& measurement, Decimal least) {
  MeasuredCheck& check = checks_[std::string(measurement.key)];
  const bool before = check.quarantined;
  check.points.push_back({measurement.as_of, measurement.customers, measurement.agreed});
  if (check.points.size() > MeasuredCheck::kPoints) check.points.erase(check.points.begin());
  check.took = measurement.took;
  if (measurement.customers >= MeasuredCheck::kComparedLeast) {
    const int64_t back =
        std::min(Decimal::kScale, least.units() + MeasuredCheck::kHysteresis * Decimal::kScale / 100);
    const int64_t wanted = before ? back : least.units();
    check.quarantined = Sum{static_cast<int64_t>(measurement.agreed)} * Decimal::kScale <
                        Sum{static_cast<int64_t>(measurement.customers)} * wanted;
  }
  save();
  return check.quarantined != before;
}

const MeasuredCheck* Measurements::check(std::string_view key) const { return find_in(checks_, key); }

void Measurements::keep_checks(const std::function<bool(const std::string& key)>& asked) {
  if (std::erase_if(checks_, [&](const auto& check) { return !asked(check.first); }) > 0) save();
}

const MeasuredCuts* Measurements::cuts(std::string_view key) const { return find_in(cuts_, key); }
const MeasuredRun* Measurements::run(std::string_view key) const { return find_in(runs_, key); }

const rule::Cuts* Measurements::known_cuts(std::string_view key) const {
  const MeasuredCuts* measured = cuts(key);
  return measured == nullptr || measured->cuts.empty() ? nullptr : &measured->cuts;
}

void Measurements::keep_only(const std::function<bool(const std::string& key)>& asked) {
  const auto is_gone = [&](const auto& measured) { return !asked(measured.first); };
  const size_t gone = std::erase_if(cuts_, is_gone) + std::erase_if(runs_, is_gone);
  if (gone > 0) save();
}

}  // namespace kehu::measure
