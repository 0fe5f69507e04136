"""weft with keys against pyzmq, CZMQ and zeromq.js with theirs: each listens once, and once it connects.

Every pair of keys here was saved by CZMQ (zcert_save), and no file of it is changed for anybody. Who connects has
the name alice; pyzmq and CZMQ let her in by their own means, zeromq.js lets in everybody."""

import os
import threading

import pytest
import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from lines import Peer, to_line
from running import LIMIT

NOT_AUTHORISED = 5
BINARY = bytes(range(256))
LARGE = os.urandom(200_000)
KINDS = {"req": "rep", "rep": "req", "pub": "sub", "sub": "xpub", "push": "pull", "pull": "push"}


class Keys:
    """Pairs of CZMQ's, and lists: `known` in a folder as CZMQ and pyzmq have them, and `allowed`, weft's."""

    def __init__(self, weft, czmq_cert, folder):
        self.weft, self.folder, self.known, self.allowed = weft, folder, folder / "known", folder / "allowed"
        for name in ("server", "alice", "mallory"):
            czmq_cert("save", str(folder / name), name)
        self.known.mkdir()
        (self.known / "alice.key").write_bytes((folder / "alice").read_bytes())
        status, _output, talk = weft.run("key", "allow", "alice", str(folder / "alice"), "--allow", str(self.allowed))
        assert status == 0, talk

    def pair(self, name):
        return tuple(key.decode() for key in zmq.auth.load_certificate(str(self.folder / name) + "_secret"))

    def listening(self):
        """Options of a weft program."""
        return ["--key", str(self.folder / "server"), "--allow", str(self.allowed)]

    def connecting(self, name="alice"):
        return ["--key", str(self.folder / name), "--server-key", str(self.folder / "server")]

    def environment(self, name):
        """Of a peer that is a program; `server` listens."""
        public, secret = self.pair(name)
        there = {} if name == "server" else {"PEER_SERVER_KEY": self.pair("server")[0]}
        return {**os.environ, **there, "PEER_PUBLIC_KEY": public, "PEER_SECRET_KEY": secret,
                "PEER_CERTIFICATE": str(self.folder / name), "PEER_STORE": str(self.known)}


@pytest.fixture
def keys(weft, czmq_cert, tmp_path):
    return Keys(weft, czmq_cert, tmp_path)


class PyzmqPeer:
    """As lines.Peer, of pyzmq in this process."""

    def __init__(self, context, keys, kind, side, endpoint, *topics, name=None):
        self.socket = context.socket(getattr(zmq, kind.upper()))
        self.socket.linger = 0
        self.socket.rcvtimeo = self.socket.sndtimeo = LIMIT * 1000
        public, secret = keys.pair(name or ("server" if side == "bind" else "alice"))
        self.socket.curve_secretkey, self.socket.curve_publickey = secret.encode(), public.encode()
        if side == "bind":
            self.socket.curve_server = True
            self.socket.bind(endpoint.replace(":0", ":*") if endpoint.startswith("tcp") else endpoint)
        else:
            self.socket.curve_serverkey = keys.pair("server")[0].encode()
            self.socket.connect(endpoint)
        for topic in topics:
            self.socket.subscribe(topic.encode())
        self.endpoint = self.socket.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def send(self, *frames):
        self.socket.send_multipart(frames)

    def receive(self):
        return self.socket.recv_multipart()


@pytest.fixture
def pyzmq(keys):
    """With pyzmq's own ZAP handler, which knows whose certificate is in the folder."""
    context = zmq.Context()
    handler = ThreadAuthenticator(context)
    handler.start()
    handler.configure_curve(domain="*", location=str(keys.known))
    yield lambda *arguments, **options: PyzmqPeer(context, keys, *arguments, **options)
    handler.stop()
    context.destroy(linger=0)


@pytest.fixture(params=["pyzmq", "czmq_peer", "zeromq_js"])
def peer(request, weft, keys):
    """peer (KIND, "bind" or "connect", endpoint, topics ..., name=...) is a socket of that library, with keys."""
    found = request.getfixturevalue(request.param)
    if request.param == "pyzmq":
        return found

    def start(*arguments, name=None):
        name = name or ("server" if "bind" in arguments else "alice")
        return Peer(weft, found, *arguments, env=keys.environment(name))
    return start


