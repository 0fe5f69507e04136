"""weft bridge with very many connections: nearly all rest, and some have a lot to say."""

import resource
import socket

import pytest

from running import ANY_TCP, LIMIT, is_sanitized

OK = 0
IDLE, ACTIVE, ROUNDS = (1000, 100, 3) if is_sanitized() else (10000, 1000, 5)
HELLO = (b"GET /req HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


@pytest.fixture
def descriptors():
    """Enough for both ends; who may not have them cannot try this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + ACTIVE + 1000
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError):
        pytest.skip("%d descriptors cannot be had, of which %d connections need one each" % (wanted, IDLE + ACTIVE))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Lines:
    """What a client of the protocol says and hears."""

    def hello(self, client):
        pass

    def wrap(self, text):
        return text + b"\n"

    unwrap = wrap


class WebSocket(Lines):
    def hello(self, client):
        client.sendall(HELLO)
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            got += client.recv(1)
        assert got.startswith(b"HTTP/1.1 101 ")

    def wrap(self, text):
        return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text        # under a mask of zeros

    def unwrap(self, text):
        return bytes([0x81, len(text)]) + text


def receive(client, size):
    got = b""
    while len(got) < size:
        piece = client.recv(size - len(got))
        assert piece, "closed"
        got += piece
    return got


def exchange(protocol, clients, word, at_once):
    """Each asks, many at a time, and gets what it asked for."""
    for first in range(0, len(clients), at_once):
        some = clients[first:first + at_once]
        for number, client in enumerate(some, first):
            client.sendall(protocol.wrap(b"%s %d" % (word, number)))
        for number, client in enumerate(some, first):
            expected = protocol.unwrap(b"%s %d" % (word, number))
            assert receive(client, len(expected)) == expected


@pytest.mark.parametrize("adapter, protocol", [("tcp", Lines()), ("ws", WebSocket())], ids=["tcp", "ws"])
def test_many_that_rest_beside_some_that_do_not(weft, descriptors, adapter, protocol):
    rep = weft.start("rep", ANY_TCP, "--echo")
    program = weft.start("bridge", adapter, "-v", "--listen", "127.0.0.1:0", "--req", rep.endpoint, "--max-peers",
                         str(IDLE + ACTIVE))
    host, port = program.talk.wait(lambda talk: listening(talk), "the ready line")
    clients = []
    try:
        for _ in range(IDLE + ACTIVE):
            clients.append(socket.create_connection((host, port), LIMIT))
            protocol.hello(clients[-1])
        idle, active = clients[:IDLE], clients[IDLE:]
        for turn in range(ROUNDS):
            exchange(protocol, active, b"turn %d" % turn, ACTIVE)
        exchange(protocol, idle, b"all there", 500)
    finally:
        for client in clients:
            client.close()
    program.signal()
    assert program.wait() == OK, program.talk.data
    assert b"%d connections" % (IDLE + ACTIVE) in program.talk.data


def listening(talk):
    for line in talk.decode().splitlines():
        if " listening on " in line:
            host, port = line.rsplit(" ", 1)[1].rsplit(":", 1)
            return host, int(port)
    return None
