#include "debugger/request_steps.h"

#include <gtest/gtest.h>

#include "json/document.h"

namespace kehu::debugger {
namespace {

using Kind = RecordFate::Kind;

RequestSteps::Start start() {
  return {.id = 7,
          .skipped = 2,
          .source = SourceId(1),
          .source_name = "web",
          .received_at = Instant::from_seconds(1'780'000'000),
          .arrival = {.protocol = "segment",
                      .method = "POST",
                      .path = "/v1/batch",
                      .remote = "1.2.3.4",
                      .query = {{"writeKey", "kwk_1234…"}},
                      .headers = {{"Content-Type", "application/json"}},
                      .client = "curl/8",
                      .bytes = 12}};
}

Item event(size_t entry, std::string members = R"("type":"track")") {
  return {.entry = entry, .members = std::move(members), .library = "analytics-node 3"};
}
Item rejection(size_t entry) {
  return {.entry = entry, .rejected = true, .members = R"("reason":"missing_event_name")"};
}

CustomerId customer(uint64_t n) { return CustomerId{Hash128{n, n}}; }

// "name verdict count=…" of each step.
std::vector<std::string> steps_of(const json::Value& root) {
  std::vector<std::string> out;
  for (const auto& step : root.find("steps")) {
    out.push_back(*step.value.find("step").as_string() + " " + *step.value.find("verdict").as_string());
  }
  return out;
}

std::vector<std::string> verdicts_of(const json::Value& root) {
  std::vector<std::string> out;
  for (const auto& one : root.find("events")) out.push_back(*one.value.find("verdict").as_string());
  return out;
}

class Document {
 public:
  explicit Document(const RequestSteps& steps)
      : text_(steps.text()), document_(json::Document::parse(text_)) {
    EXPECT_TRUE(document_.ok()) << text_;
  }
  json::Value root() const { return document_->root(); }
  std::string at(const char* name) const { return root().find(name).as_string().value_or("?"); }
  bool complete() const { return *root().find("complete").as_bool(); }

 private:
  std::string text_;
  absl::StatusOr<json::Document> document_;
};

// Entries 0 and 1 of the batch are another request's.
Part part_of_four() {
  return {.accepted = 3,
          .rejected = 1,
          .items = {event(2), event(4), rejection(5), event(6)},
          .first_entry = 2,
          .kinds = {RecordKind::kEvent, RecordKind::kDataKey, RecordKind::kEvent, RecordKind::kRejection,
                    RecordKind::kEvent}};
}

TEST(RequestSteps, FromTheWireToTheCustomer) {
  RequestSteps steps(start());
  steps.add({.name = "key", .detail = "it opens the source"});
  steps.set_body("{}", 40);
  const size_t part = steps.add_part(part_of_four());
  EXPECT_EQ(verdicts_of(Document(steps).root()),
            (std::vector<std::string>{"accepted", "accepted", "rejected", "accepted"}));
  const std::vector<RecordFate> fates = {{Kind::kWritten, Sequence(100)}, {Kind::kWritten, Sequence(101)},
                                         {Kind::kWritten, Sequence(102)}, {Kind::kWritten, Sequence(103)},
                                         {Kind::kRepeat, Sequence(0)},    {Kind::kWritten, Sequence(104)},
                                         {Kind::kConflict, Sequence(105)}};
  steps.logged(part, {.fates = fates});
  EXPECT_EQ(steps.awaited(), std::vector<Sequence>{Sequence(102)});
  EXPECT_TRUE(steps.awaits());
  EXPECT_FALSE(steps.is_answered());
  steps.answered({.status = 200, .text = "ok", .took = Duration(1234)});
  {
    const Document document(steps);
    EXPECT_FALSE(document.complete());
    EXPECT_EQ(document.at("verdict"), "partly");
    EXPECT_EQ(steps_of(document.root()),
              (std::vector<std::string>{"key passed", "decode partly", "log partly", "apply passed",
                                        "answer passed"}));
    const json::Value log = document.root().find("steps").at(2);
    EXPECT_EQ(log.find("new").as_int(), 1);
    EXPECT_EQ(log.find("repeats").as_int(), 1);
    EXPECT_EQ(log.find("conflicts").as_int(), 1);
    EXPECT_EQ(log.find("rejected").as_int(), 1);
    EXPECT_EQ(log.find("first").as_int(), 102);
    EXPECT_EQ(log.find("last").as_int(), 105);
  }
  steps.applied({}, Sequence(101));
  EXPECT_TRUE(steps.awaits());
  const std::vector<AppliedItem> items = {
      {.sequence = Sequence(102), .customer = customer(5), .created = true, .joined = {customer(6)}}};
  steps.applied(items, Sequence(105));
  EXPECT_FALSE(steps.awaits());
  const Document document(steps);
  EXPECT_TRUE(document.complete());
  EXPECT_EQ(verdicts_of(document.root()),
            (std::vector<std::string>{"accepted", "repeat", "rejected", "conflict"}));
  const json::Value first = document.root().find("events").at(0);
  EXPECT_EQ(first.find("customer_id").as_string(), customer(5).hash.hex());
  EXPECT_EQ(first.find("customer").as_string(), "created");
  EXPECT_EQ(first.find("joined").size(), 1u);
  EXPECT_EQ(first.find("type").as_string(), "track");
  EXPECT_EQ(document.root().find("skipped").as_int(), 2);
  EXPECT_EQ(document.root().find("request").find("library").as_string(), "analytics-node 3");
  EXPECT_EQ(document.root().find("body").find("unpacked_bytes").as_int(), 40);
  EXPECT_EQ(document.root().find("answer").find("micros").as_int(), 1234);
}

struct VerdictCase {
  const char* name;
  uint32_t accepted, rejected;
  int status;
  const char* want;
};

TEST(RequestSteps, Verdicts) {
  const VerdictCase cases[] = {
      {"all good", 3, 0, 200, "passed"},
      {"nothing in it", 0, 0, 200, "passed"},
      {"some bad", 2, 1, 200, "partly"},
      {"all bad", 0, 2, 200, "failed"},
      {"refused by the answer", 2, 0, 503, "failed"},
  };
  for (const VerdictCase& c : cases) {
    SCOPED_TRACE(c.name);
    RequestSteps steps(start());
    steps.add_part({.accepted = c.accepted, .rejected = c.rejected, .stored = false});
    steps.answered({.status = c.status, .text = {}, .took = {}});
    EXPECT_EQ(Document(steps).at("verdict"), c.want);
    EXPECT_TRUE(Document(steps).complete());
  }
}

TEST(RequestSteps, ALogThatFails) {
  RequestSteps steps(start());
  const size_t part = steps.add_part({.accepted = 1, .items = {event(0)}, .kinds = {RecordKind::kEvent}});
  steps.logged(part, {.failure = "not stored: the disk is full"});
  EXPECT_FALSE(steps.awaits());
  steps.answered({.status = 503, .text = "later", .took = {}});
  const Document document(steps);
  EXPECT_EQ(document.at("verdict"), "failed");
  EXPECT_EQ(verdicts_of(document.root()), std::vector<std::string>{"not_stored"});
  EXPECT_TRUE(document.complete());
}

TEST(RequestSteps, ManyEventsAreCountedBeyondTheShownOnes) {
  RequestSteps steps(start());
  Part part{.accepted = 100};
  for (size_t i = 0; i < RequestSteps::kItems; ++i) part.items.push_back(event(i));
  steps.add_part(std::move(part));
  steps.add_part({.accepted = 5, .items = {event(0), event(1), event(2), event(3), event(4)}});
  const Document document(steps);
  EXPECT_EQ(document.root().find("events").size(), RequestSteps::kItems);
  EXPECT_EQ(document.root().find("more_events").as_int(), 85);
}

TEST(RequestSteps, PartsAreLoggedInAnyOrder) {
  RequestSteps steps(start());
  const Part part{.accepted = 1, .items = {event(0)}, .kinds = {RecordKind::kEvent}};
  const size_t first = steps.add_part(part), second = steps.add_part(part);
  const std::vector<RecordFate> later = {{Kind::kWritten, Sequence(9)}},
                                earlier = {{Kind::kWritten, Sequence(4)}};
  steps.logged(second, {.fates = later});
  steps.answered({.status = 200, .text = {}, .took = {}});
  EXPECT_FALSE(Document(steps).complete());
  steps.logged(first, {.fates = earlier});
  steps.applied({}, Sequence(9));
  EXPECT_TRUE(Document(steps).complete());
  EXPECT_EQ(Document(steps).root().find("events").at(0).find("sequence").as_int(), 4);
}

}  // namespace
}  // namespace kehu::debugger