def both_ways(program, other, kind, envelope=()):
    """What the two of them have to say to each other."""
    if kind == "req":
        for frames in ([b"hello"], [BINARY, b"", LARGE]):
            program.write(to_line(*frames))
            assert other.receive() == frames
            other.send(*reversed(frames))
        program.out.wait(lambda data: data == to_line(b"hello") + to_line(LARGE, b"", BINARY), "both replies")
    elif kind == "rep":
        for frames in ([b"hello"], [BINARY, b"", LARGE]):
            other.send(*envelope, *frames)
            assert other.receive() == [*envelope, *frames]
    elif kind in ("pub", "push"):
        writer = threading.Thread(target=program.write, args=(to_line(b"weather.here", BINARY) +
                                                              to_line(b"weather.there", LARGE),))
        writer.start()              # a SUB of libzmq does not subscribe before somebody receives from it
        assert other.receive() == [b"weather.here", BINARY]
        assert other.receive() == [b"weather.there", LARGE]
        writer.join(LIMIT)
    else:
        if kind == "sub":
            assert other.receive() == [b"\x01weather."]
        other.send(b"weather.here", BINARY)
        other.send(b"weather.there", LARGE)
        program.out.wait(lambda data: data == to_line(b"weather.here", BINARY) + to_line(b"weather.there", LARGE),
                         "both messages")


MORE = {"rep": ["--echo"], "pub": ["--wait-subs", "1", "--hex"], "sub": ["-t", "weather.", "--hex"]}


def options(kind):
    return MORE.get(kind, ["--hex"])


@pytest.mark.parametrize("kind", KINDS)
def test_weft_listens(weft, peer, keys, kind, somewhere):
    program = weft.start(kind, "-b", somewhere, *keys.listening(), *options(kind), input=weft.OPEN)
    topics = ["weather."] if kind == "pub" else []
    both_ways(program, peer(KINDS[kind], "connect", program.endpoint, *topics), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_weft_connects(weft, peer, keys, kind, somewhere):
    """A REQ of libzmq 4.3.4 that binds, and has a ZAP handler, breaks off at its first reply: a DEALER does not."""
    topics = ["weather."] if kind == "pub" else []
    other = peer("dealer" if kind == "rep" else KINDS[kind], "bind", somewhere, *topics)
    program = weft.start(kind, "-c", other.endpoint, *keys.connecting(), *options(kind), input=weft.OPEN)
    both_ways(program, other, kind, [b"hop", b""] if kind == "rep" else [])


# --------------------------------------------------------------------- refusals

def test_weft_refuses_a_peer(weft, peer, keys, somewhere):
    """And says who it is, and what to type to let it in: typed so, it is let in."""
    program = weft.start("rep", "-b", somewhere, *keys.listening(), "--echo")
    refused = peer("req", "connect", program.endpoint, name="mallory")
    public = keys.pair("mallory")[0]
    said = program.expect_talk(r"an unknown key \(\S+\); to let it in: weft key allow NAME ('[^']*') --allow (\S+)")
    assert said.group(1).decode() == "'%s'" % public
    status, _output, talk = weft.run("key", "allow", "mallory", public, "--allow", str(keys.allowed))
    assert status == 0, talk
    other = peer("req", "connect", program.endpoint, name="mallory")
    assert other is not refused
    other.send(b"hello")
    assert other.receive() == [b"hello"]


@pytest.mark.parametrize("kind", ["req", "push", "sub", "pull", "worker"])
@pytest.mark.parametrize("library", ["pyzmq", "czmq_peer"])
def test_weft_is_refused(weft, request, keys, kind, library, somewhere):
    """By those who ask their own lists; it says so at once, and ends."""
    peer = request.getfixturevalue(library)
    where = [{"req": "rep", "worker": "router"}.get(kind) or KINDS[kind], "bind", somewhere]
    other = peer(*where) if library == "pyzmq" else Peer(weft, peer, *where, env=keys.environment("server"))
    status, _output, talk = weft.run(kind, "-c", other.endpoint, *keys.connecting("mallory"), input=b"hello\n")
    assert status == NOT_AUTHORISED, talk
    assert "does not let our key in" in talk and keys.pair("mallory")[0] in talk


def test_clear_text_there(weft, keys):
    """Both see that they do not fit, and who hangs up first may leave the other without a word."""
    with zmq.Context() as context, context.socket(zmq.REP) as rep:
        rep.bind("tcp://127.0.0.1:*")
        endpoint = rep.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        status, _output, talk = weft.run("req", endpoint, *keys.connecting(), "--timeout", "10s", input=b"hello\n")
    assert status == NOT_AUTHORISED
    assert "the peer speaks clear text, and we have keys" in talk or "the peer left during the handshake" in talk


OVER = zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


def test_clear_text_here(weft, keys, somewhere):
    program = weft.start("rep", "-b", somewhere, *keys.listening(), "--echo")
    with zmq.Context() as context:
        for _ in range(100):
            with context.socket(zmq.REQ) as req, req.get_monitor_socket(OVER) as monitor:
                req.linger = 0
                req.connect(program.endpoint)
                req.send(b"hello")
                assert monitor.poll(1000 * LIMIT)
                assert not req.poll(0)
                req.disable_monitor()
            if b"a peer speaks clear text, and this side wants keys" in program.talk.data:
                return
    program.expect_talk("a peer speaks clear text")
