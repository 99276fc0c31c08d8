#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "command/caller.h"
#include "mapping/row_mapper.h"
#include "model/event.h"
#include "model/rejection.h"

namespace kehu::upload {

// What became of rows that were sent. Rejections of the server alone in `refused_by_reason`; index: Reason.
struct UploadTotals {
  uint64_t accepted = 0;  // new events
  uint64_t repeats = 0;   // events that were there already
  uint64_t conflicts = 0;
  uint64_t rejected = 0;  // new in quarantine, by mapping or server
  std::array<uint64_t, kReasonCount> refused_by_reason{};
  std::array<uint64_t, kLeftOutCount> identifiers_left_out{};  // index: LeftOut

  void add(const UploadTotals& other);
  UploadTotals since(const UploadTotals& earlier) const;
};

// Mapped rows on their way into an installation: events as lines of POST /api/v1/events, rejections as a
// list.
class MappedUpload {
 public:
  // The write key, or the name of the source for administrators; neither is the default source.
  struct Sender {
    std::string key;
    std::string source;
    std::string_view client = "kehu import";  // what the debugger calls it; a literal
    // Calls that are answered 429 wait and are sent again, for up to an hour; else they fail.
    bool patient = false;

    // As a command line says it. Over a URL the key may stand in KEHU_WRITE_KEY, unless a source is named,
    // which only administrators may.
    static Sender of(const command::Where& where, const std::string& key, const std::string& source);
  };
  MappedUpload(command::Caller& caller, const Sender& sender);

  // Takes a row. `origin` names its place, so that the server can name it too: "orders.csv:17".
  void add(const mapping::MappedRow& row, std::string_view origin);
  // Lines that were added and not given to a source yet.
  std::string& lines() { return lines_; }
  // So many rejections wait that they should be sent before further rows are added: rejections take memory
  // until they are, and how many rows are bad nobody knows before.
  bool rejections_full() const { return rejections_bytes_ >= kRejectionBytes; }

  // Sends what `source` gives.
  absl::Status send(const client::Source& source);
  // Sends all lines and rejections. After an error all of them may be sent again: they are as they were.
  absl::Status send_all();
  // In requests of about kRejectionBytes. After an error, those that were not answered wait on.
  absl::Status send_rejections();

  // Another request of the same sender, with a JSON body; the content of its answer.
  absl::StatusOr<std::string> post(std::string_view path, std::string body);

  const UploadTotals& totals() const { return totals_; }

 private:
  // A request's worth. A submission to the log may be four times as large, a body eight times.
  static constexpr size_t kRejectionBytes = 1u << 20;

  client::Request request(std::string_view path) const;
  absl::StatusOr<client::Response> call(const client::Request& request);
  absl::Status send_rejections(std::string_view elements);
  // Of an answer; what to do about a key that was refused.
  absl::StatusOr<std::string> content_of(const absl::StatusOr<client::Response>& response) const;

  command::Caller& caller_;
  std::string query_;
  bool with_key_;
  const std::string_view client_;
  const bool patient_;
  std::string lines_;
  std::deque<std::string> rejections_;  // each the elements of one request's JSON array
  size_t rejections_bytes_ = 0;
  UploadTotals totals_;
};

}  // namespace kehu::upload
