#include "sensors/envelopes.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/text.h"
#include "intake/test_records.h"
#include "seal/opener.h"
#include "sensors/decoder.h"
#include "sensors/test_envelopes.h"

namespace kehu::sensors {
namespace {

constexpr std::string_view kFlushTime = R"(,"flush_time":1795308600000)";

std::string track(std::string_view event, std::string_view more = {}) {
  return cat(R"({"type":"track","event":")", event, R"(","distinct_id":"u","time":1795308540000)", more, "}");
}

class SensorsEnvelopesTest : public testing::Test {
 protected:
  SensorsEnvelopesTest() : sender_(door_) { door_.sender.envelopes = &sender_.opener; }

  intake::Intake decoded(std::string_view body) {
    intake::Intake all;
    decoder_.open("project=p", body);
    for (bool more = true; more;) {
      more = decoder_.decode(door_.sender, all);
    }
    return all;
  }
  intake::Intake decoded_form(std::string_view gzip, std::string_view json) {
    return decoded(cat("crc=", java_hash(json), "&gzip=", gzip, "&data_list=", coding::escaped(json)));
  }
  std::string kept(const Rejection& rejection) {
    seal::Opener opener(door_.key, door_.ring);
    return opener.open_payload(rejection.sealed_payload).value;
  }
  static std::string names(const intake::Records& records) {
    std::string out;
    for (const auto& event : records.events) out += cat(out.empty() ? "" : " ", event->event().name);
    return out;
  }

  intake::TestDoor door_;
  TestSender sender_;
  Decoder decoder_;
};

TEST_F(SensorsEnvelopesTest, AreReadInEveryForm) {
  const std::string a = track("A");
  const std::string b = track("B");
  const std::string both = cat("[", a, ",", b, "]");
  const std::string one_by_one = sender_.envelope({sender_.payload(a), sender_.payload(b)}, kFlushTime);
  const std::string together = cat(R"({"pkv":1,"payloads":")", sender_.payload(both), R"(","ekey":")",
                                   sender_.session, "\"", kFlushTime, "}");
  const std::string older =
      cat(R"({"pkv":1,"payload":")", sender_.payload(both), R"(","ekey":")", sender_.session, "\"}");
  const std::string in_two =
      cat(sender_.envelope({sender_.payload(a)}), ",", sender_.envelope({sender_.payload(b)}));
  struct Case {
    const char* name;
    const char* gzip;
    std::string json;
  };
  const Case cases[] = {
      {"each record alone", "9", cat("[", one_by_one, "]")},
      {"all together", "13", cat("[", together, "]")},
      {"under the older name", "9", older},
      {"two envelopes", "9", cat("[", in_two, "]")},
      {"no array", "9", one_by_one},
      {"not said to be encrypted", "1", cat("[", one_by_one, "]")},
      {"a record in clear among them", "9", cat("[", a, ",", sender_.envelope({sender_.payload(b)}), "]")},
      {"nothing encrypted", "9", both},
  };
  for (const Case& c : cases) {
    const intake::Intake intake = decoded_form(c.gzip, c.json);
    EXPECT_EQ(names(intake::Records(intake)), "A B") << c.name;
    EXPECT_EQ(intake.rejected, 0u) << c.name;
  }
  EXPECT_TRUE(decoded_form("9", "[]").records.empty());
}

TEST_F(SensorsEnvelopesTest, TheTimeOfSendingIsThatOfTheEnvelope) {
  // The phone's clock is an hour behind: sent, by it, an hour before it was received.
  const auto time_of = [&](std::string_view record, std::string_view envelope) {
    const intake::Intake intake = decoded_form("9", sender_.envelope({sender_.payload(record)}, envelope));
    return intake::Records(intake).event().time;
  };
  const Instant received = door_.sender.received_at;
  const std::string record = R"({"type":"track","event":"A","distinct_id":"u","time":1795304940000})";
  EXPECT_EQ(time_of(record, R"(,"flush_time":1795305000000)"), received - Duration::seconds(60));
  EXPECT_EQ(time_of(record, ""), received - Duration::seconds(3660));
  // A time of its own wins.
  EXPECT_EQ(
      time_of(
          R"({"_flush_time":1795305000000,"type":"track","event":"A","distinct_id":"u","time":1795304940000})",
          R"(,"flush_time":1795308600000)"),
      received - Duration::seconds(60));
}

