#include "log/writer.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "log/batch_format.h"
#include "log/closed_mark.h"
#include "log/segment_reader.h"
#include "log/walk.h"
#include "os/random.h"
#include "os/whole_file.h"

// A commit is one write and one fdatasync. With 2,000 events of 400 bytes it takes 0.59–0.65 ms into bytes
// that were written before, 0.85–0.98 ms into space that was only allocated, and 0.79–0.96 ms into a
// growing file: the latter two wait for the file system's journal at every sync (docs/decisions/log.md). So
// a segment has its whole size from the first day, and when it leaves the retention it is renamed and
// written again. The next segment is always prepared ahead, under its final name: crossing into it is free,
// and its name is durable before the first batch in it is acknowledged.
//
// A segment has no header. It would have to be synced before the first batch, or a torn header in front of
// a whole batch could not be told from damage; and all that it could say is in every batch.
namespace kehu::log {
namespace {

// A smaller write takes the time of its sync, which says nothing about the rate of the disk.
constexpr size_t kTellingBytes = 128 << 10;
// The first segment has this size, in which any batch fits; the next ones double.
constexpr uint64_t kFirstSegmentBytes = kBatchBytesMax;

}  // namespace

absl::StatusOr<std::unique_ptr<Writer>> Writer::open(os::FileSystem& files, Options options) {
  KEHU_CHECK(options.segment_bytes > 0 && options.segment_bytes % kBatchAlignment == 0);
  std::unique_ptr<Writer> writer(new Writer(files, std::move(options)));
  if (absl::Status status = writer->recover(); !status.ok()) return status;
  return writer;
}

Writer::~Writer() { needed_.request_stop(); }

// The mark of orderly close is read with the end and removed, durably, before a new batch is written. A
// crash would otherwise leave a mark that names an earlier end, and the log would be taken for a damaged
// one.
absl::Status Writer::recover() {
  const std::string& directory = options_.directory;
  if (absl::Status status = files_.create_directories(directory); !status.ok()) return status;
  if (absl::Status status = files_.sync_directory(os::directory_of(directory)); !status.ok()) return status;
  const auto segments = list_segments(files_, directory);
  if (!segments.ok()) return segments.status();
  if (absl::Status status = list_started(*segments); !status.ok()) return status;
  if (absl::Status status = find_end(*segments); !status.ok()) return status;
  if (absl::Status status = remove_strays(); !status.ok()) return status;
  if (absl::Status status = remove_closed_mark(files_, directory); !status.ok()) return status;
  if (segments_.empty()) {
    if (absl::Status status = advance(); !status.ok()) return status;
  } else {
    prepare_next();
  }
  tell_extent();
  return absl::OkStatus();
}

void Writer::tell_extent() {
  if (options_.extent != nullptr) options_.extent->found({.first = first_segment(), .end = end_});
}

// Lists the segments up to the last one in which any whole batch lies. Behind it there may be one or two
// that were prepared but never written to, or only by a batch that was torn. Of those before it one batch
// is read: they are full, and whoever replays them checks the rest.
absl::Status Writer::list_started(const std::vector<SegmentNumber>& segments) {
  for (size_t i = segments.size(); i-- > 0;) {
    auto reader = SegmentReader::open(files_, options_.directory, segments[i]);
    if (!reader.ok()) return reader.status();
    const auto first = segments_.empty() ? reader->find_batch(0, std::nullopt) : reader->batch_at(0);
    if (!first.ok()) return first.status();
    if (!*first && segments_.empty()) continue;
    if (!*first) {
      return absl::DataLossError(absl::StrCat("the first batch of ",
                                              segment_path(options_.directory, segments[i]),
                                              " is damaged: see `kehu check`"));
    }
    if (!segments_.empty() && segments[i].next() != first_segment()) {
      return absl::DataLossError(absl::StrCat("the file ",
                                              segment_path(options_.directory, segments[i].next()),
                                              " is missing: see `kehu check`"));
    }
    segments_.push_front({.file = {.number = segments[i], .bytes = reader->file_bytes()},
                          .first = (*first)->batch.first_sequence()});
  }
  return absl::OkStatus();
}

// The end lies in the last started segment, so the walk begins there: an opening does not read what the log
// retains.
absl::Status Writer::find_end(const std::vector<SegmentNumber>& segments) {
  auto from = segments.begin();
  if (!segments_.empty()) from = std::find(from, segments.end(), current_segment());
  Walk walk(files_, options_.directory, {from, segments.end()});
  std::optional<WholeBatch> last;
  while (true) {
    const auto step = walk.next();
    if (!step.ok()) return step.status();
    if (*step == Walk::Step::kEnd) break;
    if (*step == Walk::Step::kDamage) {
      return absl::DataLossError(absl::StrCat(walk.damage().what, ": see `kehu check`"));
    }
    last = walk.batch();
  }
  log_id_ = walk.log_id() ? *walk.log_id() : options_.log_id ? *options_.log_id : os::random_u64();
  next_ = walk.next_sequence();
  chain_ = walk.chain();
  end_ = walk.position();
  recovery_ = {.orderly = walk.orderly(),
               .end = end_,
               .next = next_,
               .last_tick = last ? std::optional(last->batch.tick()) : std::nullopt,
               .torn_bytes = walk.torn_bytes()};
  if (!last) return absl::OkStatus();
  auto file = files_.open(segment_path(options_.directory, end_.segment), os::OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  return recovery_.orderly ? absl::OkStatus() : settle(*last);
}

// The process that wrote the last batch may have died of a failed sync. Then the kernel shows us the batch
// from its cache, but believes that it need not write it any more; the disk may not have it. Only the last
// batch can be in this state, because nothing is written after a failed sync.
absl::Status Writer::settle(const WholeBatch& last) {
  std::string bytes(last.size, '\0');
  const uint64_t offset = last.batch.position().offset;
  const auto read = file_->read_at(offset, bytes.size(), bytes.data());
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  if (absl::Status status = file_->write_at(offset, bytes); !status.ok()) return status;
  return file_->sync();
}

absl::Status Writer::remove_strays() {
  const auto names = files_.list(options_.directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!name.ends_with(".tmp")) continue;
    if (absl::Status status = files_.remove(absl::StrCat(options_.directory, "/", name)); !status.ok()) {
      return status;
    }
  }
  const auto sidecars = list_sidecars(files_, options_.directory);
  if (!sidecars.ok()) return sidecars.status();
  for (const SegmentNumber number : *sidecars) {
    if (!segments_.empty() && number >= first_segment() && number < current_segment()) continue;
    if (absl::Status status = files_.remove(sidecar_path(options_.directory, number)); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

// A segment goes when the log is larger than its retention and every record in it is below what state and
// lake still need; the segment that is written to always stays. While a backup holds the extent nothing
// goes at all.
void Writer::retire() {
  const auto retire_old = [&] {
    while (segments_.size() > 1 && retained_bytes() > options_.retention_bytes &&
           segments_[1].first <= Sequence(protected_from_.load())) {
      retired_.push_back(segments_.front().file);
      segments_.pop_front();
    }
    return segments_.empty() ? SegmentNumber(1) : first_segment();
  };
  if (options_.extent != nullptr) {
    options_.extent->retire(retire_old);
  } else {
    retire_old();
  }
}

void Writer::prepare_next() {
  const SegmentNumber next = segments_.empty() ? SegmentNumber(1) : current_segment().next();
  retire();
  const SegmentOrder order{.directory = options_.directory,
                           .wanted = {.number = next, .bytes = segment_bytes(next)},
                           .retired = retired_};
  const auto policy =
      options_.preparation == Options::Preparation::kAhead ? std::launch::async : std::launch::deferred;
  needed_ = std::stop_source();
  prepared_ = std::async(policy, [&files = files_, order, needed = needed_.get_token()] {
    return prepare_segment(files, order, needed);
  });
}

// A full disk is the one failure that does not poison. Space is needed only for a new segment, of which
// nothing was acknowledged yet, so the caller may try again: the next call prepares it anew. The segments
// that the failed one was to recycle or remove are given to it again. If they were forgotten, a newer one
// could go before them, and the next opening would find a gap in the numbers.
absl::Status Writer::advance() {
  if (!prepared_.valid()) prepare_next();
  needed_.request_stop();
  auto file = prepared_.get();
  if (absl::IsResourceExhausted(file.status())) return file.status();
  if (!file.ok()) return poison(file.status());
  file_ = *std::move(file);
  retired_.clear();
  const SegmentNumber number = segments_.empty() ? SegmentNumber(1) : current_segment().next();
  segments_.push_back({.file = {.number = number, .bytes = segment_bytes(number)}, .first = next_});
  end_ = {.segment = number, .offset = 0};
  prepare_next();
  return absl::OkStatus();
}

uint32_t Writer::segment_bytes(SegmentNumber number) const {
  const uint64_t doublings = std::min<uint64_t>(number.value() - 1, 10);
  return static_cast<uint32_t>(std::min<uint64_t>(options_.segment_bytes, kFirstSegmentBytes << doublings));
}

bool Writer::has_room(size_t bytes) const {
  return end_.offset + aligned(bytes) <= segments_.back().file.bytes;
}

absl::StatusOr<SegmentNumber> Writer::reserve(size_t bytes) {
  if (!poison_.ok()) return poison_;
  KEHU_CHECK(bytes <= kBatchBytesMax);
  if (aligned(bytes) > options_.segment_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a batch of ", bytes, " bytes is larger than a log segment of ", options_.segment_bytes, " bytes"));
  }
  if (!has_room(bytes)) {
    if (absl::Status status = advance(); !status.ok()) return status;
  }
  return current_segment();
}

absl::Status Writer::commit(BatchBuilder& builder, Instant tick) {
  KEHU_CHECK(!builder.committed_);
  const auto segment = reserve(builder.bytes());
  if (!segment.ok()) return segment.status();
  return write(builder, tick);
}

// Chain, sequence and end move on only behind the sync. If it fails they still say what is durable; the
// writer is poisoned nevertheless, because after a failed fsync Linux shows bytes that it will not write
// any more, and only open() can find out what the disk has.
absl::Status Writer::write(BatchBuilder& builder, Instant tick) {
  builder.bytes_.reserve(aligned(builder.bytes()));  // so that the views of its frames stay
  const std::string_view frames = builder.bytes_.view().substr(kBatchHeaderBytes);
  const bool packed = packs_ && frames.size() >= options_.packed_min && BatchFormat::pack(frames, packed_);
  ByteBuffer& stored = packed ? packed_ : builder.bytes_;
  BatchHeader header{};
  header.packing = packed ? kLz4 : kPlain;
  header.log_id = log_id_;
  header.first_sequence = next_.value();
  header.tick = tick.micros();
  header.segment = end_.segment.value();
  header.offset = end_.offset;
  header.records = builder.count_;
  header.previous = chain_;
  header.frames_size = packed ? static_cast<uint32_t>(frames.size()) : 0;
  const WholeBatch whole = BatchFormat::seal(header, stored, frames);
  if (absl::Status status = write_through(stored.view()); !status.ok()) return poison(status);
  builder.batch_ = whole.batch;
  builder.committed_ = true;
  chain_ = whole.crc;
  next_ = whole.batch.end_sequence();
  end_.offset = static_cast<uint32_t>(whole.end_offset());
  if (options_.extent != nullptr) options_.extent->written(end_);
  return absl::OkStatus();
}

// Each large write measures the disk for the next one. Packing costs 0.2 µs an event of 400 bytes and
// leaves less than half of it: on a disk of 200 MB/s the log would bound the server at 500,000 events a
// second, on one of 1 GB/s the CPU is what is scarce (docs/decisions/log.md).
absl::Status Writer::write_through(std::string_view stored) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  if (absl::Status status = file_->write_at(end_.offset, stored); !status.ok()) return status;
  if (absl::Status status = file_->sync(); !status.ok()) return status;
  if (stored.size() < kTellingBytes) return absl::OkStatus();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  packs_ = static_cast<double>(stored.size()) < options_.slow_disk * seconds;
  return absl::OkStatus();
}

absl::Status Writer::close() {
  if (!poison_.ok()) return poison_;
  needed_.request_stop();
  if (prepared_.valid() && options_.preparation == Options::Preparation::kAhead) prepared_.wait();
  file_.reset();
  poison_ = absl::FailedPreconditionError("the log is closed");
  return write_closed_mark(files_, options_.directory,
                           {.log_id = log_id_, .next = next_, .end = end_, .chain = chain_});
}

void Writer::protect(Sequence first) {
  uint64_t known = protected_from_.load();
  while (known < first.value() && !protected_from_.compare_exchange_weak(known, first.value())) {
  }
}

uint64_t Writer::retained_bytes() const {
  uint64_t bytes = 0;
  for (const Started& started : segments_) bytes += started.file.bytes;
  return bytes;
}

absl::Status Writer::poison(const absl::Status& status) {
  poison_ = absl::Status(
      status.code(),
      absl::StrCat("the log takes no more records until it is opened again: ", status.message()));
  file_.reset();
  return poison_;
}

}  // namespace kehu::log
