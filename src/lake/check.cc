#include "lake/check.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "base/text.h"
#include "delta/checksum.h"
#include "delta/delta_log.h"
#include "delta/log_file.h"
#include "duck/database.h"
#include "lake/tables.h"
#include "os/whole_file.h"

namespace kehu::lake {
namespace {

// One table: first the files of its log, each by itself and against its neighbours, then what they name.
class TableCheck {
 public:
  TableCheck(std::string directory, std::string key, os::FileSystem& files, duck::Database& database,
             CheckReport& report)
      : directory_(std::move(directory)),
        key_(std::move(key)),
        files_(files),
        database_(database),
        report_(report) {}

  absl::Status run();
  Sequence position() const;

 private:
  absl::Status check_log();
  absl::Status check_version(int64_t version);
  absl::Status check_pointer();
  absl::Status check_checkpoint(const std::string& name, int64_t version);
  absl::Status load();
  absl::Status check_data();
  absl::Status check_data_file(const std::string& path, uint64_t size, std::optional<uint32_t> checksum);
  absl::Status check_rows();
  absl::StatusOr<std::string> first_value(const std::string& sql);
  void note(std::string problem);
  void note_damage(const std::string& path, std::string_view what) { note(cat(path, " is damaged: ", what)); }
  std::string log_path(const std::string& name) const { return cat(directory_, "/_delta_log/", name); }

