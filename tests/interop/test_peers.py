"""weft's pattern programs against zeromq.js and against CZMQ, both ways, over tcp and ipc.

node/peer.js and czmq_peer.c are sockets of those libraries that are driven by the same lines, so
that one set of tests serves both."""

import os

import pytest

from lines import Peer, to_line

BINARY = bytes(range(256))
LARGE = os.urandom(200_000)


@pytest.fixture(params=["zeromq_js", "czmq_peer"])
def peer(request, weft):
    """peer (KIND, "bind" or "connect", endpoint, topics ...) is a socket of that library."""
    command = request.getfixturevalue(request.param)
    return lambda *arguments: Peer(weft, command, *arguments)


# ----------------------------------------------------------- requests, replies

@pytest.mark.parametrize("kind", ["rep", "router"])
def test_req(weft, peer, somewhere, kind):
    server = peer(kind, "bind", somewhere)
    program = weft.start("req", "--hex", server.endpoint, input=to_line(b"hello") + to_line(BINARY, b"", LARGE))
    for expected in ([b"hello"], [BINARY, b"", LARGE]):
        request = server.receive()
        envelope = request[:-len(expected)]
        assert request[len(envelope):] == expected
        server.send(*envelope, *reversed(expected))
    assert program.result() == (0, to_line(b"hello") + to_line(LARGE, b"", BINARY), "")


def test_rep_and_req(weft, peer, somewhere):
    program = weft.start("rep", "-b", somewhere, "--echo")
    client = peer("req", "connect", program.endpoint)
    for frames in ([b"hello"], [BINARY, b"", LARGE], [b""]):
        client.send(*frames)
        assert client.receive() == frames


def test_rep_and_dealer(weft, peer, somewhere):
    program = weft.start("rep", "-b", somewhere, "--echo")
    client = peer("dealer", "connect", program.endpoint)
    for number in range(20):
        client.send(b"%d" % number, b"", b"body", BINARY)
    for number in range(20):
        assert client.receive() == [b"%d" % number, b"", b"body", BINARY]


# ------------------------------------------------------------------ publishing

def test_pub_and_sub(weft, peer, somewhere):
    lines = to_line(b"sport", b"no") + to_line(b"weather.here", BINARY, b"") + to_line(b"weather.", LARGE)
    program = weft.start("pub", "-b", somewhere, "--wait-subs", "1", "--hex", input=lines)
    subscriber = peer("sub", "connect", program.endpoint, "weather.")
    assert subscriber.receive() == [b"weather.here", BINARY, b""]
    assert subscriber.receive() == [b"weather.", LARGE]
    assert program.wait() == 0


def test_pub_and_xsub(weft, peer, somewhere):
    program = weft.start("pub", "-b", somewhere, "--wait-subs", "1", input=b"b\na1\n")
    subscriber = peer("xsub", "connect", program.endpoint)
    subscriber.send(b"\x01a")
    assert subscriber.receive() == [b"a1"]
    assert program.wait() == 0


def test_sub_and_xpub(weft, peer, somewhere):
    publisher = peer("xpub", "bind", somewhere)
    program = weft.start("sub", "--hex", "-c", publisher.endpoint, "-t", "weather.", "--count", "2")
    assert publisher.receive() == [b"\x01weather."]
    for frames in ([b"sport"], [b"weather.here", BINARY, b""], [b"weather.", LARGE]):
        publisher.send(*frames)
    assert program.result() == (0, to_line(b"weather.here", BINARY, b"") + to_line(b"weather.", LARGE), "")


def test_sub_and_pub(weft, peer, somewhere):
    """A PUB tells nobody when it has been subscribed to: it goes on until the program has enough."""
    publisher = peer("pub", "bind", somewhere)
    program = weft.start("sub", publisher.endpoint, "-t", "tick", "--count", "3", "--timeout", "20s")
    while program.process.poll() is None:
        publisher.send(b"tock")
        publisher.send(b"tick")
    assert program.result() == (0, b"tick\n" * 3, "")


# -------------------------------------------------------------------- pipeline

def test_push_and_pull(weft, peer, somewhere):
    puller = peer("pull", "bind", somewhere)
    program = weft.start("push", "--hex", puller.endpoint,
                         input=to_line(b"one") + to_line(BINARY, b"", LARGE) + to_line(b""))
    assert [puller.receive() for _ in range(3)] == [[b"one"], [BINARY, b"", LARGE], [b""]]
    assert program.wait() == 0


def test_pull_and_push(weft, peer, somewhere):
    program = weft.start("pull", "-b", somewhere, "--until-gone", "--hex")
    pusher = peer("push", "connect", program.endpoint)
    frames = [[b"%d" % number, BINARY[:number]] for number in range(200)] + [[LARGE]]
    for one in frames:
        pusher.send(*one)
    pusher.finish()
    status, output, _talk = program.result()
    assert (status, output) == (0, b"".join(to_line(*one) for one in frames))
