#!/usr/bin/env python3
"""The archive of `make dist` works where there is no source tree, and `make install` writes a service that systemd takes."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import kehu_server

# The checkout is an empty folder to what runs in here.
HIDDEN = f"mount -t tmpfs none '{kehu_server.ROOT}' && exec \"$@\""


def elsewhere(*command):
    return ["unshare", "--mount", "--map-root-user", "sh", "-c", HIDDEN, "sh", *map(str, command)]


class DistTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="kehu-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        made = subprocess.run([kehu_server.ROOT / "scripts/dist"], capture_output=True, text=True)
        if made.returncode != 0:
            raise AssertionError(made.stdout + made.stderr)
        archive = kehu_server.ROOT / re.search(r"dist: (\S+\.tar\.gz),", made.stdout)[1]
        subprocess.run(["tar", "xzf", archive, "-C", cls.work], check=True)
        cls.tree = cls.work / archive.name.removesuffix(".tar.gz")

    def test_it_serves_without_the_source_tree(self):
        if subprocess.run(elsewhere("true"), capture_output=True).returncode != 0:
            kehu_server.skip(self, "hiding the source tree needs a mount namespace (root, or user namespaces)")
        self.assertNotEqual(subprocess.run(elsewhere("ls", kehu_server.ROOT / "Makefile"), capture_output=True).returncode, 0)
        server = kehu_server.Server(self.work / "data")
        with open(server.log, "wb") as log:
            server.process = subprocess.Popen(
                elsewhere(self.tree / "bin/kehu", "demo", "--data", server.data, "--listen", f"127.0.0.1:{server.port}",
                          "--customers", "200", "--days", "3"),
                stdout=log, stderr=log, cwd="/", env=kehu_server.environment())
        self.addCleanup(lambda: server.process and server.kill())
        server.wait_ready()
        end = time.time() + 60
        while int(server.sql("SELECT count(*) AS n FROM events")[0]["n"]) == 0:
            self.assertLess(time.time(), end, "the demo's first day is on its way, and DuckDB is there")
            time.sleep(0.2)
        if (kehu_server.ROOT / "third_party/analytics-next/standalone.js").exists():
            script = server.request("GET", f"/analytics.js/v1/{kehu_server.WRITE_KEY}/analytics.min.js")
            self.assertEqual(script.status, 200, "the browser SDK is in the program")
        server.stop()

    def test_no_place_is_compiled_in(self):
        place = str(kehu_server.ROOT).encode()
        for program in (kehu_server.BINARY, self.tree / "bin/kehu"):
            self.assertFalse(place in program.read_bytes(), f"{place} stands in {program}")
        paths = subprocess.run(["readelf", "-d", self.tree / "bin/kehu"], capture_output=True, text=True).stdout
        self.assertEqual(re.findall(r"R(?:UN)?PATH\) .*\[(.*)\]", paths), ["$ORIGIN/../lib/kehu"])

    def test_what_is_in_it(self):
        for name in ("bin/kehu", "lib/kehu/libduckdb.so", "lib/systemd/system/kehu.service", "lib/sysusers.d/kehu.conf",
                     "share/doc/kehu/LICENSE", "share/doc/kehu/THIRD_PARTY.md", "share/doc/kehu/docs/operations.md",
                     "share/doc/kehu/third_party/duckdb.LICENSE"):
            self.assertTrue((self.tree / name).is_file(), name)
        packages = (self.tree / "share/kehu/debian-packages.txt").read_text().split()
        self.assertLessEqual({"librocksdb7.8", "libssl3", "tzdata"}, set(packages))
        self.assertEqual([name for name in packages if name.endswith("-dev")], [])

    def test_the_service(self):
        root = self.work / "root"
        subprocess.run(["cmake", "--install", kehu_server.ROOT / "build/release", "--strip", "--prefix", "/opt/kehu"],
                       env={**os.environ, "DESTDIR": str(root)}, check=True, capture_output=True)
        service = root / "opt/kehu/lib/systemd/system/kehu.service"
        self.assertIn("ExecStart=/opt/kehu/bin/kehu serve --data /var/lib/kehu", service.read_text())
        if shutil.which("systemd-analyze") is None:
            kehu_server.skip(self, "the service: systemd-analyze is not installed (apt-get install systemd)")
        # The program is not installed for real, so another stands in.
        stand_in = self.work / "kehu.service"
        stand_in.write_text(service.read_text().replace("/opt/kehu/bin/kehu", "/bin/true"))
        done = subprocess.run(["systemd-analyze", "verify", stand_in], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    kehu_server.main()
