"""weft bridge ws, both ends of it, as Node's ws sees them: node/ws.js is a socket of it, driven by lines."""

import json
import os
import re

import pytest

from lines import Peer
from running import ANY_TCP, LIMIT

ANY = "127.0.0.1:0"
OK, LOSS = 0, 6
SIZES = (0, 1, 125, 126, 65535, 65536, 300000)
LARGE = os.urandom(1 << 20)


class Socket(Peer):
    """What it tells is what happens: opened, heard, closed."""

    def next(self):
        return json.loads(self.next_line())

    def heard(self):
        """The next message: text or bytes."""
        kind, data = self.next()
        return bytes.fromhex(data).decode() if kind == "text" else (kind == "binary" and bytes.fromhex(data))

    def tell(self, command, *words):
        self.program.write((" ".join([command, *words]) + "\n").encode())

    def say(self, *parts):
        """A message, of a frame for each part."""
        kind = "text" if isinstance(parts[0], str) else "binary"
        self.tell(kind, *((part.encode() if kind == "text" else part).hex() or "-" for part in parts))

    def close(self, code, reason=""):
        self.tell("close", str(code), reason.encode().hex() or "-")


@pytest.fixture
def connect(weft, node):
    """connect (bridge, path, options of ws): a client, and what it told first."""
    def run(bridge, path="/", **options):
        url = "ws://%s%s" % (listening(bridge), path)
        socket = Socket(weft, node("ws", "ws.js"), "connect", url, json.dumps(options))
        return socket, socket.next()
    return run


@pytest.fixture
def server(weft, node):
    """server (options of ws): one that listens; its connections are told when they are opened."""
    return lambda **options: Socket(weft, node("ws", "ws.js"), "listen", json.dumps(options))


def listening(program, what="ws"):
    return program.expect_talk(r"weft bridge: %s listening on (\S+)\n" % what).group(1).decode()


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


@pytest.fixture
def bridge(weft):
    return lambda *arguments: weft.start("bridge", "ws", "--listen", ANY, *arguments)


@pytest.fixture
def echo(weft, bridge):
    rep = weft.start("rep", ANY_TCP, "--echo")
    return lambda *arguments: bridge("--req", rep.endpoint, *arguments)


# ----------------------------------------------------------------------- a server's side

COMPRESSION = {
    "none": ([], {}, ""),
    "not asked for": (["--compress", "yes"], {}, ""),
    "not given": ([], {"perMessageDeflate": True}, ""),
    "each alone": (["--compress", "yes", "--compress-min", "0"], {"perMessageDeflate": {"threshold": 0}},
                   "permessage-deflate"),
    "in context": (["--compress", "context", "--compress-min", "0"], {"perMessageDeflate": {"threshold": 0}},
                   "permessage-deflate"),
    "small windows": (["--compress", "context", "--compress-min", "0", "--compress-window", "10"],
                      {"perMessageDeflate": {"threshold": 0, "serverMaxWindowBits": 12, "clientMaxWindowBits": 11,
                                             "serverNoContextTakeover": True}}, "permessage-deflate"),
}


