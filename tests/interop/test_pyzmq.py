"""weft's pattern programs against pyzmq, both ways, over tcp and ipc."""

import json
import random

import zmq

from running import Running

BINARY = bytes(range(256))
LARGE = bytes(random.Random(7).randbytes(3_000_000))


def len32(*messages):
    """Messages, each a list of frames, in that format."""
    text = b""
    for frames in messages:
        for i, frame in enumerate(frames):
            more = 0x80000000 if i < len(frames) - 1 else 0
            text += (len(frame) | more).to_bytes(4, "big") + frame
    return text


# ----------------------------------------------------------- requests, replies

def test_req_asks_rep(weft, peer):
    rep, endpoint = peer.bound(zmq.REP)
    program = weft.start("req", endpoint, input=b"hello\nworld\n")
    for word in (b"hello", b"world"):
        assert rep.recv_multipart() == [word]
        rep.send(word.upper())
    assert program.result() == (0, b"HELLO\nWORLD\n", "")


def test_req_binary_and_multipart(weft, peer):
    rep, endpoint = peer.bound(zmq.REP)
    program = weft.start("req", "--len32", endpoint, input=len32([BINARY, b"", LARGE], [b""]))
    assert rep.recv_multipart() == [BINARY, b"", LARGE]
    rep.send_multipart([LARGE, b"", BINARY])
    assert rep.recv_multipart() == [b""]
    rep.send_multipart([b"", b""])
    assert program.result() == (0, len32([LARGE, b"", BINARY], [b"", b""]), "")


def test_req_asks_router(weft, peer):
    """A ROUTER sees the envelope that a REQ of ZeroMQ would send, and answers through it. What
    stands in front of the empty frame goes back as it came."""
    router, endpoint = peer.bound(zmq.ROUTER)
    program = weft.start("req", endpoint, input=b"hello\n")
    identity, *envelope, empty, body = router.recv_multipart()
    assert (empty, body) == (b"", b"hello")
    router.send_multipart([identity, *envelope, b"", b"one", b"two"])
    assert program.result() == (0, b"one\ttwo\n", "")


def test_rep_answers_req(weft, peer, somewhere):
    program = weft.start("rep", "-b", somewhere, "--echo")
    req = peer.connected(zmq.REQ, program.endpoint)
    for frames in ([b"hello"], [BINARY, b"", b"x"], [b""], [LARGE]):
        req.send_multipart(frames)
        assert req.recv_multipart() == frames


def test_rep_answers_dealer(weft, peer, somewhere):
    """A DEALER has several requests under way, each with an envelope of its own."""
    program = weft.start("rep", "-b", somewhere, "--echo")
    dealer = peer.connected(zmq.DEALER, program.endpoint)
    for number in range(100):
        dealer.send_multipart([b"hop", b"%d" % number, b"", b"body %d" % number, BINARY])
    for number in range(100):
        assert dealer.recv_multipart() == [b"hop", b"%d" % number, b"", b"body %d" % number, BINARY]


def test_rep_connects_to_router(weft, peer):
    """A REP that connects is served by a ROUTER through its identity, once that is known."""
    dealer, endpoint = peer.bound(zmq.DEALER)
    weft.start("rep", "-c", endpoint, "--exec", "tr a-z A-Z")
    dealer.send_multipart([b"", b"hello"])
    assert dealer.recv_multipart() == [b"", b"HELLO"]


def test_rep_serves_many(weft, peer, somewhere):
    program = weft.start("rep", "-b", somewhere, "--data", "pong")
    peers = [peer.connected(zmq.REQ, program.endpoint) for _ in range(20)]
    for req in peers:
        req.send(b"ping")
    for req in peers:
        assert req.recv() == b"pong"