  std::string directory_;
  std::string key_;  // TableEntry::key
  os::FileSystem& files_;
  duck::Database& database_;
  CheckReport& report_;
  bool sound_ = true;
  struct Previous {
    int64_t version;
    uint32_t checksum;
    bool known_damaged;
  };
  std::optional<Previous> previous_;
  std::map<int64_t, delta::CheckpointMark> checkpoints_;
  delta::TableState state_;
};

void TableCheck::note(std::string problem) {
  sound_ = false;
  if (report_.problems.size() < kCheckProblemsMax) report_.problems.push_back(std::move(problem));
}

absl::Status TableCheck::run() {
  if (!files_.exists(log_path(""))) return absl::OkStatus();
  for (const auto step :
       {&TableCheck::check_log, &TableCheck::load, &TableCheck::check_data, &TableCheck::check_rows}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TableCheck::check_log() {
  const auto names = files_.list(log_path(""));
  if (!names.ok()) return names.status();
  std::vector<std::pair<std::string, int64_t>> checkpoints;
  for (const std::string& name : *names) {
    const auto parsed = delta::parse_log_name(name);
    if (!parsed) continue;
    if (parsed->checkpoint) {
      checkpoints.emplace_back(name, parsed->version);
    } else if (absl::Status status = check_version(parsed->version); !status.ok()) {
      return status;
    }
  }
  if (absl::Status status = check_pointer(); !status.ok()) return status;
  for (const auto& [name, version] : checkpoints) {
    if (absl::Status status = check_checkpoint(name, version); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The checksum of a version stands in the version behind it as well, so each is compared one step later.
// That finds damage in versions of other writers too, which have none of their own. A version that is known
// to be damaged is not noted a second time by its successor.
absl::Status TableCheck::check_version(int64_t version) {
  const std::string path = log_path(delta::version_name(version));
  const auto text = os::read_whole_file(files_, path);
  if (!text.ok()) return text.status();
  const auto marks = delta::read_marks(*text);
  if (previous_ && previous_->version + 1 != version) {
    note(cat("the file ", log_path(delta::version_name(previous_->version + 1)), " is missing"));
    previous_.reset();
  }
  if (!marks.ok()) {
    note_damage(path, message_of(marks.status()));
  } else {
    if (!marks->sealed) ++report_.unmarked;
    if (marks->checkpoint) checkpoints_[marks->checkpoint->version] = *marks->checkpoint;
    const bool compare = previous_ && marks->previous && !previous_->known_damaged;
    if (compare && *marks->previous != previous_->checksum) {
      note_damage(log_path(delta::version_name(previous_->version)),
                  "its bytes do not have the checksum that the next version gives");
    }
  }
  previous_ = Previous{.version = version, .checksum = crc32c(*text), .known_damaged = !marks.ok()};
  return absl::OkStatus();
}

absl::Status TableCheck::check_pointer() {
  const std::string path = log_path(delta::kPointerName);
  if (!files_.exists(path)) return absl::OkStatus();
  const auto text = os::read_whole_file(files_, path);
  if (!text.ok()) return text.status();
  const auto marks = delta::read_marks(*text);
  if (!marks.ok()) {
    note_damage(path, message_of(marks.status()));
    return absl::OkStatus();
  }
  if (!marks->sealed) ++report_.unmarked;
  if (marks->checkpoint) checkpoints_[marks->checkpoint->version] = *marks->checkpoint;
  return absl::OkStatus();
}

absl::Status TableCheck::check_checkpoint(const std::string& name, int64_t version) {
  const auto mark = checkpoints_.find(version);
  if (mark == checkpoints_.end() || name != delta::checkpoint_name(version)) {
    ++report_.unmarked;
    return absl::OkStatus();
  }
  const absl::Status status = delta::verify_checkpoint(files_, log_path(name), mark->second);
  if (!absl::IsDataLoss(status)) return status;
  note(message_of(status));
  return absl::OkStatus();
}

absl::Status TableCheck::load() {
  auto connection = database_.connect();
  if (!connection.ok()) return connection.status();
  auto state = delta::DeltaLog(directory_, files_, *std::move(connection)).load();
  if (state.ok()) {
    state_ = *std::move(state);
  } else if (sound_) {
    note(message_of(state.status()));
  }
  return absl::OkStatus();
}

absl::Status TableCheck::check_data() {
  for (const auto& [path, file] : state_.files) {
    if (!files_.exists(cat(directory_, "/", path))) {
      note(cat("the file ", directory_, "/", path, " is missing"));
    } else if (absl::Status status = check_data_file(path, file.size, file.checksum); !status.ok()) {
      return status;
    }
  }
  for (const auto& [path, file] : state_.removed) {
    if (!files_.exists(cat(directory_, "/", path))) continue;
    if (absl::Status status = check_data_file(path, file.size, file.checksum); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// A file without a checksum is one of another writer or of an older Kehu. It is decoded in full instead:
// the hash over whole rows makes DuckDB read every value of every column.
absl::Status TableCheck::check_data_file(const std::string& relative, uint64_t size,
                                         std::optional<uint32_t> checksum) {
  const std::string path = cat(directory_, "/", relative);
  const auto bytes = files_.file_size(path);
  if (!bytes.ok()) return bytes.status();
  ++report_.files;
  report_.bytes += *bytes;
  if (*bytes != size) {
    note_damage(path, cat("it has ", *bytes, " bytes instead of ", size));
    return absl::OkStatus();
  }
  if (!checksum) {
    ++report_.unmarked;
    const auto read = first_value(
        cat("SELECT CAST(bit_xor(hash(t)) AS VARCHAR) FROM read_parquet(", sql_literal(path), ") t"));
    if (!read.ok()) note_damage(path, message_of(read.status()));
    return absl::OkStatus();
  }
  const auto now = delta::file_checksum(files_, path);
  if (!now.ok()) return now.status();
  if (*now != *checksum) note_damage(path, "its bytes do not have their checksum");
  return absl::OkStatus();
}

absl::Status TableCheck::check_rows() {
  if (!sound_ || key_.empty() || state_.files.empty()) return absl::OkStatus();
  std::string list;
  for (const auto& [path, file] : state_.files) {
    list += cat(list.empty() ? "" : ", ", sql_literal(cat(directory_, "/", path)));
  }
  const auto doubled = first_value(
      cat("SELECT CAST(count(*) - count(DISTINCT (", key_, ")) AS VARCHAR) FROM read_parquet([", list, "])"));
  if (!doubled.ok()) {
    note(cat(directory_, " cannot be read: ", message_of(doubled.status())));
  } else if (*doubled != "0") {
    note(cat(directory_, ": ", *doubled, " rows stand in the table more than once"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TableCheck::first_value(const std::string& sql) {
  auto connection = database_.connect();
  if (!connection.ok()) return connection.status();
  auto result = (*connection)->query(sql);
  if (!result.ok()) return result.status();
  duck::Batch batch;
  const auto more = result->next(batch);
  if (!more.ok()) return more.status();
  return std::string(*more && !batch.is_null(0, 0) ? batch.text(0, 0) : "");
}

Sequence TableCheck::position() const {
  const auto found = state_.transactions.find(delta::kApplication);
  return Sequence(found == state_.transactions.end() ? 0 : static_cast<uint64_t>(found->second));
}

}  // namespace

absl::StatusOr<CheckReport> check(const CheckOptions& options) {
  auto database = duck::Database::open({.temp_directory = options.temp_directory});
  if (!database.ok()) return database.status();
  CheckReport report;
  for (const TableId id : kAllTables) {
    const TableEntry& entry = table_of(id);
    TableCheck table(cat(options.directory, "/", entry.schema.name), entry.key, *options.files, **database,
                     report);
    if (absl::Status status = table.run(); !status.ok()) return status;
    report.positions[id] = table.position();
  }
  return report;
}

}  // namespace kehu::lake
