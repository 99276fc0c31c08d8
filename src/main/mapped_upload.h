#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "main/caller.h"
#include "mapping/row_mapper.h"
#include "model/rejection.h"

namespace kehu {

// What became of rows that were sent. Rejections of the server alone in `refused_by_reason`; index: Reason.
struct UploadTotals {
  uint64_t accepted = 0;  // new events
  uint64_t repeats = 0;   // events that were there already
  uint64_t conflicts = 0;
  uint64_t rejected = 0;  // new in quarantine, by mapping or server
  std::array<uint64_t, kReasonCount> refused_by_reason{};
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
  };
  MappedUpload(Caller& caller, const Sender& sender);

  // Takes a row. `origin` names its place, so that the server can name it too: "orders.csv:17".
  void add(const mapping::MappedRow& row, std::string_view origin);
  // Lines that were added and not given to a source yet.
  std::string& lines() { return lines_; }

  // Sends what `source` gives, and rejections when there are many.
  absl::Status send(const client::Source& source);
  // Sends all lines and rejections. After an error all of them may be sent again: they are as they were.
  absl::Status send_all();
  absl::Status send_rejections();

  const UploadTotals& totals() const { return totals_; }

 private:
  client::Request request(std::string_view path) const;

  Caller& caller_;
  std::string query_;
  const std::string_view client_;
  std::string lines_;
  std::string rejections_;  // elements of a JSON array
  size_t rejection_count_ = 0;
  UploadTotals totals_;
};

}  // namespace kehu
