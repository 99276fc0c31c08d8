#!/usr/bin/env bash
# segment-analytics-python 2.4.0, rudder-sdk-python 2.1.9 and customerio-cdp-analytics 1.1.0 (PyPI) all send
# `context.library.name` = "analytics-python" and the user agent analytics-python/VERSION. The name tells that a server
# sent, not whose library it was; and identify differs: RudderStack's puts traits into `context.traits` alone.
# Seen (name, version, traits at the top, traits in the context):
#   customerio.analytics analytics-python 1.1.0 True False
#   rudderstack.analytics analytics-python 2.1.9 False True
#   segment.analytics analytics-python 2.4.0 True False
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/program.py" <<'END'
import importlib, os, sys
analytics = importlib.import_module(sys.argv[1])
analytics.write_key = "key"
setattr(analytics, "dataPlaneUrl" if sys.argv[1].startswith("rudder") else "host", os.environ["URL"])
analytics.identify("u", {"city": "Chengdu"})
analytics.flush()
analytics.shutdown()
END
try_one() {
  python3 -m venv "$work/$2"
  "$work/$2/bin/pip" install --quiet "$1"
  python3 "$here/recorder.py" "$work/$2/bin/python" "$work/program.py" "$2" >"$work/$2.seen"
}
try_one segment-analytics-python==2.4.0 segment.analytics
try_one rudder-sdk-python==2.1.9 rudderstack.analytics
try_one customerio-cdp-analytics==1.1.0 customerio.analytics
python3 - "$work" <<'END'
import json, pathlib, sys
seen = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.seen")):
    message = json.loads(path.read_text())["batch"][0]
    library = message["context"]["library"]
    seen[path.stem] = (library["name"], library["version"], "traits" in message, "traits" in message["context"])
    print(path.stem, *seen[path.stem])
assert seen == {"segment.analytics": ("analytics-python", "2.4.0", True, False),
                "rudderstack.analytics": ("analytics-python", "2.1.9", False, True),
                "customerio.analytics": ("analytics-python", "1.1.0", True, False)}, seen
END
