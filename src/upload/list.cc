#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "command/answers.h"
#include "http/request.h"
#include "json/document.h"
#include "json/writer.h"
#include "mapping/file_import.h"
#include "proposal/sample.h"
#include "rows/file_head.h"
#include "upload/uploads.h"

// Lists of customers (docs/rules.md): rows of a file, in requests of a thousand, and then the word that they
// are all.
namespace kehu::upload {
namespace {

using command::field;
using command::kJson;

constexpr size_t kRowsAtOnce = 1000;
constexpr std::string_view kStays = "; the list stays as it was";
constexpr size_t kShownRows = 20;  // of each kind of rows that made nobody a member

// What the answers to the rows add up to.
struct Totals {
  uint64_t rows = 0;
  uint64_t customers = 0;
  uint64_t created = 0;
  uint64_t repeats = 0;
  uint64_t unknown = 0;
  uint64_t unreadable = 0;
  std::vector<uint64_t> unknown_rows;                    // the first ones
  std::vector<std::pair<uint64_t, std::string>> faults;  // the first ones

  void fault(uint64_t row, std::string reason) {
    ++unreadable;
    if (faults.size() < kShownRows) faults.emplace_back(row, std::move(reason));
  }
  void add(const json::Value& answer) {
    const auto count = [&](const char* name) {
      return static_cast<uint64_t>(std::max<int64_t>(0, answer.find(name).as_int().value_or(0)));
    };
    customers += count("customers");
    created += count("created");
    repeats += count("repeats");
    unknown += count("unknown");
    for (const auto& row : answer.find("unknown_rows")) {
      if (unknown_rows.size() < kShownRows)
        unknown_rows.push_back(static_cast<uint64_t>(row.value.as_int().value_or(0)));
    }
    for (const auto& each : answer.find("faults")) {
      fault(static_cast<uint64_t>(each.value.find("row").as_int().value_or(0)),
            each.value.find("reason").as_string().value_or(""));
    }
  }
  std::string counts_json() const {
    std::string out;
    json::Writer(out)
        .begin_object()
        .field("rows", rows)
        .field("customers", customers)
        .field("repeats", repeats)
        .field("unknown", unknown)
        .field("unreadable", unreadable)
        .end_object();
    return out;
  }
};

// TYPE, or TYPE=COLUMN.
struct IdColumn {
  std::string type;
  std::string column;
};

// The column of the type's name; of a file with one column that one, whatever it is called.
absl::StatusOr<IdColumn> id_column(const std::string& option, const proposal::Sample& sample) {
  const size_t sign = option.find('=');
  IdColumn id{option.substr(0, sign), sign == std::string::npos ? option : option.substr(sign + 1)};
  std::string names;
  for (const proposal::Column& column : sample.columns) {
    if (column.name == id.column) return id;
    names += cat(names.empty() ? "" : ", ", column.name);
  }
  if (sign == std::string::npos && sample.columns.size() == 1) {
    id.column = sample.columns[0].name;
    return id;
  }
  return failure(absl::StatusCode::kFailedPrecondition, "the file has no column ", id.column,
                 "; it has: ", names, ". Say --id ", id.type, "=COLUMN");
}

// One file on its way into a list.
class ListUpload {
 public:
  ListUpload(const ListCommand& command, command::Caller& caller) : command_(command), caller_(caller) {}

  absl::Status run() {
    const auto sample = proposal::take_sample(command_.file);
    if (!sample.ok()) {
      return failure(absl::StatusCode::kFailedPrecondition, message_of(sample.status()), kStays);
    }
    if (auto status = open(*sample); !status.ok()) return status;
    if (auto status = begin(); !status.ok()) return status;
    if (auto status = send_rows(); !status.ok()) return status;
    if (totals_.customers == 0) return nobody();
    const auto finished = post(cat(path_, "/finish"), totals_.counts_json());
    if (!finished.ok()) return finished.status();
    list_ = *finished;
    return absl::OkStatus();
  }

  // As the API answers it, with what the list itself does not remember.
  std::string report_json() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().raw_field("list", list_).field("created", totals_.created);
    writer.key("unknown_rows").begin_array();
    for (const uint64_t row : totals_.unknown_rows) writer.value(row);
    writer.end_array().key("faults").begin_array();
    for (const auto& [row, reason] : totals_.faults)
      writer.begin_object().field("row", row).field("reason", reason).end_object();
    writer.end_array().end_object();
    return out;
  }
  std::string report_text() const {
    std::string out = cat("list ", command_.name, ": ", totals_.customers, " customers, from ", totals_.rows,
                          totals_.rows == 1 ? " row" : " rows", "\n");
    if (totals_.created > 0) out += cat("  ", totals_.created, " of them are new customers\n");
    if (totals_.repeats > 0) out += cat("  ", totals_.repeats, " rows of somebody who was on it already\n");
    if (totals_.unknown > 0) {
      out += cat("  ", totals_.unknown, " rows of nobody who is known: ");
      for (size_t i = 0; i < totals_.unknown_rows.size(); ++i)
        out += cat(i == 0 ? "row " : ", ", totals_.unknown_rows[i]);
      out += cat(totals_.unknown > totals_.unknown_rows.size() ? ", …" : "",
                 "; with --create they become customers\n");
    }
    if (totals_.unreadable > 0) out += cat("  ", totals_.unreadable, " rows that could not be read\n");
    for (const auto& [row, reason] : totals_.faults) out += cat("    row ", row, ": ", reason, "\n");
    return out;
  }

