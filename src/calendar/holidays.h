#pragma once

#include <string_view>
#include <vector>

#include "base/civil_day.h"

// Which days are off in China: as the State Council announces it each autumn for the year to come.
// holidays_table.h has the years; scripts/holidays makes it anew.
namespace kehu::calendar {

// The statutory holiday that a day off belongs to, "春节" or "国庆节"; empty of all other days, of those to
// make up for it and of years beyond the table.
std::string_view holiday_of(CivilDay day);

// All that holiday_of() may say, each once.
const std::vector<std::string_view>& holiday_names();

// Monday to Friday without holidays, and the days at weekends that make up for them. Beyond the table: Monday
// to Friday.
bool is_workday(CivilDay day);

}  // namespace kehu::calendar
