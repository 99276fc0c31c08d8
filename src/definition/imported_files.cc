#include "definition/imported_files.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/hash.h"

namespace kehu::definition {

ImportedFiles::Entry::Entry(ImportedFile imported)
    : source(imported.source),
      key_hash(hash64(imported.key, imported.source.value())),
      file(std::make_shared<const ImportedFile>(std::move(imported))) {}

bool ImportedFiles::Entry::is(SourceId of, std::string_view key) const {
  return source == of && file->key == key;
}

ImportedFiles::ImportedFiles(std::vector<ImportedFile> files) {
  std::stable_sort(files.begin(), files.end(),
                   [](const ImportedFile& a, const ImportedFile& b) { return a.begun < b.begun; });
  entries_.reserve(files.size());
  for (ImportedFile& file : files) entries_.emplace_back(std::move(file));
}

// Searches from behind, because a file that is asked for is mostly one of the last; hashes of keys are
// compared before keys are.
size_t ImportedFiles::place_of(SourceId source, std::string_view key) const {
  const uint64_t hash = hash64(key, source.value());
  for (size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].key_hash == hash && entries_[i].is(source, key)) return i;
  }
  return kNone;
}

const ImportedFile* ImportedFiles::find(SourceId source, std::string_view key) const {
  const size_t place = place_of(source, key);
  return place == kNone ? nullptr : entries_[place].file.get();
}

// When several files fit, the one with most rows as evidence is meant.
const ImportedFile* ImportedFiles::recognise(const FileBeginning& beginning) const {
  const std::string family = file_family(beginning.file);
  const ImportedFile* best = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.source != beginning.source) continue;
    const ImportedFile& each = *entry.file;
    if (!is_known_as(each, beginning, family)) continue;
    if (best == nullptr || each.head_rows > best->head_rows) best = &each;
  }
  return best;
}

// Where the one stands that has to go for a file of this source and key. It belongs to the source that has
// most files, the new one counted: a source that has no more than its share of kMax loses none, whatever
// the others import. The entries are sorted by time, so the first one of that source is its oldest.
size_t ImportedFiles::forgotten_place(SourceId source, std::string_view key) const {
  if (entries_.size() < kMax || place_of(source, key) != kNone) return kNone;
  absl::flat_hash_map<SourceId, size_t> counts = {{source, 1}};
  for (const Entry& entry : entries_) ++counts[entry.source];
  // Among equals it is the one that wants more, then the one whose oldest file is older.
  size_t place = 0, most = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const size_t count = counts[entries_[i].source];
    if (count < most || (count == most && entries_[i].source != source)) continue;
    if (count == most && entries_[place].source == source) continue;
    most = count;
    place = i;
  }
  return place;
}

const ImportedFile* ImportedFiles::forgotten_for(const ImportedFile& file) const {
  const size_t place = forgotten_place(file.source, file.key);
  return place == kNone ? nullptr : entries_[place].file.get();
}

// Registers are immutable and share their files, so requests go on with the one they started with. The
// copy costs about 0.1 ms when there are kMax files, and is made once for each import.
ImportedFiles ImportedFiles::with(ImportedFile file) const {
  size_t gone = place_of(file.source, file.key);
  if (gone == kNone) gone = forgotten_place(file.source, file.key);
  const auto behind = std::upper_bound(entries_.begin(), entries_.end(), file.begun,
                                       [](Instant begun, const Entry& e) { return begun < e.file->begun; });
  const auto place = static_cast<size_t>(behind - entries_.begin());
  ImportedFiles out;
  out.entries_.reserve(entries_.size() + 1);
  for (size_t i = 0; i <= entries_.size(); ++i) {
    if (i == place) out.entries_.emplace_back(std::move(file));
    if (i < entries_.size() && i != gone) out.entries_.push_back(entries_[i]);
  }
  return out;
}

}  // namespace kehu::definition
