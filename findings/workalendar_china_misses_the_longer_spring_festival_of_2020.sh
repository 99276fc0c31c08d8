#!/usr/bin/env bash
# workalendar 17.0.0 (PyPI), calendar China, says of itself that it knows 2018 to 2023, and takes 31 January and 1
# February 2020 for working days: the State Council had made that Spring Festival longer, to 2 February. Of a weekday of
# a later year it says that it does not know the year; of a Saturday or Sunday it says that it is free without looking
# (4 February 2024 was a working Sunday). chinesecalendar 1.11.0, holidays 0.109 (PyPI) and chinese-days 1.5.7 (npm)
# agree on every day of 2018 to 2026.
# Seen:
#   days of 2018 to 2026 on which chinesecalendar, holidays and chinese-days differ: 0
#   days of 2018 to 2023 on which workalendar differs from them: 2020-01-31 works, 2020-02-01 works
#   Saturdays and Sundays of 2024 to 2026 that are working days: 19 of which it takes for free 19
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet chinesecalendar==1.11.0 holidays==0.109 workalendar==17.0.0
(cd "$work" && npm init -y >/dev/null && npm install --silent chinese-days@1.5.7)
cat >"$work/days.mjs" <<'END'
import days from "chinese-days";
for (let at = Date.UTC(2018, 0, 1); at < Date.UTC(2027, 0, 1); at += 86400000) {
  const day = new Date(at).toISOString().slice(0, 10);
  console.log(day, days.isWorkday(day) ? 1 : 0);
}
END
(cd "$work" && node days.mjs >days.txt)
"$work/python/bin/python" -W ignore - "$work/days.txt" <<'END'
import datetime, sys
import chinese_calendar, holidays, workalendar.asia
three, early, late = 0, [], []
general, other = holidays.China(years=range(2018, 2027)), workalendar.asia.China()
for line in open(sys.argv[1]):
    text, works = line.split()
    day = datetime.date.fromisoformat(text)
    works = works == "1"
    three += works != chinese_calendar.is_workday(day) or works != general.is_working_day(day)
    if day.year < 2024 and other.is_working_day(day) != works:
        early.append((text, works))
    if day.year >= 2024 and day.weekday() >= 5 and works:
        late.append(other.is_working_day(day))
print("days of 2018 to 2026 on which chinesecalendar, holidays and chinese-days differ:", three)
print("days of 2018 to 2023 on which workalendar differs from them:",
      ", ".join(f"{day} {'is free' if works else 'works'}" for day, works in early))
print("Saturdays and Sundays of 2024 to 2026 that are working days:", len(late), "of which it takes for free",
      late.count(False))
assert three == 0 and early == [("2020-01-31", False), ("2020-02-01", False)], (three, early)
assert late == [False] * 19, late
END
