"""pyzmq's side of the interop tests."""

import pytest
import zmq

from running import ANY_TCP, LIMIT


class Peer:
    """Sockets of pyzmq in a context of their own, with a limit on every wait."""

    def __init__(self, somewhere):
        self.context = zmq.Context()
        self.somewhere = somewhere

    def socket(self, kind, **options):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = LIMIT * 1000
        for name, value in options.items():
            setattr(socket, name, value)
        return socket

    def bound(self, kind, **options):
        """A socket that is bound, and where."""
        socket = self.socket(kind, **options)
        socket.bind("tcp://127.0.0.1:*" if self.somewhere == ANY_TCP else self.somewhere)
        return socket, socket.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def connected(self, kind, endpoint, **options):
        socket = self.socket(kind, **options)
        socket.connect(endpoint)
        return socket

    def end(self):
        self.context.destroy(linger=0)


@pytest.fixture
def peer(somewhere):
    """A pyzmq peer; `somewhere` is where one of both sides binds."""
    peer = Peer(somewhere)
    yield peer
    peer.end()
