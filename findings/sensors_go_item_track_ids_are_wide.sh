#!/usr/bin/env bash
# sensorsdata/sa-sdk-go 2.1.6: `_track_id` of events and profiles is an integer below 2^31, that of item_set is one of 60
# bits and more. A reader that keeps JSON numbers as doubles rounds it, so two items can get one id; the Java SDK sends
# items without any. Read it as text or as 64 bits.
# Seen: sa-sdk-go 2.1.6: events 31 bits at most, items 63 bits at most
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOPATH=$work/go GOFLAGS=-modcacherw
cat >main.go <<'END'
package main

import (
	"os"

	sensors "github.com/sensorsdata/sa-sdk-go"
)

func main() {
	consumer, err := sensors.InitDefaultConsumer(os.Getenv("URL")+"/sa?project=default", 3000)
	if err != nil {
		panic(err)
	}
	client := sensors.InitSensorsAnalytics(consumer, "default", false)
	for i := 0; i < 5; i++ {
		client.Track("user", "Paid", map[string]interface{}{"n": i}, true)
		client.ItemSet("book", "b", map[string]interface{}{"price": i})
	}
	client.Flush()
	client.Close()
}
END
go mod init finding >/dev/null 2>&1
go get github.com/sensorsdata/sa-sdk-go@v2.1.6+incompatible >/dev/null 2>&1
go build -o program .
python3 "$here/recorder.py" ./program >seen
python3 - <<'END'
import json
records = [json.loads(line) for line in open("seen")]
events = [record["_track_id"] for record in records if record["type"] == "track"]
items = [record["_track_id"] for record in records if record["type"] == "item_set"]
print("sa-sdk-go 2.1.6: events", max(events).bit_length(), "bits at most, items", max(items).bit_length(), "bits at most")
assert len(events) == len(items) == 5 and max(events) < 2**31 and max(items) > 2**53, records
END
