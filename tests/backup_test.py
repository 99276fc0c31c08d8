#!/usr/bin/env python3
"""`kehu backup` and `kehu restore`: copies of a directory that is written to are sound, whole, and take new events."""
import itertools
import shutil
import stat
import subprocess
import threading
import unittest

import kehu_server

ROUNDS = 100 if kehu_server.LONG else 6
DAY = "2026-11-01T10:00:00Z"


class Load:
    """Sends batches of 100 until stopped; remembers which were acknowledged."""

    def __init__(self, server):
        self.server = kehu_server.Server(server.data, port=server.port)  # a connection of its own
        self.acknowledged = set()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            for batch in itertools.count():
                if self.stopping.wait(0.01):  # some thousand events a second, so that a long run stays small
                    return
                events = [self.event(batch, i) for i in range(100)]
                answer = self.server.post_events(events)
                assert answer["accepted"] == len(events), answer
                with self.lock:
                    self.acknowledged.add(batch)
        except Exception as failure:  # told by stop()
            self.failure = failure

    @staticmethod
    def event(batch, i):
        person = (batch * 37 + i) % 500
        event = {"message_id": f"m-{batch}-{i}", "time": DAY, "anonymous_id": f"a-{person}"}
        if i % 10 == 0:  # visitors become users, so that parts move
            return {**event, "type": "identify", "user_id": f"u-{person // 2}", "traits": {"phone": f"139{person:08}"}}
        return {**event, "event": "Order Completed", "properties": {"order_id": f"o-{batch}-{i}", "total": 1, "currency": "CNY"}}

    def so_far(self):
        with self.lock:
            return set(self.acknowledged)

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.server.close_connection()
        if self.failure:
            raise self.failure