TEST_F(SensorsEnvelopesTest, WhatDoesNotOpenIsKeptAsItCanBeReadAgain) {
  const std::string good = sender_.payload(track("A"));
  const std::string foreign =
      coding::base64(seal::sealed_message("another session!", coding::gzipped(track("B"))));
  const std::string other_pair = [&] {
    const auto key =
        seal::make_envelope_key(door_.key, {.version = seal::EnvelopeVersion(1), .created = Instant(0)});
    return coding::base64(seal::wrapped_session(key.public_key, TestSender::kSession));
  }();
  const auto with = [&](std::string_view ekey, std::string_view pkv, std::string_view payloads) {
    return cat(R"({"ekey":")", ekey, R"(","pkv":)", pkv, R"(,"payloads":)", payloads, "}");
  };
  const std::string list = cat("[\"", good, "\"]");
  struct Case {
    const char* name;
    std::string item;
    const char* events;
    std::string kept;
    const char* detail;
  };
  const Case cases[] = {
      {"a version that is not there", with(sender_.session, "7", list), "", "",
       "pkv 7, which the project does not have (it has 1)"},
      {"a session key for another pair", with(other_pair, "1", list), "", "", "1 of 1 payloads do not open"},
      {"a session key that is no base64", with("***", "1", list), "", "", "1 of 1 payloads do not open"},
      {"of a plug-in", with("EC:abcd", "1", list), "", "", "(EC)"},
      {"no version", with(sender_.session, "null", list), "", "", "`pkv`"},
      {"version 0", with(sender_.session, "0", list), "", "", "`pkv`"},
      {"no payloads", with(sender_.session, "1", "7"), "", "", "`payloads`"},
      {"an empty list of payloads", with(sender_.session, "1", "[]"), "", "", "`payloads`"},
      {"one of two", with(sender_.session, "1", cat("[\"", good, "\",\"", foreign, "\"]")), "A",
       with(sender_.session, "1", cat("[\"", foreign, "\"]")), "1 of 2 payloads do not open"},
      {"a payload that is no text", with(sender_.session, "1", "[1]"), "", "", "1 of 1 payloads"},
      {"a payload that is no gzip",
       with(sender_.session, "1", cat("[\"", sender_.message(track("A")), "\"]")), "", "",
       "1 of 1 payloads do not open"},
      {"a gzip cut off",
       with(sender_.session, "1",
            cat("[\"", sender_.message(coding::gzipped(track("A")).substr(0, 40)), "\"]")),
       "", "", "1 of 1 payloads do not open"},
  };
  for (const Case& c : cases) {
    const intake::Intake intake = decoded_form("9", cat("[", c.item, "]"));
    const intake::Records records(intake);
    EXPECT_EQ(names(records), c.events) << c.name;
    ASSERT_EQ(records.rejections.size(), 1u) << c.name;
    EXPECT_EQ(records.rejections[0].reason, Reason::kEncryptedBody) << c.name;
    EXPECT_NE(std::string(records.rejections[0].detail).find(c.detail), std::string::npos)
        << c.name << ": " << records.rejections[0].detail;
    EXPECT_EQ(kept(records.rejections[0]), c.kept.empty() ? c.item : c.kept) << c.name;
    EXPECT_TRUE(is_sensors_text(kept(records.rejections[0]))) << c.name;
    EXPECT_FALSE(records.rejections[0].repeat_key.is_zero()) << c.name;
  }
}

TEST_F(SensorsEnvelopesTest, OpenOnceTheKeyIsThere) {
  door_.sender.envelopes = nullptr;
  const std::string envelope =
      sender_.envelope({sender_.payload(track("A")), sender_.payload(track("B"))}, kFlushTime);
  const intake::Intake closed = decoded_form("9", cat("[", envelope, "]"));
  const intake::Records records(closed);
  ASSERT_EQ(records.rejections.size(), 1u);
  EXPECT_NE(std::string(records.rejections[0].detail).find("the project has none"), std::string::npos);
  door_.sender.envelopes = &sender_.opener;
  const intake::Intake opened = decoded(kept(records.rejections[0]));
  EXPECT_EQ(names(intake::Records(opened)), "A B");
}

