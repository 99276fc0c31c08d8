#!/usr/bin/env python3
"""Where requests begin and end: generated streams of requests, right and subtly wrong, are read by Kehu, by nginx and by
haproxy (before an nginx). Where Kehu accepts a request, no other may have read another one there: that is what request
smuggling lives on. That others refuse what Kehu accepts, or the reverse, is harmless and counted."""
import asyncio
import collections
import os
import random
import re
import shutil
import subprocess
import time

import kehu_server

STREAMS = 200_000 if kehu_server.LONG else 12_000
AT_ONCE = 300
PATIENCE = 5

NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx-error.log;
events {{ worker_connections 2000; }}
http {{
  access_log off;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{nginx}; listen 127.0.0.1:{behind};
    location / {{ add_header X-N "$request_uri"; return 200 ""; }}
  }}
}}
"""

HAPROXY = """
global
  maxconn 4000
defaults
  mode http
  timeout client 1s
  timeout http-request 1s
  timeout server 10s
  timeout connect 5s
frontend in
  bind 127.0.0.1:{haproxy}
  default_backend out
backend out
  server nginx 127.0.0.1:{behind}
"""

ENDS = ["\r\n"] * 600 + ["\n", "\r", "\r\r\n", " \r\n", "\r\n ", "\n\r\n", ""]
COLONS = [": "] * 300 + [":"] * 20 + [ " : ", ":\t", "\t:", ":\x0b", ": \x00", "", ":\r\n ", "::"]
SIZES = ["{}"] * 60 + ["{}", "+{}", "-{}", "0{}", "{} ", " {}", "{}, {}", "{},{}", "0x{}", "{}.0", "{}e0", "{};", "\"{}\"", "{}\x0b",
                      "18446744073709551616", "-1", "", "9999999999", "{}\t"]
CODINGS = ["chunked"] * 60 + ["Chunked", "CHUNKED", " chunked", "chunked ", "chunked,", ",chunked", "chunked, chunked",
                              "identity", "identity, chunked", "chunked, identity", "gzip, chunked", "xchunked", "chunkedx",
                              "chunked;q=1", "\"chunked\"", "", "chunked\x0b", "\x0cchunked", "cow", "chun\tked", "chunked\x00"]
TE_NAMES = ["Transfer-Encoding"] * 80 + ["transfer-encoding", "Transfer-Encoding ", " Transfer-Encoding", "Transfer_Encoding",
                                         "Transfer-Encoding\t", "X: y\r\nTransfer-Encoding", "X:\nTransfer-Encoding",
                                         "Transfer-Encoding\x00", "\tTransfer-Encoding", "TransferEncoding"]
CL_NAMES = ["Content-Length"] * 60 + ["content-length", "Content-Length ", " Content-Length", "Content_Length", "Content-Length\t"]
CHUNK_SIZES = ["{:x}"] * 100 + ["{:X}", "0{:x}", "000000000000000000000{:x}", "+{:x}", "-{:x}", "0x{:x}", " {:x}", "{:x} ", "{:x};a=b", "{:x}; a",
                               "{:x};", "{:x};a=\"b\r\n\"", "{:x}\t", "{:x}g", "{:x}_", "1{:016x}", "{:x}\r", ";{:x}", "{:x};\n", "{:x}\x00"]


NAME = re.compile(r"/nothing/(\d+)-([^/]*)/here")


class Stream:
    """One connection's bytes: a few requests and a last one that closes."""

    def __init__(self, number, seed):
        self.random = random.Random(f"{seed}/{number}")
        self.number = number
        parts = [self.request(i) for i in range(self.random.randint(1, 3))]
        parts.append(f"GET {self.target('end')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.data = self.mutated("".join(parts)).encode("latin-1")

    def rarely(self, chance=12):
        return self.random.randrange(chance) == 0

    def pick(self, choices):
        return self.random.choice(choices)

    def target(self, name):
        return f"/nothing/{self.number}-{name}/here"

    def body(self):
        """Text that is a request itself, for whoever takes it for one."""
        smuggled = f"GET {self.target('smuggled')} HTTP/1.1\r\nHost: a\r\n\r\n"
        return self.pick(["", "x", "0\r\n\r\n", smuggled, "0\r\n\r\n" + smuggled, "x=1", "\r\n" + smuggled, "5\r\nhello\r\n0\r\n\r\n"])

    def chunked(self, body):
        pieces = [body] if self.random.random() < 0.6 else [body[:3], body[3:]]
        out = ""
        for piece in pieces:
            if piece:
                out += self.pick(CHUNK_SIZES).format(len(piece)) + self.pick(ENDS) + piece + self.pick(ENDS)
        trailer = self.pick(["Trailer: x\r\n", "Content-Length: 5\r\n", " folded\r\n", "bad trailer\r\n"]) if self.rarely() else ""
        return out + self.pick(["0"] * 60 + ["00", "0;x", "0 ", "-0", "", "0x0"]) + self.pick(ENDS) + trailer + self.pick(ENDS)

    def header(self, name, value):
        return name + self.pick(COLONS) + value + self.pick(ENDS)

    def request(self, i):
        version = self.pick(["HTTP/1.1"] * 200 + ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", "HTTP/01.1", "HTTP/0.9", ""])
        target = self.pick(["{}"] * 200 + ["http://a{}", "//a{}", " {}", "{} x", "{}\t", "{}#f", "{}%", "http://b@c{}"]).format(self.target(i))
        head = self.pick(["GET"] * 200 + ["get", "GET ", " GET", "\r\nGET", "\nGET", "G\x00T", "POST"]) + self.pick([" "] * 100 + ["  ", "\t"])
        head += target + " " + version + self.pick(ENDS)
        headers = [self.header("Host", "a")] if not self.rarely(40) else []
        if self.rarely(30):
            headers.append(self.header("Host", "b"))
        body, kind = self.body(), self.pick(["none", "none", "length", "length", "length", "chunked", "chunked", "chunked", "both", "twice"])
        wire = "" if kind == "none" else body
        if kind in ("chunked", "both"):
            wire = self.chunked(body)
            headers.append(self.header(self.pick(TE_NAMES), self.pick(CODINGS)))
            if self.rarely():
                headers.append(self.header("Transfer-Encoding", self.pick(CODINGS)))
        if kind in ("length", "both", "twice"):
            size = len(wire) + (self.random.randint(-3, 3) if self.rarely(6) else 0)
            for _ in range(2 if kind == "twice" and not self.rarely(3) else 1):
                headers.append(self.header(self.pick(CL_NAMES), self.pick(SIZES).format(size, size)))
                size += self.pick([0, 0, 1])
        if self.rarely():
            headers.append(self.header(*self.pick([("Connection", "close"), ("Connection", "keep-alive"), ("Connection", "content-length"),
                                                   ("Connection", "transfer-encoding"), ("Expect", "100-continue"), ("X-A", "b\x00c"),
                                                   ("X A", "b"), ("", "empty"), ("X-Long", "y" * 5000), ("Upgrade", "h2c"), ("X-\xe9", "\xe9")])))
        self.random.shuffle(headers)
        return head + "".join(headers) + self.pick(["\r\n"] * 300 + ["\n", "\r", " \r\n", "\r\n\r\n", "\t\r\n"]) + wire

    def mutated(self, text):
        for _ in range(self.pick([0] * 8 + [1, 1, 2])):
            kept = [match.span() for match in NAME.finditer(text)]
            at = self.random.choice([i for i in range(len(text)) if not any(begin <= i < end for begin, end in kept)])
            insert = self.pick(["\r", "\n", "\r\n", " ", "\t", ":", "0", "1", ",", ";", "\x00", "\x0b", "\x7f", "\xff"])
            text = text[:at] + self.pick(["", insert, insert]) + text[at + self.pick([0, 1]):]
        return text


async def converse(port, data, ends=True):
    """What comes back on a connection that sends `data` and nothing more. haproxy drops requests that wait when the
    client ends its side, so there it does not; it is hung up on after a second then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        writer.write(data)
        if ends:
            writer.write_eof()
        while piece := await asyncio.wait_for(reader.read(65536), PATIENCE):
            received += piece
    except (OSError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()
    return received


async def converse_all(port, streams, ends):
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(stream):
        async with gate:
            return stream.number, await converse(port, stream.data, ends)

    return dict(await asyncio.gather(*(one(stream) for stream in streams)))


def name_of(target):
    match = NAME.search(target)
    return f"{match[1]}-{match[2]}" if match else target


NGINX_NAMES = re.compile(rb"\r\nX-N: ([^\r\n]*)", re.I)
KEHU_NAMES = re.compile(rb"nothing is served at ([^\"]*)\"")


def answered(received, names_what_was_read=NGINX_NAMES):
    """For each answer in turn: the name of the request that was read, or None when it is refused."""
    names = []
    for answer in re.split(rb"(?=HTTP/1\.[01] \d\d\d )", received)[1:]:
        if answer[9:10] == b"1":
            continue
        target = names_what_was_read.search(answer)
        names.append(name_of(target[1].decode("latin-1")) if target else None)
    return names


class FramingTest(kehu_server.ServerTest):
    def start_program(self, *command, port):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                return asyncio.run(converse(port, b"GET /nothing/0-x/here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
            except OSError:
                time.sleep(0.05)
        self.fail(f"{command[0]} does not listen")

    def start_others(self):
        work = kehu_server.scratch(self)
        os.chmod(work, 0o755)
        ports = {name: kehu_server.free_port() for name in ("nginx", "behind", "haproxy")}
        programs = {"nginx": shutil.which("nginx") or shutil.which("/usr/sbin/nginx"),
                    "haproxy": shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")}
        for name, program in programs.items():
            if program is None:
                kehu_server.skip(self, f"no {name} (Debian package)")
        (work / "nginx.conf").write_text(NGINX.format(work=work, **ports))
        (work / "haproxy.cfg").write_text(HAPROXY.format(**ports))
        first = self.start_program(programs["nginx"], "-p", work, "-c", work / "nginx.conf", port=ports["nginx"])
        self.assertEqual(answered(first), ["0-x"])
        first = self.start_program(programs["haproxy"], "-f", work / "haproxy.cfg", port=ports["haproxy"])
        self.assertEqual(answered(first), ["0-x"])
        return ports

    def test_no_other_reads_another_request(self):
        ports = self.start_others()
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        self.addCleanup(lambda: server.process and server.stop())
        seed = os.environ.get("KEHU_SEED") or str(random.randrange(1 << 30))
        start = time.monotonic()
        streams = [Stream(number, seed) for number in range(STREAMS)]
        received = {name: asyncio.run(converse_all(port, streams, ends=name != "haproxy"))
                    for name, port in (("kehu", server.port), ("nginx", ports["nginx"]), ("haproxy", ports["haproxy"]))}
        self.assertEqual(server.request("GET", "/healthz").status, 200)
        server.stop()
        ours = {number: answered(data, KEHU_NAMES) for number, data in received["kehu"].items()}
        others = {name: {n: answered(data) for n, data in received[name].items()} for name in ("nginx", "haproxy")}
        disagreements, refused = [], collections.Counter()
        for stream in streams:
            mine = ours.get(stream.number, [])
            for name, theirs in others.items():
                theirs = theirs[stream.number]
                compared = [(a, b) for a, b in zip(mine, theirs) if a is not None and b is not None]
                refused[name] += len(compared) < sum(a is not None for a in mine)
                if any(a != b for a, b in compared):
                    disagreements.append(f"{name}, stream {stream.number}: {mine} != {theirs}: {stream.data!r}")
        accepted = sum(name is not None for names in ours.values() for name in names)
        whole = sum(f"{number}-end" in names for number, names in ours.items())
        print(f"framing: seed {seed}, {STREAMS} streams, {accepted} requests accepted, {whole} streams to their end; "
              f"refused by others where accepted by Kehu: {dict(refused)}; {len(disagreements)} disagreements; "
              f"{time.monotonic() - start:.0f} s", flush=True)
        self.assertEqual(disagreements[:10], [])
        self.assertGreater(accepted, STREAMS // 3, "hardly anything was accepted: nothing is compared")
        self.assertGreater(whole, STREAMS // 20)


if __name__ == "__main__":
    kehu_server.main()
