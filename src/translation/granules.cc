#include "translation/granules.h"

#include "base/text.h"
#include "translation/functions.h"
#include "translation/translator.h"

namespace kehu::translation {
namespace {

// Rounded down, also before 1970.
std::string granules_of(int64_t seconds) {
  const std::string size = cat(seconds * 1'000'000);
  return cat("((t - ((t % ", size, ") + ", size, ") % ", size, ") // ", size, ")");
}

std::string granule_of(rule::Granule granule, const std::string& zone) {
  switch (granule) {
    case rule::Granule::kNone:
      return "0::BIGINT";
    case rule::Granule::kSecond:
      return granules_of(1);
    case rule::Granule::kMinute:
      return granules_of(60);
    case rule::Granule::kHour:
      return granules_of(3600);
    case rule::Granule::kDay:
      break;
  }
  return cat(kDayFunction, "(t, ", zone, ")");
}

}  // namespace

absl::StatusOr<std::string> translate(const Counting& counting, const std::string& events) {
  const Question question;
  Statement statement(question);
  Translator translator(statement, counting.zone);
  const std::string flag =
      translator.flag(counting.events, counting.period.value_or(rule::extent({}, Instant(), counting.zone)));
  std::string count = "count(*)", sum = "0::HUGEINT", least = "0::BIGINT", greatest = least, of = flag;
  if (!counting.path.empty()) {
    const Term numbers =
        translator.terms().as(translator.chosen(counting.path, counting.events.text), Form::kNumber);
    const std::string& v = numbers.sql;
    const auto each = [&](const char* function, const char* of_list) {
      return cat(function, "(", numbers.several ? cat(of_list, "(", v, ")") : v, ")");
    };
    of = cat(flag, " AND ", numbers.several ? cat("len(", v, ") > 0") : cat(v, " IS NOT NULL"));
    count = numbers.several ? each("sum", "len") : "count(*)";
    sum = each("sum", "list_sum");
    least = each("min", "list_min");
    greatest = each("max", "list_max");
  }
  if (!statement.status.ok()) return statement.status;
  return cat("SELECT part, ", granule_of(counting.granule, translator.terms().zone()), " AS granule, CAST(",
             count, " AS BIGINT) AS count, CAST(", sum, " AS HUGEINT) AS sum, CAST(", least,
             " AS BIGINT) AS least, CAST(", greatest,
             " AS BIGINT) AS greatest, min(t) AS first, max(t) AS last FROM ",
             statement.rows.walk(events, "part"), " WHERE ", of, " GROUP BY part, granule");
}

}  // namespace kehu::translation