TEST_F(SensorsEnvelopesTest, ABrokenRecordIsKeptInClear) {
  const intake::Intake intake =
      decoded_form("9", sender_.envelope({sender_.payload(R"({"type":)"), sender_.payload(track("坏")),
                                          sender_.payload(track("Good"))}));
  const intake::Records records(intake);
  EXPECT_EQ(names(records), "Good");
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kInvalidJson);
  EXPECT_EQ(kept(records.rejections[0]), R"({"type":)");
  EXPECT_EQ(records.rejections[1].reason, Reason::kInvalidName);
  EXPECT_EQ(kept(records.rejections[1]), track("坏"));
}

// As deep as a payload may be, and one deeper among others.
TEST_F(SensorsEnvelopesTest, ADeepRecordDoesNotCostItsNeighbours) {
  const std::string deep = track("Deep", cat(R"(,"a":)", std::string(limits::kJsonDepth - 1, '['),
                                             std::string(limits::kJsonDepth - 1, ']')));
  const std::string foreign =
      coding::base64(seal::sealed_message("another session!", coding::gzipped(track("B"))));
  const intake::Intake intake =
      decoded_form("9", sender_.envelope({sender_.payload(deep), sender_.payload(track("Good")), foreign}));
  const intake::Records records(intake);
  EXPECT_EQ(names(records), "Good");
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kEncryptedBody);
  EXPECT_EQ(kept(records.rejections[1]), deep);
}

TEST_F(SensorsEnvelopesTest, AreBounded) {
  const std::string good = sender_.payload(track("A"));
  const std::string spaces(Body::kTextBytes + 1, ' ');
  const intake::Intake bomb = decoded_form("9", sender_.envelope({sender_.payload(spaces), good}));
  const intake::Records bombed(bomb);
  EXPECT_EQ(names(bombed), "A");
  ASSERT_EQ(bombed.rejections.size(), 1u);
  EXPECT_EQ(bombed.rejections[0].reason, Reason::kUnreadableBody);
  EXPECT_EQ(kept(bombed.rejections[0]), sender_.envelope({sender_.payload(spaces)}));

  // Digits of chance do not compress a hundredfold.
  std::string digits;
  for (size_t i = 0; digits.size() < Body::kTextBytes * 2 / 3; ++i) digits += cat(java_hash(cat("x", i)));
  const std::string half = sender_.payload(cat(R"({"type":"track","event":"Large","a":")", digits, "\"}"));
  const intake::Intake too_much = decoded_form("9", sender_.envelope({half, half, good}));
  const intake::Records in_part(too_much);
  EXPECT_EQ(names(in_part), "A");
  ASSERT_EQ(in_part.rejections.size(), 2u);
  EXPECT_EQ(kept(in_part.rejections[0]), sender_.envelope({half}));
  EXPECT_EQ(in_part.rejections[0].reason, Reason::kUnreadableBody);
  EXPECT_EQ(in_part.rejections[1].reason, Reason::kEventTooLarge);

  std::string many = "[";
  constexpr uint32_t kMany = 2 * Envelopes::kEnvelopes + 10;
  for (uint32_t i = 0; i < kMany; ++i) many += cat(i == 0 ? "" : ",", sender_.envelope({good}));
  const intake::Intake intake = decoded_form("9", many + "]");
  const intake::Records records(intake);
  EXPECT_EQ(records.events.size(), Envelopes::kEnvelopes);
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kTooManyEvents);
  EXPECT_EQ(intake::Records(decoded(kept(records.rejections[0]))).events.size(), Envelopes::kEnvelopes);
  EXPECT_EQ(intake::Records(decoded(kept(records.rejections[1]))).events.size(), 10u);
}

TEST_F(SensorsEnvelopesTest, InEnvelopesAreNotOpened) {
  const std::string inner = sender_.envelope({sender_.payload(track("A"))});
  const intake::Intake intake = decoded_form("9", sender_.envelope({sender_.payload(inner)}));
  EXPECT_EQ(intake.accepted, 0u);
  EXPECT_EQ(intake.rejected, 1u);
}

}  // namespace
}  // namespace kehu::sensors
