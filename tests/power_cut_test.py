#!/usr/bin/env python3
"""Power cuts under load, on a file system of its own in a loop-mounted image: what was acknowledged survives, and every
acknowledged reminder becomes one intent, which is counted once.

A cut: the server is frozen (SIGSTOP) until no thread runs, so that none can answer what it has not synced; the file
system is shut down without flushing its log; the server is killed; the file system is mounted again, as after a boot.
kill -9 alone cannot find a missing fsync, because the page cache survives it. The test checks itself: with fsync
switched off by LD_PRELOAD the same loop must lose events. KEHU_LONG=1 cuts 100 times, otherwise 5."""
import fcntl
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import time
import unittest

import durability
import kehu_server
import reminders

CUTS = 100 if kehu_server.LONG else 5
SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), of ext4 and xfs
WITHOUT_LOG_FLUSH = 2
IMAGE_BYTES = 6 << 30  # sparse

NO_SYNC = """
int fsync(int fd) { (void)fd; return 0; }
int fdatasync(int fd) { (void)fd; return 0; }
int sync_file_range(int fd, long long a, long long b, unsigned c) { (void)fd; (void)a; (void)b; (void)c; return 0; }
"""


class Disk:
    """A file system in an image, mounted at `path`."""

    def __init__(self, case, kind):
        self.work = kehu_server.scratch(case)
        self.image = self.work / "image"
        self.path = self.work / "mount"
        self.path.mkdir()
        self.kind = kind
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        make = {"ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"],
                "xfs": ["mkfs.xfs", "-q", "-f"]}[kind]
        if shutil.which(make[0]) is None:
            kehu_server.skip(case, f"power cuts on {kind}: {make[0]} is not installed")
        subprocess.run([*make, self.image], check=True, capture_output=True)
        mounted = subprocess.run(["mount", "-o", "loop", self.image, self.path], capture_output=True, text=True)
        if mounted.returncode != 0:
            kehu_server.skip(case, f"power cuts on {kind}: no loop mounts here ({mounted.stderr.strip()})")
        case.addCleanup(self.unmount)

    def unmount(self):
        subprocess.run(["umount", self.path], capture_output=True)

    def cut(self):
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(directory)

    def boot(self):
        for _ in range(100):  # the killed server's files are closed a moment after its end
            if subprocess.run(["umount", self.path], capture_output=True).returncode == 0:
                break
            time.sleep(0.02)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True, capture_output=True)


def freeze(pid):
    """Stops every thread. One inside fsync finishes it first, but can answer nobody."""
    os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        states = [path.read_text().rsplit(")", 1)[1].split()[0] for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
        if set(states) == {"T"}:
            return
        time.sleep(0.002)
    raise AssertionError(f"the server's threads did not stop: {states}")


class PowerCutTest(unittest.TestCase):
    def cut_loop(self, kind, cuts, seed, env=None):
        """Problems found, and how much was acknowledged."""
        disk = Disk(self, kind)
        reminding = reminders.Reminders(self, seed)
        server = kehu_server.Server(disk.path / "data", *reminding.arguments, env=env)
        server.log = disk.work / "server.log"
        server.start()
        self.addCleanup(lambda: server.process and server.kill())
        load = durability.Load(server.port, disk.work / "acks", seed)  # acks lie on another file system
        self.addCleanup(load.stop)
        reminding.start(server.port)
        dice = random.Random(seed)
        found = []
        for cut in range(cuts):
            time.sleep(dice.uniform(0.1, 1.0))
            server.close_connection()
            freeze(server.process.pid)
            disk.cut()
            server.kill()
            disk.boot()
            acknowledged = load.acknowledged()
            try:
                server.start()
            except AssertionError as why:
                return [f"cut {cut + 1}: {why}"], acknowledged
            found = [f"cut {cut + 1}: {problem}" for problem in durability.problems(durability.stored(server), acknowledged)]
            if found:
                break
        load.stop()
        reminding.stop()
        if not found:
            rows = durability.stored(server)
            found = durability.problems(rows, load.acknowledged()) + durability.customers_disagree(server, rows)
            found += reminding.problems(server)
            print(f"power cuts on {kind}: {reminding.told()}")
            server.stop()
            checked = kehu_server.run("check", "--data", server.data)
            if checked.returncode != 0:
                found.append(checked.stdout + checked.stderr)
        else:
            server.kill()
        return found, load.acknowledged()

    def setUp(self):
        if os.geteuid() != 0:
            kehu_server.skip(self, "power cuts: only root may mount")

    def run_on(self, kind, cuts, seed):
        found, acknowledged = self.cut_loop(kind, cuts, seed)
        total = sum(acknowledged.values())
        print(f"power cuts on {kind}, seed {seed}: {cuts} cuts, {total} events acknowledged")
        self.assertEqual(found, [])
        self.assertGreater(total, 100 * cuts, "hardly any load got through")

    def test_ext4(self):
        self.run_on("ext4", CUTS, seed=1)

    def test_xfs(self):
        self.run_on("xfs", max(2, CUTS // 2), seed=2)

    def test_without_fsync_the_loop_reports_losses(self):
        if shutil.which("cc") is None:
            kehu_server.skip(self, "self-check of the power cuts: no C compiler")
        work = kehu_server.scratch(self)
        (work / "no_sync.c").write_text(NO_SYNC)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", work / "no_sync.so", work / "no_sync.c"], check=True)
        found, acknowledged = self.cut_loop("ext4", CUTS, seed=3, env={"LD_PRELOAD": str(work / "no_sync.so")})
        self.assertNotEqual(found, [], f"{sum(acknowledged.values())} events survived cuts without any fsync: the loop is blind")


if __name__ == "__main__":
    kehu_server.main()
