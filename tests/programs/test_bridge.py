"""weft bridge tcp, as nc, plain sockets and asyncio see it."""

import asyncio
import base64
import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

from running import ANY_TCP, LIMIT

ANY = "127.0.0.1:0"
OK, USAGE, NOT_AUTHORISED, LOSS = 0, 2, 5, 6


def listening(program, what="tcp"):
    """The address that the bridge says."""
    pattern = rb"weft bridge: " + what.encode() + rb" listening on (\S+)\n"
    found = program.talk.wait(lambda talk: re.search(pattern, talk), "the ready line of " + what)
    return found.group(1).decode()


@pytest.fixture
def bridge(weft):
    return lambda *arguments: weft.start("bridge", "tcp", *arguments)


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


# --------------------------------------------------------------------- requests

@pytest.fixture
def echo(weft, bridge):
    rep = weft.start("rep", ANY_TCP, "--echo")
    return lambda *arguments: bridge("--listen", ANY, "--req", rep.endpoint, *arguments)


def test_nc_is_answered(echo):
    program = echo("--framing", "line")
    host, port = listening(program).split(":")
    done = subprocess.run([shutil.which("nc"), "-N", host, port], input=b"hello\nworld\nlast", stdout=subprocess.PIPE,
                          timeout=LIMIT)
    assert done.stdout == b"hello\nworld\nlast\n"
    ended(program)


def test_each_client_has_its_own_replies_in_order(echo):
    program = echo()
    host, port = listening(program).split(":")

    async def client(number):
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = [b"%d.%d\n" % (number, each) for each in range(200)]
        writer.write(b"".join(lines))
        writer.write_eof()
        assert await reader.read() == b"".join(lines)
        writer.close()

    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*(client(number) for number in range(50))), LIMIT)

    asyncio.run(all_of_them())
    ended(program)


@pytest.mark.parametrize("framing, data", [
    ("nul", b"one\0two\nx\0\0"), ("len16", b"\0\3one\0\0\0\1x"), ("len32", b"\0\0\0\3one\0\0\0\0"),
    ("fixed:4", b"onetwo3!"), ("netstring", b"3:one,0:,2:x\n,"), ("raw", b"\0anything\xff")])
def test_every_framing_comes_back(echo, connect, framing, data):
    client = connect(listening(echo("--framing", framing)))
    for byte in data[:-1]:
        client.send(bytes([byte])) if framing != "raw" else None
    client.send(data[-1:] if framing != "raw" else data)
    client.end()
    assert client.read() == data


@contextlib.contextmanager
def served(kind):
    """A socket of libzmq's own that requests come to, and its endpoint."""
    zmq = pytest.importorskip("zmq")
    with zmq.Context() as context, context.socket(getattr(zmq, kind)) as server:
        port = server.bind_to_random_port("tcp://127.0.0.1")
        server.rcvtimeo = LIMIT * 1000
        yield server, "tcp://127.0.0.1:%d" % port


def test_a_plain_rep_socket_answers(bridge, connect):
    with served("REP") as (rep, endpoint):
        client = connect(listening(bridge("--listen", ANY, "--req", endpoint)))
        client.send(b"one\ntwo\n")
        for _ in range(2):
            rep.send(rep.recv().upper())
        assert client.line() + client.line() == b"ONE\nTWO\n"


def test_many_requests_of_one_client_are_under_way(bridge, connect):
    with served("ROUTER") as (server, endpoint):
        program = bridge("--listen", ANY, "--req", endpoint, "--in-flight", "10")
        client = connect(listening(program))
        client.send(b"".join(b"%d\n" % each for each in range(30)))
        asked = [server.recv_multipart() for _ in range(10)]
        assert not server.poll(100)                     # as many as --in-flight, and no more
        for parts in reversed(asked):                   # the last is answered first
            server.send_multipart(parts)
        for _ in range(20):
            server.send_multipart(server.recv_multipart())
        assert [client.line() for _ in range(30)] == [b"%d\n" % each for each in range(30)]


@pytest.mark.parametrize("options, reply", [((), b""), (("--error-reply", "ERR"), b"ERR\n")])
def test_a_client_is_told_that_there_is_no_reply(weft, bridge, connect, options, reply):
    rep = weft.start("rep", ANY_TCP, input=weft.OPEN)   # by hand, and nobody is there
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--timeout", "300ms", *options)
    client = connect(listening(program))
    client.send(b"anybody?\n")
    assert client.line() == reply
    program.expect_talk("no reply within 300ms")
    ended(program, LOSS)


