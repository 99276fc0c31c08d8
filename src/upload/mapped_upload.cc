#include "upload/mapped_upload.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "base/text.h"
#include "command/answers.h"
#include "host/runtime.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::upload {
namespace {

// As it can stand in a JSON text without an escape.
std::string unescaped(std::string_view name) {
  std::string out(name);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }, '_');
  return out;
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && value > 0 ? std::optional(value) : std::nullopt;
}

// As the first member of an event. One stands alone: servers of earlier versions know no list.
void append_former_ids(absl::Span<const std::string> ids, std::string& out) {
  if (ids.empty()) return;
  out.append(R"("$former_id":)");
  if (ids.size() > 1) out.push_back('[');
  for (size_t i = 0; i < ids.size(); ++i) json::append_literal(ids[i], out.append(i > 0 ? "," : ""));
  out.append(ids.size() > 1 ? "]," : ",");
}

}  // namespace

void UploadTotals::add(const UploadTotals& other) {
  accepted += other.accepted;
  repeats += other.repeats;
  conflicts += other.conflicts;
  rejected += other.rejected;
  for (size_t i = 0; i < refused_by_reason.size(); ++i) refused_by_reason[i] += other.refused_by_reason[i];
  for (size_t i = 0; i < kLeftOutCount; ++i) identifiers_left_out[i] += other.identifiers_left_out[i];
}

UploadTotals UploadTotals::since(const UploadTotals& earlier) const {
  UploadTotals out = *this;
  out.accepted -= earlier.accepted;
  out.repeats -= earlier.repeats;
  out.conflicts -= earlier.conflicts;
  out.rejected -= earlier.rejected;
  for (size_t i = 0; i < refused_by_reason.size(); ++i)
    out.refused_by_reason[i] -= earlier.refused_by_reason[i];
  for (size_t i = 0; i < kLeftOutCount; ++i) out.identifiers_left_out[i] -= earlier.identifiers_left_out[i];
  return out;
}

MappedUpload::Sender MappedUpload::Sender::of(const command::Where& where, const std::string& key,
                                              const std::string& source) {
  const bool look = !where.url.empty() && key.empty() && source.empty();
  return {.key = look ? host::environment("KEHU_WRITE_KEY") : key, .source = source};
}

MappedUpload::MappedUpload(command::Caller& caller, const Sender& sender)
    : caller_(caller), with_key_(!sender.key.empty()), client_(sender.client), patient_(sender.patient) {
  if (!sender.key.empty()) {
    query_ = cat("?writeKey=", http::percent_encode(sender.key));
  } else if (!sender.source.empty()) {
    query_ = cat("?source=", http::percent_encode(sender.source));
  }
}

void MappedUpload::add(const mapping::MappedRow& row, std::string_view origin) {
  const std::string begin = cat(R"({"$origin":")", unescaped(origin), "\",");
  size_t event = 0;
  for (std::string_view rest = row.events; !rest.empty(); ++event) {
    const size_t line = rest.find('\n') + 1;
    lines_.append(begin);
    if (event < row.former_ids.size()) append_former_ids(row.former_ids[event], lines_);
    lines_.append(rest.substr(1, line - 1));
    rest.remove_prefix(line);
  }
  for (const mapping::RowRejection& rejection : row.rejections) {
    std::string element;
    json::Writer(element)
        .begin_object()
        .field("reason", to_string(rejection.reason))
        .field("path", rejection.column.empty() ? std::string() : cat("/", rejection.column))
        .field("detail", rejection.detail)
        .field("origin", origin)
        .field("payload", row.text)
        .end_object();
    rejections_bytes_ += element.size();
    const bool fits = !rejections_.empty() && rejections_.back().size() + element.size() < kRejectionBytes;
    if (fits) {
      rejections_.back().append(",").append(element);
    } else {
      rejections_.push_back(std::move(element));
    }
  }
}

client::Request MappedUpload::request(std::string_view path) const {
  return {.method = "POST", .path = cat(path, query_), .headers = {{"User-Agent", std::string(client_)}}};
}

absl::StatusOr<std::string> MappedUpload::content_of(const absl::StatusOr<client::Response>& response) const {
  if (!response.ok() || response->status != 401) return command::body_of(response);
  if (with_key_) {
    return failure(absl::StatusCode::kUnauthenticated,
                   "the server does not know this write key: give one of its sources with --key, or in "
                   "KEHU_WRITE_KEY");
  }
  return failure(absl::StatusCode::kUnauthenticated,
                 "a server takes events by the write key of a source: give it with --key, or in "
                 "KEHU_WRITE_KEY");
}

absl::Status MappedUpload::send(const client::Source& source) {
  const auto body = content_of(caller_.upload(request("/api/v1/events"), source));
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
  const json::Value left_out = answer->root().find("identifiers_left_out");
  for (size_t i = 1; i < kLeftOutCount; ++i) {
    const json::Value count = left_out.find(to_string(static_cast<LeftOut>(i)));
    totals_.identifiers_left_out[i] += static_cast<uint64_t>(count.as_int().value_or(0));
  }
  return absl::OkStatus();
}

// A source may send so much a second, and its events may have used that up for a while.
absl::StatusOr<client::Response> MappedUpload::call(const client::Request& wanted) {
  constexpr int kWaitMaxS = 3600;
  for (int waited_s = 0;;) {
    auto response = caller_.call(wanted);
    if (!patient_ || !response.ok() || response->status != 429) return response;
    const int seconds = number_in(response->header("retry-after").value_or("")).value_or(1);
    if (waited_s + seconds > kWaitMaxS) return response;
    if (waited_s == 0) std::fprintf(stderr, "kehu: the source sends more than it may: waiting\n");
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    waited_s += seconds;
  }
}

absl::StatusOr<std::string> MappedUpload::post(std::string_view path, std::string body) {
  client::Request wanted = request(path);
  wanted.body = std::move(body);
  return content_of(call(wanted));
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
  while (!rejections_.empty()) {
    if (auto status = send_rejections(rejections_.front()); !status.ok()) return status;
    rejections_.pop_front();
  }
  rejections_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status MappedUpload::send_rejections(std::string_view elements) {
  client::Request wanted = request("/api/v1/rejections");
  wanted.body = cat(R"({"rejections":[)", elements, "]}");
  const auto body = content_of(call(wanted));
  if (!body.ok()) return body.status();
  const auto answer = json::Document::parse(*body);
  if (!answer.ok()) return answer.status();
  totals_.rejected += static_cast<uint64_t>(answer->root().find("rejected").as_int().value_or(0));
  return absl::OkStatus();
}

}  // namespace kehu::upload