@pytest.mark.parametrize("options, of_node, agreed", COMPRESSION.values(), ids=COMPRESSION.keys())
def test_text_and_binary_of_every_size_come_back(echo, connect, options, of_node, agreed):
    program = echo(*options)
    client, opened = connect(program, **of_node)
    assert opened == ["open", "", agreed]
    for size in SIZES:
        for message in ("ü" * (size // 2), os.urandom(size // 2) + b"\xff" + b"x" * (size // 2)):
            client.say(message)
            assert client.heard() == message
    client.close(1000)
    assert client.next() == ["close", 1000, ""]
    ended(program)


@pytest.mark.parametrize("how", ["none", "each alone", "small windows"])
def test_a_large_message_of_many_frames_is_one(echo, connect, how):
    options, of_node, _ = COMPRESSION[how]
    program = echo("--max-size", "2M", *options)
    client, _ = connect(program, **of_node)
    parts = [LARGE[at:at + 50000] for at in range(0, len(LARGE), 50000)]
    client.say(*parts)
    assert client.heard() == LARGE
    client.tell("text", "e2", "-", "82ac")
    assert client.heard() == "\u20ac"
    ended(program)


def test_a_subprotocol_is_agreed_on(bridge, connect):
    program = bridge("--relay", "--subprotocol", "v2", "--subprotocol", "v1")
    assert connect(program, protocols=["x", "v1", "v2"])[1] == ["open", "v2", ""]
    assert connect(program, protocols=["v1"])[1] == ["open", "v1", ""]
    assert connect(program)[1] == ["open", "", ""]
    ended(program)


PONG_AND_PING = [["pong", b"you?".hex()], ["ping", ""]]


def test_a_ping_is_answered_by_either(bridge, connect):
    program = bridge("--relay", "--ws-ping", "1s")
    client, _ = connect(program)
    client.tell("ping", b"you?".hex())
    assert sorted([client.next(), client.next()]) == sorted(PONG_AND_PING)
    ended(program)


def test_who_answers_no_ping_is_let_go(bridge, connect):
    program = bridge("--relay", "--ws-ping", "50ms")
    client, _ = connect(program, autoPong=False)
    assert [client.next(), client.next()] == [["ping", ""], ["close", 1006, ""]]
    ended(program)


@pytest.mark.parametrize("code", [1000, 4999])
def test_a_close_is_answered(bridge, connect, code):
    program = bridge("--relay")
    client, _ = connect(program)
    client.close(code, "bye")
    assert client.next() == ["close", code, ""]
    ended(program)


def test_why_it_was_closed_is_told(bridge, echo, connect):
    program = echo("--max-size", "1K")
    client, _ = connect(program)
    client.say(bytes(1025))
    assert client.next()[:2] == ["close", 1009]
    client, _ = connect(program)
    client.tell("text", "ff")
    assert client.next()[:2] == ["close", 1007]
    ended(program)

    program = bridge("--sub", "@" + ANY_TCP)
    client, _ = connect(program, "/sub")
    client.say("hello")
    kind, code, reason = client.next()
    assert (kind, code) == ("close", 1008) and "only gives" in reason
    ended(program)


def test_clients_are_told_that_the_bridge_goes(bridge, connect):
    program = bridge("--relay")
    client, _ = connect(program)
    ended(program)
    assert client.next() == ["close", 1001, ""]


def test_a_client_that_is_killed_harms_no_other(bridge, connect):
    program = bridge("--relay")
    dead, (one, _), (two, _) = connect(program)[0], connect(program), connect(program)
    dead.say("last words")
    assert [one.heard(), two.heard()] == ["last words"] * 2
    dead.tell("kill")
    assert dead.next()[:2] == ["close", 1006]
    one.say("go on")
    assert two.heard() == "go on"
    ended(program)


@pytest.mark.parametrize("path, options, status", [("/nothing", {}, 404), ("/req", {}, 404), ("/?what=1", {}, 400),
                                                   ("/", {"origin": "http://evil.example"}, 403)])
def test_refusals_have_a_status(bridge, connect, path, options, status):
    program = bridge("--relay")
    assert connect(program, path, **options)[1] == ["refused", status]
    ended(program)


def test_paths_say_what_a_connection_is_for(weft, bridge, connect):
    """One listener for all four; what subscriptions need to get through nobody tells: it is said until it is heard."""
    rep, pull = weft.start("rep", ANY_TCP, "--echo"), weft.start("pull", ANY_TCP)
    program = bridge("--req", rep.endpoint, "--push", pull.endpoint, "--pub", "@inproc://bus", "--sub", ">inproc://bus")
    asks, pushes = connect(program, "/req")[0], connect(program, "/push")[0]
    says, other = connect(program, "/pub?topic=news%2Fhere")[0], connect(program, "/pub?topic=sport")[0]
    hears = connect(program, "/sub?topic=news%2F&topic=end")[0]
    asks.say("what?")
    assert asks.heard() == "what?"
    pushes.say(b"\x00\xff")
    pull.expect(b"\x00\xff\n")
    said = re.compile(r'\["text","[0-9a-f]+"\]\n'.encode())
    while not said.search(hears.program.out.data):
        other.say("no")
        says.say("yes")
        asks.say("go on")           # no wait without an event: a round trip
        asks.heard()
    assert hears.heard() == "yes"
    ended(program)


# ----------------------------------------------------------------------- a client's side

@pytest.fixture
def dialled(weft, server):
    """dialled (options of ws, option of the bridge, ...): a server, its bridge, and what the server told first."""
    def run(of_node, *arguments, path="/ticks?of=day"):
        there = server(**of_node)
        program = weft.start("bridge", "ws", "--dial", "ws://%s%s" % (there.endpoint, path), "--reconnect", "10ms",
                             *arguments)
        return there, program, there.next()
    return run


DIALLED = {
    "none": ([], {}, ""),
    "not given": (["--compress", "yes"], {}, ""),
    "each alone": (["--compress", "yes", "--compress-min", "0"], {"perMessageDeflate": {"threshold": 0}},
                   "permessage-deflate"),
    "in context": (["--compress", "context", "--compress-min", "0"],
                   {"perMessageDeflate": {"threshold": 0, "serverMaxWindowBits": 10}}, "permessage-deflate"),
}


@pytest.mark.parametrize("options, of_node, agreed", DIALLED.values(), ids=DIALLED.keys())
def test_a_server_is_dialled(weft, dialled, options, of_node, agreed):
    pull = weft.start("pull", ANY_TCP, "--len32")
    there, program, opened = dialled(of_node, "--push", pull.endpoint, "--pull", "@" + ANY_TCP, "--max-size", "2M",
                                     *options)
    assert opened == ["open", "", agreed, "/ticks?of=day"]
    messages = [b"", b"text", bytes(range(256)), b"x" * 70000, LARGE]
    for message in messages[:4]:
        there.say(message)
    there.say(*(LARGE[at:at + 100000] for at in range(0, len(LARGE), 100000)))
    pull.expect(b"".join(len(message).to_bytes(4, "big") + message for message in messages))
    push = weft.start("push", listening(program, "pull"), "--len32", input=pull.out.data)
    for message in messages:
        heard = there.heard()
        assert (heard.encode() if isinstance(heard, str) else heard) == message
    assert push.wait() == OK
    ended(program)


def test_what_is_utf8_comes_as_text(weft, dialled):
    there, program, _ = dialled({}, "--pull", "@" + ANY_TCP)
    assert weft.run("push", listening(program, "pull"), "--hex", input=b"e282ac\nff\n")[0] == OK
    assert [there.heard(), there.heard()] == ["\u20ac", b"\xff"]
    ended(program)


def test_a_subprotocol_is_offered(dialled):
    _, program, opened = dialled({"protocols": ["v1"]}, "--relay", "--subprotocol", "v2", "--subprotocol", "v1")
    assert opened == ["open", "v1", "", "/ticks?of=day"]
    ended(program)


def test_a_server_that_pings_is_answered_and_pinged(dialled):
    there, program, _ = dialled({}, "--relay", "--ws-ping", "1s")
    there.tell("ping", b"you?".hex())
    assert sorted([there.next(), there.next()]) == sorted(PONG_AND_PING)
    ended(program)
    assert there.next() == ["close", 1001, ""]


@pytest.mark.parametrize("end", [("close", "1001", "-"), ("kill",)])
def test_a_server_that_goes_is_dialled_again(weft, dialled, end):
    pull = weft.start("pull", ANY_TCP)
    there, program, first = dialled({}, "--push", pull.endpoint)
    there.say("one")
    pull.out.wait(lambda data: data == b"one\n", "the first message")
    there.tell(*end)
    assert there.next()[0] == "close"
    assert there.next() == first
    there.say("two")
    pull.expect(b"one\ntwo\n")
    ended(program)


def test_a_server_answers_requests(weft, dialled):
    _, program, _ = dialled({"echo": True}, "--rep", "@" + ANY_TCP)
    done = weft.run("req", listening(program, "rep"), "-d", "what?", "-d", "really?", limit=LIMIT)
    assert done == (OK, b"what?\nreally?\n", "")
    ended(program)
