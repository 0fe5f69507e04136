"""Requests of the fabric that a foreign server answers (weft bridge --rep), many at once: over TCP, UDP, WebSocket."""

import asyncio
import contextlib
import queue
import re
import signal
import socket
import struct
import threading

import pytest
import zmq

from exposition import address_of, scrape
from running import ANY_TCP, LIMIT, until
from ws_peer import take_in

OK, USAGE, LOSS = 0, 2, 6


class Server:
    """Lines over TCP: each connection that comes is in `connections`, and each line with its connection in `lines`."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.name = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.connections, self.lines = queue.Queue(), queue.Queue()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                connection = self.socket.accept()[0]
                self.connections.put(connection)
                threading.Thread(target=self.read, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def read(self, connection):
        try:
            for line in connection.makefile("rb"):
                self.lines.put((connection, line))
        except OSError:
            pass

    def next(self):
        return self.lines.get(timeout=LIMIT)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        while not self.connections.empty():
            self.connections.get().close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.end()


@pytest.fixture
def client():
    context = zmq.Context()

    def make(endpoint, kind=zmq.DEALER):
        made = context.socket(kind)
        made.linger, made.rcvtimeo, made.sndtimeo = 0, LIMIT * 1000, LIMIT * 1000
        made.connect(endpoint)
        return made
    yield make
    context.destroy(0)


def listening(program):
    return program.talk.wait(lambda talk: re.search(rb"rep listening on (\S+)\n", talk), "ready").group(1).decode()


@pytest.fixture
def bridge(weft, server):
    return lambda *arguments: weft.start("bridge", "tcp", "--dial", server.name, "--rep", ANY_TCP, "--reconnect",
                                         "10ms", *arguments)


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


def ask(client, *numbers):
    for number in numbers:
        client.send_multipart([b"id %d" % number, b"", b"%d" % number])


def answers(client, count):
    """Bodies by the numbers in their envelopes."""
    got = {}
    for _ in range(count):
        number, empty, body = client.recv_multipart()
        assert empty == b""
        got[int(number.split()[1])] = body
    return got


def test_as_many_at_once_as_connections(bridge, server, client):
    program = bridge("--connections", "4")
    asker = client(listening(program))
    ask(asker, *range(6))
    under_way = [server.next() for _ in range(4)]
    assert len({connection for connection, _ in under_way}) == 4
    with pytest.raises(queue.Empty):
        server.lines.get(timeout=0.05)              # the others wait in the fabric
    for connection, line in reversed(under_way):
        connection.sendall(b"re " + line)
    for connection, line in (server.next(), server.next()):
        connection.sendall(b"re " + line)
    assert answers(asker, 6) == {number: b"re %d" % number for number in range(6)}
    ended(program)


def test_each_reply_is_of_its_asker(bridge, server, client):
    program = bridge("--connections", "3")
    endpoint = listening(program)
    askers = [client(endpoint) for _ in range(3)] + [client(endpoint, zmq.REQ)]
    for at, asker in enumerate(askers[:3]):
        ask(asker, *range(100 * at, 100 * at + 100))
    askers[3].send(b"alone")
    waiting = []
    for _ in range(301):                            # answered out of order
        waiting.append(server.next())
        if len(waiting) == 3:
            connection, line = waiting.pop()
            connection.sendall(b"re " + line)
        elif server.lines.empty():
            connection, line = waiting.pop(0)
            connection.sendall(b"re " + line)
    for connection, line in waiting:
        connection.sendall(b"re " + line)
    for at, asker in enumerate(askers[:3]):
        assert answers(asker, 100) == {number: b"re %d" % number for number in range(100 * at, 100 * at + 100)}
    assert askers[3].recv() == b"re alone"
    ended(program)


def test_a_server_that_goes_answers_nothing_and_holds_nobody_up(bridge, server, client):
    program = bridge("--connections", "2")
    asker = client(listening(program))
    ask(asker, 1, 2)
    (first, line), (second, other) = server.next(), server.next()
    first.shutdown(socket.SHUT_RDWR)
    assert answers(asker, 1) == {int(line): b""}    # it may have done it: it is not done again
    ask(asker, 3)
    third, line = server.next()                     # by a new connection, while the second has its own
    assert third is not second and line == b"3\n"
    third.sendall(b"three\n")
    second.sendall(b"two\n")
    assert answers(asker, 2) == {3: b"three", int(other): b"two"}
    ended(program, LOSS)


def test_one_that_is_too_late_is_cut_off_and_replaced(bridge, server, client):
    program = bridge("--connections", "2", "--timeout", "300ms")
    asker = client(listening(program))
    ask(asker, 1, 2)
    (late, line), (second, other) = server.next(), server.next()
    second.sendall(b"two\n")
    assert answers(asker, 2) == {int(other): b"two", int(line): b""}
    assert late.recv(1) == b""
    ended(program, LOSS)


def test_without_a_server_requests_wait_in_the_fabric(weft, client):
    gone = Server()
    gone.end()
    program = weft.start("bridge", "tcp", "--dial", gone.name, "--rep", ANY_TCP, "--reconnect", "10ms",
                         "--reconnect-max", "20ms")
    asker = client(listening(program))
    ask(asker, 1)
    host, port = gone.name.split(":")
    with socket.create_server((host, int(port))) as late:
        late.settimeout(LIMIT)
        connection, _ = late.accept()
        assert connection.makefile("rb").readline() == b"1\n"
        connection.sendall(b"one\n")
        assert answers(asker, 1) == {1: b"one"}
        connection.close()
        ended(program)


def test_what_had_not_left_us_is_given_to_the_next_connection(weft, client):
    """Messages of --pull are in front of it, which the server does not read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        program = weft.start("bridge", "tcp", "--dial", "127.0.0.1:%d" % server.getsockname()[1], "--rep", ANY_TCP,
                             "--pull", "@" + ANY_TCP, "--out-queue", "64M", "--reconnect", "10ms",
                             "--metrics", "127.0.0.1:0")
        asker = client(listening(program))
        pull = program.talk.wait(lambda talk: re.search(rb"pull listening on (\S+)\n", talk), "ready").group(1)
        pusher = client(pull.decode(), zmq.PUSH)
        first, _ = server.accept()
        for _ in range(30):
            pusher.send(bytes(900000))
        pusher.send(b"last")
        metrics = address_of(program)               # more than the system keeps for a connection is before it
        until(lambda: scrape(metrics)("weft_bridge_messages_total", bridge="tcp", direction="out") == 31,
              "all in the queue")
        ask(asker, 1)
        assert first.recv(1) == b"\0"
        first.close()                               # with a reset, since it has not read all
        second, _ = server.accept()
        for line in second.makefile("rb"):
            if line == b"1\n":
                break
        second.sendall(b"one\n")
        assert answers(asker, 1) == {1: b"one"}
        second.close()
    program.signal()
    program.wait()