def test_req_between_several_servers(weft, peer):
    """Requests go round; the server that is named first is not the only one to work."""
    first, one = peer.bound(zmq.REP)
    second = peer.socket(zmq.REP)
    second.bind("tcp://127.0.0.1:*")
    two = second.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    program = weft.start("req", one, two, "--wait-peers", "2", input=b"a\nb\nc\nd\n")
    seen = {first: 0, second: 0}
    poller = zmq.Poller()
    poller.register(first, zmq.POLLIN)
    poller.register(second, zmq.POLLIN)
    for _ in range(4):
        server = dict(poller.poll(20_000)).popitem()[0]
        server.send(server.recv())
        seen[server] += 1
    assert program.result() == (0, b"a\nb\nc\nd\n", "")
    assert min(seen.values()) == 2


# ------------------------------------------------------------------ publishing

def test_pub_to_sub(weft, peer, somewhere):
    program = weft.start("pub", "-b", somewhere, "--wait-subs", "1", input=b"weather.1\nsport\nweather.2\n")
    sub = peer.socket(zmq.SUB)
    sub.subscribe(b"weather.")
    sub.connect(program.endpoint)
    assert sub.recv_multipart() == [b"weather.1"]
    assert sub.recv_multipart() == [b"weather.2"]
    assert program.wait() == 0


def test_pub_topic_frame(weft, peer, somewhere):
    program = weft.start("pub", "-b", somewhere, "--wait-subs", "1", "--raw", "-t", "blob", input=LARGE)
    sub = peer.socket(zmq.SUB)
    sub.subscribe(b"bl")
    sub.connect(program.endpoint)
    assert sub.recv_multipart() == [b"blob", LARGE]
    assert program.wait() == 0


def test_pub_connects_to_sub(weft, peer):
    sub, endpoint = peer.bound(zmq.SUB)
    sub.subscribe(b"")
    program = weft.start("pub", "-c", endpoint, "--wait-subs", "1", "--hex", input=b"00ff - 61\n")
    assert sub.recv_multipart() == [b"\x00\xff", b"", b"a"]
    assert program.wait() == 0


def test_sub_to_pub(weft, peer):
    """An XPUB sees the subscriptions arrive, and so a test knows when to publish."""
    xpub, endpoint = peer.bound(zmq.XPUB)
    program = weft.start("sub", "-c", endpoint, "-t", "weather.", "-t", "tides.", "--count", "3", "--json")
    assert {xpub.recv(), xpub.recv()} == {b"\x01weather.", b"\x01tides."}
    for frames in ([b"sport", b"no"], [b"weather.here", b"sun"], [b"tides.high", BINARY], [b"weather."]):
        xpub.send_multipart(frames)
    status, output, talk = program.result()
    seen = [json.loads(line) for line in output.splitlines()]
    assert status == 0, talk
    assert [message.get("topic") for message in seen[:2]] == ["weather.here", "tides.high"]
    assert [message["size"] for message in seen] == [15, 266, 8]
    assert seen[0]["frames"] == ["weather.here", "sun"]
    assert seen[2]["frames"] == ["weather."]


def test_sub_to_plain_pub(weft, peer, somewhere):
    """weft sub binds, many PUBs connect."""
    program = weft.start("sub", "-b", somewhere, "--count", "40", "--timeout", "20s")
    pubs = [peer.connected(zmq.PUB, program.endpoint) for _ in range(4)]
    # A PUB does not say when it has been subscribed to: each goes on until all are through.
    number = 0
    while program.process.poll() is None:
        for i, pub in enumerate(pubs):
            pub.send(b"%d %d" % (i, number))
        number += 1
    status, output, talk = program.result()
    assert status == 0, talk
    assert len(output.splitlines()) == 40


def test_pub_to_xsub(weft, peer, somewhere):
    """Subscribing twice and leaving once, as a forwarder's XSUB may, keeps the subscription."""
    program = weft.start("pub", "-b", somewhere, "--wait-subs", "2", input=Running.OPEN)
    xsub = peer.connected(zmq.XSUB, program.endpoint)
    xsub.send(b"\x01a")
    xsub.send(b"\x01b")
    program.write(b"b1\nc1\na1\n")
    assert xsub.recv() == b"b1"
    assert xsub.recv() == b"a1"
    program.close_input()
    assert program.wait() == 0


# -------------------------------------------------------------------- pipeline

