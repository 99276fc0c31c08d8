#!/usr/bin/env bash
# duckdb 1.4.4 (PyPI): what `->>` takes out of JSON is not the text that stands there. A whole number stays as it is written,
# with any number of digits; a number with a point or an exponent is read as a double and printed anew, so an amount of 14
# digits and 4 places is another one even where it is cast to DECIMAL(38, 4), and 1e2 is the text 100.0. Of two equal keys
# the first one is taken, where PostgreSQL's jsonb and most languages take the last.
# Seen:
#   12345678901234567890123 -> 12345678901234567890123
#   99999999999999.9999 -> 100000000000000.0
#   1e2 -> 100.0
#   1.10 -> 1.1
#   DECIMAL(38, 4) of 99999999999999.9999 -> 100000000000000.0000
#   {"a": 1, "a": 2} -> 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet duckdb==1.4.4
"$work/python/bin/python" - <<'END'
import duckdb
one = lambda sql, *values: str(duckdb.execute(sql, list(values)).fetchone()[0])
seen = []
for number in ("12345678901234567890123", "99999999999999.9999", "1e2", "1.10"):
    seen.append((number, one("SELECT ?::JSON ->> 'a'", '{"a": %s}' % number)))
amount = "99999999999999.9999"
seen.append(("DECIMAL(38, 4) of " + amount, one("SELECT (?::JSON ->> 'a')::DECIMAL(38, 4)", '{"a": %s}' % amount)))
twice = '{"a": 1, "a": 2}'
seen.append((twice, one("SELECT ?::JSON ->> 'a'", twice)))
for given, got in seen:
    print(given, "->", got)
assert [got for _, got in seen] == ["12345678901234567890123", "100000000000000.0", "100.0", "1.1",
                                    "100000000000000.0000", "1"], seen
END
