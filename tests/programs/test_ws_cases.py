"""WebSocket case by case, at the level of frames: each row is what one end sends, and what has to come back from an
echo over weft bridge ws, which listens or dials.

After its row a connection is closed in order, and whatever else came is an error. A row with a code ends by that: the
bridge has failed the connection, or answers our Close; messages before it may still be on their way to the echo
then."""

import collections
import contextlib
import random
import socket
import threading
import zlib

import pytest

from running import ANY_TCP, LIMIT, Running
from ws_peer import BINARY, CLOSE, MORE, PING, PONG, TEXT, connect, split, take_in

OK, LOSS = 0, 6
BIG = 16 << 20
PROTOCOL, NOT_TEXT, TOO_BIG = 1002, 1007, 1009

Row = collections.namedtuple("Row", "frames heard code piece")
ROWS, PACKED = [], []


def text(data=b"", last=True, reserved=0):
    return TEXT, data, last, reserved


def binary(data=b"", last=True, reserved=0):
    return BINARY, data, last, reserved


def more(data=b"", last=False, reserved=0):
    return MORE, data, last, reserved


def close(code=None, reason=b""):
    return CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason


def row(name, frames, *heard, code=None, piece=0):
    """`heard`: (opcode, payload); `code`: of the Close that ends it; `piece`: bytes that are sent at once."""
    ROWS.append(pytest.param(Row(frames, heard, code, piece), id=name))


def in_frames(opcode, payload, size):
    """A message in frames of that size."""
    parts = split(payload, size)
    return [(opcode if at == 0 else MORE, part, at == len(parts) - 1) for at, part in enumerate(parts)]


# ------------------------------------------------------------ 1: sizes of frames

for opcode, byte in ((TEXT, b"*"), (BINARY, b"\xfe")):
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
        for piece in (0, 997) if size > 997 else (0, 1):
            payload = byte * size
            row("1-%s-of-%d%s" % ("text" if opcode == TEXT else "binary", size, "-in-pieces" if piece else ""),
                [(opcode, payload)], (opcode if payload else TEXT, payload), piece=piece)

# ------------------------------------------------------------ 2: ping and pong

for piece in (0, 1):
    chopped = "-in-pieces" if piece else ""
    row("2-empty-ping" + chopped, [(PING,)], (PONG, b""), piece=piece)
    row("2-ping-with-text" + chopped, [(PING, b"Hello")], (PONG, b"Hello"), piece=piece)
    row("2-ping-with-bytes" + chopped, [(PING, b"\x00\xff\xfe\x80")], (PONG, b"\x00\xff\xfe\x80"), piece=piece)
    row("2-largest-ping" + chopped, [(PING, b"\xfe" * 125)], (PONG, b"\xfe" * 125), piece=piece)
    row("2-ping-too-large" + chopped, [(PING, b"\xfe" * 126)], code=PROTOCOL, piece=piece)
    row("2-pong-unasked" + chopped, [(PONG,), (PONG, b"what?")], piece=piece)
    row("2-pong-unasked-then-ping" + chopped, [(PONG, b"what?"), (PING, b"ping")], (PONG, b"ping"), piece=piece)
    row("2-ten-pings" + chopped, [(PING, b"%d" % i) for i in range(10)], *((PONG, b"%d" % i) for i in range(10)),
        piece=piece)

# ------------------------------------------------------------ 3: reserved bits

for reserved in range(1, 8):
    row("3-bits-%d-of-text" % reserved, [text(b"Hello", reserved=reserved)], code=PROTOCOL)
    row("3-bits-%d-after-a-message" % reserved, [text(b"one"), text(b"two", reserved=reserved), (PING,)],
        (TEXT, b"one"), code=PROTOCOL)
    row("3-bits-%d-in-pieces" % reserved, [text(b"one"), binary(b"two", reserved=reserved)], (TEXT, b"one"),
        code=PROTOCOL, piece=1)
    row("3-bits-%d-of-a-ping" % reserved, [(PING, b"", True, reserved)], code=PROTOCOL)
    row("3-bits-%d-of-a-close" % reserved, [(CLOSE, b"", True, reserved)], code=PROTOCOL)
    row("3-bits-%d-of-a-continuation" % reserved, [text(b"a", last=False), more(b"b", reserved=reserved)],
        code=PROTOCOL)

