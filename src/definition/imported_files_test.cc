#include "definition/imported_files.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "model/personal_values.h"

namespace kehu::definition {
namespace {

std::vector<Hash128> heads_of(const std::vector<std::string>& rows) {
  std::vector<Hash128> out;
  std::string text;
  for (const std::string& row : rows) out.push_back(hash128(text += row + "\n"));
  return out;
}

ImportedFile imported(const std::string& file, const std::vector<std::string>& rows, bool whole) {
  return {.source = SourceId(1),
          .key = cat(file, "@1"),
          .file = file,
          .head_rows = rows.size(),
          .head = heads_of(rows).back(),
          .whole = whole,
          .begun = Instant(1)};
}

TEST(ImportedFiles, KnowsAFileByHowItBegan) {
  const ImportedFiles known({imported("app.log", {"a", "b"}, true), imported("big.csv", {"x", "y"}, false)});
  struct Case {
    const char* name;
    FileBeginning given;
    const char* want;
  };
  const Case cases[] = {
      {"unchanged", {SourceId(1), "app.log", heads_of({"a", "b"}), true}, "app.log@1"},
      {"grown", {SourceId(1), "app.log", heads_of({"a", "b", "c"}), true}, "app.log@1"},
      {"rotated", {SourceId(1), "app.log.1", heads_of({"a", "b", "c"}), false}, "app.log@1"},
      {"renamed, with times", {SourceId(1), "november.log", heads_of({"a", "b", "c"}), true}, "app.log@1"},
      {"another, without times", {SourceId(1), "november.log", heads_of({"a", "b", "c"}), false}, ""},
      {"the first row alone is equal", {SourceId(1), "app.log", heads_of({"a", "c"}), true}, ""},
      {"begins anew", {SourceId(1), "app.log", heads_of({"c"}), true}, ""},
      {"shorter", {SourceId(1), "app.log", heads_of({"a"}), true}, ""},
      {"of another source", {SourceId(2), "app.log", heads_of({"a", "b"}), true}, ""},
      {"begins like a larger one", {SourceId(1), "other.csv", heads_of({"x", "y"}), true}, ""},
      {"the larger one, packed", {SourceId(1), "big.csv.gz", heads_of({"x", "y"}), true}, "big.csv@1"},
      {"no rows", {SourceId(1), "app.log", {}, true}, ""},
  };
  for (const Case& c : cases) {
    const ImportedFile* found = known.recognise(c.given);
    EXPECT_EQ(found == nullptr ? "" : found->key, c.want) << c.name;
  }
}

// A version before stored names as they are, and the importer leaves personal values out of them.
TEST(ImportedFiles, KnowsAFileByItsNameWithoutThePerson) {
  const ImportedFiles before({imported("王五13812345678.csv", {"a", "b"}, false)});
  const ImportedFiles now({imported(without_personal_values("王五13812345678.csv"), {"a", "b"}, false)});
  const auto key = [](const ImportedFiles& known, const std::string& name) {
    const ImportedFile* found = known.recognise({SourceId(1), name, heads_of({"a", "b", "c"}), false});
    return found == nullptr ? "" : found->key;
  };
  EXPECT_EQ(key(before, without_personal_values("王五13812345678.csv")), "王五13812345678.csv@1");
  EXPECT_EQ(key(before, "王五13812345678.csv"), "王五13812345678.csv@1");
  EXPECT_EQ(key(now, "王五13812345678.csv.gz"), cat(without_personal_values("王五13812345678.csv"), "@1"));
  EXPECT_EQ(key(before, without_personal_values("王五13812345679.csv")), "");
}

TEST(ImportedFiles, KnowsAFileByTheBeginningOfItsOnlyRow) {
  ImportedFile open = imported("app.log", {"a,2"}, true);
  open.open_first_bytes = 3;
  open.open_first = hash128("a,2");
  const ImportedFiles known({open});
  const auto is_known = [&](const char* file, const char* first_row) {
    return known.recognise({.source = SourceId(1),
                            .file = file,
                            .heads = heads_of({first_row, "b"}),
                            .own_times = true,
                            .first_row = first_row}) != nullptr;
  };
  EXPECT_TRUE(is_known("app.log", "a,25"));
  EXPECT_TRUE(is_known("app.log.1", "a,25"));
  EXPECT_TRUE(is_known("app.log", "a,2"));
  EXPECT_FALSE(is_known("app.log", "a,35"));
  EXPECT_FALSE(is_known("app.log", "a,"));
  EXPECT_FALSE(is_known("other.log", "a,25"));
}

TEST(ImportedFiles, KnowsAFileByItsFormerHeads) {
  const ImportedFiles known({imported("app.log", {"a", "b"}, true)});
  const FileBeginning given{.source = SourceId(1),
                            .file = "app.log",
                            .heads = heads_of({"A", "B"}),
                            .own_times = false,
                            .former_heads = heads_of({"a", "b"})};
  EXPECT_EQ(known.recognise(given), &known[0]);
}

std::vector<std::string> keys_of(const ImportedFiles& files) {
  std::vector<std::string> out;
  for (size_t i = 0; i < files.size(); ++i) out.push_back(files[i].key);
  return out;
}

ImportedFile file_of(uint32_t source, std::string key, int64_t begun) {
  return {.source = SourceId(source), .key = std::move(key), .file = "f.csv", .begun = Instant(begun)};
}

TEST(ImportedFiles, TheOneImportedLastComesLast) {
  const ImportedFiles two = ImportedFiles().with(file_of(1, "a", 10)).with(file_of(1, "b", 20));
  EXPECT_EQ(keys_of(two), (std::vector<std::string>{"a", "b"}));
  const ImportedFiles again = two.with(file_of(1, "a", 30));
  EXPECT_EQ(keys_of(again), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(keys_of(two), (std::vector<std::string>{"a", "b"})) << "as it was";
  EXPECT_EQ(keys_of(again.with(file_of(2, "a", 25))), (std::vector<std::string>{"b", "a", "a"}));
  EXPECT_EQ(again.find(SourceId(1), "a")->begun, Instant(30));
  EXPECT_EQ(again.find(SourceId(2), "a"), nullptr);
  EXPECT_EQ(keys_of(ImportedFiles({file_of(1, "b", 20), file_of(1, "a", 10)})), keys_of(two));
}

// So many files of each source in turn, from the oldest on.
ImportedFiles full(std::vector<size_t> counts) {
  std::vector<ImportedFile> files;
  for (size_t s = 0; s < counts.size(); ++s) {
    for (size_t i = 0; i < counts[s]; ++i)
      files.push_back(file_of(static_cast<uint32_t>(s + 1), cat(i), static_cast<int64_t>(files.size())));
  }
  return ImportedFiles(std::move(files));
}

TEST(ImportedFiles, TheSourceWithMostForgetsItsOldest) {
  struct Case {
    const char* name;
    std::vector<size_t> counts;
    uint32_t source;  // of a further file
    std::string key;
    uint32_t want_source;  // of the forgotten one; 0: none is
    std::string want_key;
  };
  const Case cases[] = {
      {"there is room", {9'999}, 1, "new", 0, ""},
      {"one source", {10'000}, 1, "new", 1, "0"},
      {"one that is known", {10'000}, 1, "7", 0, ""},
      {"another source begins", {10'000}, 2, "new", 1, "0"},
      {"a small one is older", {10, 9'990}, 2, "new", 2, "0"},
      {"a small one grows", {9'990, 10}, 2, "new", 1, "0"},
      {"the larger with the new one", {5'000, 5'000}, 2, "new", 2, "0"},
      {"among equals the one that wants more", {5'000, 4'999, 1}, 2, "new", 2, "0"},
      {"as many sources as files", std::vector<size_t>(10'000, 1), 20'000, "new", 1, "0"},
  };
  for (const Case& c : cases) {
    const ImportedFiles before = full(c.counts);
    const ImportedFile file = file_of(c.source, c.key, 100'000);
    const ImportedFile* gone = before.forgotten_for(file);
    EXPECT_EQ(gone == nullptr ? 0 : gone->source.value(), c.want_source) << c.name;
    EXPECT_EQ(gone == nullptr ? "" : gone->key, c.want_key) << c.name;
    const ImportedFiles after = before.with(file);
    EXPECT_EQ(after.size(), 10'000u) << c.name;
    EXPECT_EQ(after[after.size() - 1].key, c.key) << c.name;
    EXPECT_TRUE(gone == nullptr || after.find(gone->source, gone->key) == nullptr) << c.name;
  }
}

// A source may import as much as it likes: another keeps its own.
TEST(ImportedFiles, ASourceCannotPushOutAnothers) {
  ImportedFiles files = full({100, 200});
  for (int i = 0; i < 12'000; ++i) files = files.with(file_of(3, cat(i), 1'000'000 + i));
  size_t left[4] = {};
  for (size_t i = 0; i < files.size(); ++i) ++left[files[i].source.value()];
  EXPECT_EQ(files.size(), ImportedFiles::kMax);
  EXPECT_EQ(left[1], 100u);
  EXPECT_EQ(left[2], 200u);
}

}  // namespace
}  // namespace kehu::definition
