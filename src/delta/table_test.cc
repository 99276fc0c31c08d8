#include "delta/table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "os/clock.h"
#include "os/test_forwarding_files.h"

namespace kehu::delta {
namespace {

// The real files, but one of them cannot be read for a while.
class UnreadableFile final : public os::ForwardingFiles {
 public:
  void refuse(std::string ending) { ending_ = std::move(ending); }
  void refuse_nothing() { ending_.reset(); }

  absl::StatusOr<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode == os::OpenMode::kRead && ending_ && path.ends_with(*ending_)) {
      return failure(absl::StatusCode::kUnknown, "cannot open ", path, ": Too many open files");
    }
    return real_.open(path, mode);
  }

 private:
  std::optional<std::string> ending_;
};

// Two writers of one table. Ours meets two versions of the other's, of which the second cannot be read.
class TableTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    ours_ = open(&files_);
    ASSERT_TRUE(ours_->append({file("ours")}, Sequence(1)).ok());
  }

  std::unique_ptr<Table> open(os::FileSystem* files) {
    auto table = Table::open(schema_, {.directory = directory_, .files = files, .clock = &os::system_clock()},
                             *database_);
    EXPECT_TRUE(table.ok()) << table.status();
    return *std::move(table);
  }

  static AddFile file(const std::string& name) {
    AddFile file;
    file.path = name + ".parquet";
    file.size = 100;
    return file;
  }

  std::vector<std::string> names(const Table& table) {
    std::vector<std::string> names;
    for (const auto& file : table.files()->files) names.push_back(file->path.substr(directory_.size() + 1));
    return names;
  }

  // Writes a version as a program beside Kehu does.
  void write_version(int64_t version, std::string_view lines) {
    std::ofstream(cat(directory_, "/_delta_log/", version_name(version)), std::ios::binary) << lines;
  }

  const std::string directory_ = testing::TempDir() + "/table";
  const TableSchema schema_{.name = "test",
                            .columns = {{"a", duck::ColumnType::kLong}},
                            .by_month = false,
                            .cluster = "",
                            .opaque = {}};
  std::unique_ptr<duck::Database> database_ = *duck::Database::open({});
  UnreadableFile files_;
  std::unique_ptr<Table> ours_;
};

// Readers disagree about -0.0 and NaN in least and greatest values, some by leaving rows out. No column of
// Kehu can hold either: amounts are texts of JSON, whose bounds are texts.
TEST(DeltaTypes, NoneIsAFloatingPointNumber) {
  using enum duck::ColumnType;
  std::vector<std::string_view> types;
  for (const duck::ColumnType type : {kText, kTimestamp, kLong, kInteger, kDate, kBoolean})
    types.push_back(delta_type(type));
  EXPECT_EQ(types,
            (std::vector<std::string_view>{"string", "timestamp", "long", "integer", "date", "boolean"}));
  EXPECT_EQ(static_cast<int>(kBoolean), 5) << "a new type: what do readers make of its statistics?";
}

TEST_F(TableTest, AnotherKehuIsFoundThoughOneOfItsVersionsCouldNotBeReadAtFirst) {
  const auto other = open(&os::posix_file_system());
  ASSERT_TRUE(other->append({file("theirs")}, Sequence(2)).ok());
  ASSERT_TRUE(other->replace({"theirs.parquet"}, {file("rewritten")}).ok());
  files_.refuse(version_name(3));
  EXPECT_EQ(ours_->append({file("more")}, Sequence(2)).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ours_->committed(), Sequence(1));
  files_.refuse_nothing();
  EXPECT_EQ(ours_->append({file("more")}, Sequence(2)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TableTest, ADifferentSchemaIsFoundThoughTheVersionBehindItCouldNotBeReadAtFirst) {
  std::string lines;
  TableMetadata metadata;
  metadata.schema = R"({"type":"struct","fields":[]})";
  append_metadata(metadata, lines);
  write_version(2, lines);
  write_version(3, R"({"remove":{"path":"ours.parquet","deletionTimestamp":1,"dataChange":true}})");
  files_.refuse(version_name(3));
  EXPECT_EQ(ours_->append({file("more")}, Sequence(2)).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(names(*ours_), std::vector<std::string>{"ours.parquet"});
  files_.refuse_nothing();
  EXPECT_EQ(ours_->append({file("more")}, Sequence(2)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TableTest, AVersionThatIsDamagedHalfWayChangesNothing) {
  std::string lines;
  append_add(file("theirs"), true, lines);
  write_version(2, lines + R"({"add":{"path":)");
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(ours_->append({file("more")}, Sequence(2)).code(), absl::StatusCode::kDataLoss);
    EXPECT_FALSE(ours_->find_file("theirs.parquet"));
  }
}

TEST_F(TableTest, ARewriteOfOthersIsTakenOverOnceItCanBeRead) {
  const auto other = open(&os::posix_file_system());
  ASSERT_TRUE(other->replace({"ours.parquet"}, {file("first")}).ok());
  ASSERT_TRUE(other->replace({"first.parquet"}, {file("second")}).ok());
  files_.refuse(version_name(3));
  EXPECT_FALSE(ours_->append({file("more")}, Sequence(2)).ok());
  EXPECT_TRUE(ours_->find_file("ours.parquet")) << "what is shown and what is known are one version";
  files_.refuse_nothing();
  const absl::Status appended = ours_->append({file("more")}, Sequence(2));
  EXPECT_TRUE(appended.ok()) << appended;
  EXPECT_EQ(names(*ours_), (std::vector<std::string>{"more.parquet", "second.parquet"}));
  EXPECT_EQ(names(*open(&files_)), names(*ours_)) << "its checksums fit together";
}

}  // namespace
}  // namespace kehu::delta
