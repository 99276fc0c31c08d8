#!/usr/bin/env python3
"""A full disk and a failing sync: nothing is acknowledged that is not stored, reads go on, and it resumes by itself. What
comes due meanwhile is done afterwards, and counted once."""
import base64
import json
import os
import random
import shutil
import subprocess
import time
import unittest
import urllib.parse

import kehu_server
import reminders

# Fails the next syncs of the log with EIO, as often as the number in the file $KEHU_TEST_FAULT says.
FAULTY_SYNC = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strstr(path, "/log/") != NULL && strstr(path, ".log") != NULL;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char* name = getenv("KEHU_TEST_FAULT");
  FILE* file = name && is_log(fd) ? fopen(name, "r+") : NULL;
  if (file) {
    int left = 0;
    if (fscanf(file, "%d", &left) == 1 && left > 0) {
      rewind(file);
      fprintf(file, "%d\n", left - 1);
      fclose(file);
      errno = EIO;
      return -1;
    }
    fclose(file);
  }
  return real(fd);
}
"""


def batch(first, size, padding=0):
    """Padded by so many letters, which no packing of the log makes fewer than half."""
    return {"writeKey": kehu_server.WRITE_KEY,
            "batch": [{"type": "track", "event": "A", "userId": f"u{n % 50}", "messageId": f"m{n}",
                       "timestamp": "2026-01-01T00:00:00.000Z", "properties": {"n": n, "padding": random.Random(n).randbytes(padding // 2).hex()}}
                      for n in range(first, first + size)]}


class DiskFailureTest(unittest.TestCase):
    def expect_no_path(self, server, answer):
        """Whoever has a write key, which stands in pages, learns nothing of the machine."""
        for word in (str(server.data), "/data", ".log", ".sst", "errno"):
            self.assertNotIn(word, answer.body.decode(errors="replace"), answer)

    def expect_no_path_at_any_door(self, server):
        event, key = {"event": "Refused"}, kehu_server.WRITE_KEY
        sensors = {"type": "track", "event": "Refused", "distinct_id": "r", "time": int(time.time() * 1000), "properties": {}}
        form = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(sensors).encode()).decode()})
        cloud = {"specversion": "1.0", "id": "1", "source": "s", "type": "Refused", "subject": "r", "data": event}
        doors = [("POST", f"/v1/track?writeKey={key}", {**event, "userId": "r"}), ("POST", f"/v1/batch?writeKey={key}", {"batch": [{**event, "type": "track", "userId": "r"}]}),
                 ("POST", f"/api/v1/events?writeKey={key}", {**event, "user_id": "r"}), ("POST", "/e/", {**event, "api_key": key, "distinct_id": "r"}),
                 ("POST", "/batch/", {"api_key": key, "batch": [{**event, "distinct_id": "r"}]}), ("POST", f"/sa?token={key}", form), ("POST", f"/debug?token={key}", form),
                 ("GET", f"/sa.gif?token={key}&{form}", None), ("POST", f"/api/v1/cloudevents?writeKey={key}", cloud),
                 ("POST", f"/beacon/v1/batch?writeKey={key}", {"batch": [{**event, "type": "track", "userId": "r"}]}),
                 ("GET", f"/pixel/v1/track?writeKey={key}&event=Refused&userId=r", None)]
        refused = 0
        for method, path, body in doors:
            answer = server.request(method, path, body)
            refused += answer.status >= 500
            self.expect_no_path(server, answer)
        self.assertEqual(refused, len(doors), "all are refused now")

    def stored(self, server):
        rows = server.sql("SELECT message_id FROM events")
        return sorted(int(row["message_id"][1:]) for row in rows)

    def test_a_failed_sync_is_never_acknowledged(self):
        if shutil.which("cc") is None:
            kehu_server.skip(self, "failing syncs: no C compiler")
        work = kehu_server.scratch(self)
        (work / "faulty.c").write_text(FAULTY_SYNC)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", work / "faulty.so", work / "faulty.c", "-ldl"], check=True)
        fault = work / "fault"
        fault.write_text("0\n")
        reminding = reminders.Reminders(self)
        server = kehu_server.Server(work / "data", *reminding.arguments,
                                    env={"LD_PRELOAD": str(work / "faulty.so"), "KEHU_TEST_FAULT": str(fault)})
        server.start()
        self.addCleanup(lambda: server.process and server.kill())
        self.assertEqual(server.request("POST", "/v1/batch", batch(0, 10)).status, 200)
        self.assertEqual(reminding.set(server.port, 40, within=2), 201)

        fault.write_text("1\n")
        end = time.monotonic() + 30
        statuses = []
        while time.monotonic() < end and 503 not in statuses:  # a tick may meet the fault instead of a request
            if fault.read_text().strip() == "0":
                fault.write_text("1\n")
            answer = server.request("POST", "/v1/batch", batch(10, 10))
            self.expect_no_path(server, answer)
            statuses.append(answer.status)
            reminding.set(server.port, 1, within=1)
        self.assertIn(503, statuses)
        self.assertEqual(server.customer("user_id:u1")["events"], 1, "reads go on")

        fault.write_text("0\n")
        end = time.monotonic() + 30
        while server.request("POST", "/v1/batch", batch(10, 10)).status != 200:
            self.assertLess(time.monotonic(), end, "it does not resume by itself")
            time.sleep(0.1)
        self.assertEqual(server.request("GET", "/readyz").status, 200)
        self.assertEqual(self.stored(server), list(range(20)), "each once")
        self.assertEqual(server.customer("user_id:u12")["events"], 1)
        self.assertEqual(reminding.problems(server), [])
        server.kill()
        server.start()
        self.assertEqual(self.stored(server), list(range(20)))
        self.assertEqual(reminding.problems(server), [])
        server.stop()
        self.assertEqual(kehu_server.run("check", "--data", server.data).returncode, 0)

    def test_a_damaged_state_says_so(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        self.addCleanup(lambda: server.process and server.kill())
        for first in range(0, 20_000, 5_000):
            server.post_events([{"event": "A", "user_id": f"u{n}"} for n in range(first, first + 5_000)])
        server.stop()
        table = max(server.data.glob("state/**/*.sst"), key=lambda path: path.stat().st_size)
        content = bytearray(table.read_bytes())
        for tenth in range(3, 8):
            at = len(content) * tenth // 10
            content[at:at + 200] = bytes(200)
        table.write_bytes(content)
        server.start()
        for n in range(0, 20_000, 20):
            if server.segment("/v1/track", {"event": "B", "userId": f"u{n}"}).status == 503:
                break
        for path in ("/api/v1/stats", "/api/v1/customers/user_id:u1", "/api/v1/rejections"):
            answer = server.get(path)
            self.assertEqual(answer.status, 503, answer)
            self.assertIn("the state is damaged", answer.json["detail"])
            self.assertIn("kehu check", answer.json["detail"])
        self.expect_no_path_at_any_door(server)
        answer = server.post("/api/v1/customers/user_id:u1/reveal", {"field": "phone", "reason": "x"})
        self.assertIn("the state is damaged", answer.json["detail"])
        answer = server.request("GET", "/metrics")
        self.assertEqual(answer.status, 200, "whoever watches is told")
        figures = dict(line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if not line.startswith("#"))
        self.assertEqual(figures["kehu_apply_healthy"], "0")
        self.assertEqual(figures["kehu_log_healthy"], "1")

    def test_a_full_disk(self):
        work = kehu_server.scratch(self)
        disk = work / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "kehu-test", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            kehu_server.skip(self, f"a full disk: no tmpfs can be mounted here ({mounted.stderr.strip()})")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], capture_output=True)
        ballast = disk / "ballast"
        reminding = reminders.Reminders(self)
        server = kehu_server.Server(disk / "data", *reminding.arguments)
        server.log = work / "server.log"
        server.start()
        self.addCleanup(lambda: server.process and server.kill())
        free = os.statvfs(disk)
        with open(ballast, "wb") as file:
            file.write(bytes(max(0, free.f_bavail * free.f_frsize - (90 << 20))))

        padding = 3000
        self.assertEqual(reminding.set(server.port, 100, within=8), 201)
        acknowledged = 0
        refusal = None
        end = time.monotonic() + 120
        while refusal is None:
            self.assertLess(time.monotonic(), end, "the disk did not fill")
            answer = server.request("POST", "/v1/batch", batch(acknowledged, 100, padding))
            if answer.status == 200:
                acknowledged += 100
            else:
                refusal = answer
        self.assertIn(refusal.status, (503, 507), refusal)
        self.assertIn("retry-after", refusal.headers)
        self.expect_no_path(server, refusal)
        self.assertGreater(acknowledged, 1000)
        self.assertGreater(server.customer("user_id:u1")["events"], 1, "reads go on")
        for _ in range(3):
            self.assertIn(server.request("POST", "/v1/batch", batch(acknowledged, 100, padding)).status, (503, 507))

        ballast.unlink()
        end = time.monotonic() + 60
        while server.request("POST", "/v1/batch", batch(acknowledged, 100, padding)).status != 200:
            self.assertLess(time.monotonic(), end, f"it does not resume by itself:\n{server.log_text()}")
            time.sleep(0.2)
        acknowledged += 100
        server.stop()
        server.start()
        self.assertEqual(self.stored(server), list(range(acknowledged)))
        self.assertEqual(reminding.problems(server), [])
        server.stop()
        self.assertEqual(kehu_server.run("check", "--data", server.data).returncode, 0)


if __name__ == "__main__":
    kehu_server.main()
