#!/usr/bin/env python3
"""RFC 6455 and RFC 7692 at /api/v1/stream, case by case. The cases are written from the RFCs; their numbers are those
under which implementers know them (Autobahn), sizes are reduced to our limit of 1 MiB a message. Where those cases
want an echo, here the messages are events, and what was stored is compared with what was sent."""
import collections
import json
import random
import time
import unittest
import zlib

import kehu_server
from websocket_client import (BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, Deflater, WebSocket, close_payload,
                              fragments, frame)

PROTOCOL_CASES = 301
PATH = f"/api/v1/stream?writeKey={kehu_server.WRITE_KEY}"
LINE_BYTES = 20_000
OCTETS, CHUNKS = 1, 997
CHAFF = random.Random(7)  # text that does not deflate beyond all measure

# What is sent, and what must come back: how many messages are acknowledged, which pongs, which close code (None: the
# connection stays open). `stored` are the texts of its events by message id.
Case = collections.namedtuple("Case", "id sends acks pongs close stored chop offer")
CASES = {}


def case(number, sends, acks=0, pongs=(), close=None, stored=None, chop=None, offer=None):
    assert number not in CASES, number
    CASES[number] = Case(number, list(sends), acks, list(pongs), close, stored or {}, chop, offer)


def event(message_id, text=b""):
    return b'{"event":"C","user_id":"u","message_id":"%s","t":"%s"}' % (message_id.encode(), text)


class Message:
    """Events of exactly `size` bytes together, as lines; `stored` says what they must become."""

    def __init__(self, number, size):
        self.stored = {}
        lines = []
        shortest = len(event(f"{number}/999"))
        while size > 0:
            last = size <= LINE_BYTES
            length = size if last else min(LINE_BYTES, size - shortest - 1)
            name = f"{number}/{len(lines)}"
            text = CHAFF.randbytes(length // 2).hex().encode()[:length - len(event(name))]
            lines.append(event(name, text))
            self.stored[name] = text.decode()
            size -= length + (0 if last else 1)
        self.payload = b"\n".join(lines)


def text_case(number, size, opcode=TEXT, pieces=None, chop=None):
    message = Message(number, size)
    parts = [message.payload] if pieces is None else cut(message.payload, pieces)
    case(number, fragments(opcode, parts), 1, stored=message.stored, chop=chop)


def cut(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)] or [b""]


def framing_cases():
    for group, opcode in ((1, TEXT), (2, BINARY)):
        case(f"1.{group}.1", [frame(opcode)], 1)
        for i, size in enumerate((125, 126, 127, 128, 65535, 65536), 2):
            text_case(f"1.{group}.{i}", size, opcode)
        text_case(f"1.{group}.8", 65536, opcode, chop=CHUNKS)


def ping_cases():
    binary = bytes([0, 255, 254, 253, 252, 251, 0, 255])
    case("2.1", [frame(PING)], pongs=[b""])
    case("2.2", [frame(PING, b"Hello, world!")], pongs=[b"Hello, world!"])
    case("2.3", [frame(PING, binary)], pongs=[binary])
    case("2.4", [frame(PING, b"\xfe" * 125)], pongs=[b"\xfe" * 125])
    case("2.5", [frame(PING, b"\xfe" * 126)], close=1002)
    case("2.6", [frame(PING, b"\xfe" * 125)], pongs=[b"\xfe" * 125], chop=OCTETS)
    case("2.7", [frame(PONG)])
    case("2.8", [frame(PONG, b"unsolicited")])
    case("2.9", [frame(PONG, b"unsolicited"), frame(PING, b"ping")], pongs=[b"ping"])
    payloads = [b"payload-%d" % i for i in range(10)]
    case("2.10", [frame(PING, p) for p in payloads], pongs=payloads)
    case("2.11", [frame(PING, p) for p in payloads], pongs=payloads, chop=OCTETS)