def test_push_to_pull(weft, peer):
    pull, endpoint = peer.bound(zmq.PULL)
    program = weft.start("push", endpoint, input=b"".join(b"%d\n" % i for i in range(10_000)))
    assert [pull.recv() for _ in range(10_000)] == [b"%d" % i for i in range(10_000)]
    assert program.wait() == 0


def test_push_binds(weft, peer, somewhere):
    program = weft.start("push", "-b", somewhere, "--nul", input=b"a\nb\0\0c\0")
    pull = peer.connected(zmq.PULL, program.endpoint)
    assert [pull.recv() for _ in range(3)] == [b"a\nb", b"", b"c"]
    assert program.wait() == 0


def test_push_multipart_and_large(weft, peer):
    pull, endpoint = peer.bound(zmq.PULL)
    program = weft.start("push", "--len32", endpoint, input=len32([BINARY, b"", LARGE], [b""], [LARGE]))
    assert pull.recv_multipart() == [BINARY, b"", LARGE]
    assert pull.recv_multipart() == [b""]
    assert pull.recv_multipart() == [LARGE]
    assert program.wait() == 0


def test_push_shares_out(weft, peer, somewhere):
    """With --wait-peers no puller is left out, and together they have everything once."""
    program = weft.start("push", "-b", somewhere, "--wait-peers", "3", input=b"".join(b"%d\n" % i for i in range(300)))
    pulls = [peer.connected(zmq.PULL, program.endpoint) for _ in range(3)]
    shares = [[pull.recv() for _ in range(100)] for pull in pulls]
    assert sorted(sum(shares, []), key=int) == [b"%d" % i for i in range(300)]
    assert program.wait() == 0


def test_pull_from_push(weft, peer, somewhere):
    program = weft.start("pull", "-b", somewhere, "--until-gone", "--len32")
    pushes = [peer.connected(zmq.PUSH, program.endpoint, linger=-1) for _ in range(2)]
    expected = []
    for i in range(1000):
        frames = [b"%d" % i, BINARY[:i % 256], b""]
        pushes[i % 2].send_multipart(frames)
        expected.append(len32(frames))
    pushes[0].send(LARGE)
    expected.append(len32([LARGE]))
    for push in pushes:
        push.close()
    status, output, talk = program.result()
    assert (status, talk.count("\n")) == (0, 1), talk
    got = []
    while output:
        size, more = 0, 0x80000000
        while more:
            head = int.from_bytes(output[size:size + 4], "big")
            more = head & 0x80000000
            size += 4 + (head & 0x7fffffff)
        got.append(output[:size])
        output = output[size:]
    assert sorted(got) == sorted(expected)


def test_pull_connects(weft, peer):
    push, endpoint = peer.bound(zmq.PUSH)
    program = weft.start("pull", "-c", endpoint, "--count", "2")
    push.send(b"one")
    push.send_multipart([b"two", b"2"])
    assert program.result() == (0, b"one\ntwo\t2\n", "")


# ----------------------------------------------------- peers that do not fit

def test_peer_of_another_kind(weft, peer):
    """A PUB cannot be pulled from: the program says so and ends, instead of waiting for ever."""
    _pub, endpoint = peer.bound(zmq.PUB)
    status, output, talk = weft.run("pull", "-c", endpoint)
    assert (status, output) == (1, b"")
    assert "the peer does not fit: pull speaks with push (PUSH sockets)" in talk


def test_limit_of_size(weft, peer, somewhere):
    """A message over --max-size is refused and counted; those after it arrive."""
    program = weft.start("pull", "-b", somewhere, "--max-size", "1k", "--count", "2", "--timeout", "20s")
    push = peer.connected(zmq.PUSH, program.endpoint)
    push.send(b"before")
    program.expect(b"before\n")
    push.send(b"x" * 5000)
    # libzmq may close the connection for it; the sender connects again.
    while program.process.poll() is None:
        try:
            push.send(b"after", zmq.DONTWAIT)
        except zmq.Again:
            pass
    status, output, talk = program.result()
    assert output == b"before\nafter\n"
    assert status in (0, 6), talk
