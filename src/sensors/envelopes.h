#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.h"
#include "json/index.h"
#include "model/rejection.h"
#include "seal/envelope.h"

namespace kehu::sensors {

// Records that a mobile SDK of Sensors Analytics encrypted, each on its own when it happened (gzip=9) or all
// of a request together (gzip=13):
//
//   [{"ekey": "…", "pkv": 1, "payloads": ["…", …], "flush_time": 1795308540000}, …]
//
// `ekey` is the session key of an envelope (seal/envelope.h) in base64, `pkv` the version of the pair it was
// sealed for, and each payload (`payloads` may be one of them; `payload` is an older name) a message in
// base64: of a record or an array of records, as gzipped JSON. What does not open is a fault; read again as
// it stands there, it opens once the project has the key. Reused from request to request.
class Envelopes {
 public:
  // Of a request: each may cost an operation of its private key. The rest are faults of as many again.
  static constexpr uint32_t kEnvelopes = 128;

  struct Fault {
    Reason reason = Reason::kEncryptedBody;
    std::string detail;
    std::string received;
    uint64_t number = 0;  // of the envelope in the request, from 1; 0 = it is the only one
  };

  static bool is_envelope(const json::Value& record) { return record.find("ekey").exists(); }

  // Of an indexed request: an array, or one envelope. Records in it that are in clear stay as they are. An
  // `opener` of nullptr has no keys.
  void open(const json::Index& request, seal::EnvelopeOpener* opener);

  // The records as a JSON array, whose time of sending is that of their envelope; at most some 3 MB.
  std::string_view text() const { return text_; }
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  enum class Outcome : uint8_t { kOpened, kClosed, kTooLarge };
  struct Envelope {
    json::Value value;
    uint64_t number = 0;
    std::string_view flush_time;
  };

  void open_item(const json::Value& item, uint64_t number, seal::EnvelopeOpener* opener);
  void open_payloads(const Envelope& envelope, const seal::SessionKey& session, seal::EnvelopeOpener& opener);
  Outcome open_payload(const Envelope& envelope, const std::string& base64, const seal::SessionKey& session,
                       seal::EnvelopeOpener& opener);
  void add_records(const Envelope& envelope, const std::string& clear);
  void add_record(const Envelope& envelope, const json::Value& record);
  void add_clear(const json::Value& item, uint64_t number);
  void add_rest(const json::Value& item, uint64_t number);
  void finish_rest();

  std::string text_;
  size_t opened_bytes_ = 0;
  uint32_t records_ = 0;
  uint32_t envelopes_ = 0;
  std::vector<Fault> faults_;
  std::string rest_;
  uint32_t rest_size_ = 0;
  uint64_t rest_number_ = 0;
  std::string bytes_;
  std::string message_;
  json::Index index_;
};

}  // namespace kehu::sensors