def reserved_bit_cases():
    def hello(number):
        return frame(TEXT, event(number)), {number: ""}
    case("3.1", [frame(TEXT, event("3.1"), rsv=1)], close=1002)
    for number, rsv, chop in (("3.2", 2, None), ("3.3", 3, CHUNKS), ("3.4", 4, OCTETS)):
        first, stored = hello(number)
        case(number, [first, frame(TEXT, event(number + "x"), rsv=rsv), frame(PING)], close=1002, stored=stored, chop=chop)
    case("3.5", [frame(BINARY, b"\x00\xff", rsv=5)], close=1002)
    case("3.6", [frame(PING, b"Hello", rsv=6)], close=1002)
    case("3.7", [frame(CLOSE, close_payload(1000), rsv=7)], close=1002)


def opcode_cases():
    for group, first in ((1, 3), (2, 11)):
        case(f"4.{group}.1", [frame(first)], close=1002)
        case(f"4.{group}.2", [frame(first + 1, b"reserved")], close=1002)
        for i, (payload, chop) in enumerate(((b"", None), (b"reserved", None), (b"reserved", OCTETS)), 3):
            number = f"4.{group}.{i}"
            sends = [frame(TEXT, event(number)), frame(first + i - 1, payload), frame(PING)]
            case(number, sends, close=1002, stored={number: ""}, chop=chop)


def fragmentation_cases():
    def two(number):
        return fragments(TEXT, cut(event(number, b"fragment"), 30)), {number: "fragment"}
    case("5.1", [frame(PING, b"a", final=False), frame(CONTINUATION, b"b")], close=1002)
    case("5.2", [frame(PONG, b"a", final=False), frame(CONTINUATION, b"b")], close=1002)
    for number, chop in (("5.3", None), ("5.4", CHUNKS), ("5.5", OCTETS)):
        sends, stored = two(number)
        case(number, sends, 1, stored=stored, chop=chop)
    for number, chop in (("5.6", None), ("5.7", CHUNKS), ("5.8", OCTETS)):
        sends, stored = two(number)
        case(number, [sends[0], frame(PING, b"ping"), *sends[1:]], 1, [b"ping"], stored=stored, chop=chop)
    for first, final in ((9, True), (12, False)):
        for i, chop in enumerate((None, CHUNKS, OCTETS)):
            number = f"5.{first + i}"
            sends = [frame(CONTINUATION, b"non-continuation", final), frame(TEXT, event(number + "x"))]
            case(number, sends, close=1002, chop=chop)
    sends, stored = two("5.15")
    case("5.15", [*sends, frame(CONTINUATION, b"more", False), frame(TEXT, event("5.15x"))], close=1002, stored=stored)
    for number, final in (("5.16", False), ("5.17", True)):
        case(number, [frame(CONTINUATION, b"a", final), *fragments(TEXT, cut(event(number), 20))] * 2, close=1002)
    case("5.18", [frame(TEXT, b"fragment1", False), frame(TEXT, b"fragment2")], close=1002)
    for number, chop in (("5.19", OCTETS), ("5.20", None)):
        f = fragments(TEXT, cut(event(number, b"f" * 30), 20))
        assert len(f) == 5, len(f)
        sends = [*f[:2], frame(PING, b"1"), *f[2:4], frame(PING, b"2"), f[4]]
        case(number, sends, 1, [b"1", b"2"], stored={number: "f" * 30}, chop=chop)


def utf8_case(number, sequence, valid):
    """The sequence within a text."""
    if valid:
        case(number, [frame(TEXT, event(number, sequence))], 1, stored={number: sequence.decode()})
    else:
        case(number, [frame(TEXT, event(number, sequence))], close=1007)


def utf8_end_case(number, sequence, valid):
    """The sequence at the end of a text: a line that is no event. Each byte is a fragment."""
    sends = fragments(TEXT, [event(number) + b"\n"] + cut(sequence, 1))
    case(number, sends, 1 if valid else 0, close=None if valid else 1007, stored={number: ""} if valid else {})


