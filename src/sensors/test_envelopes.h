#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "coding/packing.h"
#include "intake/test_door.h"
#include "seal/envelope.h"
#include "seal/test_envelope.h"

namespace kehu::sensors {

// A mobile SDK with a key pair of the test door's project, and the project's side of it. For tests and
// fuzzers.
struct TestSender {
  static constexpr std::string_view kSession = "0123456789abcdef";

  explicit TestSender(const intake::TestDoor& door)
      : key(seal::make_envelope_key(door.key, {.version = seal::EnvelopeVersion(1), .created = Instant(0)})),
        opener(door.key, {key}),
        session(coding::base64(seal::wrapped_session(key.public_key, kSession))) {}

  std::string message(std::string_view clear) const {
    return coding::base64(seal::sealed_message(kSession, clear));
  }
  // What is to be read as JSON.
  std::string payload(std::string_view json) const { return message(coding::gzipped(json)); }
  std::string envelope(const std::vector<std::string>& payloads, std::string_view more = {}) const {
    std::string out = cat("{\"ekey\":\"", session, "\",\"pkv\":1", more, ",\"payloads\":[");
    for (size_t i = 0; i < payloads.size(); ++i) out += cat(i == 0 ? "" : ",", "\"", payloads[i], "\"");
    return out + "]}";
  }

  seal::EnvelopeKey key;
  seal::EnvelopeOpener opener;
  std::string session;
};

}  // namespace kehu::sensors