# ------------------------------------------------------------ 4: opcodes of nothing

for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    row("4-opcode-%d" % opcode, [(opcode,)], code=PROTOCOL)
    row("4-opcode-%d-with-payload" % opcode, [(opcode, b"reserved")], code=PROTOCOL)
    row("4-opcode-%d-between-messages" % opcode, [text(b"one"), (opcode, b"?"), (PING,)], (TEXT, b"one"),
        code=PROTOCOL)
    row("4-opcode-%d-in-pieces" % opcode, [text(b"one"), (opcode, b"?"), (PING,)], (TEXT, b"one"), code=PROTOCOL,
        piece=1)

# ------------------------------------------------------------ 5: fragments

row("5-ping-in-two", [(PING, b"a", False), more(b"b", last=True)], code=PROTOCOL)
row("5-pong-in-two", [(PONG, b"a", False), more(b"b", last=True)], code=PROTOCOL)
row("5-close-in-two", [(CLOSE, b"\x03\xe8", False)], code=PROTOCOL)
for piece in (0, 1):
    chopped = "-in-pieces" if piece else ""
    two, five = (TEXT, b"fragment1fragment2"), [b"fragment%d" % i for i in range(5)]
    row("5-two" + chopped, in_frames(*two, 9), two, piece=piece)
    row("5-ping-between-two" + chopped, [text(b"fragment1", last=False), (PING, b"ping"), more(b"fragment2", True)],
        (PONG, b"ping"), two, piece=piece)
    row("5-five-and-pings" + chopped,
        [frame for i, part in enumerate(five)
         for frame in (((MORE if i else TEXT), part, i == 4), (PING, b"%d" % i))],
        *((PONG, b"%d" % i) for i in range(5)), (TEXT, b"".join(five)), piece=piece)
    row("5-nothing-to-continue" + chopped, [more(b"not begun", last=True), text(b"Hello")], code=PROTOCOL, piece=piece)
    row("5-nothing-to-continue-yet" + chopped, [more(b"not begun"), text(b"Hello")], code=PROTOCOL, piece=piece)
    row("5-continued-after-its-end" + chopped, in_frames(*two, 9) + [more(b"3", last=True)], two, code=PROTOCOL,
        piece=piece)
    row("5-text-within-text" + chopped, [text(b"a", last=False), text(b"b")], code=PROTOCOL, piece=piece)
    row("5-binary-within-text" + chopped, [text(b"a", last=False), binary(b"b", last=False)], code=PROTOCOL,
        piece=piece)
row("5-nothing-in-three", [text(last=False), more(), more(last=True)], (TEXT, b""))
row("5-something-between-nothing", [text(last=False), more(b"here"), more(last=True)], (TEXT, b"here"))
row("5-a-message-after-another", in_frames(TEXT, b"one two", 2) + in_frames(BINARY, b"\xff\xfe\xfd", 1) + [text(b"3")],
    (TEXT, b"one two"), (BINARY, b"\xff\xfe\xfd"), (TEXT, b"3"))
row("5-a-thousand", in_frames(TEXT, b"0123456789" * 100, 1), (TEXT, b"0123456789" * 100))

# ------------------------------------------------------------ 6: UTF-8 (RFC 3629, section 3 and 4)

GOOD = ["", "Hello", "\u03ba\u1f79\u03c3\u03bc\u03b5", "\u20ac1", "\0", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff",
        "\ue000", "\ufdd0", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0001f600", "\U0001fffe", "\U000fffff",
        "\U00100000", "\U0010ffff", "a\u0308\u0300", "\u200d\ufeff\u202e", "all \u00e9 \u20ac \U0001f600 of them"]