def utf8_cases():
    case("6.1.1", [frame(TEXT)], 1)
    case("6.1.2", fragments(TEXT, [b"", b"", b""]), 1)
    case("6.1.3", fragments(TEXT, [b"", event("6.1.3"), b""]), 1, stored={"6.1.3": ""})
    hello = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    utf8_case("6.2.1", hello, True)
    whole = event("6.2.2", hello)
    middle = whole.index("ß".encode())
    case("6.2.2", fragments(TEXT, [whole[:middle], whole[middle:]]), 1, stored={"6.2.2": hello.decode()})
    case("6.2.3", fragments(TEXT, cut(event("6.2.3", hello), 1)), 1, stored={"6.2.3": hello.decode()})
    kosme = bytes.fromhex("cebae1bdb9cf83cebcceb5")
    case("6.2.4", fragments(TEXT, cut(event("6.2.4", kosme), 1)), 1, stored={"6.2.4": kosme.decode()})
    surrogate = kosme + b"\xed\xa0\x80" + b"edited"
    case("6.3.1", [frame(TEXT, event("6.3.1", surrogate))], close=1007)
    case("6.3.2", fragments(TEXT, cut(event("6.3.2", surrogate), 1)), close=1007)
    # Refused as soon as it can be seen: the rest is never sent.
    too_high = b"\xf4\x90\x80\x80"
    case("6.4.1", [frame(TEXT, kosme, False), frame(CONTINUATION, too_high, False)], close=1007)
    case("6.4.2", [frame(TEXT, kosme + too_high[:1], False), frame(CONTINUATION, too_high[1:2], False)], close=1007)
    unfinished = frame(TEXT, kosme + too_high + b"edited")
    case("6.4.3", [unfinished[:-6]], close=1007, chop=OCTETS)
    case("6.4.4", [unfinished[:-8]], close=1007, chop=OCTETS)
    for group, text in ((5, kosme[:5]), (6, kosme)):
        for i in range(1, len(text) + 1):
            try:
                text[:i].decode()
                valid = True
            except UnicodeDecodeError:
                valid = False
            utf8_end_case(f"6.{group}.{i}", text[:i], valid)
    tables = {
        7: (True, "00 c280 e0a080 f0908080"),
        8: (False, "f888808080 fc8480808080"),
        9: (True, "7f dfbf efbfbf f48fbfbf"),
        10: (False, "f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf"),
        12: (False, "80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf " + "".join(f"{b:02x}" for b in range(0x80, 0xc0))),
        13: (False, " ".join("20".join(f"{b:02x}" for b in range(low, high)) + "20"
                             for low, high in ((0xc0, 0xe0), (0xe0, 0xf0), (0xf0, 0xf8), (0xf8, 0xfc), (0xfc, 0xfe)))),
        14: (False, "c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf"),
        15: (False, "c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"),
        16: (False, "fe ff fefeffff"),
        17: (False, "c0af e080af f08080af f8808080af fc80808080af"),
        18: (False, "c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf"),
        19: (False, "c080 e08080 f0808080 f880808080 fc8080808080"),
        20: (False, "eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf"),
        21: (False, "eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf"),
    }
    for group, (valid, sequences) in tables.items():
        for i, sequence in enumerate(sequences.split(), 1):
            data = bytes.fromhex(sequence)
            # A NUL is UTF-8 but stands in no JSON text.
            (utf8_end_case if data == b"\0" else utf8_case)(f"6.{group}.{i}", data, valid)
    for i, (sequence, valid) in enumerate((("ed9fbf", True), ("ee8080", True), ("efbfbd", True), ("f48fbfbf", True),
                                           ("f4908080", False)), 1):
        utf8_case(f"6.11.{i}", bytes.fromhex(sequence), valid)
    planes = [plane << 16 | low for plane in range(17) for low in (0xfffe, 0xffff)]
    for i, point in enumerate(planes, 1):
        utf8_case(f"6.22.{i}", chr(point).encode(), True)
    for i, point in enumerate(range(0xfff9, 0x10000), 1):
        utf8_case(f"6.23.{i}", chr(point).encode(), True)