def test_a_request_waits_for_a_server_and_is_kept(weft, bridge, connect):
    rep = weft.start("rep", ANY_TCP, "--echo")
    endpoint = rep.endpoint
    ended(rep)
    program = bridge("--listen", ANY, "--req", endpoint, "--reconnect", "10ms")
    client = connect(listening(program))
    client.send(b"are you there\n")
    weft.start("rep", endpoint, "--echo")
    assert client.line() == b"are you there\n"


# ----------------------------------------------------------------- push, pub, pull, sub

def test_what_comes_is_pushed_in_order_though_the_fabric_stalls(weft, bridge, connect):
    count = 200000
    program = bridge("--listen", ANY, "--push", "@" + ANY_TCP, "--hwm", "10")
    client, endpoint = connect(listening(program)), listening(program, "push")
    data = b"".join(b"%d\n" % each for each in range(count))
    client.socket.settimeout(0.2)
    sent = 0
    try:                                                # nobody pulls: sooner or later nothing more is taken
        while sent < len(data):
            sent += client.socket.send(data[sent:sent + 65536])
    except socket.timeout:
        pass
    client.socket.settimeout(LIMIT)
    pull = weft.start("pull", "-c", endpoint, "--count", str(count))
    client.send(data[sent:])
    client.end()
    assert pull.wait() == OK
    assert pull.out.data == data
    ended(program)


def test_a_last_line_without_newline_counts_and_a_cut_off_message_is_told(weft, bridge, connect):
    pull = weft.start("pull", ANY_TCP, "--count", "2")
    lines = bridge("--listen", ANY, "--push", pull.endpoint)
    client = connect(listening(lines))
    client.send(b"one\ntwo")
    client.end()
    pull.expect(b"one\ntwo\n")
    counted = bridge("--listen", ANY, "--push", pull.endpoint, "--framing", "len16")
    client = connect(listening(counted))
    client.send(b"\0\5cut")
    client.end()
    assert client.read() == b""
    counted.expect_talk("in the middle of a message")
    ended(counted, LOSS)
    ended(lines)


def until_it_ends(program, again):
    """Does something again and again, as when nobody can tell that a subscription is there."""
    deadline = time.monotonic() + LIMIT
    while True:
        again()
        try:
            return program.process.wait(0.05)
        except subprocess.TimeoutExpired:
            assert time.monotonic() < deadline, program.talk.data


def test_published_with_a_topic_and_its_origin(weft, bridge, connect):
    program = bridge("--listen", ANY, "--pub", ANY_TCP, "--topic", "%a/%p", "--origin")
    client = connect(listening(program))
    sub = weft.start("sub", listening(program, "pub"), "-t", "tcp/127.0.0.1", "--count", "1", "--json")
    assert until_it_ends(sub, lambda: client.send(b"hello\n")) == OK
    topic, origin, body = json.loads(sub.result()[1])["frames"]
    assert topic == "tcp/" + client.name
    assert body == "hello"
    origin = base64.b64decode(origin["base64"])
    assert origin.startswith(b"\x83\xa7adapter\xa3tcp\xa4peer" + bytes([0xa0 | len(client.name)]))
    assert client.name.encode() in origin and b"\xa4time\xcf" in origin


def connected(program, count):
    program.talk.wait(lambda talk: talk.count(b"is connected") >= count, "%d connections" % count)


def test_pull_deals_in_turn(weft, bridge, connect):
    program = bridge("--listen", ANY, "--pull", ANY_TCP, "-v")
    clients = [connect(listening(program)) for _ in range(2)]
    connected(program, 2)
    assert weft.run("push", listening(program, "pull"), input=b"1\n2\n3\n4\n")[0] == OK
    got = sorted(client.line() + client.line() for client in clients)
    assert got == [b"1\n3\n", b"2\n4\n"]
    ended(program)


def test_pull_waits_for_somebody_who_takes_it(weft, bridge, connect):
    program = bridge("--listen", ANY, "--pull", ANY_TCP)
    assert weft.run("push", listening(program, "pull"), input=b"early\n")[0] == OK
    assert connect(listening(program)).line() == b"early\n"


def test_sub_tells_all_what_they_may_hear(weft, bridge, connect):
    program = bridge("--listen", ANY, "-v", "--sub", "@" + ANY_TCP, "--subscribe", "topic")
    clients = [connect(listening(program)) for _ in range(3)]
    connected(program, 3)
    pub = weft.start("pub", "-c", listening(program, "sub"), "--separator", "|", "--wait-subs", "1",
                     input=b"no|zero\ntopic|one\ntopic|two\n")
    assert pub.wait() == OK
    for client in clients:
        assert client.line() + client.line() == b"one\ntwo\n"
    ended(program)


