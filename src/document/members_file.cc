#include "document/members_file.h"

#include "base/sql_literal.h"
#include "base/text.h"
#include "document/segment_document.h"
#include "duck/database.h"
#include "json/document.h"
#include "os/posix_file_system.h"
#include "os/random.h"

namespace kehu::document {
namespace {

constexpr size_t kPage = 1000;
constexpr size_t kPieceBytes = 256 << 10;
constexpr uint64_t kMemoryBytes = 128ull << 20;
constexpr std::string_view kColumns =
    "{customer_id: 'VARCHAR', since: 'TIMESTAMPTZ', identifiers: 'STRUCT(\"type\" VARCHAR, \"value\" "
    "VARCHAR, "
    "masked BOOLEAN, shared BOOLEAN, token VARCHAR, first_seen TIMESTAMPTZ, first_record UBIGINT)[]'}";

// A page as lines of JSON; answers where the next one begins, 0 behind the last.
absl::StatusOr<uint32_t> next_page(engine::Engine& engine, std::string_view segment, uint32_t from,
                                   std::string& lines) {
  auto page = engine.ask<absl::StatusOr<std::string>>([&](replica::Replica& replica) {
    return members_document(engine, replica, segment, {.from = from, .limit = kPage});
  });
  if (!page.ok()) return page.status();
  if (!page->ok()) return page->status();
  const auto document = json::Document::parse(**page);
  if (!document.ok()) return document.status();
  for (const auto& member : document->root().find("members")) lines += cat(member.value.raw(), "\n");
  const std::string next = document->root().find("next").as_string().value_or("0");
  return static_cast<uint32_t>(std::stoul(next));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MembersFile>> MembersFile::make(engine::Engine& engine,
                                                               std::string_view segment) {
  const std::string temporary = engine.temporary_directory();
  std::unique_ptr<MembersFile> file(new MembersFile(cat(temporary, "/members-", os::random_hex(12))));
  if (auto status = file->write_rows(engine, segment); !status.ok()) return status;
  if (auto status = file->convert(temporary); !status.ok()) return status;
  auto opened = os::posix_file_system().open(file->parquet(), os::OpenMode::kRead);
  if (!opened.ok()) return opened.status();
  file->file_ = *std::move(opened);
  return file;
}

MembersFile::~MembersFile() {
  for (const std::string& path : {rows(), parquet()}) {
    if (os::posix_file_system().exists(path)) (void)os::posix_file_system().remove(path);
  }
}

// DuckDB reads lines as it writes row groups, so nobody holds all of them.
absl::Status MembersFile::write_rows(engine::Engine& engine, std::string_view segment) {
  auto out = os::posix_file_system().open(rows(), os::OpenMode::kCreateNew);
  if (!out.ok()) return out.status();
  uint32_t from = 0;
  do {
    std::string lines;
    const auto next = next_page(engine, segment, from, lines);
    if (!next.ok()) return next.status();
    if (auto status = (*out)->append(lines); !status.ok()) return status;
    from = *next;
  } while (from != 0);
  return absl::OkStatus();
}

absl::Status MembersFile::convert(const std::string& temporary) {
  auto database = duck::Database::open(
      {.memory_bytes = kMemoryBytes, .threads = 1, .temp_directory = temporary, .only_directories = {}});
  if (!database.ok()) return database.status();
  auto connection = (*database)->connect();
  if (!connection.ok()) return connection.status();
  return (*connection)
      ->run(cat("COPY (SELECT * FROM read_json(", sql_literal(rows()),
                ", format = 'newline_delimited', columns = ", kColumns, ")) TO ", sql_literal(parquet()),
                " (FORMAT parquet, COMPRESSION zstd)"));
}

absl::StatusOr<bool> MembersFile::read(std::string& bytes) {
  bytes.resize(kPieceBytes);
  const auto count = file_->read_at(at_, kPieceBytes, bytes.data());
  if (!count.ok()) return count.status();
  bytes.resize(*count);
  at_ += *count;
  return *count == kPieceBytes;
}

}  // namespace kehu::document
