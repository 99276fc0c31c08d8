#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "definition/imported_file.h"

namespace kehu::definition {

// The files that were imported, the one imported last comes last. Immutable: with() makes another that shares
// the files with this one, and costs about 0.1 ms when there are kMax. Up to kMax of all sources are
// remembered. Beyond, the source that has most of them forgets the one whose last import is longest ago: a
// source that has no more than its share of kMax loses none, whatever the others import.
class ImportedFiles {
 public:
  static constexpr size_t kMax = 10'000;

  ImportedFiles() = default;
  explicit ImportedFiles(std::vector<ImportedFile> files);

  size_t size() const { return entries_.size(); }
  const ImportedFile& operator[](size_t index) const { return *entries_[index].file; }
  // nullptr: there is none. Pointers are valid as long as any register with the file is.
  const ImportedFile* find(SourceId source, std::string_view key) const;
  // The file that this one is, as it was imported before; nullptr when it is new.
  const ImportedFile* recognise(const FileBeginning& beginning) const;

  // In place of the one with the same source and key.
  ImportedFiles with(ImportedFile file) const;
  // The one that with() would forget; nullptr: none.
  const ImportedFile* forgotten_for(const ImportedFile& file) const;

 private:
  static constexpr size_t kNone = SIZE_MAX;
  // What a search looks at stands in one row.
  struct Entry {
    explicit Entry(ImportedFile imported);
    bool is(SourceId of, std::string_view key) const;

    SourceId source;
    uint64_t key_hash;
    std::shared_ptr<const ImportedFile> file;
  };

  size_t place_of(SourceId source, std::string_view key) const;
  size_t forgotten_place(SourceId source, std::string_view key) const;

  std::vector<Entry> entries_;
};

}  // namespace kehu::definition
