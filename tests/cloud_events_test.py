#!/usr/bin/env python3
"""CloudEvents 1.0 over HTTP, as the SDKs of npm and PyPI send them."""
import base64
import gzip
import json

import client_kit
import kehu_server

NODE_SDK = "cloudevents@10.0.0"
PYTHON_SDK = "cloudevents==2.2.0"
PATH = "/api/v1/cloudevents"
BASIC = "Basic " + base64.b64encode(f"{kehu_server.WRITE_KEY}:".encode()).decode()

NODE_PROGRAM = """
const { CloudEvent, emitterFor, Mode } = require('cloudevents')
const [url, authorization] = process.argv.slice(2)
async function transport({ body, headers }) {
  const answer = await fetch(url, { method: 'POST', body, headers: { ...headers, authorization } })
  if (answer.status !== 200) throw new Error(await answer.text())
  console.log(await answer.text())
}
const event = (id, more) => new CloudEvent({ id, source: '/node', type: 'order.paid', time: '2026-01-02T03:04:05.006Z',
  subject: 'order-7', traceid: 't-1', data: { user_id: 'node-user', total: 12.5, nested: { list: [1, '二'] } }, ...more });
(async () => {
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    await emitterFor(transport, { mode })(event('node-' + mode))
    await emitterFor(transport, { mode })(event('node-' + mode))
  }
  await emitterFor(transport, { mode: Mode.STRUCTURED })(event('node-bytes', { datacontenttype: 'application/octet-stream',
    subject: 'node-user', data: new Uint8Array([1, 2, 255]) }))
  const batch = [1, 2, 3].map((i) => event('node-batch-' + i).toJSON())
  await transport({ body: JSON.stringify(batch), headers: { 'content-type': 'application/cloudevents-batch+json' } })
})().catch((error) => { console.error(error); process.exit(1) })
"""

PYTHON_PROGRAM = """
import sys, urllib.request
from cloudevents.v1.http import CloudEvent, to_binary, to_structured
url, authorization = sys.argv[1:3]
attributes = {'type': 'order.paid', 'source': '/python', 'time': '2026-01-02T03:04:05.006Z', 'subject': 'order-7', 'traceid': 't-1',
              'datacontenttype': 'application/json'}
data = {'userId': 'python-user', 'total': 12.5, 'nested': {'list': [1, '二']}}
for name, convert in (('binary', to_binary), ('structured', to_structured)):
    headers, body = convert(CloudEvent({**attributes, 'id': 'python-' + name}, data))
    headers = {key: value if isinstance(value, str) else value.decode() for key, value in headers.items()}
    request = urllib.request.Request(url, body, {**headers, 'Authorization': authorization}, method='POST')
    print(urllib.request.urlopen(request).read().decode())
"""


