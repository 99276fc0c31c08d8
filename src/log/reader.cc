#include "log/reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "log/walk.h"

namespace kehu::log {
namespace {

// Leaves out the segments in front of the one that holds `from`. It goes from the newest one back and reads
// one batch of each, because a replay usually begins near the end. A segment whose first batch is damaged
// is passed over here; the walk meets it.
absl::StatusOr<std::vector<SegmentNumber>> segments_from(os::FileSystem& files, const std::string& directory,
                                                         Sequence from) {
  auto segments = list_segments(files, directory);
  if (!segments.ok() || from == Sequence(0)) return segments;
  std::optional<Sequence> oldest;
  for (size_t i = segments->size(); i-- > 0;) {
    auto reader = SegmentReader::open(files, directory, (*segments)[i]);
    if (!reader.ok()) return reader.status();
    const auto first = reader->batch_at(0);
    if (!first.ok()) return first.status();
    oldest.reset();
    if (!*first) continue;
    oldest = (*first)->batch.first_sequence();
    if (*oldest <= from) {
      segments->erase(segments->begin(), segments->begin() + static_cast<ptrdiff_t>(i));
      return segments;
    }
  }
  if (oldest) {
    return absl::OutOfRangeError(absl::StrCat("the log in ", directory, " begins with record ",
                                              oldest->value(), "; record ", from.value(),
                                              " is no longer kept"));
  }
  return segments;
}

}  // namespace

// A reader stops at the first damage and stays there. Going on would apply later records to a state that
// lacks the lost ones, and nobody would ever know.
class Reader::Source {
 public:
  Source(Walk walk, Sequence from) : walk_(std::move(walk)), from_(from) {}

  absl::StatusOr<bool> next(Batch& batch) {
    while (failed_.ok()) {
      const auto step = walk_.next();
      if (!step.ok()) {
        failed_ = step.status();
      } else if (*step == Walk::Step::kEnd) {
        return false;
      } else if (*step == Walk::Step::kDamage) {
        failed_ = damaged(walk_.damage());
      } else if (wanted(walk_.batch().batch)) {
        batch = walk_.batch().batch;
        return true;
      }
    }
    return failed_;
  }

  uint64_t torn_bytes() const { return walk_.torn_bytes(); }

 private:
  bool wanted(const Batch& batch) const {
    return batch.end_sequence() > from_ || batch.first_sequence() >= from_;
  }

  static absl::Status damaged(const Damage& damage) {
    if (damage.lost_first == damage.lost_end) return absl::DataLossError(damage.what);
    return absl::DataLossError(absl::StrCat(damage.what, "; lost are the records ", damage.lost_first.value(),
                                            " to ", damage.lost_end.value() - 1));
  }

  Walk walk_;
  Sequence from_;
  absl::Status failed_;
};

absl::StatusOr<Reader> Reader::open(os::FileSystem& files, const std::string& directory, Sequence from) {
  auto segments = segments_from(files, directory, from);
  if (!segments.ok()) return segments.status();
  return Reader(std::make_unique<Source>(Walk(files, directory, *std::move(segments)), from));
}

Reader::Reader(std::unique_ptr<Source> source) : source_(std::move(source)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

absl::StatusOr<bool> Reader::next(Batch& batch) { return source_->next(batch); }

absl::Status Reader::for_each(absl::FunctionRef<absl::Status(const Batch& batch)> visit) {
  Batch batch;
  while (true) {
    const auto more = next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (absl::Status status = visit(batch); !status.ok()) return status;
  }
}

uint64_t Reader::torn_bytes() const { return source_->torn_bytes(); }

}  // namespace kehu::log
