#!/usr/bin/env bash
# posthog 7.91.1 (PyPI): alias(previous_id=…, distinct_id=…) sends the *previous* id as `distinct_id`, and the argument that
# is called distinct_id as `alias`; one would expect it under its own name. Whoever receives `$create_alias` cannot tell from
# the fields which of the two is the person: both must be looked up both ways.
# Seen: posthog 7.91.1: $create_alias distinct_id visitor alias person
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet posthog==7.91.1
cat >"$work/program.py" <<'END'
import os
from posthog import Posthog
client = Posthog("key", host=os.environ["URL"], sync_mode=True)
client.alias(previous_id="visitor", distinct_id="person")
client.shutdown()
END
python3 "$here/recorder.py" "$work/venv/bin/python" "$work/program.py" >"$work/seen"
python3 - "$work/seen" <<'END'
import json, sys
event = json.loads(open(sys.argv[1]).readline())["batch"][0]
print("posthog 7.91.1:", event["event"], "distinct_id", event["distinct_id"], "alias", event["properties"]["alias"])
assert (event["distinct_id"], event["properties"]["alias"]) == ("visitor", "person"), event
END
