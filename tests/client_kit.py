"""What tests with real clients need: SDKs from npm and PyPI, a browser with a page of another origin, and a proxy that
fails on purpose."""
import http.client
import http.server
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import urllib.parse

import kehu_server

PLAYWRIGHT = "playwright-core@1.56.1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CAPTURES = kehu_server.SHARED / "vectors/captures"


def prepared(case, name, commands, ready, minutes=4):
    """A directory of the cache in which `commands` made the SDK available, each within `minutes`."""
    directory = kehu_server.CACHE / name
    with kehu_server.alone(directory):
        if (directory / ready).exists():
            return directory
        for command in commands:
            try:
                done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60 * minutes)
                why = (done.stderr or done.stdout).strip()[-300:] if done.returncode else ""
            except (OSError, subprocess.TimeoutExpired) as error:
                why = str(error)
            if why:
                kehu_server.skip(case, f"{name} cannot be installed here: {why}")
    return directory


def node_packages(case, name, *packages):
    marker = "installed-" + "-".join(package.replace("/", "_") for package in packages)
    return prepared(case, name, [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", *packages],
                                 ["touch", marker]], marker)


def python_package(case, name, packages, module):
    packages = [packages] if isinstance(packages, str) else packages
    return prepared(case, name, [[sys.executable, "-m", "venv", "."], ["bin/pip", "install", "--quiet", *packages],
                                 ["bin/python", "-c", f"import {module}"], ["touch", "installed"]], "installed")


def run_program(case, directory, text, *arguments, timeout=120):
    """Runs a program of JavaScript or Python, told apart by the directory; its standard output."""
    python = (directory / "bin/python").exists()
    name = "program.py" if python else "program.js"
    (directory / name).write_text(text)
    command = ["bin/python" if python else "node", name, *map(str, arguments)]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=timeout)
    case.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # browsers leave connections as they like


def serve(case, handler):
    """A server of the test's own, until the case ends; its port."""
    server = QuietServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addCleanup(server.server_close)
    case.addCleanup(server.shutdown)
    return server.server_address[1]


class FailingProxy:
    """Hands every request to `target`, but answers the first events it sees with `failures` instead of what the server
    said: those events are durable, and the client sends them again. `seen` are (status answered, headers, body)."""

    def __init__(self, case, target, paths, failures=(429, 503)):
        self.target, self.paths, self.failures = urllib.parse.urlsplit(target), paths, list(failures)
        self.seen = []
        self.lock = threading.Lock()
        proxy = self

        class Relay(Handler):
            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = proxy.forward(self.command, self.path, self.headers, body)
                self.reply(status, headers, answer)

            do_GET = do_POST = do_OPTIONS = relay

        self.url = f"http://127.0.0.1:{serve(case, Relay)}"

    def forward(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=30)
        sent = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection")}
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = response.status, response.getheaders(), response.read()
        connection.close()
        if method != "POST" or path.split("?")[0] not in self.paths:
            return answer
        with self.lock:
            failure = self.failures.pop(0) if self.failures and answer[0] == 200 else None
            self.seen.append((failure or answer[0], dict(headers.items()), body))
        if failure is None:
            return answer
        cors = [(name, value) for name, value in answer[1] if name.lower().startswith("access-control-")]
        text = json.dumps({"code": "try_again", "message": "this failure was made"}).encode()
        return failure, [("Content-Type", "application/json"), ("Retry-After", "1"), *cors], text


BROWSER_PROGRAM = r"""
const { chromium } = require("playwright-core");
const [executablePath, page_url, patience] = process.argv.slice(2);
const seen = { errors: [], requests: [], failed: [], answers: [] };
(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await (await browser.newContext()).newPage();
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("request", (request) => seen.requests.push(request.method() + " " + request.url()));
  page.on("requestfailed", (request) => seen.failed.push(request.url() + " " + request.failure().errorText));
  page.on("response", (response) => seen.answers.push(response.status() + " " + response.request().method() + " " + response.url()));
  await page.goto(page_url);
  await page.waitForFunction("window.finished === true", null, { timeout: 30000 });
  await page.waitForTimeout(Number(patience));
  await page.goto("about:blank");  // what is sent when a page is left
  await page.waitForTimeout(500);
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
"""


def browse(case, files, patience=1500):
    """Opens "/" of `files` (path → bytes or text) in headless Chromium, served from an origin that is not Kehu's, until
    the page sets window.finished and `patience` ms more. What the browser saw."""
    if CHROMIUM is None:
        kehu_server.skip(case, "in a browser: Chromium is not installed (apt-get install chromium)")
    directory = node_packages(case, "playwright", PLAYWRIGHT)

    class Files(Handler):
        def do_GET(self):
            content = files.get(self.path.split("?")[0])
            body = content.encode() if isinstance(content, str) else content
            kind = "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8"
            self.reply(404 if body is None else 200, [("Content-Type", kind)], body or b"")

    port = serve(case, Files)
    done = subprocess.run(["node", "-", CHROMIUM, f"http://localhost:{port}/", str(patience)], cwd=directory,
                          input=BROWSER_PROGRAM, capture_output=True, text=True, timeout=120)
    case.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    seen = json.loads(done.stdout)
    seen["elsewhere"] = [request for request in seen["requests"]
                         if urllib.parse.urlsplit(request.split(" ", 1)[1]).hostname not in ("localhost", "127.0.0.1", None)]
    return seen


def events(server, where="true"):
    """The stored events as objects, in the order in which they came, without the rest of the columns."""
    rows = server.sql("SELECT type, event, message_id, channel, source, properties, traits, context, identifiers, "
                      "epoch_ms(time) AS time_ms, epoch_ms(original_time) AS original_ms, epoch_ms(received_at) AS received_ms "
                      f"FROM events WHERE {where} ORDER BY sequence")
    for row in rows:
        for name in ("properties", "traits", "context", "identifiers"):
            row[name] = json.loads(row[name])
        # Of an alias the previous id comes behind the other.
        row["ids"] = {entry["type"]: entry.get("value", "sealed") for entry in reversed(row["identifiers"])}
    return rows


def captured(client):
    """The recorded requests of one client, in order."""
    return [json.loads(path.read_text()) for path in sorted((CAPTURES / client).glob("*.json"))]


def package_file(directory, path):
    return pathlib.Path(directory, "node_modules", path).read_bytes()
