#!/usr/bin/env python3
"""Results of any length: streamed by the server and by the command line, in the memory of a piece."""
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
import unittest

import kehu_server

ROWS = 5_000_000
MIB = 1 << 20
GROWTH_MAX = 50 * MIB
READER_MAX = 10 * MIB  # 7.4 were measured; the next ones use them again
STATEMENT = f"SELECT i AS id, 'row ' || i AS name, i % 7 = 0 AS seventh FROM range({ROWS}) t(i)"


def memory(pid, field):
    """Bytes of a line of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) << 10
    return 0


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as refs:
        refs.write("5")


def csv_row(i):
    return f"{i},row {i},{'true' if i % 7 == 0 else 'false'}\n"


class LongResultTest(kehu_server.ServerTest):
    def setUp(self):
        # What DuckDB keeps after a first statement is not of the one that is measured.
        self.open("SELECT i, 'row ' || i FROM range(300000) t(i)", "csv").read()
        self.pid = self.server.process.pid
        forget_peak(self.pid)
        self.before = memory(self.pid, "VmRSS")

    def growth(self):
        return memory(self.pid, "VmHWM") - self.before

    def open(self, statement, form):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        self.addCleanup(self.connection.close)
        self.connection.request("POST", f"/api/v1/sql?format={form}", statement.encode(),
                                {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}", "Content-Type": "text/plain"})
        return self.connection.getresponse()

    def test_csv_in_constant_memory(self):
        response = self.open(STATEMENT, "csv")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("Transfer-Encoding"), "chunked")
        self.assertIsNone(response.getheader("Content-Length"))
        self.assertEqual(response.readline(), b"id,name,seventh\n")
        start = time.monotonic()
        size = rows = 0
        tail = b""
        while piece := response.read(MIB):
            size, rows, tail = size + len(piece), rows + piece.count(b"\n"), (tail + piece)[-100:]
        seconds = time.monotonic() - start
        self.assertEqual(rows, ROWS)
        self.assertEqual(size, sum(len(csv_row(i)) for i in range(ROWS)))
        self.assertTrue(tail.endswith((csv_row(ROWS - 2) + csv_row(ROWS - 1)).encode()), tail)
        self.assertLess(self.growth(), GROWTH_MAX)
        # The connection goes on.
        self.connection.request("GET", "/healthz")
        self.assertEqual(self.connection.getresponse().status, 200)
        print(f"{size / MIB:.0f} MiB of CSV, {ROWS / seconds / 1e6:.2f} M rows/s: the server grew by "
              f"{self.growth() / MIB:.1f} MiB", flush=True)

    def test_every_format(self):
        for form, first, lines, last in (("ndjson", b'{"i":0}', 100000, b'{"i":99999}'), ("json", b"[", 100002, b"]"),
                                         ("csv", b"i", 100001, b"99999"), ("table", b"i", 100003, b"(100000 rows)")):
            with self.subTest(form):
                response = self.open("SELECT i FROM range(100000) t(i)", form)
                body = response.read()
                self.assertEqual(response.getheader("Transfer-Encoding"), "chunked")
                found = body.splitlines()
                self.assertEqual((found[0].strip(), len(found), found[-1]), (first, lines, last))
                if form == "json":
                    self.assertEqual([row["i"] for row in json.loads(body)], list(range(100000)))

    def test_short_results_are_whole(self):
        response = self.open("SELECT i FROM range(1000) t(i)", "csv")
        body = response.read()
        self.assertEqual(response.getheader("Content-Length"), str(len(body)))
        self.assertEqual(response.getheader("X-Rows"), "1000")
        self.assertTrue(response.getheader("X-Time-Ms").isdigit())

    def test_an_error_behind_the_first_rows_is_no_end(self):
        response = self.open("SELECT CAST(CASE WHEN i = 2000000 THEN 'none' ELSE '1' END AS INT) AS x FROM range(3000000) t(i)", "csv")
        self.assertEqual(response.status, 200)
        with self.assertRaises((http.client.IncompleteRead, OSError)):
            while response.read(MIB):
                pass
        self.assertIn("an answer of /api/v1/sql is broken off after ", self.server.log_text())
        # Before them it is a problem.
        self.assertEqual(self.open("SELECT CAST('none' AS INT) AS x FROM range(10)", "csv").status, 400)

    def test_slow_readers_hold_nothing_up(self):
        """More of them than there are threads."""
        readers = [self.open("SELECT i, repeat('x', 100) AS x FROM range(1000000) t(i)", "csv") for _ in range(16)]
        self.assertEqual([r.status for r in readers], [200] * 16)
        start = time.monotonic()
        for _ in range(10):
            self.assertEqual(self.server.post("/api/v1/sql", {"sql": "SELECT count(*) AS n FROM events"}).status, 200)
        self.assertLess(time.monotonic() - start, 10)
        refused = self.open("SELECT * FROM range(1000000)", "csv")
        self.assertEqual(refused.status, 503, refused.read(1000))
        self.assertIn("Retry-After", refused.headers)
        self.assertLess(self.growth(), 16 * READER_MAX)
        self.doCleanups()  # they leave, and their statements end
        end = time.monotonic() + 20
        while self.open("SELECT * FROM range(1000000)", "csv").status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_who_leaves_before_the_first_row_ends_the_statement(self):
        """Those that work and those that wait for a thread: none of them keeps the next one waiting."""
        slow = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range * b.range) % 7 = 3"
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            connection.request("POST", "/api/v1/sql", slow, {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"})
            self.addCleanup(connection.close)
        with self.assertRaises(TimeoutError):
            other = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=1)
            self.addCleanup(other.close)
            other.request("POST", "/api/v1/sql", "SELECT 1", {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"})
            other.getresponse()
        self.doCleanups()
        began = time.monotonic()
        self.assertEqual(self.open("SELECT 1", "csv").read(), b"1\n1\n")
        self.assertLess(time.monotonic() - began, 10)

    def test_http_1_0_reads_to_the_end_of_the_connection(self):
        statement = b"SELECT i FROM range(200000) t(i)"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as plain:
            plain.sendall(b"POST /api/v1/sql?format=csv HTTP/1.0\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                          % (kehu_server.ADMIN_TOKEN.encode(), len(statement), statement))
            answer = b"".join(iter(lambda: plain.recv(MIB), b""))
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"Transfer-Encoding", head)
        self.assertEqual(body, b"i\n" + b"".join(b"%d\n" % i for i in range(200000)))

    def test_the_command_line_in_constant_memory(self):
        for where in (("--data", self.server.data), ("--url", self.server.url)):
            with self.subTest(where[0]), tempfile.NamedTemporaryFile() as out:
                command = subprocess.Popen([kehu_server.BINARY, "sql", *map(str, where), "--format", "csv", STATEMENT],
                                           stdout=out, env=kehu_server.environment())
                _, code, usage = os.wait4(command.pid, 0)
                command.returncode = code
                self.assertEqual(code, 0)
                self.assertLess(usage.ru_maxrss << 10, 100 * MIB)
                with open(out.name) as text:
                    rows = sum(1 for _ in text) - 1
                self.assertEqual(rows, ROWS)
        self.assertLess(self.growth(), GROWTH_MAX)

    def test_the_command_line_says_when_it_is_not_all(self):
        done = kehu_server.run("sql", "--data", self.server.data, "--format", "csv",
                               "SELECT CAST(CASE WHEN i = 2000000 THEN 'none' ELSE '1' END AS INT) AS x FROM range(3000000) t(i)")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not the whole result", done.stderr)
        self.assertNotIn("none", done.stderr)


class StoppedTest(unittest.TestCase):
    def test_a_stop_ends_what_is_read(self):
        """SIGTERM with a long result open: its grace, and then an orderly end."""
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v1/sql?format=csv", b"SELECT * FROM range(100000000)",
                           {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}", "Content-Type": "text/plain"})
        self.assertEqual(connection.getresponse().status, 200)
        start = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - start, 15)

    def test_a_directory_without_a_server_streams_too(self):
        data = kehu_server.scratch(self) / "data"
        kehu_server.Server(data).start().stop()
        done = kehu_server.run("sql", "--data", data, "--format", "csv", "SELECT i FROM range(500000) t(i)")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "i\n" + "".join(f"{i}\n" for i in range(500000)))
        done = kehu_server.run("sql", "--data", data, "--format", "csv",
                               "SELECT CAST(CASE WHEN i = 2000000 THEN 'none' ELSE '1' END AS INT) AS x FROM range(3000000) t(i)")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not the whole result", done.stderr)


if __name__ == "__main__":
    kehu_server.main()
