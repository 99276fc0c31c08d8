#include "proposal/proposal.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_join.h"
#include "base/text.h"
#include "proposal/facts.h"
#include "proposal/sample.h"

namespace kehu::proposal {
namespace {

constexpr size_t kEventNamesMax = 50;
constexpr std::string_view kRowColumn = "row number";
constexpr std::string_view kEncodingNote = "   # by its commonest characters: see that names read right";

constexpr std::string_view kDirections =
    ", values = { \"收入\" = \"Order Completed\", \"已收入\" = \"Order Completed\", \"支出\" = \"Payment "
    "Made\", "
    "\"已支出\" = \"Payment Made\" }, otherwise = \"Payment Recorded\"";

bool is_guessed(std::string_view encoding) { return !encoding.starts_with("UTF"); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        out.append(1, '\\').append(1, c);
        break;
      case '\t':
        out.append("\\t");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      default:
        out.push_back(c);
    }
  }
  return out + "\"";
}

// A TOML key: bare where it can be.
std::string key_of(std::string_view name) {
  const bool bare =
      !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == name.npos;
  return bare ? std::string(name) : quoted(name);
}

std::string column_of(const Column& column, std::string_view more) {
  return cat("{ column = ", quoted(column.name), more, " }");
}

std::string_view identifier_type(Role role) {
  switch (role) {
    case Role::kUser:
      return "user_id";
    case Role::kMember:
      return "member_id";
    case Role::kOpenId:
      return "open_id";
    case Role::kUnionId:
      return "union_id";
    case Role::kAnonymous:
      return "anonymous_id";
    case Role::kPhone:
      return "phone";
    case Role::kEmail:
      return "email";
    default:
      return {};
  }
}

struct Judged {
  const Column* column = nullptr;
  Facts facts = {};
  Role role = Role::kNone;
  std::optional<TimeWriting> time = {};
  bool used = false;
};

class Proposal {
 public:
  Proposal(const Sample& sample, const std::string& file) : sample_(sample), file_(file) {
    std::set<Role> taken;
    for (const Column& column : sample.columns) {
      Judged judged{.column = &column, .facts = facts_of(column), .role = role_of_name(column.name)};
      judge(judged);
      const bool once = judged.role != Role::kTime && judged.role != Role::kBirthday;
      if (judged.role != Role::kNone && once && !taken.insert(judged.role).second) judged.role = Role::kNone;
      columns_.push_back(std::move(judged));
    }
  }

  std::string text(std::optional<Subject> wanted) {
    subject_ = wanted ? *wanted : subject_of_columns();
    find_person();
    find_time();
    out_ = cat("# A proposal for ", file_, ", from its first ", sample_.rows,
               " rows. Read it, correct it, and try it with\n",
               "#   kehu import --data DIR --map THIS.toml --dry-run ", file_, "\n\n");
    write_file();
    write_rows();
    write_identifiers();
    write_time();
    write_event();
    write_fields();
    return std::move(out_);
  }

 private:
  // The values may say more than the name, or belie it. An address or a mobile number has a form of its
  // own, so four of five values make a column one of these, whatever it is called; an amount must be a
  // number in every row. A name alone is not enough where a mapping would then reject rows.
  static void judge(Judged& judged) {
    const Facts& facts = judged.facts;
    const size_t most = facts.filled - facts.filled / 5;
    if (facts.filled == 0 || judged.column->nested) {
      judged.role = Role::kNone;
      return;
    }
    if (facts.emails >= most) judged.role = Role::kEmail;
    const bool may_be_phone = judged.role == Role::kNone || judged.role == Role::kPhone;
    if (facts.mobiles >= most && may_be_phone) judged.role = Role::kPhone;
    if (judged.role == Role::kEmail && facts.emails * 2 < facts.filled) judged.role = Role::kNone;
    const bool amount =
        judged.role == Role::kAmount || judged.role == Role::kPrice || judged.role == Role::kQuantity;
    if (amount && !facts.all(facts.amounts)) judged.role = Role::kNone;
    const bool named_so = judged.role == Role::kTime || judged.role == Role::kBirthday;
    if (judged.role == Role::kNone || named_so) judged.time = time_writing_of(*judged.column, named_so);
    if (judged.role == Role::kTime && !judged.time) judged.role = Role::kNone;
    if (judged.role == Role::kEvent && facts.distinct > kEventNamesMax) judged.role = Role::kNone;
  }

