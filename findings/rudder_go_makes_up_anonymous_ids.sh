#!/usr/bin/env bash
# rudderlabs/analytics-go 4.2.1: a Track with a user id and no anonymous id is sent with a random anonymousId, another one
# for each call, the same message id twice included; an Identify is not. The ids are nobody's: a receiver that keeps them
# as the user's gives each user an identifier a call, and finds a message that was sent again to have changed.
# Seen: analytics-go 4.2.1: one message id, 2 anonymous ids; identify: none
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOPATH=$work/go GOFLAGS=-modcacherw
cat >main.go <<'END'
package main

import (
	"os"

	rudder "github.com/rudderlabs/analytics-go/v4"
)

func main() {
	client, err := rudder.NewWithConfig("key", rudder.Config{DataPlaneUrl: os.Getenv("URL")})
	if err != nil {
		panic(err)
	}
	for i := 0; i < 2; i++ {
		client.Enqueue(rudder.Track{UserId: "u", Event: "Paid", MessageId: "m"})
	}
	client.Enqueue(rudder.Identify{UserId: "u"})
	client.Close()
}
END
go mod init finding >/dev/null 2>&1
go get github.com/rudderlabs/analytics-go/v4@v4.2.1 >/dev/null 2>&1
go build -o program .
python3 "$here/recorder.py" ./program >seen
python3 - <<'END'
import json
batch = [event for line in open("seen") for event in json.loads(line)["batch"]]
tracks = [event["anonymousId"] for event in batch if event["type"] == "track"]
identify = next(event for event in batch if event["type"] == "identify")
print("analytics-go 4.2.1: one message id,", len(set(tracks)), "anonymous ids; identify:", identify.get("anonymousId", "none"))
assert len(tracks) == len(set(tracks)) == 2 and "anonymousId" not in identify, batch
END