BAD = {
    "continuation": [b"\x80", b"\xbf", b"\x80\xbf", b"a\x80b", b"\xe2\x82\xac\xac"],
    "nothing-that-begins": [b"\xc0", b"\xc1", b"\xf5", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe",
                            b"\xff", b"\xfe\xfe\xff\xff"],
    "too-long": [b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf",
                 b"\xf0\x8f\xbf\xbf"],
    "surrogate": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80"],
    "beyond-the-last": [b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf"],
    "not-whole": [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"a\xe2\x82b", b"\xf0\x9f\x98a", b"\xc3\xc3", b"\xe2\x28\xa1",
                  b"\xf0\x9f\xe2\x82\xac"],
}

for number, good in enumerate(GOOD):
    data = good.encode("utf-8", "surrogatepass")
    row("6-good-%d" % number, [text(data)], (TEXT, data))
    row("6-good-%d-in-frames" % number, in_frames(TEXT, data, 1), (TEXT, data))
    row("6-good-%d-in-pieces" % number, [text(b"-" + data)], (TEXT, b"-" + data), piece=1)
for kind, found in BAD.items():
    for number, data in enumerate(found):
        name = "6-bad-%s-%d" % (kind, number)
        row(name, [text(b"ok " + data)], code=NOT_TEXT)
        row(name + "-in-frames", in_frames(TEXT, b"ok " + data, 1), code=NOT_TEXT)
        row(name + "-in-pieces", [text(b"ok " + data + b" ok")], code=NOT_TEXT, piece=1)
        row(name + "-as-binary", [binary(data)], (BINARY, data))
# Told at the first byte that cannot be mended, while the rest of the message is awaited.
row("6-at-once-in-a-frame", [text(b"\xce\xba\xf4\x90", last=False)], code=NOT_TEXT)
row("6-at-once-in-the-second-frame", [text(b"\xce", last=False), more(b"\xba\xed\xa0")], code=NOT_TEXT)
row("6-at-once-between-frames", [text(b"\xf4", last=False), (PING,), more(b"\x90")], (PONG, b""), code=NOT_TEXT)
row("6-half-of-one-at-the-end", [text(b"\xf0\x9f", last=False), more(b"\x98", last=True)], code=NOT_TEXT)
row("6-many", [text(("\u20ac" * 20000).encode())], (TEXT, ("\u20ac" * 20000).encode()))

# ------------------------------------------------------------ 7: the end

row("7-nothing-but-the-end", [])
row("7-close-without-code", [close()], code=0)
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
    row("7-code-%d" % code, [close(code)], code=code)
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32767, 65535):
    row("7-no-code-%d" % code, [close(code)], code=PROTOCOL)
row("7-half-a-code", [(CLOSE, b"\x03")], code=PROTOCOL)
row("7-reason", [close(1000, b"bye")], code=1000)
row("7-longest-reason", [close(1000, b"*" * 123)], code=1000)
row("7-reason-too-long", [close(1000, b"*" * 124)], code=PROTOCOL)
row("7-reason-that-is-no-text", [close(1000, b"\xce\xba\xed\xa0\x80")], code=NOT_TEXT)
row("7-reason-cut-off", [close(1000, b"\xe2\x82")], code=NOT_TEXT)
row("7-close-after-a-message", [text(b"last"), close(1000)], (TEXT, b"last"), code=1000)
row("7-close-within-a-message", [text(b"begun", last=False), close(1000)], code=1000)
row("7-close-twice", [close(1000), close(1001)], code=1000)
row("7-ping-after-close", [close(1000), (PING, b"too late")], code=1000)
row("7-text-after-close", [close(1000), text(b"too late")], code=1000)
row("7-rest-of-a-message-after-close", [text(b"begun", last=False), close(1000), more(b"too late", True)], code=1000)
row("7-rubbish-after-close", [close(1000), (15, b"\xff", False, 7)], code=1000)
row("7-much-before-close", [binary(b"\xfe" * (256 << 10)), close(1000)], (BINARY, b"\xfe" * (256 << 10)), code=1000)

# ------------------------------------------------------------ 9: large, and many

