#include "publication/delivered_mark.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "os/memory_file_system.h"
#include "os/whole_file.h"

namespace kehu::publication {
namespace {

class DeliveredMarkTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.create_directories(marks_directory("data")).ok()); }
  os::MemoryFileSystem files_;
  const std::string path_ = marks_directory("data") + "/shop.events";
};

TEST_F(DeliveredMarkTest, IsReadAsItWasWritten) {
  EXPECT_EQ(read_mark(files_, path_)->has_value(), false);
  for (const uint64_t position : {uint64_t{0}, uint64_t{7}, UINT64_MAX}) {
    ASSERT_TRUE(write_mark(files_, path_, {.topic = "shop-events", .position = Sequence(position)}).ok());
    const auto mark = read_mark(files_, path_);
    ASSERT_TRUE(mark.ok() && mark->has_value()) << mark.status();
    EXPECT_EQ((*mark)->topic, "shop-events");
    EXPECT_EQ((*mark)->position, Sequence(position));
  }
}

TEST_F(DeliveredMarkTest, EveryChangedByteIsNoticed) {
  ASSERT_TRUE(write_mark(files_, path_, {.topic = "shop-events", .position = Sequence(1234)}).ok());
  const std::string good = *os::read_whole_file(files_, path_);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ASSERT_TRUE(os::replace_whole_file(files_, path_, bad).ok());
    EXPECT_EQ(read_mark(files_, path_).status().code(), absl::StatusCode::kDataLoss) << i;
    EXPECT_FALSE(check_marks(files_, "data", Sequence(UINT64_MAX)).ok()) << i;
    ASSERT_TRUE(os::replace_whole_file(files_, path_, good.substr(0, i)).ok());
    EXPECT_EQ(read_mark(files_, path_).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST_F(DeliveredMarkTest, ACheckComparesItWithTheLog) {
  EXPECT_TRUE(check_marks(files_, "elsewhere", Sequence(1)).ok());
  ASSERT_TRUE(write_mark(files_, path_, {.topic = "shop-events", .position = Sequence(1234)}).ok());
  EXPECT_TRUE(check_marks(files_, "data", Sequence(1235)).ok());
  const absl::Status beyond = check_marks(files_, "data", Sequence(1234));
  EXPECT_EQ(beyond.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(message_of(beyond).find("shop.events"), std::string::npos) << beyond;
}

}  // namespace
}  // namespace kehu::publication
