#include "duplicates/duplicates.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <unordered_map>

#include "log/segment.h"
#include "log/test_log.h"

namespace kehu::duplicates {
namespace {

std::optional<MessageIdentity> identity_of(RecordKind kind, std::string_view payload) {
  MessageIdentity message;
  if (kind != RecordKind::kEvent || payload.size() < sizeof(message)) return std::nullopt;
  std::memcpy(&message, payload.data(), sizeof(message));
  return message;
}

MessageIdentity message(uint64_t number, uint64_t body = 1) {
  const Hash128 key = hash128({reinterpret_cast<const char*>(&number), sizeof(number)});
  return {.key = key, .body_hash = body};
}

// A log of messages with its filter, as the log thread uses the two.
class Messages {
 public:
  explicit Messages(os::MemoryFileSystem& files, uint64_t retention_segments = 100) {
    auto writer = Writer::open(files, small_log(retention_segments));
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
    auto filter = DuplicateFilter::load(files, "log", identity_of);
    EXPECT_TRUE(filter.ok()) << filter.status();
    filter_.emplace(*std::move(filter));
  }

  Verdict send(const MessageIdentity& one) {
    const auto segment = writer_->reserve(512);
    EXPECT_TRUE(segment.ok());
    filter_->expire_before(writer_->first_segment());
    const Verdict verdict = filter_->check_and_add(one, *segment);
    if (verdict != Verdict::kNew) return verdict;
    BatchBuilder builder;
    builder.add(RecordKind::kEvent, {reinterpret_cast<const char*>(&one), sizeof(one)});
    EXPECT_TRUE(writer_->commit(builder, Instant(1)).ok());
    return verdict;
  }

  Writer& writer() { return *writer_; }
  DuplicateFilter& filter() { return *filter_; }

 private:
  std::unique_ptr<Writer> writer_;
  std::optional<DuplicateFilter> filter_;
};

TEST(Duplicates, AQuestionRemembersNothing) {
  os::MemoryFileSystem files;
  Messages messages(files);
  EXPECT_FALSE(messages.filter().knows(message(1)));
  EXPECT_EQ(messages.send(message(1)), Verdict::kNew);
  EXPECT_TRUE(messages.filter().knows(message(1)));
  EXPECT_FALSE(messages.filter().knows(message(1, 2))) << "another body";
  EXPECT_FALSE(messages.filter().knows(message(2)));
  EXPECT_EQ(messages.send(message(2)), Verdict::kNew);
}

TEST(Duplicates, NewRepeatConflict) {
  os::MemoryFileSystem files;
  Messages messages(files);
  EXPECT_EQ(messages.send(message(1)), Verdict::kNew);
  EXPECT_EQ(messages.send(message(1)), Verdict::kRepeat);
  EXPECT_EQ(messages.send(message(1, 2)), Verdict::kConflict);
  EXPECT_EQ(messages.send(message(1)), Verdict::kRepeat) << "the first body stays";
  EXPECT_EQ(messages.send(message(2)), Verdict::kNew);
  EXPECT_EQ(messages.filter().size(), 2u);
}

TEST(Duplicates, RememberedAcrossRestartsWithAndWithoutSidecars) {
  for (const bool with_sidecars : {true, false}) {
    os::MemoryFileSystem files;
    for (uint64_t life = 0; life < 6; ++life) {
      Messages messages(files);
      for (uint64_t i = 0; i < 30 * life; ++i) ASSERT_EQ(messages.send(message(i)), Verdict::kRepeat) << i;
      for (uint64_t i = 30 * life; i < 30 * (life + 1); ++i)
        ASSERT_EQ(messages.send(message(i)), Verdict::kNew);
      ASSERT_TRUE(messages.filter().finish_sidecars().ok());
      const SegmentNumber current = messages.writer().current_segment();
      for (uint32_t n = 1; n < current.value(); ++n) {
        const std::string path = sidecar_path("log", SegmentNumber(n));
        ASSERT_TRUE(files.exists(path)) << n;
        if (!with_sidecars) {
          ASSERT_TRUE(files.remove(path).ok());
        }
      }
      EXPECT_FALSE(files.exists(sidecar_path("log", current)));
    }
  }
}

TEST(Duplicates, ADamagedSidecarIsMadeAnew) {
  os::MemoryFileSystem files;
  {
    Messages messages(files);
    for (uint64_t i = 0; i < 30; ++i) messages.send(message(i));
    ASSERT_TRUE(messages.filter().finish_sidecars().ok());
  }
  files.flip_bit(sidecar_path("log", SegmentNumber(2)), 300);
  Messages messages(files);
  for (uint64_t i = 0; i < 30; ++i) EXPECT_EQ(messages.send(message(i)), Verdict::kRepeat) << i;
}

TEST(Duplicates, SidecarsLeaveWithTheirSegments) {
  os::MemoryFileSystem files;
  Messages messages(files, 3);
  for (uint64_t i = 0; i < 200; ++i) {
    messages.send(message(i));
    messages.writer().protect(messages.writer().next_sequence());
  }
  ASSERT_TRUE(messages.filter().finish_sidecars().ok());
  const auto segments = list_segments(files, "log");
  const auto sidecars = list_sidecars(files, "log");
  EXPECT_LE(segments->size(), 5u);
  EXPECT_GE(sidecars->front(), segments->front());
}

TEST(Duplicates, NothingAcknowledgedIsForgottenOrInventedByACrash) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    os::MemoryFileSystem files;
    uint64_t sent = 0;
    for (int life = 0; life < 4; ++life) {
      Messages messages(files);
      for (uint64_t i = 0; i < sent; ++i) {
        ASSERT_EQ(messages.send(message(i)), Verdict::kRepeat) << "seed " << seed << " message " << i;
      }
      for (const uint64_t until = sent + random() % 40; sent < until; ++sent) {
        ASSERT_EQ(messages.send(message(sent)), Verdict::kNew) << "seed " << seed << " message " << sent;
      }
      files.reboot(random());
    }
  }
}