class CloudEventTest(kehu_server.ServerTest):
    def send(self, body, headers=None, **more):
        kind = {"Content-Type": "application/cloudevents+json"}
        return self.server.request("POST", PATH, body, {"Authorization": BASIC, **kind, **(headers or {}), **more})

    def expect_event(self, event, user, source, number):
        self.assertEqual((event["type"], event["event"]), ("track", "order.paid"))
        self.assertEqual(event["ids"], {"user_id": user})
        self.assertEqual(event["time_ms"], 1767323045006)
        self.assertEqual(event["properties"], {"total": 12.5, "nested": {"list": [1, "二"]}})
        attributes = event["context"]["cloudevent"]
        self.assertLessEqual({"id": number, "source": source, "type": "order.paid", "subject": "order-7", "traceid": "t-1",
                              "specversion": "1.0"}.items(), attributes.items())

    def test_node(self):
        directory = client_kit.node_packages(self, "cloudevents-node", NODE_SDK)
        output = client_kit.run_program(self, directory, NODE_PROGRAM, self.server.url + PATH, BASIC)
        self.assertEqual([json.loads(line)["rejected"] for line in output.splitlines()], [0] * 6)
        events = {event["context"]["cloudevent"]["id"]: event for event in client_kit.events(self.server)
                  if event["context"]["cloudevent"]["source"] == "/node"}
        plain = ["node-binary", "node-structured", "node-batch-1", "node-batch-2", "node-batch-3"]
        self.assertEqual(set(events), {*plain, "node-bytes"})
        for number in plain:
            self.expect_event(events[number], "node-user", "/node", number)
        self.assertEqual(events["node-bytes"]["properties"], {"data_base64": "AQL/"})
        self.assertEqual(self.server.customer("user_id:node-user")["events"], 6, "the same id of the same source counts once")

    def test_python(self):
        directory = client_kit.python_package(self, "cloudevents-python", PYTHON_SDK, "cloudevents")
        client_kit.run_program(self, directory, PYTHON_PROGRAM, self.server.url + PATH, BASIC)
        events = [event for event in client_kit.events(self.server) if event["context"]["cloudevent"]["source"] == "/python"]
        self.assertEqual(len(events), 2)
        for event, name in zip(events, ("binary", "structured")):
            self.expect_event(event, "python-user", "/python", f"python-{name}")

    def test_what_is_wrong(self):
        good = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "wrong-user"}
        for name, body, headers, status in (
                ("no JSON", b"{", {}, 400), ("a batch that is none", good, {"Content-Type": "application/cloudevents-batch+json"}, 400),
                ("binary without JSON", b"{", {"Content-Type": "application/json", "ce-id": "1"}, 400),
                ("another key", good, {"Authorization": "Basic a3drX3g6"}, 401), ("no key", good, {"Authorization": ""}, 401)):
            with self.subTest(name):
                self.assertEqual(self.send(json.dumps(body) if isinstance(body, dict) else body, headers).status, status)
        answer = self.send({key: value for key, value in good.items() if key != "source"})
        self.assertEqual((answer.status, answer.json), (200, {"accepted": 0, "repeats": 0, "conflicts": 0, "rejected": 1}))
        entry = self.server.get("/api/v1/rejections").json["rejections"][0]
        self.assertEqual((entry["reason"], entry["path"], entry["origin"]), ("invalid_field", "/source", PATH))
        self.assertEqual(self.server.post(f"/api/v1/rejections/{entry['id']}/repair", good).status, 200)
        answer = self.send([good, {**good, "id": "2"}, {"id": "3"}], {"Content-Type": "application/cloudevents-batch+json"})
        self.assertEqual(answer.json, {"accepted": 1, "repeats": 1, "conflicts": 0, "rejected": 1})
        zipped = self.send(gzip.compress(json.dumps({**good, "id": "4"}).encode()), {"Content-Encoding": "gzip"})
        self.assertEqual(zipped.json, {"accepted": 1, "repeats": 0, "conflicts": 0, "rejected": 0})
        with_key = self.server.request("POST", f"{PATH}?writeKey={kehu_server.WRITE_KEY}", json.dumps({**good, "id": "5"}),
                                       {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(with_key.status, 200)
        self.assertEqual(self.server.customer("user_id:wrong-user")["events"], 4)

    def test_binary_headers_are_percent_encoded(self):
        answer = self.send(b"[1]", {"Content-Type": "application/json", "ce-specversion": "1.0", "CE-ID": "b1", "ce-source": "s",
                                    "ce-type": "t", "ce-subject": "%E8%AE%A2%E5%8D%95%207"})
        self.assertEqual(answer.json, {"accepted": 1, "repeats": 0, "conflicts": 0, "rejected": 0})
        event = client_kit.events(self.server, "identifiers LIKE '%订单 7%'")[0]
        self.assertEqual((event["properties"], event["context"]["cloudevent"]["datacontenttype"]),
                         ({"data": [1]}, "application/json"))
        for value, subject in (("order%2050%25", "order 50%"), ("%E5%AE%A2%E6%88%B7", "客户"), ("50%", "50%"), ("a%2", "a%2"), ("%zz", "%zz")):
            answer = self.send(b"{}", {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "p-" + subject.encode().hex(),
                                       "ce-source": "s", "ce-type": "t", "ce-subject": value})
            self.assertEqual(answer.json, {"accepted": 1, "repeats": 0, "conflicts": 0, "rejected": 0}, value)
            rows = client_kit.events(self.server, f"identifiers LIKE '%\"{subject}\"%'")
            self.assertEqual([row["ids"] for row in rows], [{"user_id": subject}], "as the binding says, once decoded")

    def test_without_a_time_it_is_one_event_all_the_same(self):
        """SDKs make a time up at each reading; the id and the content are what an event is known by."""
        event = {"specversion": "1.0", "id": "timeless", "source": "s", "type": "t", "subject": "timeless-user", "data": {"n": 1}}
        answers = [self.send(json.dumps(event)).json for _ in range(2)]
        self.assertEqual([(a["accepted"], a["repeats"], a["conflicts"]) for a in answers], [(1, 0, 0), (0, 1, 0)])
        self.assertEqual(self.send(json.dumps({**event, "data": {"n": 2}})).json["conflicts"], 1)
        self.assertEqual(self.server.customer("user_id:timeless-user")["events"], 1)


if __name__ == "__main__":
    kehu_server.main()
