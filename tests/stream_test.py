#!/usr/bin/env python3
"""Events over /api/v1/stream: acks, who may, back-pressure, the end of the server, and clients that others wrote."""
import base64
import json
import time

import client_kit
import kehu_server
from websocket_client import BINARY, CLOSE, PING, PONG, RSV1, TEXT, Deflater, WebSocket, close_payload, frame

WS = "ws@8.18.0"
PYTHON_WEBSOCKETS = "websockets==15.0.1"
PATH = "/api/v1/stream"
KEY_PATH = f"{PATH}?writeKey={kehu_server.WRITE_KEY}"

NODE_PROGRAM = """
const WebSocket = require('ws')
const [url, key] = process.argv.slice(2)
const socket = new WebSocket(url, ['kehu.stream', 'kehu.key.' + key], { perMessageDeflate: { threshold: 0 } })
let acked = 0, accepted = 0
socket.on('open', () => {
  for (let i = 0; i < 2000; i++) {
    const event = { event: 'Npm', user_id: 'npm', message_id: 'npm-' + i, properties: { i, text: '客户'.repeat(20) } }
    socket.send(i % 3 ? JSON.stringify(event) : Buffer.from(JSON.stringify(event)))
  }
  socket.ping('are you there')
})
socket.on('message', (data) => {
  const ack = JSON.parse(data)
  acked = ack.ack
  accepted += ack.accepted
  if (acked === 2000) socket.close(1000, 'done')
})
let ponged = false
socket.on('pong', (data) => { ponged = data.toString() === 'are you there' })
socket.on('close', (code) => console.log(JSON.stringify({ code, acked, accepted, ponged, protocol: socket.protocol,
                                                           extensions: socket.extensions })))
"""

PYTHON_PROGRAM = """
import asyncio, json, sys, websockets

async def talk():
    accepted = acked = 0
    async with websockets.connect(sys.argv[1], subprotocols=["kehu.stream"]) as socket:
        for i in range(500):
            await socket.send(json.dumps({"event": "Python", "user_id": "p", "message_id": f"p-{i}"}))
        while acked < 500:
            ack = json.loads(await asyncio.wait_for(socket.recv(), 20))
            acked, accepted = ack["ack"], accepted + ack["accepted"]
        await (await socket.ping())
        extensions = [extension.name for extension in socket.protocol.extensions]
    return {"accepted": accepted, "code": socket.close_code, "protocol": socket.subprotocol, "extensions": extensions}

print(json.dumps(asyncio.run(talk())))
"""

BROWSER_PROGRAM = """
const { chromium } = require('playwright-core')
const [executablePath, url, key] = process.argv.slice(2)
;(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage()
  const result = await page.evaluate(([url, key]) => new Promise((resolve) => {
    const socket = new WebSocket(url, ['kehu.stream', 'kehu.key.' + key])
    let accepted = 0
    socket.onopen = () => {
      for (let i = 0; i < 300; i++) {
        const text = JSON.stringify({ event: 'Browser', user_id: 'browser', message_id: 'browser-' + i, properties: { i } })
        socket.send(i % 2 ? text : new Blob([text]))
      }
    }
    socket.onmessage = (message) => {
      const ack = JSON.parse(message.data)
      accepted += ack.accepted
      if (ack.ack === 300) socket.close(1000)
    }
    socket.onclose = (close) => resolve({ code: close.code, clean: close.wasClean, accepted, protocol: socket.protocol,
                                           extensions: socket.extensions })
    setTimeout(() => resolve({ accepted, timeout: true }), 20000)
  }), [url, key])
  console.log(JSON.stringify(result))
  await browser.close()
})()
"""


def event(number, **more):
    return json.dumps({"event": "Streamed", "user_id": "s", "message_id": f"s-{number}", **more})


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


