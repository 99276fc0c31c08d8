"""Reminders of which is known what was acknowledged, the channel that they go to, and the comparison of both with what
the server counted."""
import collections
import datetime
import http.client
import json
import random
import threading
import time

import client_kit
import kehu_server


class TestChannel:
    """Somebody outside. Remembers how often each key came, and answers as it is told to."""

    def __init__(self, case):
        self.lock = threading.Lock()
        self.came = collections.Counter()
        self.texts = {}
        self.at = {}
        self.changed = []
        self.answer = lambda: 200
        channel = self

        class Receiver(client_kit.Handler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with channel.lock:
                    status = channel.answer()
                    if status == 200:
                        channel.take(body["key"], body["text"])
                assert self.headers["Idempotency-Key"] == body["key"]
                self.reply(status, [], b"{}")

        self.url = f"http://127.0.0.1:{client_kit.serve(case, Receiver)}/in"

    def take(self, key, text):
        self.came[key] += 1
        if self.texts.setdefault(key, text) != text:
            self.changed.append(key)
        self.at.setdefault(text, time.time())


def in_seconds(seconds):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def outbox(server):
    """All of it, and what it says of the test channel."""
    answer = server.get("/api/v1/outbox").json
    return answer, {channel["channel"]: channel for channel in answer["channels"]}.get("test", {})


def faults(acknowledged, channel, counted):
    """What is wrong with what came to the channel, and with the intents and deliveries that the server counted."""
    found = []
    texts = collections.Counter(channel.texts.values())
    lost = acknowledged - texts.keys()
    doubled = [text for text, keys in texts.items() if keys > 1]
    if lost:
        found.append(f"{len(lost)} of {len(acknowledged)} acknowledged reminders never came, such as {min(lost)}")
    if doubled:
        found.append(f"{len(doubled)} reminders came by two keys, such as {doubled[0]}")
    if channel.changed:
        found.append(f"the key {channel.changed[0]} came with two texts")
    if counted != (len(channel.texts),) * 2:
        found.append(f"{counted[0]} intents and {counted[1]} deliveries counted, {len(channel.texts)} came")
    return found


class Reminders:
    """Reminders with a text of their own, each sent once whatever the answer. The server is started with `arguments`."""

    def __init__(self, case, seed=1):
        self.dice = random.Random(seed)
        self.channel = TestChannel(case)
        self.channel.answer = lambda: 503 if self.dice.random() < 0.05 else 200
        self.arguments = ("--test-channel", self.channel.url)
        self.sent, self.acknowledged = 0, set()
        self.stopping = threading.Event()
        self.thread = None
        case.addCleanup(self.stop)

    def start(self, port):
        """Sets some all the time, which come due within a second and a half."""
        self.thread = threading.Thread(target=self.run, args=(port,), daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()
        self.channel.answer = lambda: 200

    def run(self, port):
        while not self.stopping.wait(self.dice.uniform(0, 0.05)):
            try:
                self.set(port, self.dice.randrange(1, 5), 1.5)
            except (OSError, http.client.HTTPException):
                pass

    def set(self, port, count, within):
        """The status of the answer."""
        texts = [str(self.sent + i) for i in range(count)]
        self.sent += count
        reminders = [{"channel": "test", "text": text, "due": in_seconds(self.dice.uniform(0, within))} for text in texts]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/api/v1/reminders", json.dumps({"reminders": reminders}),
                               {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"})
            status = connection.getresponse().status
        finally:
            connection.close()
        if status == 201:
            self.acknowledged.update(texts)
        return status

    def problems(self, server, patience=60):
        """Once everything is due and delivered: what is wrong with it."""
        end = time.monotonic() + patience
        while True:
            everything, test = outbox(server)
            if everything["timers_pending"] == 0 and test.get("pending", 0) == 0:
                break
            if time.monotonic() > end:
                return [f"reminders are not delivered: {everything}"]
            time.sleep(0.02)
        return faults(self.acknowledged, self.channel, (test.get("intents", 0), test.get("delivered", 0)))

    def told(self):
        again = sum(self.channel.came.values()) - len(self.channel.texts)
        return f"{len(self.acknowledged)} reminders acknowledged, {len(self.channel.texts)} came, {again} of them again"
