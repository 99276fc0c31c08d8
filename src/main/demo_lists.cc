#include "main/demo_lists.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/text.h"
#include "command/answers.h"
#include "command/caller.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu {
namespace {

constexpr size_t kRowsAtOnce = 1000;

// Every sixth known customer has a card, every fifteenth wants no messages; the same ones each time.
constexpr char kKnown[] = "SELECT user_id FROM customers WHERE user_id IS NOT NULL ORDER BY md5(user_id)";

class Uploads {
 public:
  explicit Uploads(host::Runtime& runtime) : caller_(command::caller_of(runtime)) {}

  absl::StatusOr<std::vector<std::string>> known() {
    std::string body;
    json::Writer(body).begin_object().field("sql", kKnown).end_object();
    const auto answer = post("/api/v1/sql?format=ndjson", std::move(body));
    if (!answer.ok()) return answer.status();
    std::vector<std::string> users;
    std::string_view lines = *answer;
    while (!lines.empty()) {
      const size_t end = std::min(lines.find('\n'), lines.size());
      const auto document = json::Document::parse(lines.substr(0, end));
      if (document.ok()) users.push_back(command::field(document->root(), "user_id"));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return users;
  }

  // `value` of a member's place in the list; empty: none.
  absl::Status upload(std::string_view list, const std::vector<std::string>& users,
                      const std::function<std::string_view(size_t)>& value) {
    const std::string uploads = cat("/api/v1/lists/", http::percent_encode(list), "/uploads");
    const auto begun = post(uploads, R"({"file":"demo"})");
    if (!begun.ok()) return begun.status();
    const auto document = json::Document::parse(*begun);
    if (!document.ok()) return document.status();
    const std::string path = cat(uploads, "/", command::field(document->root().find("begun"), "number"));
    for (size_t at = 0; at < users.size(); at += kRowsAtOnce) {
      std::string body;
      json::Writer writer(body);
      writer.begin_object().key("rows").begin_array();
      for (size_t i = at; i < std::min(users.size(), at + kRowsAtOnce); ++i) {
        writer.begin_object().field("row", i + 1).field("customer", cat("user_id:", users[i]));
        if (!value(i).empty()) writer.field("value", value(i));
        writer.end_object();
      }
      writer.end_array().end_object();
      if (const auto sent = post(path + "/rows", std::move(body)); !sent.ok()) return sent.status();
    }
    std::string counts;
    json::Writer(counts)
        .begin_object()
        .field("rows", users.size())
        .field("customers", users.size())
        .end_object();
    return post(path + "/finish", std::move(counts)).status();
  }

 private:
  absl::StatusOr<std::string> post(const std::string& path, std::string body) {
    return command::body_of(
        caller_->call({.method = "POST", .path = path, .headers = command::kJson, .body = std::move(body)}));
  }

  std::unique_ptr<command::Caller> caller_;
};

std::vector<std::string> every(size_t n, const std::vector<std::string>& users) {
  std::vector<std::string> some;
  for (size_t i = 0; i < users.size(); i += n) some.push_back(users[i]);
  return some;
}

}  // namespace

absl::Status upload_demo_lists(host::Runtime& runtime) {
  Uploads uploads(runtime);
  const auto users = uploads.known();
  if (!users.ok()) return users.status();
  const auto card = [](size_t i) -> std::string_view {
    return i % 10 < 2 ? "金卡" : i % 10 < 5 ? "银卡" : "普卡";
  };
  if (auto status = uploads.upload(kCardList, every(6, *users), card); !status.ok()) return status;
  return uploads.upload(kOptOutList, every(15, *users), [](size_t) { return std::string_view(); });
}

}  // namespace kehu
