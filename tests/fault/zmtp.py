"""The bytes of ZMTP, whole and broken: what somebody sends who is no peer, or a bad one. RFC 13, 15, 23, 37."""

import random
import socket
import struct

import zmq

from running import LIMIT

class Saying:
    """What is said to a listener: a handshake, and, once that is answered, the rest."""

    def __init__(self, handshake, rest=b""):
        self.handshake, self.rest = handshake, rest

    def __len__(self):
        return len(self.handshake) + len(self.rest)

    def cut(self, end):
        return Saying(self.handshake[:end], self.rest[:max(0, end - len(self.handshake))])


BANNERS = [Saying(banner) for banner in (
    b"GET / HTTP/1.1\r\nHost: weft\r\nUpgrade: websocket\r\n\r\n",
    b"POST /jobs HTTP/1.0\r\nContent-Length: 18446744073709551615\r\n\r\n" + b"a" * 300,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 600,     # TLS: ClientHello
    b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04weft",                 # MQTT: CONNECT
    b"*1\r\n$4\r\nPING\r\n", b"EHLO weft\r\n", b"\n", b"\0", b"\x01\x00", b"\x00" * 64, b"\xff" * 64)]
TYPES = {"PAIR": 0, "PUB": 1, "SUB": 2, "REQ": 3, "DEALER": 5, "PUSH": 8}     # in ZMTP 2.0


def greeting(mechanism=b"NULL", minor=0):
    return b"\xff" + b"\0" * 8 + b"\x7f\x03" + bytes([minor]) + mechanism.ljust(20, b"\0") + b"\0" * 32


def frame(body, more=False, command=False, size=None):
    """`size`: what the frame says that it has."""
    size = len(body) if size is None else size
    flags = more | 4 * command
    if size > 255:
        return struct.pack(">BQ", flags | 2, size) + body
    return struct.pack(">BB", flags, size) + body


def ready(kind):
    named = kind.encode()
    return frame(b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(named)) + named +
                 b"\x08Identity" + struct.pack(">I", 0), command=True)


def clear(kind, minor=0):
    """The handshake of a peer in clear text."""
    return greeting(minor=minor) + ready(kind)


def hello(server_key):
    """The greeting and the HELLO of a libzmq with a key that nobody knows: CURVE's first words."""
    public, secret = zmq.curve_keypair()
    with socket.create_server(("127.0.0.1", 0)) as server, zmq.Context() as context:
        server.settimeout(LIMIT)
        client = context.socket(zmq.DEALER)
        client.linger = 0
        client.curve_publickey, client.curve_secretkey, client.curve_serverkey = public, secret, server_key
        client.connect("tcp://127.0.0.1:%d" % server.getsockname()[1])
        with server.accept()[0] as peer:
            peer.settimeout(LIMIT)
            peer.sendall(greeting(b"CURVE")[:32] + b"\x01" + b"\0" * 31)
            said = b""
            while len(said) < 64 + 202:
                said += peer.recv(4096)
        client.close()
    return said


def conversations(kind, server_key):
    """What a peer says in ZMTP 1.0, 2.0, 3.0, 3.1, with a password and with keys, to the end of a first message."""
    message = frame(b"", more=True) + frame(b"fragment") if kind == "REQ" else frame(b"\x01fragment")
    ping = frame(b"\x04PING\x00\x64ping", command=True)
    return [
        Saying(b"\x01\x00" + b"\x09\x00fragment"),
        Saying(b"\xff" + b"\0" * 7 + b"\x01\x7f\x01" + bytes([TYPES[kind]]) + b"\0\0" + message),
        Saying(clear(kind), message),
        Saying(clear(kind, minor=1), ping + message),
        Saying(clear(kind) + message),
        Saying(greeting(b"PLAIN", minor=1) + frame(b"\x05HELLO\x01a\x01b", command=True)),
        Saying(hello(server_key) if server_key else greeting(b"CURVE") + frame(b"\x05HELLO" + b"\0" * 194)),
    ]


def garbage(number, kind):
    """Bytes without sense, which may begin with some."""
    source = random.Random(number)
    start = source.choice([b"", b"\xff", b"\xff" + b"\0" * 8 + b"\x7f", greeting(), greeting(b"CURVE"), clear(kind)])
    noise = source.randbytes(source.randrange(1, 5000))
    return Saying(start, noise) if start == clear(kind) else Saying(start + noise)


def huge(kind):
    """Frames that say they are longer than any message may be, in the handshake and after it."""
    for size in (1 << 63, (1 << 64) - 1, 1 << 62, 1 << 40, 1 << 31, (64 << 20) + 1):
        for more in (False, True):
            for text in (frame(b"x" * 100, more=more, size=size), frame(b"\x05HELLO" + b"x" * 100, more, True, size)):
                for mechanism in (b"NULL", b"CURVE", b"PLAIN"):
                    yield Saying(greeting(mechanism) + text)
                yield Saying(clear(kind), text)
    for mechanism in (b"NULL", b"CURVE"):
        yield Saying(greeting(mechanism) + frame(b"\x05READY\x0bSocket-Type\xff\xff\xff\xff", command=True))
        yield Saying(greeting(mechanism) + frame(b"\xffREADY", command=True))
