#include "codec/former_origin.h"

namespace kehu::codec {
namespace {

struct Known {
  std::string_view path;  // how it begins
  Protocol protocol;
};
// Rejections of version 1 do not say in which form their payload is; only the path on which it came tells
// (docs/formats/records.md). The first entry that fits counts. The table only looks back: routes that came
// later say their protocol in the record.
constexpr Known kKnown[] = {
    {"/v1/", Protocol::kSegment},
    {"/sdk/", Protocol::kSegment},
    {"/beacon/v1/", Protocol::kRudder},
    {"/pixel/v1/", Protocol::kRudder},
    {"/sa", Protocol::kSensors},
    {"/debug", Protocol::kSensors},
    {"/api/v1/cloudevents", Protocol::kCloudEvents},
    {"/api/v1/stream", Protocol::kStream},
    {"/e", Protocol::kPostHog},
    {"/i/v0/e", Protocol::kPostHog},
    {"/capture", Protocol::kPostHog},
    {"/batch", Protocol::kPostHog},
    {"/track", Protocol::kPostHog},
};

// Reads the name of a call of Segment's API, "track" or "t" and so on. Its batches have no type of their
// own.
std::optional<EventType> type_of_call(std::string_view name) {
  for (int i = 1; i <= static_cast<int>(EventType::kAlias); ++i) {
    const std::string_view full = to_string(static_cast<EventType>(i));
    if (name == full || name == full.substr(0, 1)) return static_cast<EventType>(i);
  }
  return std::nullopt;
}

}  // namespace

FormerOrigin FormerOrigin::read(std::string_view origin) {
  for (const Known& known : kKnown) {
    if (!origin.starts_with(known.path)) continue;
    const bool call = known.protocol == Protocol::kSegment || known.protocol == Protocol::kRudder;
    const std::string_view name = origin.substr(known.path.size());
    return {known.protocol, call ? type_of_call(name.substr(0, name.find(':'))) : std::nullopt};
  }
  return {};
}

}  // namespace kehu::codec
