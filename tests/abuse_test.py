#!/usr/bin/env python3
"""Clients that hold on to what they need not: ten thousand idle sockets, slow headers, bodies and readers. The others do
not notice, and memory stays where it is."""
import pathlib
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import threading
import time

import kehu_server
from websocket_client import TEXT, WebSocket, frame

IDLE = 10_000
ATTACKERS = 1000
SECONDS = 60 if kehu_server.LONG else 12
KEY_PATH = f"/api/v1/stream?writeKey={kehu_server.WRITE_KEY}"


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


class Prober:
    """Sends an event a few dozen times a second, as an honest client, and keeps what it took."""

    def __init__(self, server):
        self.server, self.took, self.failures = server, [], []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client = kehu_server.Server(self.server.data, port=self.server.port)
        number = 0
        while not self.stop.is_set():
            start = time.monotonic()
            try:
                client.post_events([{"event": "Probe", "user_id": "probe", "message_id": f"probe-{id(self)}-{number}"}])
                self.took.append(time.monotonic() - start)
            except (OSError, AssertionError) as error:
                self.failures.append(error)
            number += 1
            time.sleep(0.02)
        client.close_connection()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def summary(self):
        took = sorted(self.took)
        return f"{len(took)} answers, p50 {statistics.median(took) * 1000:.1f} ms, p99 {took[len(took) * 99 // 100] * 1000:.1f} ms"


class AbuseTest(kehu_server.ServerTest):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < IDLE + 500:
            kehu_server.skip(self, f"only {hard} open files are allowed here; {IDLE + 500} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def idle(self, name, connect, kib_each):
        self.server.request("GET", "/healthz")
        before = resident_kib(self.server.process)
        sockets = []
        try:
            for _ in range(IDLE):
                sockets.append(connect())
            with Prober(self.server) as prober:
                time.sleep(3)
            each = (resident_kib(self.server.process) - before) / IDLE
            print(f"idle: {IDLE} {name}: {each:.1f} KiB each; meanwhile {prober.summary()}", flush=True)
            self.assertEqual(prober.failures, [])
            self.assertLess(statistics.median(prober.took), 0.25)
            self.assertLess(each, kib_each)
        finally:
            for each_socket in sockets:
                each_socket.close()

    def connect(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.server.port), timeout=30)

    def test_idle_connections(self):
        def connect():
            plain = self.connect()
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(plain.recv(4096).startswith(b"HTTP/1.1 200"))
            return plain
        self.idle("connections between two requests", connect, 3)

    def test_idle_websockets(self):
        def connect():
            ws = WebSocket(self.server.port, KEY_PATH, timeout=30)
            ws.send_text("")
            self.assertEqual(ws.frame()[0], TEXT)
            return ws
        self.idle("streams", connect, 6)

    def test_half_sent_headers(self):
        def connect():
            plain = self.connect()
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            return plain
        self.idle("half headers", connect, 6)

    def test_slow_messages(self):
        """A WebSocket message that trickles is given up; a silent client is pinged."""
        ws = WebSocket(self.server.port, KEY_PATH, timeout=60)
        self.addCleanup(ws.close)
        data = frame(TEXT, b" " * 1000)
        start = time.monotonic()
        closed = None
        ws.socket.settimeout(0.5)
        for i in range(0, len(data), 4):
            try:
                ws.send_bytes(data[i:i + 4])
                opcode, payload = ws.frame()
                closed = int.from_bytes(payload[:2], "big")
                break
            except (TimeoutError, socket.timeout):
                pass
        self.assertEqual(closed, 1008)
        self.assertLess(time.monotonic() - start, 40)

    def attack(self, name, *arguments):
        program = shutil.which("slowhttptest")
        if program is None:
            kehu_server.skip(self, "no slowhttptest (Debian package)")
        before = resident_kib(self.server.process)
        command = [program, "-c", ATTACKERS, "-r", 500, "-l", SECONDS, "-i", 5, "-p", 3, *arguments]
        attack = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        peak = before
        with Prober(self.server) as prober:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                peak = max(peak, resident_kib(self.server.process))
                time.sleep(0.25)
        output = attack.communicate(timeout=60)[0]
        print(f"{name}: {ATTACKERS} attackers, {prober.summary()}, memory +{(peak - before) / 1024:.1f} MiB", flush=True)
        self.assertNotIn("service available:   NO", output)
        self.assertEqual(prober.failures, [])
        self.assertLess(statistics.median(prober.took), 0.25)
        self.assertLess(peak - before, 256 * 1024)

    def test_slow_headers(self):
        self.attack("slow headers", "-H", "-u", f"{self.server.url}/healthz")

    def test_slow_bodies(self):
        self.attack("slow bodies", "-B", "-s", 100_000, "-u", f"{self.server.url}{'/api/v1/events'}?writeKey={kehu_server.WRITE_KEY}")

    def test_slow_readers(self):
        self.attack("slow readers", "-X", "-w", 10, "-y", 20, "-n", 5, "-z", 32, "-k", 3, "-u", f"{self.server.url}/openapi.json")


class IdleTlsTest(kehu_server.ServerTest):
    def test_idle_tls_connections(self):
        port = kehu_server.free_port()
        server = kehu_server.Server(kehu_server.scratch(self) / "data", "--tls", f"127.0.0.1:{port}").start()
        self.addCleanup(lambda: server.process and server.stop())
        context = ssl.create_default_context(cafile=str(server.data / "keys/tls.pem"))
        before = resident_kib(server.process)
        count, sockets = 1000, []
        for _ in range(count):
            secure = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname="localhost")
            secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(secure.recv(4096).startswith(b"HTTP/1.1 200"))
            sockets.append(secure)
        time.sleep(2)
        each = (resident_kib(server.process) - before) / count
        print(f"idle: {count} TLS connections: {each:.1f} KiB each", flush=True)
        for secure in sockets:
            secure.close()
        self.assertLess(each, 64)


if __name__ == "__main__":
    kehu_server.main()
