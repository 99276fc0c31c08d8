#!/usr/bin/env python3
"""Brokers: `kehu attach` takes MQTT telemetry through a real mosquitto and Kafka topics through a real broker (KRaft, from
Maven Central), once each, whatever is killed meanwhile. kafkajs, an implementation of its own, is the producer."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import kehu_server
from kafka_broker import Kafka, wait_for

EVENTS = "SELECT event, count(*) FROM events GROUP BY ALL ORDER BY ALL"


class Attachment:
    """`kehu attach` as a process of its own."""

    def __init__(self, server, directory, text, name="feed.toml"):
        self.map = pathlib.Path(directory, name)
        self.map.write_text(text)
        self.server = server
        self.log = pathlib.Path(directory, name + ".log")
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [kehu_server.BINARY, "attach", "--map", self.map, "--url", self.server.url, "--key", kehu_server.WRITE_KEY],
                stdout=log, stderr=log, env=kehu_server.environment())
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        if code != 0:
            raise AssertionError(f"kehu attach ended with {code}:\n{self.log.read_text()}")
        return self.log.read_text()


class BrokerTest(kehu_server.ServerTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="kehu-attach-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def events_of(self, name):
        answer = self.server.get(f"/api/v1/customers/{kehu_server.quoted(name)}")
        return answer.json["events"] if answer.status == 200 else 0


class Mosquitto:
    def __init__(self, directory):
        self.port = kehu_server.free_port()
        self.config = pathlib.Path(directory, "mosquitto.conf")
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                               "max_queued_messages 0\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", self.config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers, 10, "mosquitto's start")
        return self

    def answers(self):
        done = subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", "probe", "-n"], capture_output=True)
        return done.returncode == 0

    def publish(self, topic, lines):
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-q", "1", "-t", topic, "-l"], check=True, timeout=60,
                       input="".join(line + "\n" for line in lines), text=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


TELEMETRY = """
[mqtt]
host = "127.0.0.1"
port = {port}
topics = ["{topic}"]
client = "{client}"

[identifiers]
device_id = "$level2"

[time]
column = "at"
format = "iso"

[event]
name = "Temperature Measured"

