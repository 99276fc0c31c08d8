#!/usr/bin/env python3
"""The first of README's two commands on a fresh Debian 12: a minimal root to which only git and ca-certificates were added, and
the checkout. It must end in the demo's page. With KEHU_LONG=1, as root, with debootstrap."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

import kehu_server

MINUTES = 60
# The mounts belong to this namespace and go with it.
ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" || exit 1
root=$1; shift
exec chroot "$root" "$@"
"""


def mirror():
    """Where this machine has its Debian packages from."""
    places = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
                            capture_output=True, text=True).stdout
    found = re.search(r"^(\S+) bookworm$", places, re.M)
    return found[1] if found else None


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
        if not kehu_server.LONG:
            kehu_server.skip(self, "a fresh machine: only in `make test-long`")
        if os.geteuid() != 0 or shutil.which("debootstrap") is None:
            kehu_server.skip(self, "a fresh machine: needs root and debootstrap (apt-get install debootstrap)")
        self.root = kehu_server.scratch(self) / "root"
        place = mirror()
        made = subprocess.run(["debootstrap", "--variant=minbase", "--include=git,ca-certificates", "bookworm", self.root,
                               *([place] if place else [])], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout[-2000:] + made.stderr[-2000:])
        # This machine's way out: its mirrors, its proxies, and whom it trusts.
        (self.root / "etc/apt/sources.list").unlink(missing_ok=True)
        for name in ("etc/apt/sources.list", "etc/apt/sources.list.d", "etc/apt/apt.conf.d", "etc/resolv.conf", "etc/hosts",
                     "etc/ssl/certs/ca-certificates.crt", "usr/local/share/ca-certificates"):
            source, target = pathlib.Path("/", name), self.root / name
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            elif source.exists():
                shutil.copyfile(source, target)
        copy_checkout(self.root / "kehu")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **registry()}
        for key, value in os.environ.items():
            if re.fullmatch(r"(https?|no|ftp|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)", key, re.I):
                self.environment[key] = value

    def inside(self, *command):
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", self.root, *command]

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