def test_a_client_that_does_not_read_holds_up_no_other(bridge, server, client):
    program = bridge("--connections", "2", "--hwm", "1", "--timeout", "1s")
    endpoint = listening(program)
    deaf, asker = client(endpoint), client(endpoint)
    deaf.rcvhwm = 1
    body = b"." * 900000
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            try:
                connection, line = server.lines.get(timeout=0.1)
                connection.sendall((body if line == b"0\n" else b"re " + line.strip()) + b"\n")
            except (queue.Empty, OSError):
                pass

    def disturb():
        """A bridge that is not let run for a moment finds several things due at once."""
        while not stop.wait(0.005):
            program.signal(signal.SIGSTOP)
            stop.wait(0.01)
            program.signal(signal.SIGCONT)
    threads = [threading.Thread(target=each, daemon=True) for each in (serve, disturb)]
    for thread in threads:
        thread.start()
    for _ in range(20):                             # more than all buffers on the way have room for
        try:
            deaf.send_multipart([b"id 0", b"", b"0"], zmq.NOBLOCK)
        except zmq.Again:
            break
    for number in range(1, 100):                    # past the end of the other's time: none gets its reply
        ask(asker, number)
        assert answers(asker, 1) == {number: b"re %d" % number}
    stop.set()
    threads[1].join()
    program.signal()
    program.wait()
    threads[0].join()                               # it may have been writing until then