for opcode, byte in ((TEXT, b"*"), (BINARY, b"\xfe")):
    kind = "text" if opcode == TEXT else "binary"
    for size in (256 << 10, 4 << 20, BIG):
        row("9-%s-of-%dK" % (kind, size >> 10), [(opcode, byte * size)], (opcode, byte * size))
    for part in (64, 1024, 16 << 10):
        data = byte * (1 << 20)
        row("9-%s-in-frames-of-%d" % (kind, part), in_frames(opcode, data, part), (opcode, data))
        row("9-%s-in-pieces-of-%d" % (kind, part), [(opcode, data)], (opcode, data), piece=part)
    for size in (0, 125, 4096):
        data = byte * size
        row("9-a-thousand-%s-of-%d" % (kind, size), [(opcode, data)] * 1000,
            *[(opcode if data else TEXT, data)] * 1000)
row("9-above-the-limit", [binary(b"\xfe" * (BIG + 1))], code=TOO_BIG)
row("9-above-the-limit-in-frames", in_frames(BINARY, b"\xfe" * (BIG + 1), 1 << 20), code=TOO_BIG)

# ------------------------------------------------------------ 10: fragments as a library makes them

for part in (1300, 8192):
    row("10-in-frames-of-%d" % part, in_frames(TEXT, b"*" * 65536, part), (TEXT, b"*" * 65536))


# ---------------------------------------------------------------------- both ends

class Bridges:
    """Echoes by their options, started when one is asked for. A bridge that dials has a server of ours."""

    def __init__(self):
        self.running, self.listening, self.dialled = Running(), {}, {}

    def start(self, where, *options):
        rep = self.running.start("rep", ANY_TCP, "--echo")
        return self.running.start("bridge", "ws", *where, "--req", rep.endpoint, "--max-size", "16M", "--ws-ping", "0",
                                  *options)

    def listens(self, offer=None, options=()):
        if options not in self.listening:
            program = self.start(["--listen", "127.0.0.1:0"], *options)
            ready = program.expect_talk(r"ws listening on (\S+)")
            self.listening[options] = program, ready.group(1).decode()
        return connect(self.listening[options][1], offer)

    def dials(self, answer=None, options=(), **change):
        if options not in self.dialled:
            server = socket.create_server(("127.0.0.1", 0))
            server.settimeout(LIMIT)
            program = self.start(["--dial", "ws://127.0.0.1:%d/" % server.getsockname()[1], "--reconnect", "1ms",
                                  "--reconnect-max", "1ms"], *options)
            self.dialled[options] = program, server
        return take_in(self.dialled[options][1], answer, **change)

    def end(self):
        """None of them has come to harm."""
        try:
            for _, server in self.dialled.values():
                server.close()
            for program, _ in [*self.listening.values(), *self.dialled.values()]:
                program.signal()
                assert program.wait() in (OK, LOSS), program.talk.data
        finally:
            self.running.end()


@pytest.fixture(scope="module")
def bridges():
    found = Bridges()
    yield found
    found.end()


@contextlib.contextmanager
def sending(peer, data, piece):
    """While what comes back is read: neither end waits for the other."""
    thread = threading.Thread(target=peer.send, args=(data, piece), daemon=True)
    thread.start()

    def sent():
        thread.join(LIMIT)
        assert not thread.is_alive()
    yield sent
    sent()


def listen(peer, wanted, ends, sent):
    """What comes until a Close: messages, Pongs, the Close. Asks for that when all is there, unless it comes anyway."""
    heard, asked = ([], []), False
    while True:
        if not ends and not asked and len(heard[0]) + len(heard[1]) == wanted:
            asked = True
            sent()
            peer.send(peer.frame(CLOSE, b"\x03\xe8"))
        event = peer.hear()
        assert event, "the end without a Close"
        opcode, payload = event
        if opcode == CLOSE:
            return *heard, int.from_bytes(payload[:2], "big")
        heard[opcode == PONG].append(event)


def play(peer, case, frames):
    """`case.code` None: it is closed in order when all has come back."""
    ends = case.code is not None
    with sending(peer, b"".join(frames), case.piece) as sent:
        messages, pongs, code = listen(peer, len(case.heard), ends, sent)
    wanted = [event for event in case.heard if event[0] != PONG]
    assert code == (case.code if ends else 1000)
    assert pongs == [event for event in case.heard if event[0] == PONG]
    assert messages == (wanted[:len(messages)] if ends else wanted)
    if ends and not any(frame[0] == CLOSE for frame in case.frames):
        peer.send(peer.frame(CLOSE, b""))
    assert peer.hear() is None
    peer.close()


