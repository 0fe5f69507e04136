"""weft bridge ws, as Python's websockets sees it from both ends, and bare sockets with half a handshake or a frame."""

import asyncio
import re
import socket
import struct

import pytest

import ws_peer
from running import ANY_TCP, LIMIT, until

websockets = pytest.importorskip("websockets")

ANY = "127.0.0.1:0"
OK, USAGE, LOSS = 0, 2, 6
LARGE = b"\xff" * (24 << 20)        # more than the system keeps of a connection
HELLO = (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def listening(program, what="ws"):
    pattern = rb"weft bridge: " + what.encode() + rb" listening on (\S+)\n"
    return program.talk.wait(lambda talk: re.search(pattern, talk), "the ready line of " + what).group(1).decode()


def connect(address, path="/", **options):
    return websockets.connect("ws://%s%s" % (address, path), max_size=None, open_timeout=LIMIT, **options)


def within_limit(test):
    """The body of a test, which may wait."""
    asyncio.run(asyncio.wait_for(test, LIMIT))


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


@pytest.fixture
def bridge(weft):
    return lambda *arguments: weft.start("bridge", "ws", *arguments)


@pytest.fixture
def echo(weft, bridge):
    rep = weft.start("rep", ANY_TCP, "--echo")
    return lambda *arguments: bridge("--listen", ANY, "--req", rep.endpoint, *arguments)


# ------------------------------------------------------------------------ messages

@pytest.mark.parametrize("arguments", [[], ["--compress", "yes", "--compress-min", "0"],
                                       ["--compress", "context", "--compress-window", "10"]])
def test_text_and_binary_of_every_size_come_back(echo, arguments):
    async def body():
        async with connect(listening(program)) as client:
            assert bool(client.extensions) == bool(arguments)
            for size in (0, 1, 125, 126, 65535, 65536, 300000):
                await client.send("x" * size)
                assert await client.recv() == "x" * size
                await client.send(b"\xff" * size)
                assert await client.recv() == (b"\xff" * size if size else "")
            await client.send(["parts", " of ", "\u20ac"])
            assert await client.recv() == "parts of \u20ac"
            await (await client.ping(b"there?"))

    program = echo("--max-size", "1M", *arguments)
    within_limit(body())
    ended(program)


def test_what_is_empty_is_not_the_large_one_before(echo):
    async def body():
        async with connect(listening(program)) as client:
            for text in ("x" * 1100000, ""):
                await client.send(text)
                assert await client.recv() == text

    program = echo("--max-size", "2M", "--compress", "yes", "--compress-min", "0")
    within_limit(body())
    ended(program)


def test_all_is_binary_when_that_is_asked_for(echo):
    async def body():
        async with connect(listening(program)) as client:
            await client.send("text")
            assert await client.recv() == b"text"

    program = echo("--binary")
    within_limit(body())
    ended(program)


def test_what_one_says_all_others_hear(bridge):
    async def body():
        address = listening(program)
        async with connect(address) as one, connect(address) as two, connect(address, "/relay") as three:
            await one.send("hello")
            assert [await two.recv(), await three.recv()] == ["hello", "hello"]
            await three.send("you")
            assert [await one.recv(), await two.recv()] == ["you", "you"]

    program = bridge("--listen", ANY, "--relay")
    within_limit(body())
    ended(program)


# --------------------------------------------------------------------------- paths

def test_paths_say_what_a_connection_is_for(bridge):
    async def body():
        address = listening(program)
        async with connect(address, "/sub?topic=a&topic=b%2F") as some, connect(address, "/sub") as everything:
            async with connect(address, "/pub?topic=a1") as a, connect(address, "/pub?topic=b/x") as b, \
                    connect(address, "/pub?topic=c") as c:
                # What subscriptions need to get through nobody tells: the last one is there when its message is.
                async def heard(to, publisher, text):
                    while True:
                        await publisher.send(text)
                        try:
                            return await asyncio.wait_for(to.recv(), 0.1)
                        except asyncio.TimeoutError:
                            pass

                assert await heard(everything, c, "c") == "c"
                assert await heard(some, a, "a") == "a"
                assert await heard(some, b, "b") == "b"

    endpoint = "inproc://bus"
    program = bridge("--listen", ANY, "--pub", "@" + endpoint, "--sub", ">" + endpoint)
    within_limit(body())
    ended(program)


def test_a_path_that_only_gives_takes_nothing(bridge):
    async def body():
        async with connect(listening(program), "/sub") as client:
            await client.send("hello")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.code == 1008 and "only gives" in closed.value.reason

    program = bridge("--listen", ANY, "--sub", "@" + ANY_TCP)
    within_limit(body())
    ended(program)


# ------------------------------------------------------------------------ refusals

@pytest.mark.parametrize("path, headers, status, words", [
    ("/nothing", {}, 404, b"/pub?topic="), ("/push", {}, 404, b"--push"), ("/?what=1", {}, 400, b"topic="),
    ("/", {"Origin": "http://evil.example"}, 403, b"--allow-origin http://evil.example")])
def test_refusals_say_why(bridge, path, headers, status, words):
    async def body():
        with pytest.raises(websockets.InvalidStatusCode) as refused:
            async with connect(listening(program), path, extra_headers=headers):
                pass
        assert refused.value.status_code == status

    program = bridge("--listen", ANY, "--relay")
    within_limit(body())
    request = b"GET %s HTTP/1.1\r\n" % path.encode() + HELLO.split(b"\r\n", 1)[1][:-2]
    request += b"".join(b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in headers.items()) + b"\r\n"
    assert words in answer_to(program, request)
    ended(program)


def answer_to(program, request, end=False):
    host, port = listening(program).split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(request)
        if end:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("change, status", [
    ((b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"), b"426"),
    ((b"Upgrade: websocket\r\n", b""), b"426"), ((b"GET", b"POST"), b"400"), ((b"HTTP/1.1", b"HTTP/1.0"), b"400"),
    ((b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), b"400"), ((b"GET / ", b"GET /  "), b"400"),
    ((b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: a b\r\n\r\n"), b"400")])
def test_half_of_a_handshake_is_none(bridge, change, status):
    program = bridge("--listen", ANY, "--relay")
    found = answer_to(program, HELLO.replace(*change))
    assert found.startswith(b"HTTP/1.1 " + status), found
    assert b"101" not in found
    ended(program)


def test_who_says_nothing_gets_nothing(bridge):
    program = bridge("--listen", ANY, "--relay")
    assert answer_to(program, HELLO[:40], end=True) == b""
    ended(program)


def test_origins_that_are_allowed_are(bridge):
    async def body():
        async with connect(listening(program), extra_headers={"Origin": "https://page.example"}):
            pass

    program = bridge("--listen", ANY, "--relay", "--allow-origin", "https://page.example")
    within_limit(body())
    ended(program)


def test_a_subprotocol_is_agreed_on(bridge):
    async def body():
        address = listening(program)
        async with connect(address, subprotocols=["x", "v1", "v2"]) as client:
            assert client.subprotocol == "v2"
        async with connect(address, subprotocols=["x"]) as client:
            assert client.subprotocol is None

    program = bridge("--listen", ANY, "--relay", "--subprotocol", "v2", "--subprotocol", "v1")
    within_limit(body())
    ended(program)


# ------------------------------------------------------------------------- the end

def test_a_message_that_is_too_big_is_refused_by_its_head(bridge):
    program = bridge("--listen", ANY, "--relay", "--max-size", "1000")
    found = answer_to(program, HELLO + b"\x82\xfe\x03\xe9" + bytes(4)).partition(b"\r\n\r\n")[2]
    assert found[2:4] == struct.pack(">H", 1009)
    ended(program)


def test_a_client_that_dies_within_a_frame_is_counted(bridge):
    program = bridge("--listen", ANY, "--relay")
    answer_to(program, HELLO + b"\x82\xfe\x03\xe9" + bytes(4) + b"and no more", end=True)
    program.talk.wait(lambda talk: b"in the middle of a message" in talk, "the word about it")
    ended(program, LOSS)


def test_clients_are_told_that_the_bridge_goes(bridge):
    async def body():
        async with connect(listening(program)) as client:
            await client.ping()
            program.signal()
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.code == 1001

    program = bridge("--listen", ANY, "--relay")
    within_limit(body())
    assert program.wait() == OK


def test_what_is_under_way_at_the_end_comes_before_the_last_word(weft, bridge):
    """A message that is longer than the queue, to one who reads late; so the Close has no room in it."""
    program = bridge("--listen", ANY, "--pull", "@" + ANY_TCP, "--out-queue", "64K", "--max-size", "32M", "--linger",
                     "60s")
    peer = ws_peer.connect(listening(program))
    assert weft.run("push", listening(program, "pull"), "--raw", input=LARGE)[0] == OK
    peer.socket.recv(1, socket.MSG_PEEK)
    program.signal()
    until(lambda: is_refused(listening(program)), "a bridge that takes nobody in")
    assert peer.hear() == (ws_peer.BINARY, LARGE)
    assert peer.hear() == (ws_peer.CLOSE, struct.pack(">H", 1001))
    assert peer.hear() is None
    peer.close()
    assert program.wait() == OK


def is_refused(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), LIMIT).close()
    except ConnectionRefusedError:
        return True
    return False


def test_who_does_not_go_holds_up_no_second_signal(bridge):
    program = bridge("--listen", ANY, "--relay", "--linger", "60s")
    peer = ws_peer.connect(listening(program))
    program.signal()
    assert peer.hear() == (ws_peer.CLOSE, struct.pack(">H", 1001))
    program.signal()
    program.wait()
    peer.close()


def test_who_asked_gets_its_reply_at_the_end_or_a_last_word(weft, bridge):
    rep = weft.start("rep", ANY_TCP, input=weft.OPEN)       # by hand
    asked = 0
    for linger, reply in (("60s", b"now\n"), ("100ms", b"")):
        program = bridge("--listen", ANY, "--req", rep.endpoint, "--linger", linger)
        peer = ws_peer.connect(listening(program))
        peer.send(peer.frame(ws_peer.TEXT, b"when?"))
        asked += len("when?\n")
        rep.out.wait(lambda data: len(data) == asked, "the request")
        program.signal()
        if reply:
            rep.write(reply)
            assert peer.hear() == (ws_peer.TEXT, b"now")
        assert peer.hear() == (ws_peer.CLOSE, struct.pack(">H", 1001))
        peer.close()
        assert program.wait() == (OK if reply else LOSS)


def test_who_reads_slowly_is_not_dead(weft, bridge):
    """A Ping would be behind all that it has not read yet. That time passes, the ends of others tell, silent ones."""
    program = bridge("--listen", ANY, "--pull", "@" + ANY_TCP, "--relay", "--ws-ping", "100ms", "--out-queue", "64M",
                     "--max-size", "32M")
    assert weft.run("push", listening(program, "pull"), "--raw", input=LARGE)[0] == OK
    slow = ws_peer.connect(listening(program), path="/pull")
    slow.socket.recv(1, socket.MSG_PEEK)
    for _ in range(3):
        silent = ws_peer.connect(listening(program), path="/relay")
        assert silent.hear() == (ws_peer.PING, b"")
        assert silent.hear() is None
        silent.close()
    assert slow.hear() == (ws_peer.BINARY, LARGE)
    slow.close()
    ended(program)


def test_who_is_dead_is_let_go(bridge):
    program = bridge("--listen", ANY, "--relay", "--ws-ping", "100ms")
    found = answer_to(program, HELLO).partition(b"\r\n\r\n")[2]
    assert found == b"\x89\x00"
    ended(program)


def test_a_request_without_a_reply_is_told(weft, bridge):
    async def body():
        async with connect(listening(program)) as client:
            await client.send("anybody?")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.code == 1011

    rep = weft.start("rep", ANY_TCP, input=weft.OPEN)   # by hand, and nobody is there
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--timeout", "100ms")
    within_limit(body())
    ended(program, LOSS)


# ------------------------------------------------------------------------ dialling

@pytest.mark.parametrize("arguments", [[], ["--compress", "context"], ["--compress", "yes", "--compress-min", "0"]])
def test_a_server_is_dialled_and_dialled_again(weft, arguments):
    async def serve(connection, path):
        seen.append((path, connection.request_headers["Host"]))
        await connection.send("welcome %d" % len(seen))
        async for message in connection:
            await connection.send(message)
            if message == "go":
                return

    async def body():
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            bridge = weft.start("bridge", "ws", "--dial", "ws://127.0.0.1:%d/feed?x=1" % port, "--push", pull.endpoint,
                                "--pull", "@" + ANY_TCP, "--reconnect", "10ms", *arguments)
            address = listening(bridge, "pull")
            await asyncio.to_thread(weft.run, "push", address, input=b"one\ngo\n")
            await asyncio.to_thread(pull.wait)
            assert seen == [("/feed?x=1", "127.0.0.1:%d" % port)] * 2
        bridge.signal()
        assert await asyncio.to_thread(bridge.wait) == OK

    seen = []
    pull = weft.start("pull", ANY_TCP, "--count", "4")
    within_limit(body())
    assert pull.out.data.split(b"\n")[:4] == [b"welcome 1", b"one", b"go", b"welcome 2"]


def test_a_server_that_is_none_is_told(weft):
    with socket.create_server(("127.0.0.1", 0)) as server:
        bridge = weft.start("bridge", "ws", "--dial", "ws://127.0.0.1:%d" % server.getsockname()[1], "--relay")
        connection, _ = server.accept()
        with connection:
            assert b"Sec-WebSocket-Version: 13\r\n" in connection.recv(65536)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nnot today")
            bridge.talk.wait(lambda talk: b"403 not today" in talk, "the words of the server")
    bridge.signal()
    assert bridge.wait() == OK


def test_wss_needs_tls(weft):
    status, _, talk = weft.run("bridge", "ws", "--dial", "wss://127.0.0.1:1", "--relay")
    assert status == USAGE and "--tls" in talk


@pytest.mark.parametrize("arguments, words", [
    (("--dial", "http://127.0.0.1:1/"), "ws://HOST:PORT/PATH"), (("--dial", "127.0.0.1:1/x"), "ws://HOST:PORT/PATH"),
    (("--listen", ANY, "--allow-origin", "example.org"), "an origin is as https://example.org")])
def test_mistakes_are_told(weft, arguments, words):
    status, _, talk = weft.run("bridge", "ws", "--relay", *arguments)
    assert status == USAGE and words in talk


# ---------------------------------------------------------------------- many of them

def test_a_thousand_hear_what_one_says(bridge):
    """Written by hand, since a thousand clients of a library take longer than all else."""
    async def client(number):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(HELLO)
        await reader.readuntil(b"\r\n\r\n")
        clients.append((reader, writer))

    async def body():
        await asyncio.gather(*(client(number) for number in range(1000)))
        clients[0][1].write(b"\x81\x85" + bytes(4) + b"hello")
        heard = await asyncio.gather(*(reader.readexactly(7) for reader, _ in clients[1:]))
        assert set(heard) == {b"\x81\x05hello"}
        for _, writer in clients:
            writer.close()

    clients = []
    program = bridge("--listen", ANY, "--relay", "--ws-ping", "0")
    host, port = listening(program).split(":")
    within_limit(body())
    ended(program)
