#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mapping/file_import.h"
#include "upload/mapped_upload.h"

namespace kehu::upload {

// What became of one file, as far as it could be read and sent.
struct ImportOutcome {
  std::string file;
  mapping::Report rows;
  UploadTotals sent;
  std::vector<std::string> notes;  // what a person should know, although nothing failed
  absl::Status status;             // why it was not read or sent to its end
};

// "digits_lost in the column customer: 3 rows…", a line for each column; nothing when no digits were lost.
std::string digits_lost_text(const mapping::Report& rows);

// The report of an import: all files, and, when there are several or one failed, each of them.
std::string report_text(const std::vector<ImportOutcome>& files);
std::string report_json(const std::vector<ImportOutcome>& files);

}  // namespace kehu::upload