@pytest.mark.parametrize("case", ROWS)
@pytest.mark.parametrize("way", ["listens", "dials"])
def test_frames(bridges, way, case):
    peer = getattr(bridges, way)()
    play(peer, case, [peer.frame(*frame) for frame in case.frames])


# ---------------------------------------------------- 12 and 13: permessage-deflate

CONTEXT, FORGETS, NARROW = (("--compress", "context", "--compress-min", "0"),
                            ("--compress", "yes", "--compress-min", "0"),
                            ("--compress", "context", "--compress-min", "0", "--compress-window", "9"))
NAME = "permessage-deflate"


def listening(offer, options=CONTEXT, **agreed):
    PACKED.append(pytest.param("listens", NAME + offer, options, agreed, id="listens-%s%s" % (options[1], offer)))


def dialling(answer, options=CONTEXT):
    PACKED.append(pytest.param("dials", NAME + answer, options, {}, id="dials-%s%s" % (options[1], answer)))


listening("")
listening("; server_no_context_takeover", they_forget=True)
listening("; client_no_context_takeover", forgets=True)
listening("; server_max_window_bits=9; client_max_window_bits", their_bits=9, bits=15)
listening("; server_max_window_bits=15; client_max_window_bits=15", their_bits=15)
listening("; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9", they_forget=True,
          forgets=True, their_bits=9)
listening("; server_max_window_bits=8", their_bits=8)
listening("; client_max_window_bits=10", bits=10)
listening("; what=ever, permessage-deflate; server_max_window_bits=10, permessage-deflate", their_bits=10)
listening("; server_max_window_bits=16, permessage-deflate", their_bits=15)
listening("; client_max_window_bits", FORGETS, they_forget=True, forgets=True)
listening("; client_max_window_bits", NARROW, their_bits=9, bits=9)
dialling("")
dialling("; server_no_context_takeover")
dialling("; client_no_context_takeover; client_max_window_bits=9")
dialling("; server_max_window_bits=10; client_max_window_bits=15")
dialling("; server_no_context_takeover; client_no_context_takeover", FORGETS)
dialling("; server_max_window_bits=9; client_max_window_bits=9", NARROW)