def close_cases():
    normal = frame(CLOSE, close_payload(1000))
    case("7.1.1", [frame(TEXT, event("7.1.1")), normal], close=1000, stored={"7.1.1": ""})
    case("7.1.2", [normal, normal], close=1000)
    case("7.1.3", [normal, frame(PING)], close=1000)
    case("7.1.4", [normal, frame(TEXT, event("7.1.4x"))], close=1000)
    parts = fragments(TEXT, cut(event("7.1.5x"), 30))
    case("7.1.5", [parts[0], normal, *parts[1:]], close=1000)
    large = Message("7.1.6", 256 * 1024)
    case("7.1.6", [frame(TEXT, large.payload), normal, frame(PING)], close=1000, stored=large.stored)
    case("7.3.1", [frame(CLOSE)], close=0)
    case("7.3.2", [frame(CLOSE, b"a")], close=1002)
    case("7.3.3", [normal], close=1000)
    case("7.3.4", [frame(CLOSE, close_payload(1000, b"Hello World!"))], close=1000)
    case("7.3.5", [frame(CLOSE, close_payload(1000, b"*" * 123))], close=1000)
    case("7.3.6", [frame(CLOSE, close_payload(1000, b"*" * 124))], close=1002)
    case("7.5.1", [frame(CLOSE, close_payload(1000, "κόσμε".encode() + b"\xed\xa0\x80edited"))], close=1007)
    for i, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        case(f"7.7.{i}", [frame(CLOSE, close_payload(code))], close=code)
    for i, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        case(f"7.9.{i}", [frame(CLOSE, close_payload(code))], close=1002)
    for i, code in enumerate((5000, 65535), 1):
        case(f"7.13.{i}", [frame(CLOSE, close_payload(code))], close=1002)


def size_cases():
    for group, opcode in ((1, TEXT), (2, BINARY)):
        for i, kib in enumerate((16, 64, 128, 256, 512, 1024), 1):
            text_case(f"9.{group}.{i}", kib * 1024, opcode)
    for group, opcode in ((3, TEXT), (4, BINARY)):
        for i, piece in enumerate((64, 256, 1024, 4096, 16384, 65536, 131072, 262144, 524288), 1):
            text_case(f"9.{group}.{i}", 256 * 1024, opcode, pieces=piece)
    for group, opcode in ((5, TEXT), (6, BINARY)):
        for i, chop in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            text_case(f"9.{group}.{i}", 64 * 1024, opcode, chop=chop)
    for group, opcode in ((7, TEXT), (8, BINARY)):
        for i, size in enumerate((0, 80, 128, 256, 1024, 4096), 1):
            number = f"9.{group}.{i}"
            messages = [Message(f"{number}/{n}", size) for n in range(200)]
            stored = {name: text for message in messages for name, text in message.stored.items()}
            case(number, [frame(opcode, message.payload) for message in messages], 200, stored=stored)
    text_case("10.1.1", 65536, pieces=1300)


