"""A real kehu for tests that stand outside: a server on a data directory of its own, and the command line beside it.

    class CustomerTest(kehu_server.ServerTest):
        def test_one_event(self):
            self.server.post_events([{"event": "A", "user_id": "u1"}])
            self.assertEqual(self.server.customer("user_id:u1")["events"], 1)

    if __name__ == "__main__":
        kehu_server.main()
"""
import base64
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("KEHU_BINARY", ROOT / "build/release/kehu"))
SHARED = ROOT.parent / "shared"  # data and captures that are not part of the repository
CACHE = ROOT / "build/test-cache"
LONG = bool(os.environ.get("KEHU_LONG"))

ADMIN_TOKEN = "kat_outside_tests_0123456789"
WRITE_KEY = "kwk_outside_tests_0123456789"


@contextlib.contextmanager
def alone(directory):
    """Nobody else who asks for this directory of the cache, which is made, has it meanwhile."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory.parent / (directory.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**more):
    known = {"KEHU_ADMIN_TOKEN": ADMIN_TOKEN, "KEHU_WRITE_KEY": WRITE_KEY, "TZ": "UTC"}
    return {**os.environ, **known, **more}


def run(*arguments, timeout=120, **more):
    """The command line: CompletedProcess with text output."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env=environment(**more.pop("env", {})), **more)


def quoted(name):
    return urllib.parse.quote(name, safe="")


def eventually(case, ask, want, patience=60):
    """Fails unless `ask()` comes to `want` within so many seconds. A method of a test case, too."""
    end = time.monotonic() + patience
    while time.monotonic() < end and ask() != want:
        time.sleep(0.05)
    case.assertEqual(ask(), want)


class Server:
    """`kehu serve` on `data`. Its log is kept in memory's stead in the file `log`, beside the data directory."""

    def __init__(self, data, *arguments, env=None, port=None):
        self.data = pathlib.Path(data)
        self.arguments = arguments
        self.env = env or {}
        self.port = port or free_port()
        self.log = self.data.parent / (self.data.name + ".log")
        self.process = None
        self.connection = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, patience=60):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *map(str, self.arguments)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(**self.env))
        return self.wait_ready(patience)

    def wait_ready(self, patience=60):
        start = time.monotonic()
        while time.monotonic() < start + patience:
            if self.process.poll() is not None:
                raise AssertionError(f"kehu serve ended with {self.process.returncode}:\n{self.log_text()}")
            try:
                if self.request("GET", "/readyz").status == 200:
                    return self
            except OSError:
                pass
            # Who builds a program first is not asked fifty times a second.
            time.sleep(max(0.02, min(1, (time.monotonic() - start) / 100)))
        raise AssertionError(f"kehu serve was not ready after {patience} s:\n{self.log_text()}")

    def stop(self, patience=30):
        """SIGTERM; the exit code must be 0."""
        if self.process is None:
            return
        self.close_connection()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"kehu serve did not stop within {patience} s of SIGTERM:\n{self.log_text()}")
        finally:
            self.process = None
        if code != 0:
            raise AssertionError(f"kehu serve ended with {code}:\n{self.log_text()}")

    def kill(self):
        """SIGKILL: nothing is written any more."""
        self.close_connection()
        self.process.kill()
        self.process.wait()
        self.process = None

    def log_text(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def close_connection(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None, timeout=60):
        """One request over a kept connection. str and dict bodies are encoded."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body, ensure_ascii=False)
        if isinstance(body, str):
            body = body.encode()
        for attempt in (0, 1):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            try:
                self.connection.request(method, path, body, headers)
                response = self.connection.getresponse()
                answer = Answer(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
                if response.will_close:
                    self.close_connection()
                return answer
            except (http.client.HTTPException, OSError):
                self.close_connection()
                if fresh or attempt == 1:
                    raise

    def admin(self, method, path, body=None, **headers):
        return self.request(method, path, body, {"Authorization": f"Bearer {ADMIN_TOKEN}", **headers})

    def get(self, path):
        return self.admin("GET", path)

    def post(self, path, body=None):
        return self.admin("POST", path, body)

    def segment(self, path, body, key=WRITE_KEY, **headers):
        """A call as Segment's server SDKs make it."""
        basic = base64.b64encode(f"{key}:".encode()).decode()
        return self.request("POST", path, body, {"Authorization": f"Basic {basic}",
                                                 "Content-Type": "application/json", **headers})

    def post_events(self, events, **headers):
        """NDJSON to /api/v1/events; the answer must be 200."""
        lines = "\n".join(e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in events) + "\n"
        basic = base64.b64encode(f"{WRITE_KEY}:".encode()).decode()
        answer = self.request("POST", "/api/v1/events", lines, {"Authorization": f"Basic {basic}", **headers})
        if answer.status != 200:
            raise AssertionError(f"POST /api/v1/events: {answer}")
        return answer.json

    def customer(self, name):
        answer = self.get(f"/api/v1/customers/{quoted(name)}")
        if answer.status != 200:
            raise AssertionError(f"customer {name}: {answer}")
        return answer.json

    def define_rules(self, **rules):
        """Segments and tags by name: a rule's text; of a tag in a list."""
        files = []
        for name, rule in rules.items():
            kind, text = ("tag", rule[0]) if isinstance(rule, list) else ("segment", rule)
            checked = self.post("/api/v1/rules/check", {"rule": text})
            assert checked.status == 200, checked
            body = {"kind": kind, "name": name, "body": checked.json["tree"]}
            files.append({"files": f"{kind}s", "name": name, "body": body})
        answer = self.post("/api/v1/definitions", {"files": files})
        assert answer.status == 200, answer

    def sql(self, statement):
        """Rows as a list of objects."""
        answer = self.post("/api/v1/sql", {"sql": statement, "format": "json"})
        if answer.status != 200:
            raise AssertionError(f"{statement}: {answer}")
        rows = answer.json
        return rows["rows"] if isinstance(rows, dict) else rows


class ServerTest(unittest.TestCase):
    """A class of cases that share one server. `settings`, if set, are those of its project."""

    settings = None

    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="kehu-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        arguments = []
        if cls.settings is not None:
            (cls.work / "settings.json").write_text(json.dumps(cls.settings, ensure_ascii=False))
            arguments = ["--settings", cls.work / "settings.json"]
        cls.server = Server(cls.work / "data", *arguments).start()
        cls.addClassCleanup(cls.tear_down_server)

    @classmethod
    def tear_down_server(cls):
        if cls.server.process is not None:
            cls.server.stop()

    def counter_of(self, customer, event):
        return next((c["total"] for c in customer["counters"] if c["event"] == event), 0)


def scratch(case):
    """A directory that goes away with the case."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="kehu-test-"))
    case.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def skip(case, why):
    """Says loudly that something could not be tested here."""
    print(f"SKIPPED: {why}", flush=True)
    case.skipTest(why)


def main():
    if not BINARY.exists():
        sys.exit(f"{BINARY} is missing: run `make build` first")
    unittest.main(verbosity=1)
