"""What the programs say and how they end: limits, times, and everything that a user may get wrong."""

import json
import os
import re
import resource
import socket

import pytest

from running import ANY_TCP, WEFT

OK, ERROR, USAGE, TIMEOUT, NO_PEER, LOSS = 0, 1, 2, 3, 4, 6


# ---------------------------------------------------------------------- usage

@pytest.mark.parametrize("line, words", [
    ("push", "an endpoint is missing"),
    ("push nonsense", "not an endpoint; write tcp://HOST:PORT"),
    ("push tcp://127.0.0.1", "no port"),
    ("push tcp://127.0.0.1:99999", "65535"),
    ("push http://127.0.0.1:80", "the transport \"http\" is not known"),
    ("push tcp://:5555", "host"),
    ("pull -b ipc://" + "x" * 200, "the system allows 107"),
    ("push -c tcp://127.0.0.1:0", "any free port is for bind"),
    ("push tcp://127.0.0.1:1 --tiemout 3s", "did you mean --timeout?"),
    ("push tcp://127.0.0.1:1 --timeout", "--timeout"),
    ("push tcp://127.0.0.1:1 --timeout soon", "--timeout: \"soon\""),
    ("push tcp://127.0.0.1:1 --hwm 0", "1..100000000"),
    ("push tcp://127.0.0.1:1 --max-size lots", "--max-size: \"lots\""),
    ("pull tcp://127.0.0.1:0 --output xml", "lines|nul|raw|len32|hex|json"),
    ("pull tcp://127.0.0.1:0 --format %q", "%q is not known"),
    ("pull tcp://127.0.0.1:0 --format %", "a lone %"),
    ("sub tcp://127.0.0.1:1 -t " + "t" * 246, "246 bytes are too many; at most 245"),
    ("pub tcp://127.0.0.1:0 -t " + "t" * 246, "246 bytes are too many; at most 245"),
    ("rep tcp://127.0.0.1:0 --echo --data x", "choose one"),
    ("psuh", "did you mean 'push'?"),
    ("help psuh", "did you mean 'push'?"),
    ("--versoin", "--versoin"),
])
def test_what_is_mistyped(weft, line, words):
    status, output, talk = weft.run(*line.split(" "))
    assert (status, output) == (USAGE, b"")
    assert words in talk
    assert len(talk.splitlines()) == 1


def test_a_topic_of_245_bytes(weft, somewhere):
    topic = "t" * 245
    pub = weft.start("pub", "-b", somewhere, "--wait-subs", "1", "-t", topic, input=b"body\n")
    assert weft.run("sub", pub.endpoint, "-t", topic, "--count", "1") == (OK, topic.encode() + b"\tbody\n", "")


# ------------------------------------------------------------------ endpoints

def test_an_address_in_use(weft, somewhere):
    first = weft.start("pull", "-v", "-b", somewhere)
    status, _output, talk = weft.run("pull", "-b", first.endpoint)
    assert status == ERROR
    assert first.endpoint in talk and re.search("in use|listens there already", talk)
    assert weft.run("push", first.endpoint, input=b"still there\n")[0] == OK
    first.expect(b"still there\n")
    if first.endpoint.startswith("ipc:"):
        first.expect_talk("closed before the handshake")
    assert b"ZeroMQ" not in first.talk.data


def test_what_an_ipc_program_left_is_taken_over(weft, tmp_path):
    endpoint = "ipc://%s/socket" % tmp_path
    first = weft.start("pull", "-b", endpoint)
    assert first.endpoint == endpoint
    first.kill()
    second = weft.start("pull", "-b", endpoint, "--count", "1")
    assert second.endpoint == endpoint
    assert weft.run("push", endpoint, input=b"x\n")[0] == OK
    assert second.wait() == OK


def test_a_name_that_does_not_resolve(weft):
    status, _output, talk = weft.run("push", "tcp://nowhere.invalid:5555", "--data", "x")
    assert status == ERROR
    assert "\"nowhere.invalid\" does not resolve" in talk


def test_a_folder_that_is_not_there(weft):
    for side in ("-b", "-c"):
        status, _output, talk = weft.run("push", side, "ipc:///nowhere/at/all", "--data", "x")
        assert status == ERROR and "/nowhere/at" in talk