  Judged* find(Role role) {
    const auto found =
        std::find_if(columns_.begin(), columns_.end(), [&](const Judged& j) { return j.role == role; });
    return found == columns_.end() ? nullptr : &*found;
  }

  bool has_time() const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [](const Judged& j) { return j.time && j.role != Role::kBirthday; });
  }

  // A number of an order or a sum of money, with a time, is an order. What happened, or a visitor, is an
  // event. A list of customers has each of them once: where more than one row in ten is of somebody who was
  // there before, and rows have times, they are events.
  Subject subject_of_columns() {
    const bool money =
        find(Role::kAmount) != nullptr || (find(Role::kPrice) != nullptr && find(Role::kQuantity) != nullptr);
    if (has_time() && (find(Role::kOrder) != nullptr || money)) return Subject::kOrders;
    if (find(Role::kEvent) != nullptr || find(Role::kAnonymous) != nullptr) return Subject::kEvents;
    Judged* person = find(Role::kUser);
    if (person == nullptr) person = find(Role::kMember);
    const bool again = person != nullptr && person->facts.distinct * 10 < person->facts.filled * 9;
    if (has_time() && again) return Subject::kEvents;
    return Subject::kCustomers;
  }

  // Without a column for persons, that of an `id` in a list of customers; else every row is somebody.
  void find_person() {
    for (Judged& judged : columns_) {
      if (!identifier_type(judged.role).empty()) persons_.push_back(&judged);
    }
    const auto weak = [](const Judged* j) { return j->facts.filled == 0; };
    std::erase_if(persons_, weak);
    Judged* id = find(Role::kRowNumber);
    const bool full = std::any_of(persons_.begin(), persons_.end(),
                                  [&](const Judged* j) { return j->facts.filled == sample_.rows; });
    if (id != nullptr && id->facts.filled == sample_.rows && !full && subject_ != Subject::kOrders) {
      id->role = Role::kUser;
      persons_.insert(persons_.begin(), id);
    }
    every_row_ = std::none_of(persons_.begin(), persons_.end(),
                              [&](const Judged* j) { return j->facts.filled == sample_.rows; });
  }

  // A column that is filled in every row is worth more than one whose name says time, and that more than a
  // clock beside the day: a row without a time would be rejected, and a time by day is still a time.
  //
  // Of orders and events that some rows tell no time of, those rows are what did not happen (yet): orders
  // that are not paid, further lines of an order, sums at the end. To give all of them the time of the file
  // would be worse than to leave these out. Of customers each row counts.
  void find_time() {
    int best = 0;
    for (Judged& judged : columns_) {
      if (!judged.time || judged.role == Role::kBirthday) continue;
      int score = 1 + 2 * (judged.role == Role::kTime) + judged.time->with_clock;
      score += 4 * (judged.facts.filled == sample_.rows);
      if (score <= best) continue;
      best = score;
      time_ = &judged;
    }
    if (time_ == nullptr) return;
    const bool full = time_->facts.filled == sample_.rows;
    const bool mostly = time_->role == Role::kTime && time_->facts.filled * 2 >= sample_.rows;
    if (!full && (subject_ == Subject::kCustomers || !mostly)) time_ = nullptr;
    if (time_ != nullptr && !time_->time->with_clock) find_clock();
  }

  // A day in one column and the clock in another are one time.
  void find_clock() {
    for (Judged& judged : columns_) {
      const bool beside = judged.facts.clocks > 0 && judged.facts.all(judged.facts.clocks) &&
                          judged.facts.filled >= time_->facts.filled;
      if (!beside || &judged == time_) continue;
      const auto format = joined_time_format(time_->time->format, *time_->column, *judged.column);
      if (!format) continue;
      time_->time->format = *format;
      judged.used = true;
      clock_ = &judged;
      return;
    }
  }

  bool leaves_rows_out() const { return time_ != nullptr && time_->facts.filled < sample_.rows; }

  void line(std::string_view text) { out_.append(text).append("\n"); }
  void section(std::string_view name) {
    out_.append(cat(out_.ends_with("\n\n") ? "" : "\n", "[", name, "]\n"));
  }

  void write_file() {
    section("file");
    const rows::FileSpec& file = sample_.file;
    switch (file.format) {
      case rows::FileFormat::kNdjson:
        line("format = \"ndjson\"");
        if (!file.list.empty())
          line(cat("list = ", quoted(absl::StrJoin(file.list, ".")), "   # its elements are the rows"));
        break;
      case rows::FileFormat::kParquet:
        line("format = \"parquet\"");
        break;
      case rows::FileFormat::kXlsx:
        line("format = \"xlsx\"   # its first sheet; sheet = \"…\" is another one");
        break;
      case rows::FileFormat::kLog:
        line("format = \"log\"");
        line(cat("pattern = '", sample_.pattern, "'"));
        break;
      case rows::FileFormat::kCsv:
        if (file.quote == '\'') line("quote = \"'\"");
        if (file.delimiter != ',') line(cat("delimiter = ", quoted(std::string(1, file.delimiter))));
        break;
    }
    if (file.encoding != "UTF-8")
      line(cat("encoding = ", quoted(file.encoding), is_guessed(file.encoding) ? kEncodingNote : ""));
    if (file.trim_header) line("trim_header = true\ntrim = true");
    if (file.skip_lines > 0)
      line(cat("skip_lines = ", file.skip_lines,
               file.names.empty() ? "   # what stands above the names of the columns"
                                  : "   # its header names two columns alike"));
    if (!file.until.empty())
      line(cat("until = ", quoted(file.until), "   # a line that begins so stands below the table"));
    if (!file.names.empty()) {
      out_.append(
          file.skip_lines > 0
              ? "columns = ["
              : "# The first line names no columns, so they have names of their own here.\ncolumns = [");
      for (size_t i = 0; i < file.names.size(); ++i)
        out_.append(i > 0 ? ", " : "").append(quoted(file.names[i]));
      line("]");
    }
    write_nulls();
  }

  void write_nulls() {
    if (sample_.file.nulls.empty()) return;
    std::string list;
    for (const std::string& null : sample_.file.nulls) list += cat(list.empty() ? "" : ", ", quoted(null));
    line(cat("null = [", list, "]"));
  }

  void write_rows() {
    if (!every_row_ && !leaves_rows_out()) return;
    section("rows");
    if (every_row_) line(cat("number = ", quoted(kRowColumn)));
    if (!leaves_rows_out()) return;
    line(cat("# ", sample_.rows - time_->facts.filled, " of ", sample_.rows,
             " rows do not say when it happened, and are left out."));
    line(cat("keep = ", column_of(*time_->column, ", empty = false")));
  }

  void write_identifiers() {
    section("identifiers");
    std::set<std::string_view> types;
    for (Judged* person : persons_) {
      const std::string_view type = identifier_type(person->role);
      if (!types.insert(type).second) continue;
      say_lost_digits(*person);
      const bool whole = person->facts.fractions_of_zero > 0;
      if (every_row_ && type == "user_id") {
        line("# Where the column is empty, the row is somebody of its own.");
        line(cat(type, " = [", column_of(*person->column, whole ? ", whole = true" : ""), ", ", row_person(),
                 "]"));
        types.insert("rows");
      } else {
        line(cat(type, " = ",
                 whole ? column_of(*person->column, ", whole = true") : quoted(person->column->name)));
      }
      person->used = type != "phone" && type != "email" ? true : subject_ != Subject::kCustomers;
    }
    if (!every_row_ || types.contains("rows")) return;
    line(types.empty() ? "# No column says whose row it is: every row is somebody of its own."
                       : "# Not every row says whose it is: every row is somebody of its own, too.");
    line(cat("user_id = ", row_person()));
  }

  // Nobody can tell whose such a row is, and several customers would become one by what is left of their ids.
  void say_lost_digits(const Judged& person) {
    const Column& column = *person.column;
    if (column.digits_lost == 0) return;
    const bool others = every_row_ || std::any_of(persons_.begin(), persons_.end(), [&](const Judged* other) {
                          return other != &person && other->facts.filled == sample_.rows;
                        });
    line(cat("# ", column.digits_lost, " of ", person.facts.filled, " values of ", quoted(column.name),
             " lost their digits in a spreadsheet (", column.lost, "): ",
             others ? "they are left out of their rows."
                    : "these rows will be rejected, unless another column says whose they are."));
    line("# Export it again with that column as text.");
  }

  std::string row_person() const {
    std::string stem = file_.substr(0, file_.find('.'));
    return cat("{ column = ", quoted(kRowColumn), ", prefix = ", quoted(cat(stem, "-")), " }");
  }

  void write_time() {
    section("time");
    if (time_ == nullptr) {
      line("# No column tells when it happened: it is the time at which the file was last changed.");
      line("file = \"modified\"");
      return;
    }
    const std::string name = quoted(time_->column->name);
    line(
        cat("column = ", clock_ == nullptr ? name : cat("[", name, ", ", quoted(clock_->column->name), "]")));
    if (time_->time->format != "iso") line(cat("format = ", quoted(time_->time->format)));
    if (time_->time->ambiguous)
      line("# No value tells day and month apart: turn %m and %d round if it is the other way.");
    if (!time_->time->with_offset) line(cat("zone = ", quoted(zone()), "   # of times without an offset"));
  }

  std::string currency() const {
    const std::string where = zone();
    return where == "Asia/Shanghai" ? "CNY" : where == "Asia/Tokyo" ? "JPY" : "USD";
  }

  // Times of Chinese files are Chinese, those of files with kana Japanese; others do not say.
  std::string zone() const {
    const auto has_kana = [](const std::string& text) {
      return text.find("\xe3\x81") != text.npos || text.find("\xe3\x82") != text.npos ||
             text.find("\xe3\x83") != text.npos;
    };
    for (const Column& column : sample_.columns) {
      if (has_kana(column.name) ||
          std::any_of(column.values.begin(),
                      column.values.begin() + std::min<ptrdiff_t>(column.values.size(), 20), has_kana))
        return "Asia/Tokyo";
    }
    for (const Column& column : sample_.columns) {
      for (size_t i = 0; i < std::min<size_t>(column.values.size(), 20); ++i) {
        for (const std::string& text : {column.name, column.values[i]}) {
          if (std::any_of(text.begin(), text.end(), [](char c) {
                return static_cast<unsigned char>(c) >= 0xe4 && static_cast<unsigned char>(c) <= 0xe9;
              }))
            return "Asia/Shanghai";
        }
      }
    }
    return "UTC";
  }

  void write_event() {
    section("event");
    if (subject_ == Subject::kCustomers) {
      line("type = \"identify\"   # the columns are traits of the customer");
      return;
    }
    Judged* event = find(Role::kEvent);
    Judged* direction = find(Role::kDirection);
    if (subject_ == Subject::kOrders && direction != nullptr) {
      line("# What came in is an order; what was paid is none, nor what is neither.");
      line(cat("name = [", column_of(*direction->column, kDirections),
               ", { constant = \"Payment Recorded\" }]"));
    } else if (subject_ == Subject::kOrders) {
      line("name = \"Order Completed\"");
    } else if (event != nullptr) {
      const bool full = event->facts.filled == sample_.rows;
      line(cat("name = ",
               full ? column_of(*event->column, "")
                    : cat("[{ column = ", quoted(event->column->name), " }, { constant = \"Unnamed\" }]")));
      event->used = true;
    } else {
      line("name = \"Recorded\"   # what it is called in Kehu");
    }
  }

  void write_fields() {
    section(subject_ == Subject::kCustomers ? "traits" : "properties");
    const size_t before = out_.size();
    if (subject_ == Subject::kOrders) write_order();
    for (const Judged& judged : columns_) {
      const bool is_time = &judged == time_;
      if (judged.used || is_time || judged.facts.filled == 0) continue;
      line(cat(key_of(name_of(judged)), " = ", value_of(judged)));
    }
    if (out_.size() == before) out_.resize(out_.rfind('\n', before - 2) + 1);
  }

  // Names that Kehu knows, so that orders and revenue are counted.
  void write_order() {
    Judged* order = find(Role::kOrder);
    Judged* amount = find(Role::kAmount);
    Judged* price = find(Role::kPrice);
    Judged* quantity = find(Role::kQuantity);
    if (order != nullptr && order->column->digits_lost > 0)
      line(cat("# ", order->column->digits_lost, " of ", order->facts.filled,
               " order numbers lost their digits in a spreadsheet (", order->column->lost,
               "): those orders have no number."));
    if (order != nullptr) put("order_id", *order, quoted(order->column->name));
    if (amount != nullptr) {
      put("total", *amount, value_of(*amount));
    } else if (price != nullptr && quantity != nullptr) {
      line(cat("total = { multiply = [", quoted(quantity->column->name), ", ", quoted(price->column->name),
               "] }"));
    } else if (price != nullptr) {
      line(cat("total = ", value_of(*price)));
    }
    if (find(Role::kCurrency) == nullptr)
      line(cat("currency = { constant = \"", currency(), "\" }   # no column says it"));
    if (Judged* product = find(Role::kProduct)) put("product_id", *product, quoted(product->column->name));
    if (quantity != nullptr) put("quantity", *quantity, value_of(*quantity));
    if (Judged* currency = find(Role::kCurrency)) put("currency", *currency, quoted(currency->column->name));
  }

  void put(std::string_view name, Judged& judged, const std::string& value) {
    line(cat(name, " = ", value));
    judged.used = true;
  }

  static std::string name_of(const Judged& judged) {
    std::string name = judged.column->name;
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
  }

  // Numbers are numbers only where every value of the sample is one and means one: not "007".
  static std::string value_of(const Judged& judged) {
    const Facts& facts = judged.facts;
    const bool id = !identifier_type(judged.role).empty() || judged.role == Role::kOrder ||
                    judged.role == Role::kProduct || judged.role == Role::kRowNumber ||
                    judged.role == Role::kBirthday;
    if (judged.column->nested || id || facts.leading_zeros > 0 || facts.longest > 15)
      return quoted(judged.column->name);
    if (facts.thousands > 0 && facts.all(facts.numbers + facts.thousands))
      return column_of(*judged.column, ", type = \"number\", thousands = \",\"");
    const bool amount =
        judged.role == Role::kAmount || judged.role == Role::kPrice || judged.role == Role::kQuantity;
    return facts.all(amount ? facts.amounts : facts.numbers)
               ? column_of(*judged.column, ", type = \"number\"")
               : quoted(judged.column->name);
  }

  const Sample& sample_;
  const std::string file_;
  std::vector<Judged> columns_;
  Subject subject_ = Subject::kEvents;
  std::vector<Judged*> persons_;
  bool every_row_ = false;  // not every row says whose it is
  Judged* time_ = nullptr;
  Judged* clock_ = nullptr;  // stands beside the day of time_
  std::string out_;
};

}  // namespace

absl::StatusOr<std::string> propose(const std::string& path, std::optional<Subject> subject) {
  auto sample = take_sample(path);
  if (!sample.ok()) return sample.status();
  return Proposal(*sample, path.substr(path.find_last_of('/') + 1)).text(subject);
}

}  // namespace kehu::proposal
