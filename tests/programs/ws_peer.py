"""One end of a WebSocket, frame by frame, which can do what no library lets its users do: RFC 6455, and RFC 7692 by
Python's zlib."""

import base64
import hashlib
import os
import socket
import struct
import zlib

from running import LIMIT

MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = base64.b64encode(b"sixteen bytes ok").decode()
TAIL = b"\x00\x00\xff\xff"          # what a flush ends with, and a message leaves out


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def masked(data, key):
    """Python's numbers are as long as they need to be."""
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def split(payload, size):
    """In pieces, one at least."""
    return [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]


class Terms:
    """What both have agreed on about compression: the value of the server's Sec-WebSocket-Extensions."""

    def __init__(self, answer, client):
        name, *parameters = [part.strip() for part in answer.split(";")]
        assert name == "permessage-deflate", answer
        said = dict(part.partition("=")[::2] for part in parameters)
        assert set(said) <= {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
                             "client_max_window_bits"} and len(said) == len(parameters), answer
        ours, theirs = ("client", "server") if client else ("server", "client")
        self.forgets, self.they_forget = ours + "_no_context_takeover" in said, theirs + "_no_context_takeover" in said
        self.bits = int(said.get(ours + "_max_window_bits", 15))
        self.their_bits = int(said.get(theirs + "_max_window_bits", 15))
        self.deflater = self.inflater = None

    def deflate(self, data, end=zlib.Z_SYNC_FLUSH):
        if self.deflater is None or self.forgets:
            self.deflater = zlib.compressobj(1, zlib.DEFLATED, -self.bits)
        return (self.deflater.compress(data) + self.deflater.flush(end)).removesuffix(TAIL)

    def inflate(self, data):
        """What refers to more than was agreed on, zlib refuses."""
        if self.inflater is None or self.they_forget:
            self.inflater = zlib.decompressobj(-self.their_bits)
        return self.inflater.decompress(data + TAIL)


class Peer:
    """An open WebSocket. `client`: which side of it this is."""

    def __init__(self, connection, client, terms=None):
        self.socket, self.client, self.terms = connection, client, terms
        self.file = connection.makefile("rb")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def frame(self, opcode, payload=b"", last=True, reserved=0):
        head = bytes([last << 7 | reserved << 4 | opcode])
        mask, key = (0x80, os.urandom(4)) if self.client else (0, b"")
        size = len(payload)
        head += (bytes([mask | size]) if size < 126 else bytes([mask | 126]) + struct.pack(">H", size)
                 if size < 65536 else bytes([mask | 127]) + struct.pack(">Q", size))
        return head + key + (masked(payload, key) if mask else payload)

    def send(self, data, piece=0):
        """Whoever fails the connection may end it before all was sent."""
        try:
            for each in split(data, piece) if piece else [data]:
                self.socket.sendall(each)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read_frame(self):
        """First byte and payload; None at the end."""
        head = self.file.read(2)
        if not head:
            return None
        size = head[1] & 0x7f
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", self.file.read(2 if size == 126 else 8))[0]
            assert size > (125 if head[1] & 0x7f == 126 else 65535), "a length that could be shorter"
        assert bool(head[1] & 0x80) != self.client, "masked by the wrong side"
        key = None if self.client else self.file.read(4)
        payload = self.file.read(size)
        assert len(payload) == size, "cut off within a frame"
        return head[0], masked(payload, key) if key else payload

    def hear(self):
        """The next message or control frame: opcode, payload; None at the end."""
        begun, parts, packed = None, [], False
        while True:
            frame = self.read_frame()
            if frame is None:
                assert begun is None, "the end within a message"
                return None
            first, payload = frame
            opcode = first & 0x0f
            if opcode >= CLOSE:
                assert first & 0xf0 == 0x80 and begun is None
                return opcode, payload
            assert (opcode == MORE) == (begun is not None)
            if begun is None:
                begun, packed = opcode, bool(first & 0x40)
                assert not first & 0x30 and (self.terms or not packed)
            parts.append(payload)
            if first & 0x80:
                whole = b"".join(parts)
                return begun, self.terms.inflate(whole) if packed else whole

    def close(self):
        self.file.close()
        self.socket.close()


# ---------------------------------------------------------------------- handshakes

def read_head(connection):
    """The first line, and headers by lower-case name."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, data
        data += byte
    first, *lines = data.decode().split("\r\n")[:-2]
    return first, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def connect(address, offer=None, path="/"):
    """A client, which offers an extension."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), LIMIT)
    connection.sendall(("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s\r\n" %
                        (path, KEY, "Sec-WebSocket-Extensions: %s\r\n" % offer if offer else "")).encode())
    first, headers = read_head(connection)
    assert first.startswith("HTTP/1.1 101 ") and headers["sec-websocket-accept"] == accept_of(KEY)
    answer = headers.get("sec-websocket-extensions")
    return Peer(connection, True, Terms(answer, True) if answer else None)


def take_in(server, answer=None, change=lambda lines: lines):
    """A server's next client, which is answered with an extension; `change` makes a bad answer of the good one."""
    connection, _ = server.accept()
    connection.settimeout(LIMIT)
    _, headers = read_head(connection)
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Accept: " + accept_of(headers["sec-websocket-key"])]
    lines += ["Sec-WebSocket-Extensions: " + answer] if answer else []
    connection.sendall("\r\n".join(change(lines) + ["", ""]).encode())
    return Peer(connection, False, Terms(answer, False) if answer else None)