def test_several_endpoints(weft, somewhere, tmp_path):
    """Bound and connected, by options, prefixes and in a list."""
    rest = "ipc://%s/rest" % tmp_path
    first = weft.start("pull", "-b", somewhere, "-b", ANY_TCP, rest)
    one, two, three = first.endpoints(3)
    assert three == rest
    second = weft.start("pull", "@" + ANY_TCP)
    status, _output, talk = weft.run("push", one + "," + two, ">" + three, "-c", second.endpoint, "--wait-peers", "4",
                                     input=b"a\nb\nc\nd\n")
    assert (status, talk) == (OK, "")
    first.out.wait(lambda data: data.count(b"\n") == 3, "three lines")
    second.out.wait(lambda data: data.count(b"\n") == 1, "one line")


# ---------------------------------------------------------------- peers, time

def test_no_peer_until_the_timeout(weft, somewhere):
    for line in (["push", "-b", somewhere, "--data", "x"], ["pull", "-b", somewhere],
                 ["req", "-b", somewhere, "--data", "x"], ["rep", "-b", somewhere, "--echo"], ["sub", "-b", somewhere],
                 ["pub", "-b", somewhere, "--wait-subs", "1", "--data", "x"],
                 ["push", "-c", "tcp://127.0.0.1:1", "--data", "x"], ["pull", "-c", "tcp://127.0.0.1:1"]):
        status, output, talk = weft.run(*line, "--timeout", "50ms")
        assert (status, output) == (NO_PEER, b""), talk
        assert "within 50ms" in talk


def test_nothing_comes_until_the_timeout(weft, somewhere):
    push = weft.start("push", "-b", somewhere, input=weft.OPEN)
    pull = weft.start("pull", "-c", push.endpoint, "--timeout", "1s")
    push.write(b"one\n")
    pull.expect(b"one\n")
    status, _output, talk = pull.result()
    assert status == TIMEOUT
    assert "nothing came within 1s" in talk


def test_no_reply_until_the_timeout(weft, somewhere):
    rep = weft.start("rep", somewhere, input=weft.OPEN)
    status, output, talk = weft.run("req", rep.endpoint, "--timeout", "500ms", "--retries", "1", "--retry-delay", "1ms",
                                    "--data", "x")
    assert (status, output) == (TIMEOUT, b"")
    assert "sent again" in talk


@pytest.mark.parametrize("mine, other", [("push", "push"), ("pull", "rep"), ("req", "pull"), ("sub", "push")])
def test_a_peer_that_does_not_fit(weft, somewhere, mine, other):
    peer = weft.start(other, "-b", somewhere, input=weft.OPEN)
    status, _output, talk = weft.run(mine, "-c", peer.endpoint, input=b"x\n")
    assert status == ERROR
    assert "the peer does not fit: %s speaks with " % mine in talk


def test_a_peer_that_does_not_speak_zeromq(weft):
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = "tcp://127.0.0.1:%d" % server.getsockname()[1]
        program = weft.start("push", endpoint, "--data", "x", "--timeout", "20s")
        connection, _address = server.accept()
        connection.close()
        program.expect_talk(re.escape(endpoint) + ".*perhaps it does not speak ZeroMQ")


def test_garbage_from_a_network(weft):
    """A listener outlives whatever is sent to it. (libzmq still takes peers of ZMTP 1.0, which had
    no greeting, so that some garbage passes for messages.)"""
    pull = weft.start("pull", "-b", ANY_TCP)
    port = int(pull.endpoint.rpartition(":")[2])
    for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" + b"\0" * 8 + b"\x7f" + b"\xaa" * 1000, b"\x01\x00" * 500,
                    b"\xff" * 5000):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                connection.sendall(garbage)
            except ConnectionError:
                pass
    assert weft.run("push", pull.endpoint, input=b"good\n")[0] == OK
    pull.out.wait(lambda data: data.endswith(b"good\n"), "the message")


# -------------------------------------------------------------- input, output

