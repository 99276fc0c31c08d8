"""A real Kafka broker (KRaft, from Maven Central) for tests, and Java's own client beside it."""
import base64
import dataclasses
import pathlib
import shutil
import subprocess
import time

import kehu_server

KAFKA = "3.9.1"

TOPIC_TOOL = """
import java.util.*;
import org.apache.kafka.clients.admin.*;

public class TopicTool {
  public static void main(String[] arguments) throws Exception {
    Map<String, String> settings = new HashMap<>();
    for (int i = 2; i < arguments.length; ++i) settings.put(arguments[i].split("=")[0], arguments[i].split("=")[1]);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
      admin.createTopics(List.of(new NewTopic(arguments[1], 3, (short) 1).configs(settings))).all().get();
    }
  }
}
"""

TOPIC_READER = """
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class TopicReader {
  static String text(byte[] bytes) { return bytes == null ? "-" : "=" + Base64.getEncoder().encodeToString(bytes); }

  public static void main(String[] arguments) {
    Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0], "enable.auto.commit", "false");
    StringBuilder out = new StringBuilder();
    try (var consumer = new KafkaConsumer<byte[], byte[]>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      for (var partition : consumer.partitionsFor(arguments[1])) all.add(new TopicPartition(arguments[1], partition.partition()));
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        for (var message : consumer.poll(Duration.ofMillis(200))) {
          out.append(message.partition() + "\\t" + text(message.key()) + "\\t" + text(message.value()));
          for (Header header : message.headers()) out.append("\\t" + header.key() + "\\t" + text(header.value()));
          out.append("\\n");
        }
      }
    }
    System.out.print(out);
  }
}
"""


@dataclasses.dataclass
class Message:
    partition: int
    key: str | None
    value: str | None
    headers: dict


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds} s")


class Kafka:
    """A single broker of KRaft mode, from Maven Central."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.port, self.controller = kehu_server.free_port(), kehu_server.free_port()
        self.config = self.directory / "kraft.properties"
        self.config.write_text("\n".join([
            "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{self.controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}", "controller.listener.names=CONTROLLER",
            f"log.dirs={self.directory}/kafka-logs", "num.partitions=3", "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=1"]) + "\n")
        self.process = None

    @staticmethod
    def jars():
        """Fetched once; None where Maven cannot be had."""
        target = kehu_server.CACHE / f"kafka-{KAFKA}"
        if not shutil.which("java") or not shutil.which("mvn"):
            return None
        with kehu_server.alone(target):
            if (target / "done").exists():
                return target / "lib"
            (target / "pom.xml").write_text(
                "<project><modelVersion>4.0.0</modelVersion><groupId>kehu</groupId><artifactId>kafka</artifactId>"
                "<version>1</version><dependencies><dependency><groupId>org.apache.kafka</groupId>"
                f"<artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency></dependencies></project>")
            done = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], cwd=target,
                                  capture_output=True, text=True, timeout=600)
            if done.returncode != 0:
                return None
            (target / "done").touch()
        return target / "lib"

    def java(self, jars, *arguments, **more):
        return [shutil.which("java"), "-Xmx512m", "-cp", f"{jars}/*", *map(str, arguments)]

    def start(self, jars):
        uuid = subprocess.run(self.java(jars, "kafka.tools.StorageTool", "random-uuid"), capture_output=True, text=True,
                              check=True).stdout.split()[-1]
        subprocess.run(self.java(jars, "kafka.tools.StorageTool", "format", "-t", uuid, "-c", self.config), check=True,
                       capture_output=True)
        self.jar_files = jars
        return self.start_again()

    def start_again(self):
        """With what its disk holds."""
        self.log = open(self.directory / "kafka.log", "ab")
        self.process = subprocess.Popen(self.java(self.jar_files, "kafka.Kafka", self.config), stdout=self.log, stderr=self.log)
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def create_topic(self, name, **settings):
        self.run_tool("TopicTool", TOPIC_TOOL, self.address, name, *(f"{k.replace('_', '.')}={v}" for k, v in settings.items()))

    def read(self, topic):
        """All messages of a topic up to its present end, in the order of each partition, by Java's client."""
        messages = []
        for line in self.run_tool("TopicReader", TOPIC_READER, self.address, topic).splitlines():
            partition, key, value, *headers = line.split("\t")
            text = lambda field: None if field == "-" else base64.b64decode(field[1:]).decode()
            named = dict(zip(headers[::2], map(text, headers[1::2])))
            messages.append(Message(int(partition), text(key), text(value), named))
        return messages

    def run_tool(self, name, source, *arguments):
        path = self.directory / f"{name}.java"
        path.write_text(source)
        done = subprocess.run(self.java(self.jar_files, path, *arguments), capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{name} {arguments}: {done.stderr[-2000:]}")
        return done.stdout
