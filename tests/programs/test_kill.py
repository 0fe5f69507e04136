"""Peers that die at any moment, and signals: the others go on, and nothing is lost in silence."""

import re
import signal

import pytest

OK, LOSS = 0, 6


def test_a_puller_dies(weft, somewhere):
    """What it had taken is lost with it; the rest goes to the other, and the pusher ends well."""
    push = weft.start("push", "-b", somewhere, "--wait-peers", "2", "--hwm", "10", input=weft.OPEN)
    victim, other = (weft.start("pull", "-c", push.endpoint, "--until-gone") for _ in range(2))
    push.write(b"".join(b"%d\n" % i for i in range(100)))
    victim.out.wait(lambda data: data.count(b"\n") >= 5, "some of its share")
    victim.kill()
    push.write(b"".join(b"%d\n" % i for i in range(100, 1000)) + b"last\n")
    push.close_input()
    assert push.wait() == OK
    assert other.wait() == OK
    lines = other.out.data.splitlines()
    assert lines[-1] == b"last"
    assert len(lines) > 800


def test_a_pusher_dies(weft, somewhere):
    pull = weft.start("pull", somewhere)
    victim = weft.start("push", pull.endpoint, input=weft.OPEN)
    victim.write(b"one\n")
    pull.expect(b"one\n")
    victim.kill()
    assert weft.run("push", pull.endpoint, input=b"two\n")[0] == OK
    pull.expect(b"one\ntwo\n")


def test_a_server_dies_and_comes_back(weft, tmp_path):
    """The request that it had is sent again, and that is announced."""
    endpoint = "ipc://%s/socket" % tmp_path
    first = weft.start("rep", endpoint, input=weft.OPEN)
    req = weft.start("req", endpoint, "--timeout", "20s", "--retries", "5", "--retry-delay", "1ms",
                     "--reconnect", "10ms", "--reconnect-max", "10ms", input=b"a\nb\n")
    first.out.wait(lambda data: data == b"a\n", "the request")
    first.kill()
    second = weft.start("rep", endpoint, "--echo")
    assert second.endpoint == endpoint
    assert req.wait() == OK, req.talk.data
    assert req.out.data == b"a\nb\n"
    assert re.search(rb"again|retr", req.talk.data)


def test_one_of_two_servers_dies(weft, somewhere, tmp_path):
    victim = weft.start("rep", somewhere, input=weft.OPEN)
    other = weft.start("rep", "ipc://%s/other" % tmp_path, "--echo")
    req = weft.start("req", victim.endpoint, other.endpoint, "--wait-peers", "2", "--timeout", "20s", "--retries", "5",
                     "--retry-delay", "1ms", input=b"".join(b"%d\n" % i for i in range(10)))
    victim.out.wait(lambda data: data, "a request")
    victim.kill()
    assert req.wait() == OK, req.talk.data
    assert req.out.data == b"".join(b"%d\n" % i for i in range(10))


def test_a_client_dies(weft, somewhere):
    rep = weft.start("rep", somewhere, "--exec", "sleep 0.2; cat")
    victim = weft.start("req", rep.endpoint, input=b"lost\n")
    other = weft.start("req", rep.endpoint, input=b"mine\n")
    victim.kill()
    assert other.wait() == OK
    assert other.out.data == b"mine\n"


def test_a_subscriber_dies(weft, somewhere):
    pub = weft.start("pub", "-b", somewhere, "--wait-subs", "2", input=weft.OPEN)
    victim, other = (weft.start("sub", pub.endpoint, "--until-gone") for _ in range(2))
    pub.write(b"one\n")
    for sub in (victim, other):
        sub.expect(b"one\n")
    victim.kill()
    pub.write(b"two\n" * 5000)
    other.out.wait(lambda data: data.count(b"\n") > 1, "more")
    pub.write(b"last\n")
    pub.close_input()
    assert pub.wait() in (OK, LOSS)
    assert other.wait() == OK


def test_a_publisher_dies_and_another_takes_its_place(weft, tmp_path):
    endpoint = "ipc://%s/socket" % tmp_path
    first = weft.start("pub", "-b", endpoint, "--wait-subs", "1", input=weft.OPEN)
    sub = weft.start("sub", endpoint, "--reconnect", "10ms", "--reconnect-max", "10ms")
    first.write(b"one\n")
    sub.expect(b"one\n")
    first.kill()
    weft.start("pub", "-b", endpoint, "--wait-subs", "1", input=b"two\n")
    sub.expect(b"one\ntwo\n")


def test_a_stopped_receiver_reports(weft, somewhere):
    """SIGTERM ends a receiver as it should be ended: what came is written, and the status is 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        pull = weft.start("pull", somewhere, "-v")
        assert weft.run("push", pull.endpoint, input=b"one\ntwo\n")[0] == OK
        pull.expect(b"one\ntwo\n")
        pull.signal(number)
        status, output, talk = pull.result()
        assert (status, output) == (OK, b"one\ntwo\n")
        assert "received 2 messages" in talk


def start_and_fill(weft, somewhere, linger):
    """A push without a peer that has read part of its input: more was written than a pipe holds."""
    push = weft.start("push", "-b", somewhere, "--linger", linger, input=weft.OPEN)
    push.write(b"a line of text\n" * 4400)
    return push


def test_a_stopped_sender_reports_what_is_left(weft, somewhere):
    push = start_and_fill(weft, somewhere, "50ms")
    push.signal()
    status, _output, talk = push.result()
    assert status == LOSS
    assert re.search("sent 0 messages .*, [1-9][0-9]* not sent", talk), talk


def test_a_second_signal_does_not_wait(weft, somewhere):
    push = start_and_fill(weft, somewhere, "forever")
    push.signal()
    push.signal(signal.SIGINT)
    assert push.wait() == LOSS


def test_stopped_while_its_input_is_open(weft, somewhere):
    for program in ("push", "pub"):
        sender = weft.start(program, "-b", somewhere, input=weft.OPEN)
        assert sender.endpoint
        sender.signal()
        assert sender.wait() == OK, sender.talk.data


@pytest.mark.parametrize("stopped", [False, True])
def test_what_lingers_in_vain_is_told(weft, somewhere, stopped):
    """The puller hangs, and the system holds a part of what was sent: the pusher, at the end of its
    input or after a signal, waits for --linger, and says how much may be lost."""
    pull = weft.start("pull", somewhere)
    push = weft.start("push", pull.endpoint, "--linger", "100ms", "-v", input=weft.OPEN)
    push.write(b"first\n")
    pull.expect(b"first\n")
    pull.signal(signal.SIGSTOP)
    push.write((b"x" * (1 << 20) + b"\n") * 40)
    if stopped:
        push.signal()
    push.close_input()
    status, _output, talk = push.result()
    assert status == LOSS
    found = re.search("perhaps up to ([0-9]+) of the last messages were left undelivered", talk)
    assert found and 0 < int(found[1]) <= 41, talk