class StreamTest(kehu_server.ServerTest):
    def open(self, path=KEY_PATH, headers=None):
        ws = WebSocket(self.server.port, path, headers)
        self.addCleanup(ws.close)
        return ws

    def ack(self, ws):
        opcode, payload = ws.frame()
        self.assertEqual(opcode, TEXT, payload)
        return json.loads(payload)

    def acks_until(self, ws, number):
        """The sums of all acks up to that of message `number`."""
        total = {"accepted": 0, "repeats": 0, "conflicts": 0, "rejected": 0}
        while True:
            ack = self.ack(ws)
            for name in total:
                total[name] += ack[name]
            if ack["ack"] == number:
                return total
            self.assertLess(ack["ack"], number)

    def test_who_may(self):
        key, admin = kehu_server.WRITE_KEY, {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"}
        cases = [(KEY_PATH, {}, 101), (PATH, {}, 401), (PATH, basic(key), 101), (PATH, basic("wrong"), 401),
                 (PATH, {"Authorization": f"Bearer {key}"}, 101), (f"{PATH}?writeKey=wrong", {}, 401),
                 (PATH, {"Sec-WebSocket-Protocol": f"kehu.stream, kehu.key.{key}"}, 101),
                 (PATH, {"Sec-WebSocket-Protocol": "kehu.stream, kehu.key.wrong"}, 401),
                 (PATH, admin, 101), (f"{PATH}?source=default", admin, 101), (f"{PATH}?source=nobody", admin, 404),
                 (f"{PATH}?nonsense=1", basic(key), 400)]
        for path, headers, status in cases:
            with self.subTest(path=path, headers=headers):
                ws = self.open(path, headers)
                self.assertEqual(ws.status, status)
                if "Sec-WebSocket-Protocol" in headers and status == 101:
                    self.assertEqual(ws.headers["sec-websocket-protocol"], "kehu.stream")
        self.assertEqual(self.server.request("GET", KEY_PATH).status, 426)
        self.assertEqual(self.server.request("POST", KEY_PATH).status, 405)

    def test_acks(self):
        ws = self.open()
        ws.send_text(event("a"))
        self.assertEqual(self.ack(ws), {"ack": 1, "accepted": 1, "repeats": 0, "conflicts": 0, "rejected": 0})
        ws.send_frame(BINARY, f"[{event('b')},{event('c')}]".encode())
        self.assertEqual(self.ack(ws), {"ack": 2, "accepted": 2, "repeats": 0, "conflicts": 0, "rejected": 0})
        ws.send_text("\n".join([event("a"), event("d"), "no JSON", ""]))
        self.assertEqual(self.ack(ws), {"ack": 3, "accepted": 1, "repeats": 1, "conflicts": 0, "rejected": 1,
                                         "rejected_by_reason": {"invalid_json": 1}})
        ws.send_text(json.dumps({"event": "Streamed", "user_id": "s", "anonymous_id": "null", "device_id": "1.23457E+17"}))
        self.assertEqual(self.ack(ws)["identifiers_left_out"], {"blocked": 1, "digits_lost": 1})
        ws.send_text("")
        self.assertEqual(self.ack(ws)["ack"], 5)
        ws.send_frame(BINARY, b"\xff\xfe")
        self.assertEqual(self.ack(ws)["rejected"], 1)
        customer = self.server.customer("user_id:s")
        self.assertGreaterEqual(self.counter_of(customer, "Streamed"), 4)
        self.assertIn("/api/v1/stream", json.dumps(self.server.get("/api/v1/rejections").json))

    def test_many_under_way(self):
        ws = self.open()
        count = 20_000
        frames = b"".join(frame(TEXT, event(f"many-{i}", text="x" * 200).encode()) for i in range(count))
        ws.socket.settimeout(60)
        ws.send_bytes(frames)
        self.assertEqual(self.acks_until(ws, count)["accepted"], count)

    def test_a_client_that_reads_no_acks(self):
        """It costs nothing: acks are merged. It is answered when it reads at last."""
        ws = self.open()
        for i in range(3000):
            ws.send_text(event(f"deaf-{i}"))
        time.sleep(0.5)
        self.assertEqual(self.acks_until(ws, 3000)["accepted"], 3000)

    def test_order(self):
        ws = self.open()
        for i in range(200):
            ws.send_text(event(f"order-{i}", user_id="order", properties={"i": i}))
        self.acks_until(ws, 200)
        self.server.stop()
        self.server.start()
        rows = self.server.sql("SELECT message_id FROM events WHERE message_id LIKE 's-order-%' ORDER BY sequence")
        self.assertEqual([row["message_id"] for row in rows], [f"s-order-{i}" for i in range(200)])

    def test_compressed_with_context(self):
        ws = self.open(headers={"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
        deflater = Deflater()
        for i in range(500):
            ws.send_frame(TEXT, deflater.message(event(f"deflated-{i}").encode()), rsv=RSV1)
        self.assertEqual(self.acks_until(ws, 500)["accepted"], 500)

    def test_a_source_that_is_switched_off(self):
        name = "stream-off"
        made = self.server.post("/api/v1/sources", {"name": name})
        self.assertLess(made.status, 300, made)
        ws = self.open(f"{PATH}?writeKey={made.json['write_key']}")
        ws.send_text(event("on"))
        self.assertEqual(self.ack(ws)["accepted"], 1)
        self.assertEqual(self.server.admin("PATCH", f"/api/v1/sources/{name}", {"enabled": False}).status, 200)
        end = time.monotonic() + 10
        opcode = TEXT
        while opcode != CLOSE and time.monotonic() < end:
            ws.send_text(event(f"off-{time.monotonic()}"))
            opcode, payload = ws.frame()
        self.assertEqual(int.from_bytes(payload[:2], "big"), 1008)

    def test_a_limit_holds_the_client_back(self):
        made = self.server.post("/api/v1/sources", {"name": "stream-slow"}).json
        limited = self.server.admin("PATCH", "/api/v1/sources/stream-slow", {"events_per_second": 100})
        self.assertEqual(limited.status, 200, limited)
        ws = self.open(f"{PATH}?writeKey={made['write_key']}")
        ws.socket.settimeout(30)
        start = time.monotonic()
        for i in range(6):
            ws.send_text("\n".join(event(f"slow-{i}-{n}") for n in range(100)))
            time.sleep(0.02)
        self.assertEqual(self.acks_until(ws, 6)["accepted"], 600)
        self.assertGreater(time.monotonic() - start, 2.5)

    def test_stop_acknowledges_what_was_taken(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        ws = WebSocket(server.port, KEY_PATH)
        self.addCleanup(ws.close)
        for i in range(100):
            ws.send_text(event(f"stop-{i}"))
        acked = 0
        while acked < 100:
            acked = json.loads(ws.frame()[1])["ack"]
        ws.send_text(event("last"))
        server.process.terminate()
        while True:
            opcode, payload = ws.frame()
            if opcode == CLOSE:
                break
            acked = json.loads(payload)["ack"]
        self.assertEqual(int.from_bytes(payload[:2], "big"), 1001)
        ws.send_frame(CLOSE, close_payload(1001))
        self.assertEqual(server.process.wait(20), 0)
        server.process = None
        server.close_connection()
        server.start()
        count = server.sql("SELECT count(*) AS n FROM events")[0]["n"]
        server.stop()
        self.assertGreaterEqual(int(count), acked)

    def test_a_kill_loses_nothing_that_was_acknowledged(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        ws = WebSocket(server.port, KEY_PATH)
        self.addCleanup(ws.close)
        acked = 0
        for i in range(5000):
            ws.send_text(event(f"kill-{i}"))
            if i % 500 == 499:
                acked = json.loads(ws.frame()[1])["ack"]
        server.kill()
        try:
            while True:
                acked = json.loads(ws.frame()[1])["ack"]
        except (OSError, ValueError):
            pass
        server.start()
        self.assertGreater(acked, 0)
        ws = WebSocket(server.port, KEY_PATH)
        self.addCleanup(ws.close)
        ws.send_text("\n".join(event(f"kill-{i}") for i in range(acked)))
        answer = json.loads(ws.frame()[1])
        server.stop()
        self.assertEqual((answer["accepted"], answer["repeats"]), (0, acked))

    def test_pings_pass_by(self):
        ws = self.open()
        ws.send_frame(PING, b"p")
        self.assertEqual(ws.frame(), (PONG, b"p"))

    def check_peer(self, answer, count, name):
        self.assertEqual(answer["accepted"], count, answer)
        self.assertEqual(answer["code"], 1000)
        self.assertEqual(answer["protocol"], "kehu.stream")
        self.assertIn("permessage-deflate", answer["extensions"])
        rows = self.server.sql(f"SELECT count(DISTINCT message_id) AS n FROM events WHERE event = '{name}'")
        self.assertEqual(int(rows[0]["n"]), count)

    def test_npm_ws(self):
        directory = client_kit.node_packages(self, "stream-ws", WS)
        answer = client_kit.run_program(self, directory, NODE_PROGRAM,
                                        f"ws://127.0.0.1:{self.server.port}{PATH}", kehu_server.WRITE_KEY)
        self.check_peer(json.loads(answer), 2000, "Npm")
        self.assertTrue(json.loads(answer)["ponged"])

    def test_browser(self):
        if client_kit.CHROMIUM is None:
            kehu_server.skip(self, "no chromium")
        directory = client_kit.node_packages(self, "stream-browser", client_kit.PLAYWRIGHT)
        answer = client_kit.run_program(self, directory, BROWSER_PROGRAM, client_kit.CHROMIUM,
                                        f"ws://127.0.0.1:{self.server.port}{PATH}", kehu_server.WRITE_KEY)
        self.check_peer(json.loads(answer), 300, "Browser")

    def test_python_websockets(self):
        directory = client_kit.python_package(self, "stream-websockets", PYTHON_WEBSOCKETS, "websockets")
        answer = client_kit.run_program(self, directory, PYTHON_PROGRAM,
                                        f"ws://127.0.0.1:{self.server.port}{KEY_PATH}")
        self.check_peer(json.loads(answer), 500, "Python")


if __name__ == "__main__":
    kehu_server.main()
