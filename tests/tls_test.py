#!/usr/bin/env python3
"""TLS by clients that others wrote: Python's ssl, openssl, curl, testssl.sh."""
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

import kehu_server
from websocket_client import TEXT, WebSocket

OLD = "DEFAULT:@SECLEVEL=0"
WEAK_SUITES = ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-SHA",
               "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256", "NULL-SHA256"]
STRONG_SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, **more)


class Authority:
    """A certificate authority of the test; makes certificates for localhost."""

    def __init__(self, directory):
        self.directory = directory
        self.certificate = directory / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 365,
                "-subj", "/CN=Test authority", "-keyout", directory / "ca.key", "-out", self.certificate)

    def make(self, name, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """Paths of certificate and key."""
        key_file, request, certificate = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.directory / "extensions"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
                              "keyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n"
                              "crlDistributionPoints=URI:http://127.0.0.1:9/ca.crl\n")
        openssl("req", "-new", "-newkey", *key, "-nodes", "-subj", "/CN=localhost", "-keyout", key_file, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.directory / "ca.key",
                "-CAcreateserial", "-days", 180, "-extfile", extensions, "-out", certificate)
        return certificate, key_file


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.directory = kehu_server.scratch(self)

    def serve(self, *arguments):
        self.tls_port = kehu_server.free_port()
        server = kehu_server.Server(self.directory / "data", "--tls", f"127.0.0.1:{self.tls_port}", *arguments)
        self.server = server.start()
        self.addCleanup(lambda: server.process and server.stop())
        return self.server

    def serve_certified(self, *arguments, **how):
        self.authority = Authority(self.directory)
        certificate, key = self.authority.make("server", **how)
        self.live = [self.directory / "live.pem", self.directory / "live.key"]
        shutil.copy(certificate, self.live[0])
        shutil.copy(key, self.live[1])
        return self.serve("--tls-cert", self.live[0], "--tls-key", self.live[1], *arguments)

    def trusting(self, certificate):
        context = ssl.create_default_context(cafile=str(certificate))
        return context

    def connected(self, context):
        plain = socket.create_connection(("127.0.0.1", self.tls_port), timeout=10)
        secure = context.wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(secure.close)
        return secure

    def get(self, context, path="/healthz"):
        connection = http.client.HTTPSConnection("localhost", self.tls_port, timeout=10, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def s_client(self, *arguments):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls_port}", "-servername", "localhost",
                               "-brief", *arguments], input="", capture_output=True, text=True, timeout=20)

    def test_a_certificate_of_its_own(self):
        self.serve()
        pem = self.directory / "data/keys/tls.pem"
        self.assertEqual(stat.S_IMODE(pem.stat().st_mode), 0o600)
        context = self.trusting(pem)
        self.assertEqual(self.get(context), 200)
        info = self.connected(context).getpeercert()
        self.assertIn(("DNS", "localhost"), info["subjectAltName"])
        end = ssl.cert_time_to_seconds(info["notAfter"])
        self.assertGreater(end, time.time() + 390 * 86400)
        self.assertLess(end, time.time() + 398 * 86400)
        before = pem.read_bytes()
        self.server.stop()
        self.assertEqual(kehu_server.run("check", "--data", self.server.data).returncode, 0)
        self.server.start()
        self.assertEqual(pem.read_bytes(), before, "it is kept")
        self.assertEqual(self.get(context), 200)

    def test_versions_and_suites(self):
        self.serve()
        modern = self.s_client()
        self.assertIn("TLSv1.3", modern.stderr + modern.stdout)
        for suite in STRONG_SUITES:
            answer = self.s_client("-tls1_2", "-cipher", suite)
            self.assertIn(suite, answer.stderr + answer.stdout)
        for version in ("-tls1", "-tls1_1"):
            self.assertNotEqual(self.s_client(version, "-cipher", OLD).returncode, 0, version)
        for suite in WEAK_SUITES:
            answer = self.s_client("-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0")
            self.assertNotEqual(answer.returncode, 0, suite)
        self.assertNotEqual(self.s_client("-alpn", "h2").returncode, 0)
        self.assertEqual(self.s_client("-alpn", "h2,http/1.1").returncode, 0)

    def test_only_13(self):
        self.serve("--tls13-only")
        self.assertEqual(self.s_client("-tls1_3").returncode, 0)
        self.assertNotEqual(self.s_client("-tls1_2").returncode, 0)

    def test_requests_of_all_sizes(self):
        """Bodies that come in many records, answers that do, pipelines, and a WebSocket."""
        self.serve_certified()
        context = self.trusting(self.authority.certificate)
        lines = b"".join(b'{"event":"T","user_id":"t","message_id":"t-%d","text":"%s"}\n' % (i, b"x" * 900)
                         for i in range(5000))
        connection = http.client.HTTPSConnection("localhost", self.tls_port, timeout=30, context=context)
        connection.request("POST", f"/api/v1/events?writeKey={kehu_server.WRITE_KEY}", lines)
        answer = json.loads(connection.getresponse().read())
        self.assertEqual(answer["accepted"], 5000)
        token = {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"}
        connection.request("POST", "/api/v1/sql?format=ndjson", json.dumps({"sql": "SELECT * FROM events"}), token)
        self.assertGreater(len(connection.getresponse().read()), 4_000_000)
        connection.close()

        secure = self.connected(context)
        request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        secure.sendall(request * 2000)
        secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := secure.recv(65536):  # ends with a close_notify, or this raises
            received += piece
        self.assertEqual(received.count(b"HTTP/1.1 200 "), 2001)

        ws = WebSocket(self.tls_port, f"/api/v1/stream?writeKey={kehu_server.WRITE_KEY}",
                       through=lambda plain: context.wrap_socket(plain, server_hostname="localhost"))
        self.addCleanup(ws.close)
        ws.send_text(lines[:100_000].rsplit(b"\n", 1)[0])
        opcode, payload = ws.frame()
        self.assertEqual((opcode, json.loads(payload)["ack"], json.loads(payload)["accepted"]), (TEXT, 1, 0))
        ws.close()

    def test_nonsense_is_hung_up_on(self):
        self.serve()
        for given in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(300), b"\x16\x03\x01\xff\xff" + b"\x01" * 300):
            with socket.create_connection(("127.0.0.1", self.tls_port), timeout=10) as plain:
                plain.sendall(given)
                try:
                    while plain.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assertEqual(self.get(self.trusting(self.directory / "data/keys/tls.pem")), 200)

    def test_wrong_files_are_refused(self):
        authority = Authority(self.directory)
        certificate, key = authority.make("a")
        other = authority.make("b")[1]
        port = kehu_server.free_port()
        for given in ((certificate, other), (key, key), (certificate, self.directory / "none"), (certificate,)):
            arguments = ["--tls-cert", given[0]] + (["--tls-key", given[1]] if len(given) > 1 else [])
            result = kehu_server.run("serve", "--data", self.directory / "data", "--listen", f"127.0.0.1:{port}",
                                     "--tls", f"127.0.0.1:{kehu_server.free_port()}", *arguments)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("tls" if len(given) == 1 else str(self.directory), result.stderr)

    def serial(self, context):
        return self.connected(context).getpeercert()["serialNumber"]

    def until_serial_changes(self, context, before):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.serial(context) != before:
                return True
            time.sleep(0.1)
        return False

    def test_reload_without_a_dropped_request(self):
        self.serve_certified()
        context = self.trusting(self.authority.certificate)
        kept = http.client.HTTPSConnection("localhost", self.tls_port, timeout=10, context=context)
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        stop, failures, done = threading.Event(), [], [0, 0]

        def load(i):
            try:
                while not stop.is_set():
                    assert self.get(context) == 200
                    done[i] += 1
            except (OSError, AssertionError, http.client.HTTPException) as error:
                failures.append(error)

        threads = [threading.Thread(target=load, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        try:
            # The files change: noticed by itself.
            first = self.serial(context)
            self.replace("second")
            self.assertTrue(self.until_serial_changes(context, first))
            # By the signal, at once.
            second = self.serial(context)
            self.replace("third")
            self.server.process.send_signal(signal.SIGHUP)
            self.assertTrue(self.until_serial_changes(context, second))
            # A broken certificate changes nothing.
            third = self.serial(context)
            self.live[0].write_text("nonsense")
            self.server.process.send_signal(signal.SIGHUP)
            time.sleep(2.5)
            self.assertEqual(self.serial(context), third)
            self.assertIn("stays in use", self.server.log_text())
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(min(done), 50)
        kept.request("GET", "/healthz")
        self.assertEqual(kept.getresponse().status, 200)
        kept.close()

    def replace(self, name):
        certificate, key = self.authority.make(name)
        for source, target in ((key, self.live[1]), (certificate, self.live[0])):
            shutil.copy(source, str(target) + ".new")
            os.rename(str(target) + ".new", target)

    def test_curl(self):
        if shutil.which("curl") is None:
            kehu_server.skip(self, "no curl")
        self.serve_certified(key=("rsa:2048",))
        url = f"https://localhost:{self.tls_port}/healthz"
        for more in ([], ["--tls-max", "1.2"]):
            result = subprocess.run(["curl", "--silent", "--fail", "--cacert", self.authority.certificate, *more, url],
                                    capture_output=True, text=True, timeout=20)
            self.assertEqual((result.returncode, result.stdout), (0, '{"status":"alive"}'), result.stderr)

    def test_testssl(self):
        program = shutil.which("testssl") or shutil.which("testssl.sh")
        if program is None:
            kehu_server.skip(self, "no testssl.sh (Debian package testssl.sh)")
        self.serve_certified()
        report = self.directory / "testssl.json"
        environment = {**os.environ, "TERM": "dumb"}
        result = subprocess.run([program, "--quiet", "--color", "0", "--warnings", "batch",
                                 "--jsonfile", report,
                                 "--add-ca", self.authority.certificate, f"localhost:{self.tls_port}"],
                                capture_output=True, text=True, timeout=600, env=environment)
        findings = json.loads(report.read_text())
        self.assertGreater(len(findings), 80, result.stdout[-2000:])
        serious = [f"{f['id']}: {f['severity']} {f['finding']}" for f in findings
                   if f["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
        low = [f"{f['id']}: {f['finding']}" for f in findings if f["severity"] in ("LOW", "WARN")]
        print(f"testssl: {len(findings)} findings, {len(serious)} at or above medium; below: {'; '.join(low)[:600]}", flush=True)
        self.assertEqual(serious, [])


if __name__ == "__main__":
    kehu_server.main()
