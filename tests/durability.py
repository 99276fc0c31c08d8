#!/usr/bin/env python3
"""Load that knows what was acknowledged, and the comparison with what is stored.

As a program, `durability.py PORT DIR SEED`: four workers send batches of events without pause, 30 % of them sent before,
and write the range of each acknowledged batch to DIR/WORKER.acks. A batch without an answer is sent again until it has
one. What an id stands for follows from the id, so that a repeat is a repeat.
"""
import collections
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

import kehu_server

WORKERS = 4
USERS = 97  # of one worker
RESENT = 0.3


def event(worker, number):
    return {"type": "track", "event": ("Product Viewed", "Product Added", "Order Completed")[number % 3],
            "userId": f"u{worker}-{number % USERS}", "messageId": f"{worker}-{number}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(1_767_225_600 + number)),
            "properties": {"number": number, "total": number % 100, "order_id": f"o{worker}-{number}"}}


def work(worker, port, directory, seed):
    dice = random.Random(seed * 1000 + worker)
    acks = os.open(directory / f"{worker}.acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    headers = {"Content-Type": "application/json"}
    first, connection = 0, None
    while True:
        size = dice.choice((1, 10, 50, 100, 200))
        events = [event(worker, n) for n in range(first, first + size)]
        old = [event(worker, dice.randrange(first)) for _ in range(int(size * RESENT / (1 - RESENT))) if first > 0]
        for repeated in old:
            events.insert(dice.randrange(len(events) + 1), repeated)
        while True:
            body = json.dumps({"batch": events, "writeKey": kehu_server.WRITE_KEY,
                               "sentAt": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())})
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", "/v1/batch", body, headers)
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    break
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
            time.sleep(0.01)
        os.write(acks, f"{first} {first + size}\n".encode())
        first += size


class Load:
    """The program above, running beside the test."""

    def __init__(self, port, directory, seed):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([sys.executable, __file__, str(port), str(directory), str(seed)])

    def stop(self):
        self.process.kill()
        self.process.wait()

    def acknowledged(self):
        """For each worker, how many of its events were acknowledged: they are numbered from 0 without a gap."""
        ends = {}
        for worker in range(WORKERS):
            path = self.directory / f"{worker}.acks"
            lines = path.read_text().splitlines() if path.exists() else []
            ends[worker] = int(lines[-1].split()[1]) if lines else 0
        return ends


def problems(rows, acknowledged):
    """What is wrong with the stored message ids, in log order, beside what was acknowledged."""
    found = []
    count = collections.Counter(rows)
    doubled = [name for name, times in count.items() if times > 1]
    if doubled:
        found.append(f"{len(doubled)} events are stored more than once, such as {doubled[:3]}")
    last = collections.defaultdict(lambda: -1)
    disordered = 0
    for name in rows:
        worker, number = map(int, name.split("-"))
        disordered += number < last[worker]
        last[worker] = max(last[worker], number)
    if disordered:
        found.append(f"{disordered} events are out of order")
    for worker, end in acknowledged.items():
        lost = [n for n in range(end) if f"{worker}-{n}" not in count]
        if lost:
            found.append(f"{len(lost)} of {end} acknowledged events of worker {worker} are lost: {lost[0]} to {lost[-1]}")
    return found


def stored(server):
    """Message ids in log order, by the command line."""
    done = kehu_server.run("sql", "--data", server.data, "--format", "csv",
                           "SELECT message_id FROM events ORDER BY sequence", timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"kehu sql: {done.stderr}")
    return [line.strip('"') for line in done.stdout.split()[1:]]


def customers_disagree(server, rows, sample=40, seed=1):
    """Customers whose live state is not what their stored events say."""
    events = collections.Counter()
    for name in rows:
        worker, number = map(int, name.split("-"))
        events[f"u{worker}-{number % USERS}"] += 1
    found = []
    for user in random.Random(seed).sample(sorted(events), min(sample, len(events))):
        customer = server.customer(f"user_id:{user}")
        counted = sum(c["total"] for c in customer["counters"])
        if customer["events"] != events[user] or counted != events[user]:
            found.append(f"{user}: {events[user]} events stored, {customer['events']} and {counted} in the profile")
    return found


if __name__ == "__main__":
    port, directory, seed = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    threads = [threading.Thread(target=work, args=(worker, port, directory, seed), daemon=True) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