def words(size, seed=1):
    """Text that can be compressed, and differs from message to message."""
    chosen = random.Random(seed)
    return b" ".join(b'{"name": "%x", "value": %d}' % (chosen.getrandbits(12), chosen.getrandbits(9))
                     for _ in range(size // 24 + 1))[:size]


def noise(size, seed=1):
    """Bytes that cannot; no UTF-8."""
    return b"\xff" * min(size, 1) + random.Random(seed).randbytes(max(size - 1, 0))


def packed(peer, opcode, payload, part=0):
    """The frames of a compressed message."""
    frames = in_frames(opcode, peer.terms.deflate(payload), part or BIG)
    return [peer.frame(*frame, 4 if at == 0 else 0) for at, frame in enumerate(frames)]


def round_trip(peer, messages, part=0):
    frames = [frame for opcode, payload in messages for frame in packed(peer, opcode, payload, part)]
    play(peer, Row([], messages, None, 0), frames)


@pytest.mark.parametrize("way, terms, options, agreed", PACKED)
def test_compressed(bridges, way, terms, options, agreed):
    def peer():
        made = getattr(bridges, way)(terms, options)
        assert all(getattr(made.terms, name) == value for name, value in agreed.items()), vars(made.terms)
        return made

    round_trip(peer(), [(TEXT, words(16 + i % 1000, i)) for i in range(1000)])
    round_trip(peer(), [(TEXT, words(131072, i)) for i in range(20)], part=4096)
    round_trip(peer(), [(TEXT, words(8192, i)) if i % 2 else (BINARY, noise(8192, i)) for i in range(100)], part=256)
    round_trip(peer(), [(TEXT, b""), (TEXT, words(1 << 20)), (TEXT, b""), (BINARY, noise(70000))])


def test_a_thousand_of_each_size(bridges):
    for size in (16, 64, 256, 1024, 4096):
        round_trip(bridges.listens(NAME, CONTEXT), [(TEXT, words(size, i % 50)) for i in range(1000)])


def test_a_thousand_in_frames(bridges):
    round_trip(bridges.listens(NAME, CONTEXT), [(TEXT, words(8192, i % 50)) for i in range(1000)], part=256)


def stored(payload):
    """A block that is not compressed."""
    return b"\x00" + len(payload).to_bytes(2, "little") + (len(payload) ^ 0xffff).to_bytes(2, "little") + payload


def final(payload):
    """A last block, and an empty one after it, as in section 7.2.3.4."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(payload) + deflater.flush() + b"\x00"


HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"     # section 7.2.3.1
BLOCKS = [
    ("of-the-rfc", [(TEXT, HELLO, True, 4)], [(TEXT, b"Hello")], None),
    ("with-its-context", [(TEXT, HELLO, True, 4), (TEXT, b"\xf2\x00\x11\x00\x00", True, 4)], [(TEXT, b"Hello")] * 2,
     None),
    ("in-two-frames", [(TEXT, HELLO[:3], False, 4), (PING,), (MORE, HELLO[3:], True)], [(PONG, b""), (TEXT, b"Hello")],
     None),
    ("not-compressed-between", [(TEXT, HELLO, True, 4), (TEXT, b"plain"), (TEXT, b"\xf2\x00\x11\x00\x00", True, 4)],
     [(TEXT, b"Hello"), (TEXT, b"plain"), (TEXT, b"Hello")], None),
    ("stored", [(BINARY, stored(b"\xffstored") + b"\x00", True, 4)], [(BINARY, b"\xffstored")], None),
    ("final", [(TEXT, final(b"final"), True, 4)], [(TEXT, b"final")], None),
    ("nothing", [(TEXT, b"\x00", True, 4)], [(TEXT, b"")], None),
    ("no-deflate", [(TEXT, b"\xff\xff\xff", True, 4)], [], NOT_TEXT),
    ("not-from-the-window", [(TEXT, b"\xf2\x00\x11\x00\x00", True, 4)], [], NOT_TEXT),
    ("text-that-is-none", [(TEXT, stored(b"\xe2\x28\xa1") + b"\x00", True, 4)], [], NOT_TEXT),
    ("bit-of-a-continuation", [(TEXT, HELLO[:3], False, 4), (MORE, HELLO[3:], True, 4)], [], PROTOCOL),
    ("bit-of-a-ping", [(PING, b"", True, 4)], [], PROTOCOL),
    ("other-bits", [(TEXT, HELLO, True, 6)], [], PROTOCOL),
]


@pytest.mark.parametrize("frames, heard, code", [pytest.param(*block, id=name) for name, *block in BLOCKS])
def test_blocks(bridges, frames, heard, code):
    peer = bridges.listens(NAME, CONTEXT)
    play(peer, Row(frames, heard, code, 0), [peer.frame(*frame) for frame in frames])


def test_what_unpacks_to_too_much(bridges):
    peer = bridges.listens(NAME, CONTEXT)
    play(peer, Row([], [], TOO_BIG, 0), packed(peer, BINARY, bytes(BIG + 1)))


# ------------------------------------------------------------------ bad answers

@pytest.mark.parametrize("number, line", [
    (0, "HTTP/1.1 200 OK\r\nContent-Length: 0"), (1, "Upgrade: h2c"), (1, "X: websocket"), (2, "Connection: close"),
    (3, "Sec-WebSocket-Accept: aGVsbG8="), (3, "X: y"), (3, "Sec-WebSocket-Protocol: none-was-offered"),
    (4, "Sec-WebSocket-Extensions: bzip2"), (4, "Sec-WebSocket-Extensions: permessage-deflate; what=ever"),
    (4, "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16"),
    (4, "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate")])
def test_an_answer_that_is_none(bridges, number, line):
    """Nothing but the end comes after it, and the server is dialled again."""
    keep = number in (3,) and "Protocol" in line
    peer = bridges.dials(options=CONTEXT, change=lambda lines: lines[:number + keep] + [line] + lines[number + 1:])
    assert peer.hear() is None
    peer.close()
