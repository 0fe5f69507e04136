"""examples/: what a person does who tries them, as their first lines say it; ports are free ones."""

import json
import os
import re
import subprocess

import pytest

from running import LIMIT

TOP = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILT = os.path.join(os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build"))), "examples")
ANY = "127.0.0.1:0"


@pytest.fixture
def example(weft):
    """Starts one of the programs, which make examples builds."""
    def run(name, *arguments):
        path = os.path.join(BUILT, name)
        if not os.path.exists(path):
            pytest.skip("make examples has not been run")
        return weft.command([path, *arguments])
    return run


@pytest.fixture
def fabric(weft, tmp_path):
    """Starts a fabric of examples/, changed here and there, from the top of the tree."""
    def run(name, *changes):
        with open(os.path.join(TOP, "examples", name), encoding="utf-8") as file:
            text = file.read()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        program = weft.start("up", str(tmp_path / name), cwd=TOP)
        program.expect_talk("^weft up: ready")
        return program
    return run


def said(program, pattern):
    return program.expect_talk(pattern).group(1).decode()


def printed(program, pattern):
    found = program.out.wait(lambda data: re.search(pattern.encode(), data, re.M), "output that matches " + pattern)
    return found.group(1).decode()


def curl(*arguments):
    """Status, the value of Location, body."""
    done = subprocess.run(["curl", "-sS", "-i", *arguments], stdout=subprocess.PIPE, timeout=LIMIT, check=True)
    head, _, body = done.stdout.decode().replace("\r\n", "\n").partition("\n\n")
    location = re.search(r"^Location: (.*)$", head, re.M)
    return int(head.split()[1]), location and location.group(1), body


# ---------------------------------------------------------------------- a service in C

def test_rest_keeps_notes(example, weft):
    service = example("rest", "tcp://127.0.0.1:0")
    bridge = weft.start("bridge", "http", "--listen", ANY, "--req", printed(service, r"listening on (\S+)"),
                        "--as", "frames", "--mount", "/=req", "--wait", "50ms")
    url = "http://" + said(bridge, r"http listening on (\S+)")
    assert curl(url + "/notes/1")[0] == 404
    assert curl("-d", "buy milk", url + "/notes")[:2] == (201, "/notes/1")
    assert curl("-d", "sell cow", url + "/notes")[:2] == (201, "/notes/2")
    assert curl(url + "/notes/1") == (200, None, "buy milk")
    assert curl("-X", "DELETE", url + "/notes/1")[0] == 204
    assert curl(url + "/notes/1")[0] == 404
    assert curl("-X", "PUT", "-d", "x", url + "/notes/2")[0] == 405
    service.kill()
    assert curl(url + "/notes/2")[0] == 503


def test_a_bridge_in_a_program(example):
    program = example("bridge", ANY)
    url = printed(program, r"listening on (\S+)")
    assert curl(url + "anything") == (200, None, "you asked for /anything\n")
    program.signal()
    assert program.wait() == 0


# ---------------------------------------------------------------------------- fabrics

SERVICES = "service-1", "service-2"


def test_rest_answers_json(fabric):
    program = fabric("rest.zpl", ("127.0.0.1:8000", ANY))
    url = "http://" + said(program, r"web: http listening on (\S+)")
    for _ in SERVICES:                          # one after the other gets a request
        status, _, body = curl(url + "/items/1")
        assert (status, json.loads(body)) == (200, {"id": 1, "name": "lamp"})
        status, location, body = curl("-d", '{"name":"chair"}', url + "/items")
        assert (status, location, json.loads(body)) == (201, "/items/2", {"id": 2})
        status, _, body = curl(url + "/items/3")
        assert (status, json.loads(body)) == (404, {"error": "no such item"})


def test_rest_without_services(fabric):
    """The queue takes the request, and nobody answers it."""
    parts = [("%s\n    command = rep\n    connect = inproc://services\n    exec = examples/items.sh" % name, "")
             for name in SERVICES]
    program = fabric("rest.zpl", ("127.0.0.1:8000", ANY), ("timeout = 5s", "timeout = 50ms"), *parts)
    assert curl("http://%s/items/1" % said(program, r"web: http listening on (\S+)"))[0] == 504


def test_chat_can_be_listened_to(fabric, weft):
    """Of the page there is more in test_up.py: it is that of the default fabric."""
    program = fabric("chat.zpl", ("127.0.0.1:8765", ANY), ("tcp://127.0.0.1:8766", "tcp://127.0.0.1:0"))
    status, _, body = curl("http://" + said(program, r"chat: ws listening on (\S+)"))
    assert status == 200 and "<script" in body
    sub = weft.start("sub", said(program, r"chat: pub listening on (\S+)"), "-v")
    sub.expect_talk("a peer has come|connected")