def test_what_goes_to_several_goes_to_each_once(weft, bridge, connect):
    rep = weft.start("rep", ANY_TCP, "--echo")
    endpoint = rep.endpoint
    ended(rep)
    pull = weft.start("pull", ANY_TCP)
    program = bridge("--listen", ANY, "--push", pull.endpoint, "--req", endpoint, "--reconnect", "10ms", "-v")
    client = connect(listening(program))
    client.send(b"one\ntwo\n")
    pull.expect(b"one\n")                               # and the server is not there yet
    client.send(b"three\n")
    weft.start("rep", endpoint, "--echo")
    assert [client.line() for _ in range(3)] == [b"one\n", b"two\n", b"three\n"]
    pull.out.wait(lambda out: b"three\n" in out, "the last")
    pull.expect(b"one\ntwo\nthree\n")
    ended(program)


# ------------------------------------------------------------------------------- relay

def test_a_chat(bridge, connect):
    program = bridge("--listen", ANY, "--relay", "--format", "[%p]: %m", "-v")
    one, two, three = [connect(listening(program)) for _ in range(3)]
    connected(program, 3)
    one.send(b"hello\n")
    expected = b"[%s]: hello\n" % one.name.encode()
    assert two.line() == three.line() == expected
    two.send(b"hi\n")
    assert one.line() == b"[%s]: hi\n" % two.name.encode()
    ended(program)


@pytest.mark.parametrize("policy", ["drop", "disconnect"])
def test_who_does_not_read_does_not_hold_up_the_others(bridge, connect, policy):
    program = bridge("--listen", ANY, "--relay", "-v", "--out-queue", "64K", "--when-full", policy)
    talker, reader, sleeper = [connect(listening(program)) for _ in range(3)]
    connected(program, 3)
    line = b"x" * 1000 + b"\n"
    for _ in range(10000):                              # 10 MB: more than the system's buffers
        talker.send(line)
        assert reader.line() == line
    program.expect_talk("does not read")
    if policy == "disconnect":
        program.talk.wait(lambda talk: b"has gone: it does not read" in talk, "that it is disconnected")
    program.signal()
    assert program.wait() == LOSS
    del sleeper


def test_block_holds_up_the_sender_and_loses_nothing(bridge, connect):
    program = bridge("--listen", ANY, "--relay", "-v", "--out-queue", "64K", "--when-full", "block")
    talker, sleeper = [connect(listening(program)) for _ in range(2)]
    connected(program, 2)
    data = b"".join(b"%0999d\n" % each for each in range(20000))
    talker.socket.settimeout(0.2)
    sent = 0
    with pytest.raises(socket.timeout):
        while sent < len(data):
            sent += talker.socket.send(data[sent:sent + 65536])
    talker.socket.settimeout(LIMIT)
    rest = threading.Thread(target=lambda: talker.send(data[sent:]))
    rest.start()
    assert sleeper.read(len(data)) == data
    rest.join(LIMIT)
    ended(program)


# --------------------------------------------------------------------------- a server outside

