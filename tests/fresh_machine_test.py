#!/usr/bin/env python3
"""The first of README's two commands on a fresh Debian 12: a minimal root to which only git and ca-certificates were added, and
the checkout. It must end in the demo's page. With KEHU_LONG=1, as root, with debootstrap."""
import shutil
import signal
import subprocess
import time
import unittest

import fresh_root
import kehu_server

MINUTES = 60


def registry():
    """npm's settings of this machine."""
    known = {}
    for key in ("registry", "cafile"):
        value = subprocess.run(["npm", "config", "get", key], capture_output=True, text=True).stdout.strip()
        if value not in ("", "null", "undefined"):
            known[f"npm_config_{key}"] = value
    return known


def copy_checkout(target):
    target.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=kehu_server.ROOT,
                            capture_output=True, check=True).stdout
    names = [name for name in listed.split(b"\0") if name and name != b"third_party"]
    subprocess.run(["tar", "-C", kehu_server.ROOT, "--null", "-T", "-", "-cf", target / "checkout.tar"],
                   input=b"\0".join(names), check=True)
    subprocess.run(["tar", "-C", target, "-xf", target / "checkout.tar"], check=True)
    (target / "checkout.tar").unlink()


class FreshMachineTest(unittest.TestCase):
    def setUp(self):
        self.root = fresh_root.make(self, "git", "ca-certificates")
        copy_checkout(self.root / "kehu")
        self.environment = fresh_root.environment(**registry())

    def inside(self, *command):
        return fresh_root.inside(self.root, *command)

    def test_the_first_command(self):
        self.assertIsNone(shutil.which("make", path=f"{self.root}/usr/bin"), "it is fresh")
        nobody = subprocess.run(self.inside("setpriv", "--reuid=65534", "--clear-groups", "/kehu/kehu-run"),
                                env=self.environment, capture_output=True, text=True)
        self.assertNotEqual(nobody.returncode, 0)
        self.assertIn("you are not root and there is no sudo", nobody.stderr)
        self.assertIn("apt-get install", nobody.stderr)

        server = kehu_server.Server(self.root.parent / "data")
        start = time.monotonic()
        with open(server.log, "wb") as log:
            process = subprocess.Popen(self.inside("/kehu/kehu-run", f"DEMO=--listen 127.0.0.1:{server.port}"),
                                       env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(lambda: (process.send_signal(signal.SIGKILL), process.wait()))
        server.process = process
        server.wait_ready(60 * MINUTES)
        page = server.request("GET", "/")
        self.assertEqual(page.status, 200)
        self.assertIn("http://127.0.0.1", server.log.read_text(errors="replace"))
        print(f"fresh machine: the demo answered after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    kehu_server.main()
