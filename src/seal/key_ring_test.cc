#include "seal/key_ring.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "seal/seal_test.h"

namespace kehu::seal {
namespace {

Token token_of(uint64_t n) { return Token{hash128(std::to_string(n))}; }

std::string secret_of(const KeyRing::Found& found) { return std::string(found.secret.bytes()); }

class KeyRingTest : public testing::TestWithParam<Cipher> {
 protected:
  const ProjectKey project_key_ = test_project_key();
  KeyRing ring_{project_key_, GetParam(), seeded_bytes(1)};
};

TEST_P(KeyRingTest, KeepsOneKeyPerToken) {
  EXPECT_FALSE(ring_.find(token_of(1)));
  const auto made = ring_.find_or_create(token_of(1));
  EXPECT_TRUE(made.pending);
  EXPECT_EQ(made.secret.cipher(), GetParam());
  const auto again = ring_.find_or_create(token_of(1));
  EXPECT_EQ(again.name.key_id, made.name.key_id);
  EXPECT_EQ(secret_of(again), secret_of(made));
  EXPECT_NE(secret_of(ring_.find_or_create(token_of(2))), secret_of(made));
  EXPECT_EQ(ring_.size(), 2u);
}

TEST_P(KeyRingTest, EveryUserOfAPendingKeyGetsItsRecord) {
  const auto made = ring_.find_or_create(token_of(1));
  const std::string record = ring_.pending_record(made.name);
  EXPECT_FALSE(record.empty());
  EXPECT_TRUE(ring_.find(token_of(1))->pending);
  EXPECT_EQ(ring_.pending_record(made.name), record);
  ring_.mark_durable({made.name.key_id, 12345u});
  EXPECT_FALSE(ring_.find(token_of(1))->pending);
  EXPECT_EQ(ring_.pending_record(made.name), "");
}

TEST_P(KeyRingTest, LoadsWhatWasWritten) {
  const auto made = ring_.find_or_create(token_of(1));
  const std::string wrapped = ring_.pending_record(made.name);
  const DataKey record{made.name.token, made.name.key_id, wrapped};

  KeyRing recovered(project_key_, GetParam(), seeded_bytes(2));
  for (int times = 0; times < 2; ++times) ASSERT_TRUE(recovered.load(record).ok());
  EXPECT_EQ(recovered.size(), 1u);
  for (int times = 0; times < 2; ++times) {
    const auto found = recovered.find_or_create(token_of(1));
    EXPECT_FALSE(found.pending);
    EXPECT_EQ(secret_of(found), secret_of(made));
  }
  EXPECT_EQ(secret_of(*recovered.find_by_id(made.name.key_id).found), secret_of(made));
}

TEST_P(KeyRingTest, LoadingAPendingKeyMakesItDurable) {
  const auto made = ring_.find_or_create(token_of(1));
  const std::string wrapped = ring_.pending_record(made.name);
  ASSERT_TRUE(ring_.load({made.name.token, made.name.key_id, wrapped}).ok());
  EXPECT_FALSE(ring_.find(token_of(1))->pending);
}

TEST_P(KeyRingTest, ASecondKeyOfATokenOnlyReads) {
  KeyRing other(project_key_, GetParam(), seeded_bytes(2));
  const auto first = ring_.find_or_create(token_of(1));
  const auto second = other.find_or_create(token_of(1));
  const std::string wrapped = other.pending_record(second.name);
  ASSERT_TRUE(ring_.load({token_of(1), second.name.key_id, wrapped}).ok());
  EXPECT_EQ(ring_.find(token_of(1))->name.key_id, first.name.key_id);
  EXPECT_EQ(secret_of(*ring_.find_by_id(second.name.key_id).found), secret_of(second));
  ring_.drop(token_of(1));
  EXPECT_FALSE(ring_.find_by_id(first.name.key_id).found);
  EXPECT_FALSE(ring_.find_by_id(second.name.key_id).found);
  EXPECT_EQ(ring_.size(), 0u);
}

TEST_P(KeyRingTest, ADroppedKeyIsErasedForEver) {
  const auto made = ring_.find_or_create(token_of(1));
  ring_.drop(token_of(1));
  EXPECT_EQ(ring_.find_by_id(made.name.key_id).why, KeyRing::Missing::kErased);
  EXPECT_EQ(ring_.pending_record(made.name), "");
  const auto next = ring_.find_or_create(token_of(1));
  EXPECT_NE(next.name.key_id, made.name.key_id);
  EXPECT_NE(secret_of(next), secret_of(made));
  EXPECT_FALSE(ring_.find_by_id(made.name.key_id).found);
}

TEST_P(KeyRingTest, RefusesWhatIsNoKey) {
  const auto made = ring_.find_or_create(token_of(1));
  const std::string wrapped = ring_.pending_record(made.name);
  EXPECT_EQ(ring_.load({token_of(2), made.name.key_id, wrapped}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ring_.load({token_of(2), 7, ""}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ring_.load({token_of(2), 7, wrapped.substr(1)}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ring_.load({token_of(2), 7, "\x09" + wrapped.substr(1)}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(KeyRingTest, AWrappedKeyOpensOnlyUnderItsNameAndProjectKey) {
  const auto made = ring_.find_or_create(token_of(1));
  const std::string wrapped = ring_.pending_record(made.name);
  struct Case {
    const char* name;
    DataKey key;
    char project;
  };
  std::string changed = wrapped;
  changed[5] = static_cast<char>(changed[5] ^ 1);
  const Case cases[] = {
      {"another token", {token_of(2), made.name.key_id, wrapped}, 'k'},
      {"another id", {token_of(1), made.name.key_id ^ 1, wrapped}, 'k'},
      {"another project", {token_of(1), made.name.key_id, wrapped}, 'x'},
      {"a changed bit", {token_of(1), made.name.key_id, changed}, 'k'},
  };
  for (const auto& c : cases) {
    KeyRing ring(test_project_key(c.project), GetParam(), seeded_bytes(2));
    ASSERT_TRUE(ring.load(c.key).ok()) << c.name;
    const auto by_id = ring.find_by_id(c.key.key_id);
    EXPECT_FALSE(by_id.found) << c.name;
    EXPECT_EQ(by_id.why, KeyRing::Missing::kDamaged) << c.name;
    EXPECT_FALSE(ring.find(c.key.token)) << c.name;
    EXPECT_TRUE(ring.find_or_create(c.key.token).pending) << c.name;
  }
}

// Eight threads meet the same tokens for the first time at once, while two others make keys durable and drop
// some.
TEST_P(KeyRingTest, ThreadsAgreeOnAKey) {
  constexpr uint64_t kTokens = 200;
  std::vector<std::vector<std::string>> secrets(8);
  std::vector<std::thread> threads;
  for (auto& seen : secrets) {
    threads.emplace_back([this, &seen] {
      for (uint64_t n = 0; n < kTokens; ++n) {
        const auto found = ring_.find_or_create(token_of(n));
        seen.push_back(secret_of(found));
        ring_.mark_durable({found.name.key_id});
      }
    });
  }
  threads.emplace_back([this] {
    for (uint64_t n = 0; n < kTokens; ++n) {
      const auto found = ring_.find_or_create(token_of(1000 + n));
      ring_.drop(found.name.token);
      EXPECT_FALSE(ring_.find_by_id(found.name.key_id).found);
    }
  });
  for (auto& thread : threads) thread.join();
  for (const auto& seen : secrets) EXPECT_EQ(seen, secrets[0]);
  EXPECT_EQ(ring_.size(), kTokens);
}

INSTANTIATE_TEST_SUITE_P(Ciphers, KeyRingTest, testing::Values(Cipher::kAes256Gcm, Cipher::kSm4Gcm));

}  // namespace
}  // namespace kehu::seal