def test_udp_has_a_port_for_each(weft, client):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(LIMIT)
        server.bind(("127.0.0.1", 0))
        program = weft.start("bridge", "udp", "--dial", "127.0.0.1:%d" % server.getsockname()[1], "--rep", ANY_TCP,
                             "--connections", "3")
        asker = client(listening(program))
        ask(asker, 1, 2, 3, 4)
        got = [server.recvfrom(100) for _ in range(3)]
        assert len({address for _, address in got}) == 3
        for data, address in reversed(got):
            server.sendto(b"re " + data, address)
        data, address = server.recvfrom(100)
        server.sendto(b"re " + data, address)
        assert answers(asker, 4) == {number: b"re %d" % number for number in range(1, 5)}
        ended(program)


def test_websocket_servers(weft, client):
    websockets = pytest.importorskip("websockets")

    async def body():
        both, waiting = asyncio.Event(), []

        async def serve(connection, *_):
            async for text in connection:
                waiting.append(text)
                if len(waiting) == 2:
                    both.set()
                await both.wait()                   # nobody is answered before two have asked
                await connection.send("re " + text)
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            program = weft.start("bridge", "ws", "--dial", "ws://127.0.0.1:%d/" % port, "--rep", ANY_TCP,
                                 "--connections", "2")
            asker = client(await asyncio.to_thread(listening, program))
            ask(asker, 1, 2, 3)
            assert await asyncio.to_thread(answers, asker, 3) == {1: b"re 1", 2: b"re 2", 3: b"re 3"}
            program.signal()
            assert await asyncio.to_thread(program.wait) == OK
    asyncio.run(asyncio.wait_for(body(), LIMIT))


def test_last_words_that_did_not_leave_are_no_part_of_a_request(weft, client):
    """A bad frame, which the bridge would answer with a Close, and a reset: it sees both at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        program = weft.start("bridge", "ws", "--dial", "ws://127.0.0.1:%d/" % server.getsockname()[1], "--rep",
                             ANY_TCP, "--reconnect", "10ms", "--reconnect-max", "10ms")
        asker = client(listening(program))
        for number in range(5):
            peer = take_in(server)
            ask(asker, number)
            assert peer.hear()[1] == b"%d" % number     # and none of those before, which were answered
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            program.signal(signal.SIGSTOP)
            peer.send(b"\xff\xff")
            peer.close()
            program.signal(signal.SIGCONT)
            assert answers(asker, 1) == {number: b""}
        ended(program, LOSS)


def test_what_is_under_way_is_answered_before_the_end(bridge, server, client):
    program = bridge("--linger", "20s")
    asker = client(listening(program))
    ask(asker, 1, 2)
    connection, line = server.next()
    program.signal()
    connection.sendall(b"re " + line)
    got = answers(asker, 1)
    assert got == {int(line): b"re " + line.strip()}
    with contextlib.suppress(OSError):          # a close would wait for the thread that reads from it
        connection.shutdown(socket.SHUT_RDWR)   # it may have the other request, of before the signal
    assert program.wait() in (OK, LOSS)


@pytest.mark.parametrize("arguments", [["--rep", ANY_TCP, "--sub", ANY_TCP, "--dial", "127.0.0.1:1"],
                                       ["--rep", ANY_TCP, "--listen", "127.0.0.1:0"]])
def test_connections_are_for_those_that_share_messages(weft, arguments):
    status, _, talk = weft.run("bridge", "tcp", "--connections", "2", *arguments)
    assert status == USAGE and "--connections is for" in talk
