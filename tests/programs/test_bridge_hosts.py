"""What clients may call a bridge that listens: the names of --allow-host, over HTTP and WebSocket."""

import re
import socket

import pytest

from running import ANY_TCP, LIMIT

ANY = "127.0.0.1:0"
OK, USAGE = 0, 2
ASK = b"GET /nothing HTTP/1.1\r\nHost: %s\r\n\r\n"
HELLO = (b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
FIXED = [b"localhost", b"LOCALHOST:1", b"127.0.0.1", b"127.0.0.1:99", b"[::1]:8080", b"[::1]", b"192.0.2.1"]
NAMES = [b"evil.example", b"evil.example:8000", b"localhost.evil.example", b"127.0.0.1.evil.example", b"localhost:x"]


def listening(program, what):
    pattern = rb"weft bridge: " + what.encode() + rb" listening on (\S+)\n"
    return program.talk.wait(lambda talk: re.search(pattern, talk), "the ready line").group(1).decode()


def answer(address, request):
    """The status of the answer, and its text."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(request)
        file = client.makefile("rb")
        status, size = int(file.readline().split()[1]), 0
        for line in iter(file.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        return status, file.read(size)


def check(address, request, right, names, wrong):
    for name in names:
        assert answer(address, request % name)[0] == right, name
    for name in wrong:
        status, text = answer(address, request % name)
        assert status == 421 and (b"--allow-host " in text or b"no name" in text), (name, text)


@pytest.mark.parametrize("what, request_, right", [("http", ASK, 404), ("http", HELLO, 101), ("ws", HELLO, 101)])
def test_on_loopback_a_name_has_to_be_allowed(weft, what, request_, right):
    fabric = ["--push", "@" + ANY_TCP]
    program = weft.start("bridge", what, "--listen", ANY, *fabric)
    check(listening(program, what), request_, right, FIXED, NAMES)
    program = weft.start("bridge", what, "--listen", ANY, "--allow-host", "evil.example", *fabric)
    check(listening(program, what), request_, right, FIXED + NAMES[:2] + [b"Evil.Example"], NAMES[2:])
    program = weft.start("bridge", what, "--listen", ANY, "--allow-host", "*", *fabric)
    check(listening(program, what), request_, right, FIXED + NAMES, [])


def test_beyond_this_machine_all_names_are_right_until_one_is_given(weft):
    common = ["--listen", "0.0.0.0:0", "--insecure", "--push", "@" + ANY_TCP]
    program = weft.start("bridge", "http", *common)
    check(listening(program, "http").replace("0.0.0.0", "127.0.0.1"), ASK, 404, FIXED + NAMES, [])
    program = weft.start("bridge", "http", *common, "--allow-host", "good.example", "--allow-host", "[::1]")
    check(listening(program, "http").replace("0.0.0.0", "127.0.0.1"), ASK, 404,
          [b"good.example:80", b"GOOD.example", b"[::1]:80"], NAMES + [b"localhost", b"good.example.evil.example"])


def test_a_unix_socket_has_no_name(weft, tmp_path):
    program = weft.start("bridge", "http", "--listen", "unix:%s/web" % tmp_path, "--push", "@" + ANY_TCP)
    listening(program, "http")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect("%s/web" % tmp_path)
        client.sendall(ASK % b"any.name")
        assert b" 404 " in client.makefile("rb").readline()


def test_old_clients_say_no_name(weft):
    program = weft.start("bridge", "http", "--listen", ANY, "--push", "@" + ANY_TCP)
    address = listening(program, "http")
    assert answer(address, b"GET /nothing HTTP/1.0\r\n\r\n")[0] == 404
    assert answer(address, b"GET /nothing HTTP/1.0\r\nHost: evil.example\r\n\r\n")[0] == 421
    assert answer(address, b"GET /nothing HTTP/1.1\r\nHost:\r\n\r\n")[0] == 421


@pytest.mark.parametrize("wrong, words", [
    (["http", "--allow-host", "http://x/"], "a name alone"), (["ws", "--allow-host", "x:80"], "a name alone"),
    (["http", "--allow-host", ""], "a name alone"), (["tcp", "--allow-host", "x"], "http and ws")])
def test_mistakes_are_said(weft, wrong, words):
    status, _, talk = weft.run("bridge", *wrong, "--listen", ANY, "--push", "@" + ANY_TCP)
    assert status == USAGE and words in talk
    status, _, talk = weft.run("bridge", "ws", "--allow-host", "x", "--dial", ANY, "--push", "@" + ANY_TCP)
    assert status == USAGE and "--listen" in talk
