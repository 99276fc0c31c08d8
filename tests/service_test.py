#!/usr/bin/env python3
"""The archive of `make dist` on a minimal Debian 12, with no other packages than it asks for; and its service under systemd,
which is process 1 of a container of that root. With KEHU_LONG=1, as root, with debootstrap and systemd-container."""
import re
import shutil
import signal
import subprocess
import time
import unittest

import fresh_root
import kehu_server

# The container is to have this machine's network, so that its ports can be reached. Where systemd is not this machine's own
# process 1, nspawn needs a /run that is no disk, and nobody to tell of the container.
BOOT = """
[ -d /run/systemd/system ] || { mount -t tmpfs tmpfs /run && set -- "$@" --keep-unit; } || exit 1
exec systemd-nspawn --boot --register=no --console=pipe --directory "$@"
"""


class Container:
    """systemd on `root`, until it is halted."""

    def __init__(self, root):
        self.root = root
        self.log = root.parent / "boot.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", BOOT, "sh", root], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.first = self.first_process()
        end = time.monotonic() + 120
        while self.run("systemctl", "is-system-running", "--wait").stdout.strip() not in ("running", "degraded"):
            if time.monotonic() > end:
                self.halt()
                raise AssertionError("systemd did not come up:\n" + self.log.read_text(errors="replace"))
            time.sleep(0.2)

    def first_process(self):
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            found = subprocess.run(["pgrep", "--parent", str(self.process.pid), "--exact", "systemd"], capture_output=True,
                                   text=True)
            if found.returncode == 0:
                return found.stdout.strip()
            time.sleep(0.2)
        self.halt()
        raise AssertionError("systemd did not start:\n" + self.log.read_text(errors="replace"))

    def run(self, *command):
        return subprocess.run(["nsenter", "--target", self.first, "--all", "--root", "--wd", *map(str, command)],
                              env=fresh_root.environment(), capture_output=True, text=True, timeout=120)

    def property(self, name):
        return self.run("systemctl", "show", "--value", "--property", name, "kehu").stdout.strip()

    def halt(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)


class ServiceTest(unittest.TestCase):
    def setUp(self):
        if shutil.which("systemd-nspawn") is None:
            kehu_server.skip(self, "the service: needs systemd-nspawn (apt-get install systemd-container)")
        self.root = fresh_root.make(self)
        made = subprocess.run([kehu_server.ROOT / "scripts/dist"], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        archive = kehu_server.ROOT / re.search(r"dist: (\S+\.tar\.gz),", made.stdout)[1]
        # As docs/operations.md says it.
        subprocess.run(["tar", "xzf", archive, "--strip-components=1", "-C", self.root / "usr/local"], check=True)
        self.install("$(cat /usr/local/share/kehu/debian-packages.txt)")

    def install(self, packages):
        done = subprocess.run(fresh_root.inside(self.root, "sh", "-c", "apt-get update -qq && "
                                                f"apt-get install -y -qq --no-install-recommends {packages}"),
                              env=fresh_root.environment(DEBIAN_FRONTEND="noninteractive"), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])

    def test_the_archive_and_its_service(self):
        self.demo_answers()
        self.install("systemd-sysv dbus")
        self.server = kehu_server.Server(self.root / "var/lib/kehu")
        self.configure()
        container = Container(self.root)
        try:
            self.service_starts(container)
            self.service_comes_back_when_killed(container)
            self.sandbox_holds(container)
            self.service_stops(container)
        finally:
            container.halt()
        # It was enabled, and nothing is lost.
        container = Container(self.root)
        try:
            self.wait(container)
            self.assertEqual(self.server.customer("user_id:u1")["events"], 2)
        finally:
            container.halt()

    def demo_answers(self):
        server = kehu_server.Server(self.root.parent / "demo")
        with open(server.log, "wb") as log:
            server.process = subprocess.Popen(
                fresh_root.inside(self.root, "kehu", "demo", "--listen", f"127.0.0.1:{server.port}", "--customers", "200",
                                  "--days", "3"), env=fresh_root.environment(), stdout=log, stderr=log)
        try:
            server.wait_ready(120)
            self.assertEqual(server.request("GET", "/").status, 200)
        finally:
            server.kill()

    def configure(self):
        (self.root / "etc/kehu").mkdir(mode=0o700)
        (self.root / "etc/kehu/environment").write_text(
            f"KEHU_OPTIONS=--listen 127.0.0.1:{self.server.port}\nKEHU_ADMIN_TOKEN={kehu_server.ADMIN_TOKEN}\n"
            f"KEHU_WRITE_KEY={kehu_server.WRITE_KEY}\n")

    def wait(self, container, patience=60):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if self.server.request("GET", "/readyz").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(container.run("journalctl", "--no-pager", "--unit", "kehu").stdout[-4000:])

    def service_starts(self, container):
        done = container.run("sh", "-c", "systemd-sysusers && systemctl daemon-reload && systemctl enable --now kehu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(container)
        self.assertEqual(container.property("User"), "kehu")
        self.assertNotEqual((self.root / "var/lib/kehu/FORMAT").stat().st_uid, 0)
        self.assertEqual((self.root / "var/lib/kehu").stat().st_mode & 0o777, 0o700)
        self.server.post_events([{"event": "A", "user_id": "u1"}])
        journal = container.run("journalctl", "--no-pager", "--unit", "kehu", "--output", "cat").stdout
        self.assertIn(f'"message":"listening on port {self.server.port}', journal)

    def service_comes_back_when_killed(self, container):
        first = container.property("MainPID")
        killed = container.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "kehu")
        self.assertEqual(killed.returncode, 0, killed.stderr)
        self.server.close_connection()
        end = time.monotonic() + 60
        while container.property("NRestarts") != "1":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.wait(container)
        self.assertNotEqual(container.property("MainPID"), first)
        self.server.post_events([{"event": "A", "user_id": "u1"}])
        self.assertEqual(self.server.customer("user_id:u1")["events"], 2)
        self.assertEqual(int(self.server.sql("SELECT count(*) AS n FROM events")[0]["n"]), 2)

    def sandbox_holds(self, container):
        verified = container.run("systemd-analyze", "verify", "/usr/local/lib/systemd/system/kehu.service")
        self.assertEqual((verified.returncode, verified.stderr), (0, ""))
        status = container.run("cat", f"/proc/{container.property('MainPID')}/status").stdout
        for line in (r"CapBnd:\s*0+", r"NoNewPrivs:\s*1", r"Seccomp:\s*2"):
            self.assertRegex(status, rf"(?m)^{line}$")
        # What `systemd-analyze security` makes of all of it, on its scale from 0 to 10.
        security = container.run("systemd-analyze", "security", "--no-pager", "--threshold=20", "kehu")
        self.assertEqual(security.returncode, 0, security.stdout)

    def service_stops(self, container):
        done = container.run("systemctl", "stop", "kehu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.close_connection()
        self.assertEqual((container.property("Result"), container.property("ExecMainStatus")), ("success", "0"))
        checked = container.run("setpriv", "--reuid=kehu", "--regid=kehu", "--clear-groups", "kehu", "check", "--data",
                                "/var/lib/kehu")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn("sound", checked.stdout)


if __name__ == "__main__":
    kehu_server.main()