def compression_cases():
    """12.*: sizes and ways to cut a compressed message; 13.*: what is agreed on. Behind them what may go wrong."""
    sizes = (0, 80, 256, 1024, 4096, 16384, 65536, 131072)

    def messages(number, deflater, pieces=None, chop=None, offer="permessage-deflate", opcode=TEXT):
        for i, size in enumerate(sizes, 1):
            case_number = f"{number}.{i}"
            sends, stored, stream = [], {}, deflater()
            for n in range(5):
                message = Message(f"{case_number}/{n}", size)
                stored.update(message.stored)
                data = stream.message(message.payload)
                sends += fragments(opcode, [data] if pieces is None else cut(data, pieces), rsv=RSV1)
            case(case_number, sends, 5, stored=stored, chop=chop, offer=offer)

    messages("12.1", Deflater)
    messages("12.2", Deflater, opcode=BINARY)
    messages("12.3", Deflater, pieces=64)
    messages("12.4", Deflater, chop=CHUNKS)
    messages("12.5", lambda: Deflater(level=0))
    agreements = (("permessage-deflate", 15, True), ("permessage-deflate; client_max_window_bits", 15, True),
                  ("permessage-deflate; client_max_window_bits=9", 9, True),
                  ("permessage-deflate; client_no_context_takeover", 15, False),
                  ("permessage-deflate; client_no_context_takeover; client_max_window_bits=10", 10, False),
                  ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", 15, True),
                  ("permessage-deflate; nonsense=1, permessage-deflate; server_max_window_bits=8", 15, True))
    for i, (offer, bits, takeover) in enumerate(agreements, 1):
        messages(f"13.{i}", lambda: Deflater(bits, takeover), offer=offer)

    deflate = "permessage-deflate"
    hello = event("14.1")
    mixed = Deflater()
    case("14.1", [frame(TEXT, hello), frame(TEXT, mixed.message(event("14.1b")), rsv=RSV1),
                  frame(PING, b"p"), frame(TEXT, mixed.message(event("14.1c")), rsv=RSV1)], 3, [b"p"],
         stored={"14.1": "", "14.1b": "", "14.1c": ""}, offer=deflate)
    parts = fragments(TEXT, cut(Deflater().message(event("14.2", b"x" * 100)), 10), rsv=RSV1)
    case("14.2", [parts[0], frame(PING, b"between"), *parts[1:]], 1, [b"between"], stored={"14.2": "x" * 100}, offer=deflate)
    case("14.3", [frame(TEXT, b"\xff\xff\xff\xff", rsv=RSV1)], close=1007, offer=deflate)
    case("14.4", [frame(TEXT, Deflater().message(event("14.4", b"\xed\xa0\x80")), rsv=RSV1)], close=1007, offer=deflate)
    case("14.5", [frame(TEXT, b"a", False, rsv=RSV1), frame(CONTINUATION, b"b", rsv=RSV1)], close=1002, offer=deflate)
    case("14.6", [frame(PING, b"", rsv=RSV1)], close=1002, offer=deflate)
    case("14.7", [frame(TEXT, event("14.7x"), rsv=RSV1)], close=1002)
    # A block that says it is the last one (7.2.3.4).
    final = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = final.compress(event("14.8")) + final.flush(zlib.Z_FINISH) + b"\0"
    case("14.8", [frame(TEXT, data, rsv=RSV1), frame(TEXT, Deflater().message(event("14.8b")), rsv=RSV1)], 2,
         stored={"14.8": "", "14.8b": ""}, offer=deflate)
    # Bombs: beyond the size, and beyond the ratio.
    case("14.9", [frame(TEXT, Deflater().message(b" " * (1024 * 1024 + 1)), rsv=RSV1)], close=1009, offer=deflate)
    case("14.10", [frame(TEXT, Deflater().message(b" " * (512 * 1024)), rsv=RSV1)], close=1009, offer=deflate)
    case("14.11", [frame(TEXT, Deflater().message(b" " * (64 * 1024)), rsv=RSV1)], 1, offer=deflate)


def length_cases():
    """What the numbered cases leave out."""
    case("15.1", [b"\x81\x85hello"[:2] + b"hello"], close=None)  # incomplete: nothing happens
    case("15.2", [frame(TEXT, event("15.2x"), masking=False)], close=1002)
    case("15.3", [b"\x81\xfe\x00\x7d" + bytes(4) + b" " * 125], close=1002)
    case("15.4", [b"\x81\xff" + (200).to_bytes(8, "big") + bytes(4) + b" " * 200], close=1002)
    case("15.5", [b"\x81\xff" + (1 << 63).to_bytes(8, "big")], close=1002)
    case("15.6", [b"\x82\xff" + (1024 * 1024 + 1).to_bytes(8, "big") + bytes(4)], close=1009)
    case("15.7", [frame(TEXT, b" " * 700_000, False), frame(CONTINUATION, b" " * 700_000)[:14]], close=1009)


for add in (framing_cases, ping_cases, reserved_bit_cases, opcode_cases, fragmentation_cases, utf8_cases, close_cases,
            size_cases):
    add()
NUMBERED = len(CASES)
compression_cases()
length_cases()