@pytest.fixture
def server():
    """A server of lines that answers in capitals, and leaves when it is told to."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(LIMIT)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    if line == b"leave\n":
                        break
                    connection.sendall(line.upper())
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield "%s:%d" % listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_the_fabric_asks_a_server_outside(weft, bridge, server):
    program = bridge("--dial", server, "--rep", ANY_TCP, "--reconnect", "10ms")
    endpoint = listening(program, "rep")
    assert weft.run("req", endpoint, input=b"one\ntwo\n")[:2] == (OK, b"ONE\nTWO\n")
    assert weft.run("req", endpoint, input=b"leave\n")[:2] == (OK, b"\n")       # told, and empty
    assert weft.run("req", endpoint, input=b"three\n")[:2] == (OK, b"THREE\n")  # it has dialled again
    ended(program, LOSS)


def test_a_server_that_does_not_answer(weft, bridge):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        program = bridge("--dial", "%s:%d" % silent.getsockname(), "--rep", ANY_TCP, "--timeout", "300ms")
        assert weft.run("req", listening(program, "rep"), input=b"one\n")[:2] == (OK, b"\n")
        program.expect_talk("has not answered in time")
        ended(program, LOSS)


def test_it_dials_until_somebody_is_there(weft, bridge):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    program = bridge("--dial", "%s:%d" % address, "--push", "@" + ANY_TCP, "--reconnect", "10ms")
    program.expect_talk("tried again")
    with socket.create_server(address) as late:
        late.settimeout(LIMIT)
        connection, _ = late.accept()
        with connection:
            pull = weft.start("pull", "-c", listening(program, "push"), "--count", "1")
            connection.sendall(b"here\n")
            assert pull.result()[:2] == (OK, b"here\n")
    ended(program)


# ------------------------------------------------------------------------ limits, ends, mistakes

def test_a_message_over_the_limit_ends_the_connection(echo, connect):
    program = echo("--max-size", "100")
    client = connect(listening(program))
    client.send(b"x" * 101)
    assert client.read() == b""
    program.expect_talk("more than 100 bytes")
    other = connect(listening(program))
    other.send(b"y" * 100 + b"\n")
    assert other.line() == b"y" * 100 + b"\n"
    ended(program)


def test_a_thousand_clients(echo, connect):
    address = listening(echo())
    clients = [connect(address) for _ in range(1000)]
    for number, client in enumerate(clients):
        client.send(b"%d\n" % number)
    for number, client in enumerate(clients):
        assert client.line() == b"%d\n" % number


def test_clients_that_are_cut_off_do_not_disturb_the_others(echo, connect):
    program = echo()
    address = listening(program)
    stays = connect(address)
    for number in range(200):
        goes = connect(address)
        goes.send(b"one\ntwo\nthr")
        goes.reset()
        stays.send(b"%d\n" % number)
        assert stays.line() == b"%d\n" % number


def test_what_was_asked_before_a_signal_is_answered(bridge, connect):
    with served("REP") as (rep, endpoint):
        program = bridge("--listen", ANY, "--req", endpoint, "--linger", "20s")
        client = connect(listening(program))
        client.send(b"one\n")
        rep.recv()
        program.signal()
        rep.send(b"ONE")
        assert client.read() == b"ONE\n"
        client.close()
        assert program.wait() == OK


def test_a_second_signal_ends_it_at_once(weft, bridge, connect):
    rep = weft.start("rep", ANY_TCP, input=weft.OPEN)   # by hand, and nobody is there
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--linger", "1h", "--timeout", "1h")
    connect(listening(program)).send(b"one\n")
    rep.expect(b"one\n")
    program.signal()
    with pytest.raises(OSError):                        # it takes nobody in any more: it knows of the first
        while True:
            connect(listening(program)).close()
    program.signal()
    assert program.wait() == LOSS
    program.expect_talk("1 request without a reply")


def test_caps(echo, connect):
    program = echo("--max-peers", "1", "-v")
    first, second = connect(listening(program)), connect(listening(program))
    assert second.read() == b""
    first.send(b"still here\n")
    assert first.line() == b"still here\n"
    program.signal()
    assert program.wait() == OK
    program.expect_talk("1 connection turned away")


@pytest.mark.parametrize("arguments, words", [
    ([], "which protocol"), (["smtp"], "which protocol"), (["tcp"], "--listen HOST:PORT"),
    (["tcp", "--listen", ANY], "--push"), (["tcp", "--listen", "7000", "--relay"], "127.0.0.1:7000"),
    (["tcp", "--listen", ANY, "--relay", "--framing", "lines"], "netstring"),
    (["tcp", "--listen", ANY, "--relay", "--topic", "x"], "--pub"),
    (["tcp", "--listen", ANY, "--relay", "--format", "%q"], "%q"),
    (["tcp", "--listen", ANY, "--req", "tcp://127.0.0.1"], "port"),
    (["tcp", "--listen", ANY, ANY_TCP], "--push"),
    (["tcp", "--listen", "127.0.0.1", "--relay"], " 127.0.0.1: no port"),
    (["tcp", "--listen", ANY, "--relay", "--error-replay", "x"], "did you mean --error-reply"),
    (["udp", "--listen", ANY, "--relay", "--framing=line"], "--framing is an option of weft bridge tcp\n"),
    (["tcp", "--listen", ANY, "--relay", "--root", "x"], "--root is an option of weft bridge http\n")])
def test_mistakes_are_told(weft, arguments, words):
    status, out, talk = weft.run("bridge", *arguments)
    assert status == USAGE and out == b"" and words in talk


def test_a_port_that_is_taken_is_told(weft):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for options in (("--listen", address), ("--listen", ANY, "--metrics", address)):
            status, _, talk = weft.run("bridge", "tcp", "--relay", *options)
            assert status == 1 and address + ": somebody listens there already; choose another port" in talk
        assert "--metrics " + address in talk


def test_a_network_needs_a_word(weft):
    status, _, talk = weft.run("bridge", "tcp", "--listen", "0.0.0.0:0", "--relay")
    assert status == NOT_AUTHORISED and "--insecure" in talk
