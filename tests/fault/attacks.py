"""What is done to a listener: each attack takes the place that it attacks, and gives way to others meanwhile."""

import contextlib
import errno
import os
import resource
import selectors
import socket

import zmq

import zmtp
from running import LIMIT


@contextlib.contextmanager
def hung_up_on():
    """The listener may close while we speak; that it is silent is no such thing."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
            raise


def raise_descriptors():
    """As many as we may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connected(place):
    return socket.create_connection(place.address, LIMIT)


def hang_up(peer):
    """At once, and without leaving a port behind for a minute."""
    with contextlib.suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()


def receive(peer, size):
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise ConnectionResetError(errno.ECONNRESET, "the listener hung up")
        data += more
    return data


def receive_ready(peer):
    """The listener's half of the handshake: before that, it takes no message."""
    receive(peer, 64)
    receive(peer, receive(peer, 2)[1])


def each_said(place, sayings):
    """A connection for each. The listener has read it all when it closes: hanging up would take it away again."""
    for saying in sayings:
        with connected(place) as peer, hung_up_on():
            peer.sendall(saying.handshake)
            if saying.rest:
                receive_ready(peer)
                peer.sendall(saying.rest)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(1 << 16):
                pass


def until_closed(peer):
    peer.settimeout(LIMIT)
    with hung_up_on():
        while peer.recv(1 << 16):
            pass


# ----------------------------------------------------------------- the attacks

def garbage(place):
    each_said(place, (zmtp.garbage(number, place.kind) for number in range(300)))


def fragments(place):
    """Each conversation, cut at each byte."""
    for said in zmtp.conversations(place.kind, place.server_key):
        each_said(place, (said.cut(end) for end in range(len(said) + 1)))


def banners(place):
    each_said(place, zmtp.BANNERS)


def huge_frames(place):
    each_said(place, zmtp.huge(place.kind))


def in_a_row(place, count=10_000):
    """Each waits for the first byte of an answer: so the listener has accepted it."""
    for _ in range(count):
        with connected(place) as peer:
            peer.recv(1)
            hang_up(peer)


@contextlib.contextmanager
def held(place, count, saying=b"", welcome=True):
    """Connections that stay open and have said so much. With `welcome` each was accepted: an answer has begun. A few
    at a time then, since a listener's queue is short, and what is too much for it comes again after seconds."""
    peers = []
    try:
        for number in range(count):
            peer = socket.socket(place.family)
            peers.append(peer)
            peer.setblocking(False)
            result = peer.connect_ex(place.address)
            assert result in (0, errno.EINPROGRESS) or not welcome, os.strerror(result)
            with contextlib.suppress(BlockingIOError), hung_up_on():
                peer.send(saying)
            if welcome and number % 50 == 49:
                for one in peers[-50:]:
                    one.settimeout(LIMIT)
                    assert one.recv(1) == b"\xff"
        yield peers
    finally:
        for peer in peers:
            hang_up(peer)


def room(wanted):
    """As many of those connections as our own descriptors, and the listener's, allow."""
    return min(wanted, raise_descriptors() - 500) // 50 * 50


def strangers(place, count=200, together=20):
    """Handshakes with keys that nobody knows, to their end."""
    with zmq.Context() as context:
        for _ in range(count // together):
            sockets = [stranger(context, place) for _ in range(together)]
            for client, monitor in sockets:
                assert monitor.poll(1000 * LIMIT), "a stranger was not refused"
                client.disable_monitor()
                monitor.close()
                client.close()


def stranger(context, place, event=zmq.EVENT_HANDSHAKE_FAILED_AUTH):
    client = context.socket(getattr(zmq, place.kind))
    client.linger = 0
    client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
    client.curve_serverkey = place.server_key
    monitor = client.get_monitor_socket(event)
    client.connect(place.endpoint)
    return client, monitor


def endless(place, saying, piece=b"", count=0):
    """That many pieces, or until the listener has had enough; how many it took."""
    number = 0
    with connected(place) as peer, hung_up_on():
        peer.sendall(saying.handshake)
        if saying.rest:
            receive_ready(peer)
            peer.sendall(saying.rest)
        while number < count:
            peer.sendall(piece)
            number += 1
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(1 << 16):
            pass
    return number


# ----------------------------------------------------- between a peer and a listener

class Relay:
    """Carries one connection, and breaks a byte of what the peer says."""

    def __init__(self, place, broken, most):
        self.place, self.broken, self.left = place, broken, most
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]

    def begin(self, selector):
        self.peer = self.listener.accept()[0]
        self.listener.close()
        self.server = connected(self.place)
        selector.register(self.peer, selectors.EVENT_READ, (self, self.server))
        selector.register(self.server, selectors.EVENT_READ, (self, self.peer))

    def carry(self, source, target):
        """Whether it goes on."""
        try:
            data = bytearray(source.recv(4096))
            if source is self.peer:
                if 0 <= self.broken < len(data):
                    data[self.broken] ^= 0x55
                self.broken -= len(data)
                self.left -= len(data)
            target.sendall(data)
            return bool(data) and self.left > 0
        except OSError:
            return False

    def end(self, selector):
        for side in (self.peer, self.server):
            selector.unregister(side)
            side.close()


def broken(place, most=1000, step=3):
    """Authorised peers, and in what each says another byte is broken; until all were hung up on or through."""
    with zmq.Context() as context, selectors.DefaultSelector() as selector:
        relays, peers = [Relay(place, byte, most) for byte in range(0, most, step)], []
        for relay in relays:
            peer = place.socket(getattr(zmq, place.kind), context)
            peer.reconnect_ivl = -1
            peer.connect(relay.endpoint)
            if place.kind == "SUB":
                peer.subscribe(b"s" * most)
            else:
                peer.send(b"s" * most)
            relay.begin(selector)
            peers.append(peer)
        left = len(relays)
        while left:
            ready = selector.select(LIMIT)
            assert ready, "%d connections go on" % left
            for key, _events in ready:
                relay, target = key.data
                if key.fileobj.fileno() >= 0 and not relay.carry(key.fileobj, target):
                    relay.end(selector)
                    left -= 1
        for peer in peers:
            peer.close()
