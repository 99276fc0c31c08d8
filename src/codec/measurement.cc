#include "codec/measurement.h"

#include "codec/bytes.h"

namespace kehu::codec {
namespace {

constexpr uint8_t kVersion = 1;
constexpr int kHalfBits = 64;

void append_sum(Sum sum, ByteWriter& writer) {
  writer.fixed(static_cast<int64_t>(sum >> kHalfBits));
  writer.fixed(static_cast<uint64_t>(sum));
}

Sum read_sum(ByteReader& reader) {
  const auto high = Sum{reader.fixed<int64_t>()};
  return high * (Sum{1} << kHalfBits) + reader.fixed<uint64_t>();
}

}  // namespace

void append_measurement(const Measurement& measurement, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(kVersion);
  writer.fixed(static_cast<uint8_t>(measurement.kind));
  writer.text(measurement.key);
  writer.fixed(measurement.as_of.micros());
  writer.fixed(measurement.took.micros());
  writer.fixed(measurement.customers);
  writer.fixed(static_cast<uint32_t>(measurement.cuts.size()));
  for (const Sum cut : measurement.cuts) append_sum(cut, writer);
  writer.fixed(static_cast<uint32_t>(measurement.entries.size()));
  for (const Measurement::Entry& entry : measurement.entries) {
    writer.fixed(entry.customer.hash.high);
    writer.fixed(entry.customer.hash.low);
    writer.text(entry.value);
  }
  writer.fixed(static_cast<uint8_t>(measurement.last ? 1 : 0));
  writer.text(measurement.error);
  writer.fixed(measurement.agreed);
}

absl::StatusOr<Measurement> decode_measurement(std::string_view bytes) {
  ByteReader reader(bytes);
  Measurement measurement;
  const bool version = reader.fixed<uint8_t>() == kVersion;
  measurement.kind = static_cast<MeasurementKind>(reader.fixed<uint8_t>());
  measurement.key = reader.text();
  measurement.as_of = Instant(reader.fixed<int64_t>());
  measurement.took = Duration(reader.fixed<int64_t>());
  measurement.customers = reader.fixed<uint64_t>();
  for (uint32_t left = reader.fixed<uint32_t>(); left > 0 && !reader.failed(); --left) {
    measurement.cuts.push_back(read_sum(reader));
  }
  for (uint32_t left = reader.fixed<uint32_t>(); left > 0 && !reader.failed(); --left) {
    Measurement::Entry& entry = measurement.entries.emplace_back();
    entry.customer.hash.high = reader.fixed<uint64_t>();
    entry.customer.hash.low = reader.fixed<uint64_t>();
    entry.value = reader.text();
  }
  measurement.last = reader.fixed<uint8_t>() == 1;
  measurement.error = reader.text();
  measurement.agreed = reader.fixed<uint64_t>();
  const bool known = version && measurement.kind >= MeasurementKind::kCuts &&
                     measurement.kind <= MeasurementKind::kAgreement;
  if (reader.failed() || !reader.at_end() || !known) return absl::DataLossError("damaged measurement record");
  return measurement;
}

}  // namespace kehu::codec