TEST(Duplicates, AgreesWithAPlainMapOverManyKeys) {
  os::MemoryFileSystem files;
  auto filter = DuplicateFilter::load(files, "log", identity_of);
  ASSERT_TRUE(filter.ok());
  ASSERT_TRUE(files.create_directories("log").ok());
  std::unordered_map<uint64_t, uint64_t> bodies;
  std::mt19937_64 random(7);
  std::vector<Hash128> wave;
  for (int i = 0; i < 500'000; ++i) {
    const uint64_t number = random() % 300'000;
    const uint64_t body = random() % 3;
    wave.assign(1, message(number).key);
    filter->prefetch(wave);
    const auto [it, added] = bodies.try_emplace(number, body);
    const Verdict want = added ? Verdict::kNew : it->second == body ? Verdict::kRepeat : Verdict::kConflict;
    ASSERT_EQ(filter->check_and_add(message(number, body), SegmentNumber(1)), want) << "seed 7 step " << i;
  }
  EXPECT_EQ(filter->size(), bodies.size());
}

TEST(Duplicates, ExpiredKeysMakeRoomInsteadOfGrowing) {
  os::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("log").ok());
  auto filter = DuplicateFilter::load(files, "log", identity_of);
  uint64_t memory = 0;
  for (uint32_t segment = 1; segment <= 40; ++segment) {
    if (segment > 4) filter->expire_before(SegmentNumber(segment - 4));
    for (uint64_t i = 0; i < 50'000; ++i) {
      ASSERT_EQ(filter->check_and_add(message(segment * 50'000 + i), SegmentNumber(segment)), Verdict::kNew);
    }
    if (segment == 12) memory = filter->memory_bytes();
    for (uint64_t i = 0; i < 50'000; i += 97) {
      ASSERT_EQ(filter->check_and_add(message(segment * 50'000 + i), SegmentNumber(segment)),
                Verdict::kRepeat);
    }
  }
  ASSERT_TRUE(filter->finish_sidecars().ok());
  EXPECT_LE(filter->memory_bytes(), memory * 5 / 4);
  EXPECT_LE(filter->size(), 20u * 50'000);
}

}  // namespace
}  // namespace kehu::duplicates