def test_malformed_input_is_told_and_left_out(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone")
    status, _output, talk = weft.run("push", pull.endpoint, "--json",
                                     input=b'{"data":"one"}\n{"data":1}\n\n{"data":"four"}\n')
    assert status == ERROR
    assert talk.splitlines() == ["weft push: line 2: column 9: a string or {\"base64\": \"...\"} is expected",
                                 "weft push: line 3: column 1: an object is expected"]
    assert pull.wait() == OK
    assert pull.out.data == b"one\nfour\n"


def test_a_stream_of_malformed_input_is_told_ten_times(weft, somewhere):
    pull = weft.start("pull", somewhere)
    status, _output, talk = weft.run("push", pull.endpoint, "--hex", input=b"xy\n" * 1000)
    assert status == ERROR
    assert len(talk.splitlines()) <= 12


def test_input_that_ends_in_the_middle(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone")
    status, _output, talk = weft.run("push", pull.endpoint, "--len32", input=b"\0\0\0\1a\0\0\0\5abc")
    assert status == ERROR
    assert "message 2: the input ends within it" in talk
    assert pull.wait() == OK
    assert pull.out.data == b"a\n"


def test_a_message_over_the_limit(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone", "--max-size", "10")
    status, _output, talk = weft.run("push", pull.endpoint, "--max-size", "20",
                                    input=b"x" * 21 + b"\n" + b"y" * 20 + b"\nz\n")
    assert status == LOSS
    assert "line 1: larger than the limit of 20 bytes" in talk
    status, output, talk = pull.result()
    assert (status, output) == (LOSS, b"z\n")
    assert "1 refused" in talk


def test_closed_standard_streams(weft, somewhere):
    """Started with one of 0, 1, 2 closed, a program works as far as it can, and its sockets do
    not end up there."""
    pull = weft.start("pull", somewhere, "--count", "1")
    shell = '"$0" push "$1" --data x <&- >&- 2>&-'
    program = weft.command(["sh", "-c", shell, WEFT, pull.endpoint])
    assert program.wait() == OK
    assert pull.result()[:2] == (OK, b"x\n")
    program = weft.command(["sh", "-c", '"$0" push "$1" <&- --timeout 1s', WEFT, pull.endpoint])
    assert program.wait() == OK


def test_a_reader_that_leaves(weft, somewhere):
    """EPIPE ends a receiver quietly, both while messages flow and while none does."""
    for lines in (b"x\n" * 200_000, b""):
        pull = weft.command(["sh", "-c", '{ "$0" pull "$1"; echo "status $?" >&2; } | head -n %d' % bool(lines),
                             WEFT, somewhere])
        endpoint = pull.endpoint
        push = weft.start("push", endpoint, "--timeout", "5s", "--linger", "0", input=lines) if lines else None
        pull.expect_talk("^status 0$")
        assert pull.wait() == OK
        assert len(pull.talk.data.splitlines()) == 2, pull.talk.data
        if push:
            push.kill()


@pytest.mark.parametrize("program", ["push", "pull"])
def test_out_of_descriptors(weft, tmp_path, program):
    """With however few of them: works, or says so."""
    def limit(count):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    for count in range(5, 24):
        status, output, talk = weft.run(program, "-b", "ipc://%s/socket" % tmp_path, "--timeout", "10ms", input=b"x\n",
                                        preexec_fn=limit(count))
        assert status in (ERROR, NO_PEER) and output == b"", (count, talk)
        assert talk
    assert status == NO_PEER


# ------------------------------------------------------------------ the rest

def test_counts(weft, somewhere):
    pull = weft.start("pull", somewhere, "--count", "3")
    options = ["--data", "a", "--data", "b", "--count", "3", "--interval", "1ms"]
    assert weft.run("push", pull.endpoint, *options) == (OK, b"", "")
    assert pull.result()[:2] == (OK, b"a\nb\na\n")


def test_quiet_and_verbose(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone", "-v")
    status, _output, talk = weft.run("push", pull.endpoint, "-v", input=b"one\ntwo\n")
    assert status == OK and "sent 2 messages (6 bytes)" in talk
    status, _output, talk = pull.result()
    assert status == OK and "received 2 messages (6 bytes)" in talk
    quiet = weft.start("pull", "-q", somewhere, "--timeout", "10ms")
    status, _output, talk = quiet.result()
    assert status == NO_PEER and "listening" not in talk


def test_summary_as_json(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone", "-v", "--json")
    assert weft.run("push", pull.endpoint, input=b"one\ntwo\n")[0] == OK
    status, output, talk = pull.result()
    assert status == OK and len(output.splitlines()) == 2
    summary = json.loads(talk.splitlines()[-1])
    assert (summary["received"], summary["received_bytes"], summary["dropped"]) == (2, 6, 0)


def test_version(weft):
    status, output, talk = weft.run("version")
    assert (status, talk) == (OK, "")
    assert re.search(rb"^weft \d+\.\d+\.\d+$", output, re.M) and b"libzmq 4." in output
