"""weft bridge --threads: connections shared out, one ready line, one sum, one end."""

import asyncio
import http.client
import itertools
import re
import socket
import threading

import pytest

from running import ANY_TCP, LIMIT

ANY = "127.0.0.1:0"
OK, USAGE = 0, 2


def listening(program):
    found = program.talk.wait(lambda talk: re.search(rb"weft bridge: \w+ listening on (\S+)\n", talk), "the ready line")
    host, port = found.group(1).decode().split(":")
    return host, int(port)


@pytest.fixture
def threads(weft):
    """Three, each of which has found its peer in the fabric."""
    def run(*arguments, adapter="tcp"):
        program = weft.start("bridge", adapter, "-v", "--threads", "3", "--listen", ANY, *arguments)
        program.talk.wait(lambda talk: talk.count(b"a peer has come") == 3, "three sockets of the fabric")
        return program
    return run


def test_each_client_has_its_own_replies_whatever_its_thread(weft, threads):
    rep = weft.start("rep", ANY_TCP, "--echo")
    program = threads("--req", rep.endpoint)
    address = listening(program)

    async def client(number):
        reader, writer = await asyncio.open_connection(*address)
        lines = [b"%d.%d\n" % (number, each) for each in range(20)]
        writer.write(b"".join(lines))
        writer.write_eof()
        assert await reader.read() == b"".join(lines)
        writer.close()

    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*(client(number) for number in range(100))), LIMIT)

    asyncio.run(all_of_them())
    program.signal()
    assert program.wait() == OK, program.talk.data
    assert program.talk.data.count(b"tcp listening on") == 1
    assert b"in 2000 messages" in program.talk.data and b"100 connections" in program.talk.data


def test_what_all_take_arrives(weft, threads):
    count = 60
    pull = weft.start("pull", ANY_TCP, "--count", str(count))
    program = threads("--push", pull.endpoint)
    address = listening(program)
    for number in range(count):
        with socket.create_connection(address, LIMIT) as client:
            client.sendall(b"%d\n" % number)
    assert pull.wait() == OK
    assert sorted(map(int, pull.out.data.split())) == list(range(count))
    program.signal()
    assert program.wait() == OK, program.talk.data


def test_all_threads_hear_what_is_published_and_end_together(weft, threads):
    pub = weft.start("pub", ANY_TCP, "--wait-subs", "3", input=weft.OPEN)
    program = threads("--sub", ">" + pub.endpoint)
    address = listening(program)
    clients = [socket.create_connection(address, LIMIT) for _ in range(20)]
    program.talk.wait(lambda talk: talk.count(b"is connected") == 20, "all clients")
    pub.write(b"news\n")
    for client in clients:
        assert client.makefile("rb").readline() == b"news\n"
    program.signal()
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    assert program.wait() == OK, program.talk.data


def test_what_is_under_way_is_awaited(weft, threads):
    rep = weft.start("rep", ANY_TCP, input=weft.OPEN)   # by hand
    program = threads("--req", rep.endpoint, "--linger", "20s")
    address = listening(program)
    clients = [socket.create_connection(address, LIMIT) for _ in range(6)]
    for number, client in enumerate(clients, 1):
        client.sendall(b"who?\n")
        rep.out.wait(lambda out, number=number: out.count(b"\n") == number, "the request")
        if number == len(clients):
            program.signal()
        rep.write(b"%d\n" % number)
        assert client.makefile("rb").readline() == b"%d\n" % number
    for client in clients:
        client.close()
    assert program.wait() == OK, program.talk.data


def test_what_http_says_was_taken_arrives_also_at_the_end(weft, threads):
    """The bridge is told to end while all are sending."""
    pull = weft.start("pull", ANY_TCP)
    program = threads("--push", pull.endpoint, "--linger", "20s", adapter="http")
    address = listening(program)
    taken, enough = [], threading.Event()

    def post(number):
        client = http.client.HTTPConnection(*address, timeout=LIMIT)
        try:
            for each in itertools.count():
                body = b"%d.%d" % (number, each)
                client.request("POST", "/push", body)
                answer = client.getresponse()
                answer.read()
                if answer.status != 202:
                    break
                taken.append(body)
                if len(taken) > 500:
                    enough.set()
                if answer.will_close:
                    break
        except (OSError, http.client.HTTPException):    # it was closed at rest
            pass
        client.close()

    clients = [threading.Thread(target=post, args=(number,)) for number in range(12)]
    for each in clients:
        each.start()
    assert enough.wait(LIMIT)
    program.signal()
    for each in clients:
        each.join(LIMIT)
    assert program.wait() == OK, program.talk.data
    pull.out.wait(lambda out: set(taken) <= set(out.split()), "all that was taken")
    arrived = pull.out.data.split()
    assert len(set(arrived)) == len(arrived)


def test_a_port_is_not_shared_with_others(weft, threads):
    program = threads("--push", weft.start("pull", ANY_TCP).endpoint)
    address = "%s:%d" % listening(program)
    status, _, talk = weft.run("bridge", "tcp", "--threads", "2", "--listen", address, "--push", "tcp://127.0.0.1:1")
    assert status != OK and "somebody listens there already" in talk


@pytest.mark.parametrize("arguments, words", [
    (("--listen", ANY, "--relay"), "--relay"),
    (("--listen", ANY, "--pull", "tcp://127.0.0.1:1"), "--pull"),
    (("--listen", ANY, "--rep", "tcp://127.0.0.1:1"), "--rep"),
    (("--listen", ANY, "--pub", "tcp://127.0.0.1:0"), "--pub that binds to tcp://127.0.0.1:0"),
    (("--listen", ANY, "--push", "tcp://127.0.0.1:1", "--max-per-host", "1"), "--max-per-host"),
    (("--listen", "unix:sock", "--push", "tcp://127.0.0.1:1"), "Unix sockets"),
    (("--dial", "127.0.0.1:1", "--push", "tcp://127.0.0.1:1"), "--dial")])
def test_what_has_to_be_one_is_refused(weft, arguments, words):
    status, _, talk = weft.run("bridge", "tcp", "--threads", "2", *arguments)
    assert status == USAGE
    assert "--threads does not go with " + words in talk
