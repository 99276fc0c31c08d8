#pragma once

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "trace/span.h"

namespace kehu::trace {

// Who recorded the spans.
struct Resource {
  std::string service_name = "kehu";
  std::string service_version = {};
  std::string instance_id = {};  // of this process
};

// An ExportTraceServiceRequest in OTLP's JSON: ids in hexadecimal, 64-bit numbers as strings, enumerations as
// numbers.
std::string otlp_json(const Resource& resource, absl::Span<const Span> spans);

}  // namespace kehu::trace
