#include "main/mapped_upload.h"

#include <algorithm>

#include "api/request.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "main/answers.h"

namespace kehu {
namespace {

constexpr size_t kRejectionsPerRequest = 500;

// As it can stand in a JSON text without an escape.
std::string unescaped(std::string_view name) {
  std::string out(name);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }, '_');
  return out;
}

}  // namespace

MappedUpload::MappedUpload(Caller& caller, const Sender& sender) : caller_(caller), client_(sender.client) {
  if (!sender.key.empty()) {
    query_ = cat("?writeKey=", api::percent_encode(sender.key));
  } else if (!sender.source.empty()) {
    query_ = cat("?source=", api::percent_encode(sender.source));
  }
}

void MappedUpload::add(const mapping::MappedRow& row, std::string_view origin) {
  const std::string begin = cat(R"({"$origin":")", unescaped(origin), "\",");
  for (std::string_view rest = row.events; !rest.empty();) {
    const size_t line = rest.find('\n') + 1;
    lines_.append(begin).append(rest.substr(1, line - 1));
    rest.remove_prefix(line);
  }
  for (const mapping::RowRejection& rejection : row.rejections) {
    if (rejection_count_++ > 0) rejections_.push_back(',');
    json::Writer(rejections_)
        .begin_object()
        .field("reason", to_string(rejection.reason))
        .field("path", rejection.column.empty() ? std::string() : cat("/", rejection.column))
        .field("detail", rejection.detail)
        .field("origin", origin)
        .field("payload", row.text)
        .end_object();
  }
}

client::Request MappedUpload::request(std::string_view path) const {
  return {.method = "POST", .path = cat(path, query_), .headers = {{"User-Agent", std::string(client_)}}};
}

absl::Status MappedUpload::send(const client::Source& source) {
  const auto body = body_of(caller_.upload(request("/api/v1/events"), source));
  if (!body.ok()) return body.status();
  const auto answer = json::Document::parse(*body);
  if (!answer.ok()) return answer.status();
  const auto number = [&](const char* name) {
    return static_cast<uint64_t>(answer->root().find(name).as_int().value_or(0));
  };
  totals_.accepted += number("accepted");
  totals_.repeats += number("repeats");
  totals_.conflicts += number("conflicts");
  totals_.rejected += number("rejected");
  const json::Value by_reason = answer->root().find("rejected_by_reason");
  for (int i = 1; i < kReasonCount; ++i) {
    const json::Value count = by_reason.find(to_string(static_cast<Reason>(i)));
    totals_.refused_by_reason[static_cast<size_t>(i)] += static_cast<uint64_t>(count.as_int().value_or(0));
  }
  return rejection_count_ >= kRejectionsPerRequest ? send_rejections() : absl::OkStatus();
}

absl::Status MappedUpload::send_all() {
  if (!lines_.empty()) {
    size_t given = 0;
    const auto source = [&](char* to, size_t room) -> absl::StatusOr<size_t> {
      const size_t size = std::min(room, lines_.size() - given);
      lines_.copy(to, size, given);
      given += size;
      return size;
    };
    if (auto status = send(source); !status.ok()) return status;
    lines_.clear();
  }
  return send_rejections();
}

absl::Status MappedUpload::send_rejections() {
  if (rejection_count_ == 0) return absl::OkStatus();
  client::Request wanted = request("/api/v1/rejections");
  wanted.body = cat(R"({"rejections":[)", rejections_, "]}");
  const auto body = body_of(caller_.call(wanted));
  if (!body.ok()) return body.status();
  const auto answer = json::Document::parse(*body);
  if (!answer.ok()) return answer.status();
  totals_.rejected += static_cast<uint64_t>(answer->root().find("rejected").as_int().value_or(0));
  rejections_.clear();
  rejection_count_ = 0;
  return absl::OkStatus();
}

}  // namespace kehu
