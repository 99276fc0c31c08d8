#include "timer/page.h"

#include <cstring>

#include "base/check.h"
#include "codec/bytes.h"
#include "timer/format.h"

namespace kehu::timer {
namespace {

constexpr size_t kOwnerAt = sizeof(int64_t) + sizeof(Hash128);
constexpr size_t kKindAt = kOwnerAt + sizeof(Hash128);
constexpr size_t kSizeAt = kKindAt + sizeof(uint16_t);
constexpr size_t kRecordBytes = kSizeAt + 1;  // without the payload

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

Hash128 load_hash(const char* from) { return {load<uint64_t>(from), load<uint64_t>(from + 8)}; }

void append_record(const Timer& timer, std::string& out) {
  codec::ByteWriter writer(out);
  writer.fixed(timer.due.micros());
  writer.fixed(timer.id.hash.high);
  writer.fixed(timer.id.hash.low);
  writer.fixed(timer.owner.hash.high);
  writer.fixed(timer.owner.hash.low);
  writer.fixed(timer.kind);
  writer.fixed(static_cast<uint8_t>(timer.payload.size()));
  out.append(timer.payload);
}

}  // namespace

Place place_of_record(std::string_view record) {
  return place_of(Instant(load<int64_t>(record.data())), TimerId{load_hash(record.data() + sizeof(int64_t))});
}

PageReader::PageReader(std::string_view page) : page_(page), offset_(kHeadBytes) {
  KEHU_CHECK(shape_of(page) == Shape::kPage);
}

// Sizes are checked at each step: the store has checksums, so bytes that are not a page are a bug, and
// reading on would hide it.
std::string_view PageReader::record() const {
  const std::string_view rest = page_.substr(offset_);
  KEHU_CHECK(rest.size() >= kRecordBytes);
  const size_t payload = static_cast<uint8_t>(rest[kSizeAt]);
  KEHU_CHECK(rest.size() >= kRecordBytes + payload);
  return rest.substr(0, kRecordBytes + payload);
}

Place PageReader::place() const { return place_of_record(record()); }

Timer PageReader::timer() const {
  const std::string_view bytes = record();
  Timer timer;
  timer.due = Instant(load<int64_t>(bytes.data()));
  timer.id.hash = load_hash(bytes.data() + sizeof(int64_t));
  timer.owner.hash = load_hash(bytes.data() + kOwnerAt);
  timer.kind = load<uint16_t>(bytes.data() + kKindAt);
  timer.payload = bytes.substr(kRecordBytes);
  return timer;
}

// The search is linear: payloads make records of different sizes, and a page of 4 KiB holds no more than
// 95, each passed in ~1 ns, while the first look at the page costs a miss of the cache.
void PageReader::skip_to(const Place& place) {
  while (!at_end() && this->place() < place) next();
}

void start_page(std::string& out) {
  out.clear();
  append_head(Shape::kPage, out);
}

// The page stays sorted at each insertion, so firing reads it from the front and never sorts.
bool insert(const Timer& timer, std::string& page) {
  std::string record;
  append_record(timer, record);
  const Place place = place_of(timer.due, timer.id);
  PageReader reader(page);
  reader.skip_to(place);
  const bool known = !reader.at_end() && reader.place() == place;
  page.replace(reader.offset(), known ? reader.record().size() : 0, record);
  return !known;
}

bool erase(const Place& place, std::string& page) {
  PageReader reader(page);
  reader.skip_to(place);
  if (reader.at_end() || reader.place() != place) return false;
  page.erase(reader.offset(), reader.record().size());
  return true;
}

void erase_front(size_t offset, std::string& page) { page.erase(kHeadBytes, offset - kHeadBytes); }

bool has_records(std::string_view page) { return page.size() > kHeadBytes; }

std::vector<std::string_view> records_of(std::string_view page) {
  std::vector<std::string_view> records;
  for (PageReader reader(page); !reader.at_end(); reader.next()) records.push_back(reader.record());
  return records;
}

}  // namespace kehu::timer