 private:
  // A file of another kind, or another type of identifiers, than was meant: it takes nobody off the list.
  absl::Status nobody() const {
    std::string why = cat(totals_.rows, " rows, of which ", totals_.unknown,
                          " are of nobody who is known and ", totals_.unreadable, " cannot be read");
    if (!totals_.faults.empty())
      why += cat("; row ", totals_.faults[0].first, ": ", totals_.faults[0].second);
    return failure(absl::StatusCode::kFailedPrecondition, "no row of ", command_.file, " names a customer (",
                   why, ")", kStays);
  }

  absl::StatusOr<std::string> post(const std::string& path, std::string body) {
    return command::body_of(
        caller_.call({.method = "POST", .path = path, .headers = kJson, .body = std::move(body)}));
  }

  absl::Status open(const proposal::Sample& sample) {
    auto id = id_column(command_.id, sample);
    if (!id.ok()) return id.status();
    id_ = *std::move(id);
    mapping_.name = "the list";
    mapping_.file = sample.file;
    mapping_.columns = {id_.column};
    if (!command_.value.empty()) mapping_.columns.push_back(command_.value);
    const auto head = rows::read_first_bytes(command_.file);
    if (!head.ok()) return head.status();
    auto reader = mapping::open_rows(mapping_, command_.file, *head);
    if (!reader.ok()) return failure(absl::StatusCode::kFailedPrecondition, message_of(reader.status()));
    reader_ = *std::move(reader);
    return absl::OkStatus();
  }

  absl::Status begin() {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().field("file", command_.file.substr(command_.file.find_last_of('/') + 1));
    if (!command_.source.empty()) writer.field("source", command_.source);
    if (command_.owner) writer.field("owner", *command_.owner);
    if (command_.description) writer.field("description", *command_.description);
    writer.end_object();
    const std::string uploads = cat("/api/v1/lists/", http::percent_encode(command_.name), "/uploads");
    const auto begun = post(uploads, std::move(body));
    if (!begun.ok()) return begun.status();
    const auto document = json::Document::parse(*begun);
    if (!document.ok()) return document.status();
    path_ = cat(uploads, "/", field(document->root().find("begun"), "number"));
    return absl::OkStatus();
  }

  absl::Status send_rows() {
    rows::Row row;
    for (bool more = true; more;) {
      std::string body;
      json::Writer writer(body);
      writer.begin_object().field("create", command_.create).key("rows").begin_array();
      size_t count = 0;
      while (more && count < kRowsAtOnce) {
        const auto any = reader_->next(row);
        if (!any.ok()) return any.status();
        more = *any;
        if (more) count += write(row, writer);
      }
      writer.end_array().end_object();
      if (count == 0) break;
      const auto answer = post(cat(path_, "/rows"), std::move(body));
      if (!answer.ok()) return answer.status();
      const auto document = json::Document::parse(*answer);
      if (!document.ok()) return document.status();
      totals_.add(document->root());
    }
    return absl::OkStatus();
  }

  // Whether the row names somebody.
  bool write(const rows::Row& row, json::Writer& writer) {
    ++totals_.rows;
    if (row.fault) {
      totals_.fault(totals_.rows, row.fault->detail);
      return false;
    }
    std::string scratch;
    const std::string who(trimmed(rows::plain_text(row.cells[0], scratch)));
    if (who.empty()) {
      totals_.fault(totals_.rows, cat("the column ", id_.column, " is empty"));
      return false;
    }
    writer.begin_object().field("row", totals_.rows);
    writer.field("customer", cat(id_.type == "customer_id" ? "id" : id_.type, ":", who));
    if (row.cells.size() > 1 && row.cells[1].kind != rows::CellKind::kNull)
      writer.field("value", rows::plain_text(row.cells[1], scratch));
    writer.end_object();
    return true;
  }

  const ListCommand& command_;
  command::Caller& caller_;
  IdColumn id_;
  mapping::Mapping mapping_;
  std::unique_ptr<rows::RowReader> reader_;
  std::string path_;  // of the upload
  std::string list_;  // as it is then
  Totals totals_;
};

std::string list_text(const json::Value& list) {
  std::string out = field(list, "name");
  const json::Value upload = list.find("upload");
  if (upload.exists()) {
    out += cat("  ", field(upload, "customers"), " customers, upload ", field(upload, "number"), " of ",
               field(upload, "at"), " ", field(upload, "file"), "\n");
  } else {
    out += "  nobody is on it: no upload was finished\n";
  }
  if (list.find("quarantined").exists())
    out += cat("  QUARANTINED by the check ", field(list.find("quarantined"), "check"), "\n");
  std::string users;
  for (const auto& user : list.find("used_by"))
    users += cat(users.empty() ? "" : ", ", user.value.as_string().value_or(""));
  return users.empty() ? out : cat(out, "  used by ", users, "\n");
}

}  // namespace

absl::Status upload_list(const ListCommand& command) {
  auto caller = command::open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  ListUpload upload(command, **caller);
  absl::Status status = upload.run();
  status.Update((*caller)->close());
  if (!status.ok()) return status;
  return command::print(command.json ? upload.report_json() : upload.report_text());
}

absl::Status show_lists(const ListCommand& command) {
  const auto body = command::call_once(command.where, {.path = "/api/v1/lists"});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return command::print(*body);
  std::string out;
  for (const auto& list : document->root().find("lists")) out += list_text(list.value);
  return command::print(out.empty() ? "there are no lists: `kehu list upload NAME FILE --id TYPE` makes one\n"
                                    : out);
}

absl::Status delete_list(const ListCommand& command) {
  const auto body = command::call_once(
      command.where, {.method = "DELETE", .path = cat("/api/v1/lists/", http::percent_encode(command.name))});
  return body.status();
}

}  // namespace kehu::upload