class ConformanceTest(kehu_server.ServerTest):
    def run_case(self, c):
        headers = {"Sec-WebSocket-Extensions": c.offer} if c.offer else {}
        ws = WebSocket(self.server.port, PATH, headers)
        try:
            self.assertEqual(ws.status, 101)
            self.assertEqual("sec-websocket-extensions" in ws.headers, c.offer is not None)
            data = b"".join(c.sends)
            try:
                for piece in [data] if c.chop is None else cut(data, c.chop):
                    ws.send_bytes(piece)
            except ConnectionError:
                self.assertIsNotNone(c.close, "the server hung up")
            self.check_answers(ws, c)
        finally:
            ws.close()

    def check_answers(self, ws, c):
        acked, pongs, said_goodbye = 0, [], False
        while True:
            if c.close is None and acked == c.acks and len(pongs) == len(c.pongs) and not said_goodbye:
                if c.id == "15.1":
                    return
                ws.send_frame(CLOSE, close_payload(1000))
                said_goodbye = True
            opcode, payload = ws.frame()
            if opcode == PONG:
                pongs.append(payload)
            elif opcode == TEXT:
                message = json.loads(payload)
                self.assertGreater(message["ack"], acked)
                acked = message["ack"]
            else:
                self.assertEqual(opcode, CLOSE)
                code = int.from_bytes(payload[:2], "big")
                self.assertEqual(code, 1000 if c.close is None else c.close, payload)
                break
        if c.close is None:
            self.assertEqual((acked, pongs), (c.acks, c.pongs))
        else:
            self.assertEqual(pongs, [])
        if not said_goodbye and c.close != 0:
            try:
                ws.send_frame(CLOSE, close_payload(1000))
            except OSError:
                pass
        self.assertTrue(ws.ended(), "something follows the close frame")

    def test_cases(self):
        self.assertEqual(NUMBERED, PROTOCOL_CASES)
        start = time.monotonic()
        wrong = []
        for c in CASES.values():
            try:
                self.run_case(c)
            except (AssertionError, OSError, KeyError) as error:
                wrong.append(f"{c.id}: {type(error).__name__}: {str(error)[:200]}")
        print(f"conformance: {len(CASES) - len(wrong)} of {len(CASES)} cases, {NUMBERED} of them numbered by Autobahn, "
              f"{time.monotonic() - start:.1f} s", flush=True)
        self.assertEqual(wrong, [])
        self.check_stored()

    def check_stored(self):
        want = {name: text for c in CASES.values() for name, text in c.stored.items()}
        end = time.monotonic() + 20
        got = {}
        while time.monotonic() < end and len(got) < len(want):
            rows = self.server.sql("SELECT message_id, properties FROM events WHERE event = 'C'")
            got = {row["message_id"]: json.loads(row["properties"])["t"] for row in rows}
            time.sleep(0.2)
        self.assertEqual(sorted(set(want) ^ set(got))[:10], [])
        different = [name for name in want if want[name] != got[name]]
        self.assertEqual(different[:10], [])

    def test_handshakes(self):
        refused = [
            ({"Sec-WebSocket-Key": None}, 400), ({"Sec-WebSocket-Key": "short"}, 400),
            ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=!"}, 400), ({"Sec-WebSocket-Version": "8"}, 426),
            ({"Sec-WebSocket-Version": None}, 426), ({"Upgrade": None}, 426), ({"Upgrade": "h2c"}, 426),
            ({"Connection": "keep-alive"}, 426), ({"Host": None}, 400)]
        for headers, status in refused:
            with self.subTest(headers=headers):
                ws = WebSocket(self.server.port, PATH, headers)
                self.addCleanup(ws.close)
                self.assertEqual(ws.status, status)
        taken = WebSocket(self.server.port, PATH, {"Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade"})
        self.addCleanup(taken.close)
        self.assertEqual(taken.status, 101)
        for offer in ("permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits",
                      "permessage-deflate; client_no_context_takeover; client_no_context_takeover", "x-webkit-deflate-frame"):
            with self.subTest(offer=offer):
                ws = WebSocket(self.server.port, PATH, {"Sec-WebSocket-Extensions": offer})
                self.addCleanup(ws.close)
                self.assertEqual((ws.status, ws.headers.get("sec-websocket-extensions")), (101, None))


if __name__ == "__main__":
    kehu_server.main()