class Backup(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.scratch(self)
        self.server = kehu_server.Server(self.work / "data")

    def start(self):
        self.server.start()
        self.addCleanup(lambda: self.server.process and self.server.stop())

    def kehu(self, *arguments, code=0):
        done = kehu_server.run(*arguments)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def restored(self, copy):
        """A server on what was restored of a backup; stopped and checked at the end of the case."""
        data = self.work / f"restored-{copy.name}"
        self.kehu("restore", copy, "--data", data)
        server = kehu_server.Server(data).start()
        self.addCleanup(lambda: server.process and server.kill())
        return server

    def expect_whole(self, server, acknowledged):
        events = server.get("/api/v1/stats").json["events"]
        self.assertEqual(server.sql("SELECT count(*) AS n, count(DISTINCT sequence) AS s FROM events"),
                         [{"n": events, "s": events}])
        whole = server.sql("SELECT split_part(message_id, '-', 2)::INT AS batch FROM events WHERE message_id LIKE 'm-%' "
                           "GROUP BY 1 HAVING count(DISTINCT message_id) = 100")
        self.assertEqual(acknowledged - {row["batch"] for row in whole}, set(), "acknowledged before the backup began")
        for person in (0, 17, 111):
            customer = server.customer(f"anonymous_id:a-{person}")
            n = server.sql(f"SELECT count(*) AS n FROM events WHERE customer_id = '{customer['customer_id']}'")[0]["n"]
            self.assertEqual(n, customer["events"])
        answer = server.post_events([{"event": "Back", "user_id": "u-new", "time": DAY, "message_id": f"new-{i}"}
                                     for i in range(50)])
        self.assertEqual(answer["accepted"], 50)
        self.assertEqual(server.sql("SELECT count(*) AS n, count(DISTINCT sequence) AS s FROM events"),
                         [{"n": events + 50, "s": events + 50}])
        self.assertEqual(server.customer("user_id:u-new")["events"], 50)

    def test_copies_under_load_are_sound(self):
        self.start()
        load = Load(self.server)
        self.addCleanup(lambda: load.thread.is_alive() and load.stop())
        for n in range(ROUNDS):
            copy = self.work / f"copy-{n}"
            acknowledged = load.so_far()
            self.kehu("backup", copy, "--data", self.server.data)
            self.assertIn("\nsound\n", self.kehu("check", "--data", copy))
            if n % 3 == 2:
                server = self.restored(copy)
                self.expect_whole(server, acknowledged)
                server.stop()
                self.assertIn("\nsound\n", self.kehu("check", "--data", server.data))
                shutil.rmtree(server.data)
            shutil.rmtree(copy)
        load.stop()
        self.assertGreater(len(load.acknowledged), 10)

    def test_a_stopped_directory_and_who_may_read_the_copy(self):
        self.start()
        self.server.post_events([Load.event(0, i) for i in range(100)])
        self.server.stop()
        copy = self.work / "copy"
        self.assertIn("project's key", self.kehu("backup", copy, "--data", self.server.data))
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [copy, *copy.rglob("*")]}
        self.assertEqual({path: oct(mode) for path, mode in modes.items() if mode & 0o077}, {})
        self.assertEqual((copy / "keys/project.key").read_text(), (self.server.data / "keys/project.key").read_text())
        self.assertFalse((copy / "kehu.sock").exists())
        server = self.restored(copy)
        self.assertFalse((server.data / "BACKUP").exists())
        server.stop()

    def test_what_is_refused(self):
        self.start()
        self.server.post_events([Load.event(0, i) for i in range(100)])
        full, file = self.work / "full", self.work / "file"
        full.mkdir()
        (full / "mine").write_text("x")
        file.write_text("x")
        for target, why in ((full, 'holds "mine"'), (file, "is a file"), (self.server.data / "copy", "lies in the data directory"),
                            (self.server.data, "lies in the data directory")):
            self.assertIn(why, self.kehu("backup", target, "--data", self.server.data, code=2 if "lies" in why else 1))
        self.assertEqual(list(full.iterdir()), [full / "mine"])
        # A folder that is empty is a good target.
        copy = self.work / "copy"
        copy.mkdir()
        self.kehu("backup", copy, "--data", self.server.data)
        self.assertIn("holds", self.kehu("restore", copy, "--data", full, code=1))
        self.assertIn("is no finished backup", self.kehu("restore", full, "--data", self.work / "r", code=1))
        self.assertIn("is no finished backup", self.kehu("restore", self.server.data, "--data", self.work / "r", code=1))
        # The server writes only where somebody on its own machine tells it to.
        self.assertEqual(self.server.post("/api/v1/backup", {"directory": str(self.work / "far")}).status, 409)
        self.assertFalse((self.work / "r").exists() or (self.work / "far").exists())

    def test_a_copy_that_only_the_service_sees_is_none(self):
        """As under systemd's PrivateTmp=: the server has a folder of its own where the command sees another one."""
        hidden = self.work / "tmp"
        hidden.mkdir()
        own = ["unshare", "--mount", "--map-root-user", "sh", "-c", f"mount -t tmpfs none '{hidden}' && exec \"$@\"", "sh"]
        if subprocess.run([*own, "true"], capture_output=True).returncode != 0:
            kehu_server.skip(self, "a folder of the server's own needs a mount namespace (root, or user namespaces)")
        with open(self.server.log, "wb") as log:
            self.server.process = subprocess.Popen(
                [*own, kehu_server.BINARY, "serve", "--data", self.server.data, "--listen", f"127.0.0.1:{self.server.port}"],
                stdout=log, stderr=log, env=kehu_server.environment())
        self.addCleanup(lambda: self.server.process and self.server.stop())
        self.server.wait_ready()
        said = self.kehu("backup", hidden / "copy", "--data", self.server.data, code=1)
        self.assertIn("not to be seen here", said)
        self.kehu("backup", self.work / "copy", "--data", self.server.data)

    def test_a_backup_that_was_cut_off_is_none(self):
        self.start()
        self.server.post_events([Load.event(0, i) for i in range(100)])
        copy = self.work / "copy"
        self.kehu("backup", copy, "--data", self.server.data)
        # As a kill in the middle leaves it.
        unfinished = self.work / "next.unfinished"
        shutil.copytree(copy, unfinished)
        (unfinished / "UNFINISHED").write_text("")
        (unfinished / "BACKUP").unlink()
        self.assertIn("is no finished backup", self.kehu("restore", unfinished, "--data", self.work / "r", code=1))
        self.kehu("backup", self.work / "next", "--data", self.server.data)
        self.assertFalse(unfinished.exists())
        self.assertIn("\nsound\n", self.kehu("check", "--data", self.work / "next"))
        # A server that is killed meanwhile leaves no directory of the wanted name.
        (self.work / "other.unfinished").mkdir()
        (self.work / "other.unfinished/theirs").write_text("x")
        self.assertIn("in the way", self.kehu("backup", self.work / "other", "--data", self.server.data, code=1))

    def test_a_damaged_backup_is_not_restored(self):
        self.start()
        self.server.post_events([Load.event(0, i) for i in range(100)])
        self.server.stop()
        for pattern in ("lake/events/month=*/*.parquet", "log/*.log", "state/*.sst"):
            copy = self.work / "copy"
            self.kehu("backup", copy, "--data", self.server.data)
            victim = next(path for path in sorted(copy.glob(pattern)) if path.stat().st_size > 600)
            data = bytearray(victim.read_bytes())
            data[300] ^= 4
            victim.write_bytes(data)
            self.assertIn(victim.name, self.kehu("restore", copy, "--data", self.work / "r", code=1))
            self.assertFalse((self.work / "r").exists())
            shutil.rmtree(copy)


if __name__ == "__main__":
    kehu_server.main()
