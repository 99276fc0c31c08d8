"""A WebSocket client that says exactly what it is told, right or wrong (RFC 6455, RFC 7692)."""
import base64
import hashlib
import os
import socket
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
RSV1, RSV2, RSV3 = 4, 2, 1


def masked(payload, mask):
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def frame(opcode, payload=b"", final=True, rsv=0, mask=None, masking=True):
    """The bytes of one frame of a client."""
    mask = os.urandom(4) if mask is None else mask
    size = len(payload)
    bit = 0x80 if masking else 0
    head = bytes([(0x80 if final else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    return head + (mask + masked(payload, mask) if masking else payload)


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


def fragments(opcode, pieces, rsv=0):
    """One message as one frame for each piece."""
    frames = []
    for i, piece in enumerate(pieces):
        frames.append(frame(opcode if i == 0 else CONTINUATION, piece, i == len(pieces) - 1, rsv if i == 0 else 0))
    return frames


class Deflater:
    """The sending half of permessage-deflate."""

    def __init__(self, bits=15, takeover=True, level=6):
        self.bits, self.takeover, self.level = bits, takeover, level
        self.stream = None

    def message(self, payload):
        if self.stream is None or not self.takeover:
            self.stream = zlib.compressobj(self.level, zlib.DEFLATED, -self.bits)
        data = self.stream.compress(payload) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(b"\x00\x00\xff\xff")
        return data[:-4]


class WebSocket:
    """One connection to `path`; `status` is that of the handshake. `through` makes the socket (for TLS)."""

    def __init__(self, port, path, headers=None, timeout=10, through=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if through is not None:
            self.socket = through(self.socket)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        given = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **(headers or {})}
        lines = [f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        head = self.read_until(b"\r\n\r\n").decode()
        self.status = int(head.split(" ")[1])
        self.headers = {name.lower(): value for name, value in
                        (line.split(": ", 1) for line in head.split("\r\n")[1:])}
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            assert self.headers["sec-websocket-accept"] == accept.decode(), head

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def read_until(self, end):
        while end not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(end, 1)
        return head

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send_frame(self, opcode, payload=b"", **how):
        self.socket.sendall(frame(opcode, payload, **how))

    def send_text(self, text):
        self.send_frame(TEXT, text.encode() if isinstance(text, str) else text)

    def frame(self):
        """The next frame: opcode and payload. A server's frames are whole, not masked, without reserved bits."""
        first, second = self.take(2)
        assert first & 0xF0 == 0x80, f"{first:02x}"
        assert not second & 0x80, "a server does not mask"
        size = second
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first & 0x0F, self.take(size)

    def ended(self):
        """True when nothing but the end of the stream follows."""
        try:
            while not self.buffer:
                self.fill()
        except ConnectionError:
            return True
        return False

    def close(self):
        self.socket.close()
