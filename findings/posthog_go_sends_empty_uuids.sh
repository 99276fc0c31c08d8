#!/usr/bin/env bash
# posthog-go 1.5.2: a Capture without an id of its own is sent with `"uuid": ""`, an Identify without any `uuid`. A receiver
# that takes the field for the key of de-duplication keeps one event of each batch: an empty id is no id.
# Seen: posthog-go 1.5.2: uuids {'One': '', 'Two': '', '$identify': '(none)'}
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOPATH=$work/go GOFLAGS=-modcacherw
cat >main.go <<'END'
package main

import (
	"os"

	"github.com/posthog/posthog-go"
)

func main() {
	client, err := posthog.NewWithConfig("key", posthog.Config{Endpoint: os.Getenv("URL")})
	if err != nil {
		panic(err)
	}
	client.Enqueue(posthog.Capture{DistinctId: "a", Event: "One"})
	client.Enqueue(posthog.Capture{DistinctId: "a", Event: "Two"})
	client.Enqueue(posthog.Identify{DistinctId: "a"})
	client.Close()
}
END
go mod init finding >/dev/null 2>&1
go get github.com/posthog/posthog-go@v1.5.2 >/dev/null 2>&1
go build -o program .
python3 "$here/recorder.py" ./program >seen
python3 - <<'END'
import json
batch = [event for line in open("seen") for event in json.loads(line)["batch"]]
seen = {event["event"]: event.get("uuid", "(none)") for event in batch}
print("posthog-go 1.5.2: uuids", seen)
assert seen == {"One": "", "Two": "", "$identify": "(none)"}, seen
END