[properties]
celsius = {{ column = "celsius", type = "number" }}
"""


@unittest.skipUnless((shutil.which("mosquitto") or pathlib.Path("/usr/sbin/mosquitto").exists())
                     and shutil.which("mosquitto_pub"), "SKIPPED: mosquitto is not installed: `scripts/setup tests`")
class MqttTest(BrokerTest):
    def setUp(self):
        super().setUp()
        self.broker = Mosquitto(self.directory).start()
        self.addCleanup(self.broker.stop)

    def attach(self, name, topic):
        return Attachment(self.server, self.directory,
                          TELEMETRY.format(port=self.broker.port, topic=topic, client=f"kehu-{name}"), f"{name}.toml")

    @staticmethod
    def readings(count, first=0):
        return [json.dumps({"at": f"2026-11-20T10:{n // 60:02}:{n % 60:02}Z", "celsius": n / 2})
                for n in range(first, first + count)]

    def test_telemetry_becomes_events_of_its_device(self):
        attachment = self.attach("plain", "plain/+/temperature").start()
        self.settle(attachment)
        self.broker.publish("plain/d-1/temperature", self.readings(50))
        self.broker.publish("plain/d-2/temperature", self.readings(30) + ["no JSON", "{}"])
        wait_for(lambda: self.events_of("device_id:d-1") == 50 and self.events_of("device_id:d-2") == 30, 20, "the arrival")
        wait_for(lambda: self.open_rejections("plain/d-2") == 2, 10, "the quarantine")
        subprocess.run(["mosquitto_pub", "-p", str(self.broker.port), "-q", "1", "-t", "plain/d-2/temperature", "-n"], check=True)
        self.broker.publish("plain/d-2/temperature", self.readings(1, 30))
        wait_for(lambda: self.events_of("device_id:d-2") == 31, 10, "what follows an empty message")
        report = attachment.stop()
        self.assertIn("2 went into quarantine", report)
        self.assertIn("1 were empty and passed over", report)

    def test_an_array_is_as_many_events(self):
        attachment = Attachment(self.server, self.directory,
                                f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\ntopics = ["arrays/#"]\nclient = "kehu-arrays"\n',
                                "arrays.toml").start()
        event = {"event": "Listed", "user_id": "listed", "time": "2026-11-20T10:00:00Z"}

        def arrived():
            self.broker.publish("arrays/probe", [json.dumps({**event, "user_id": "listed-probe"})])
            return self.events_of("user_id:listed-probe") > 0
        wait_for(arrived, 20, "the subscription")
        self.broker.publish("arrays/all", [json.dumps([event, {**event, "message_id": "own"}, {"event": "Nobody's"}, 5, event]), "[]"])
        wait_for(lambda: self.events_of("user_id:listed") == 3, 10, "the three good ones")
        wait_for(lambda: self.open_rejections("arrays/all") == 2, 10, "the quarantine")
        attachment.stop()

    def test_a_killed_attachment_loses_and_doubles_nothing(self):
        attachment = self.attach("killed", "killed/+/temperature").start()
        self.settle(attachment)
        for n in range(0, 600, 200):
            sender = subprocess.Popen(["mosquitto_pub", "-p", str(self.broker.port), "-q", "1", "-t", "killed/d-3/temperature",
                                       "-l"], stdin=subprocess.PIPE, text=True)
            sender.stdin.write("".join(line + "\n" for line in self.readings(200, n)))
            sender.stdin.close()
            time.sleep(0.05)
            attachment.kill()
            self.assertEqual(sender.wait(30), 0)
            attachment.start()
        wait_for(lambda: self.events_of("device_id:d-3") == 600, 30, "the arrival of everything")
        time.sleep(0.5)
        self.assertEqual(self.events_of("device_id:d-3"), 600)
        attachment.stop()

    def test_a_broker_that_goes_away_is_waited_for(self):
        attachment = self.attach("away", "away/+/temperature").start()
        self.settle(attachment)
        self.broker.stop()
        wait_for(lambda: f"127.0.0.1:{self.broker.port}" in attachment.log.read_text(), 20, "the complaint")
        self.broker.start()
        self.settle(attachment)
        self.broker.publish("away/d-4/temperature", self.readings(5))
        wait_for(lambda: self.events_of("device_id:d-4") == 5, 20, "the arrival")
        attachment.stop()

    def test_a_server_takes_it_in_by_itself(self):
        feed = pathlib.Path(self.directory, "inside.toml")
        feed.write_text(TELEMETRY.format(port=self.broker.port, topic="inside/+/temperature", client="kehu-inside"))
        server = kehu_server.Server(pathlib.Path(self.directory, "data"), "--attach", feed).start()
        self.addCleanup(server.stop)

        def arrived():
            self.broker.publish("inside/d-5/temperature", self.readings(3))
            return server.get("/api/v1/customers/device_id:d-5").status == 200
        wait_for(arrived, 20, "the arrival")
        self.assertEqual(server.customer("device_id:d-5")["events"], 3)

    def settle(self, attachment):
        """Until the subscription stands: a message that nobody subscribed to is gone."""
        name = attachment.map.stem
        probe = f"probe-{time.monotonic_ns()}"

        def arrived():
            self.broker.publish(f"{name}/{probe}/temperature", self.readings(1))
            return self.events_of(f"device_id:{probe}") > 0
        wait_for(arrived, 20, "the subscription")

    def open_rejections(self, origin):
        items = self.server.get("/api/v1/rejections?limit=500").json["rejections"]
        return sum(1 for item in items if item["origin"].startswith(origin))


PRODUCER = """
const { Kafka, logLevel } = require('kafkajs');
const [broker, topic, first, count] = process.argv.slice(2);
(async () => {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 3 }] });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const messages = [];
  for (let n = Number(first); n < Number(first) + Number(count); ++n) {
    messages.push({ key: `u${n % 7}`, value: JSON.stringify(
      { event: 'Order Completed', user_id: `kafka-${n % 7}`, properties: { order_id: `o${n}`, total: n } }) });
  }
  await producer.send({ topic, messages });
  await producer.disconnect();
})().catch(error => { console.error(error); process.exit(1); });
"""


class KafkaTest(BrokerTest):
    def setUp(self):
        super().setUp()
        jars = Kafka.jars()
        if jars is None:
            self.skipTest("SKIPPED: Kafka cannot be had (java, mvn, Maven Central)")
        if not self.install_producer():
            self.skipTest("SKIPPED: kafkajs cannot be had from npm")
        self.broker = Kafka(self.directory).start(jars)
        self.addCleanup(self.broker.stop)

    def install_producer(self):
        home = kehu_server.CACHE / "kafkajs"
        if not (home / "node_modules/kafkajs").exists():
            home.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(["npm", "install", "--silent", "--prefix", str(home), "kafkajs@2.2.4"], capture_output=True)
            if done.returncode != 0:
                return False
        self.producer = home / "produce.js"
        self.producer.write_text(PRODUCER)
        return True

    def produce(self, first, count):
        subprocess.run(["node", self.producer, f"127.0.0.1:{self.broker.port}", "orders", str(first), str(count)], check=True,
                       timeout=120)

    def count(self):
        return sum(self.events_of(f"user_id:kafka-{n}") for n in range(7))

    def test_each_message_becomes_one_event_whatever_is_killed(self):
        self.produce(0, 700)
        attachment = Attachment(self.server, self.directory,
                                f'[kafka]\nbrokers = "127.0.0.1:{self.broker.port}"\ntopics = ["orders"]\n'
                                '[kafka.properties]\n"session.timeout.ms" = "6000"\n')
        attachment.start()
        wait_for(lambda: self.count() >= 1, 60, "the first message")
        attachment.kill()
        self.produce(700, 700)
        attachment.start()
        wait_for(lambda: self.count() == 1400, 60, "the arrival of everything")
        attachment.kill()
        # Offsets that were never committed bring the same messages again.
        again = Attachment(self.server, self.directory,
                           attachment.map.read_text().replace("[kafka.properties]", 'group = "again"\n[kafka.properties]'),
                           "again.toml").start()
        wait_for(lambda: "1400 were there already" in again.log.read_text(), 60, "the repetition")
        self.assertEqual(self.count(), 1400)
        again.stop()


if __name__ == "__main__":
    kehu_server.main()
