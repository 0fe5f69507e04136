"""weft bridge udp, as nc and plain sockets see it, also those that mean no good."""

import re
import shutil
import signal
import socket
import subprocess

import pytest

from running import ANY_TCP, LIMIT, until

ANY = "127.0.0.1:0"
OK, USAGE, LOSS = 0, 2, 6
HEADERS = 28            # bytes of IP and UDP around each datagram


def listening(program, what="udp"):
    pattern = rb"weft bridge: " + what.encode() + rb" listening on (\S+)\n"
    return program.talk.wait(lambda talk: re.search(pattern, talk), "the ready line of " + what).group(1).decode()


def address_of(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Client:
    """A plain socket that is connected to an address, or bound."""

    def __init__(self, to=None, family=socket.AF_INET):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(LIMIT)
        if to:
            self.socket.connect(address_of(to))
        else:
            self.socket.bind(("127.0.0.1", 0))

    def send(self, *datagrams):
        for each in datagrams:
            self.socket.send(each)

    def hear(self):
        return self.socket.recv(65536)

    def heard(self):
        """All that has come until now."""
        got = []
        self.socket.setblocking(False)
        try:
            while True:
                got.append(self.socket.recv(65536))
        except BlockingIOError:
            self.socket.settimeout(LIMIT)
            return got

    @property
    def name(self):
        return "%s:%d" % self.socket.getsockname()[:2]


@pytest.fixture
def client():
    clients = []

    def run(*arguments, **options):
        clients.append(Client(*arguments, **options))
        return clients[-1]
    yield run
    for each in clients:
        each.socket.close()


@pytest.fixture
def bridge(weft):
    return lambda *arguments: weft.start("bridge", "udp", "-v", *arguments)


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data
    return program.talk.data.decode().splitlines()[-1]


def count(line, what):
    """How many of something the last line of a bridge tells."""
    found = re.search(r"(\d+) (?:%s)" % what, line)
    return int(found.group(1)) if found else 0


# --------------------------------------------------------------------- requests

@pytest.fixture
def echo(weft, bridge):
    rep = weft.start("rep", ANY_TCP, "--echo")
    return lambda *arguments: bridge("--listen", ANY, "--req", rep.endpoint, *arguments)


def test_nc_is_answered(echo):
    program = echo()
    host, port = listening(program).split(":")
    done = subprocess.run([shutil.which("nc"), "-u", "-W", "1", host, port], input=b"hello", stdout=subprocess.PIPE,
                          timeout=LIMIT)
    assert done.stdout == b"hello"
    ended(program)


def test_socat_is_answered(echo):
    program = echo()
    done = subprocess.run(["socat", "-t", str(LIMIT), "-", "UDP4:%s,readbytes=5" % listening(program)], input=b"hello",
                          stdout=subprocess.PIPE, timeout=LIMIT)
    assert done.stdout == b"hello"
    ended(program)


def test_a_reply_goes_to_the_very_sender(echo, client):
    program = echo()
    clients = [client(listening(program)) for _ in range(50)]
    for number, each in enumerate(clients):
        each.send(b"%d" % number, b"", b"\0\xff %d" % number)
    for number, each in enumerate(clients):
        assert sorted(each.hear() for _ in range(3)) == sorted([b"%d" % number, b"", b"\0\xff %d" % number])
    assert count(ended(program), "connections") == 50


def test_ipv6_is_the_same(weft, bridge, client):
    rep = weft.start("rep", ANY_TCP, "--echo")
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))
    except OSError:
        pytest.skip("there is no IPv6 here")
    program = bridge("--listen", "[::1]:0", "--req", rep.endpoint)
    six = client(listening(program), family=socket.AF_INET6)
    six.send(b"six")
    assert six.hear() == b"six"
    ended(program)


def test_a_request_without_a_reply_is_told_if_there_are_words_for_it(weft, bridge, client):
    rep = weft.start("rep", ANY_TCP, "--echo")
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--timeout", "50ms", "--error-reply", "no")
    program.expect_talk("req .*a peer has come")
    rep.signal(signal.SIGSTOP)
    one = client(listening(program))
    one.send(b"anybody?")
    assert one.hear() == b"no"
    rep.kill()
    assert count(ended(program, LOSS), "request without a reply") == 1


def test_a_client_with_too_many_requests_holds_up_nobody(weft, bridge, client):
    rep = weft.start("rep", ANY_TCP, "--echo")
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--in-flight", "2")
    program.expect_talk("req .*a peer has come")
    rep.signal(signal.SIGSTOP)
    greedy, modest = client(listening(program)), client(listening(program))
    greedy.send(*[b"g%d" % each for each in range(10)])
    modest.send(b"modest")
    program.expect_talk(r"in-flight")
    rep.signal(signal.SIGCONT)
    assert modest.hear() == b"modest"
    assert sorted([greedy.hear(), greedy.hear()]) == [b"g0", b"g1"]
    greedy.send(b"again")
    assert greedy.hear() == b"again"
    assert count(ended(program, LOSS), "messages dropped") == 8


def test_frames_are_joined_by_the_separator(weft, bridge, client):
    program = bridge("--listen", ANY, "--pull", ANY_TCP, "--push", "@" + ANY_TCP, "--separator", ", ")
    one = client(listening(program))
    one.send(b"here")
    program.expect_talk(r"is connected")
    assert weft.run("push", listening(program, "pull"), "--separator", "|", input=b"a||c\n")[0] == OK
    assert one.hear() == b"a, , c"
    program.signal()
    program.wait()


# ------------------------------------------------------------- in and out of the fabric

def test_push_pub_and_relay(weft, bridge, client):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--pub", "@" + ANY_TCP, "--topic", "from/%p",
                     "--relay")
    sub = weft.start("sub", "-c", listening(program, "pub"), "-t", "from/", "--separator", " ")
    one, two = client(listening(program)), client(listening(program))
    two.send(b"second")
    pull.expect(b"second\n")
    one.send(b"first")
    assert two.hear() == b"first"
    pull.expect(b"second\nfirst\n")

    def published():
        one.send(b"first")              # until the subscription has come
        return b"from/" + one.name.encode() + b" first\n" in sub.out.data
    until(published, "the publication")
    ended(program)


def test_pull_deals_among_those_who_were_heard(weft, bridge, client):
    program = bridge("--listen", ANY, "--pull", ANY_TCP, "--relay")
    one, two = client(listening(program)), client(listening(program))
    one.send(b"one")
    program.expect_talk(one.name + " is connected")
    two.send(b"two")
    assert one.hear() == b"two"
    assert weft.run("push", listening(program, "pull"), input=b"1\n2\n3\n4\n")[0] == OK
    assert sorted([one.hear() + one.hear(), two.hear() + two.hear()]) == [b"13", b"24"]
    ended(program)


def test_dial_asks_a_foreign_server(weft, bridge, client):
    server = client()
    program = bridge("--dial", server.name, "--rep", ANY_TCP)
    asking = weft.start("req", listening(program, "rep"), input=b"one\ntwo\n")
    for question in (b"one", b"two"):
        data, sender = server.socket.recvfrom(100)
        assert data == question
        client().socket.sendto(b"a stranger's", sender)
        server.socket.sendto(b"re: " + data, sender)
    assert asking.result()[:2] == (OK, b"re: one\nre: two\n")
    ended(program)


def test_a_late_or_lost_reply_is_a_timeout_and_reaches_nobody(weft, bridge, client):
    server = client()
    program = bridge("--dial", server.name, "--rep", ANY_TCP, "--timeout", "1s")
    asking = weft.start("req", listening(program, "rep"), "--timeout", "20s", input=b"late\nnow\n")
    first, old = server.socket.recvfrom(100)
    second, new = server.socket.recvfrom(100)       # the first was given up
    assert (first, second) == (b"late", b"now") and old != new
    server.socket.sendto(b"too late", old)
    server.socket.sendto(b"in time", new)
    assert asking.result()[:2] == (OK, b"\nin time\n")
    assert count(ended(program, LOSS), "request without a reply") == 1


def test_nobody_at_the_other_side_is_told_once(weft, bridge, client):
    server = client()
    program = bridge("--dial", server.name, "--pull", ANY_TCP)
    server.socket.close()
    assert weft.run("push", listening(program, "pull"), input=b"1\n")[0] == OK
    program.expect_talk(r"nobody listens there")
    ended(program, LOSS)


# --------------------------------------------------------------------------- groups

def test_a_multicast_group_both_ways(weft, bridge):
    pull = weft.start("pull", "@" + ANY_TCP)
    hears = bridge("--listen", "239.255.17.5:0", "--insecure", "--interface", "lo", "--push", ">" + pull.endpoint)
    tells = bridge("--dial", listening(hears), "--interface", "lo", "--pull", ANY_TCP)
    assert weft.run("push", listening(tells, "pull"), input=b"to all\n")[0] == OK
    pull.expect(b"to all\n")
    ended(tells)
    ended(hears)


def test_a_group_beside_an_address(weft, bridge):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", "*:0", "--insecure", "--group", "239.255.17.6%lo", "--push", ">" + pull.endpoint)
    port = address_of(listening(program))[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        out.sendto(b"joined", ("239.255.17.6", port))
        out.sendto(b"plain", ("127.0.0.1", port))
        pull.expect(b"joined\nplain\n")
    ended(program)


def test_what_one_mode_dropped_does_not_keep_the_next_from_others(weft, bridge, client):
    pull, rep = weft.start("pull", "@" + ANY_TCP), weft.start("rep", ANY_TCP, "--echo")
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--req", rep.endpoint, "--in-flight", "1")
    program.expect_talk("req .*a peer has come")
    rep.signal(signal.SIGSTOP)
    one = client(listening(program))
    one.send(b"one", b"over")           # is pushed, and no request
    program.expect_talk(r"in-flight")
    rep.signal(signal.SIGCONT)
    assert one.hear() == b"one"
    one.send(b"next")
    assert one.hear() == b"next"
    pull.expect(b"one\nover\nnext\n")
    assert count(ended(program, LOSS), "message dropped") == 1


def test_what_one_mode_refused_does_not_keep_the_next_from_others(weft, bridge, client):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--pub", "@" + ANY_TCP, "--topic", "%m")
    one = client(listening(program))
    one.send(b"x" * 300)                # is pushed, and too long for a topic
    program.expect_talk(r"a topic of 300 bytes")
    one.send(b"next")
    pull.expect(b"x" * 300 + b"\nnext\n")
    program.signal()
    program.wait()


# ------------------------------------------------------------------------ bad weather

def test_what_is_too_long_is_refused_and_the_source_goes_on(weft, bridge, client):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--max-size", "10")
    one = client(listening(program))
    one.send(b"x" * 11, b"", b"y" * 65507, b"0123456789")
    pull.expect(b"\n0123456789\n")
    assert count(ended(program, LOSS), "datagrams too long") == 2


def test_the_longest_datagram_passes(echo, client):
    program = echo()
    one = client(listening(program))
    one.send(b"z" * 65507)
    assert one.hear() == b"z" * 65507
    ended(program)


def test_what_no_datagram_carries_is_told(weft, bridge, client):
    program = bridge("--listen", ANY, "--pull", ANY_TCP, "--relay")
    one = client(listening(program))
    one.send(b"here")
    program.expect_talk(r"is connected")
    assert weft.run("push", listening(program, "pull"), "--raw", input=b"x" * 65508)[0] == OK
    program.expect_talk(r"a datagram carries 65507")
    assert weft.run("push", listening(program, "pull"), input=b"next\n")[0] == OK
    assert one.hear() == b"next"
    assert count(ended(program, LOSS), "message dropped") == 1


def test_thousands_of_sources_stay_within_the_table(weft, bridge):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--max-peers", "100")
    to = address_of(listening(program))
    sources = 3000
    for number in range(sources):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            source.sendto(b"%d" % number, to)
        if number % 100 == 99:          # so that the system has room
            until(lambda: b"\n%d\n" % number in pull.out.data, "what was sent")
    line = ended(program)
    assert 0.9 * sources < count(line, "connections") <= sources      # the system may give a port again
    assert count(line, "sources forgotten") == count(line, "connections") - 100


def test_a_flood_is_limited_for_its_source_alone(weft, bridge, client):
    pull = weft.start("pull", "@" + ANY_TCP)
    program = bridge("--listen", ANY, "--push", ">" + pull.endpoint, "--rate", "1", "--burst", "10")
    flood, modest = client(listening(program)), client(listening(program))
    for _ in range(10):
        flood.send(*[b"flood"] * 100)
    modest.send(b"modest")
    until(lambda: b"modest\n" in pull.out.data, "the modest one")
    taken = pull.out.data.count(b"flood")
    line = ended(program, LOSS)
    assert 10 <= taken < 10 + LIMIT
    assert count(line, "datagrams over the rate") == 1000 - taken - count(line, "datagrams? that the system")
    assert program.talk.data.count(b"--rate") + program.talk.data.count(b"(rate)") == 1


def test_while_the_fabric_is_gone_the_system_keeps_what_comes(weft, bridge, client):
    pull = weft.start("pull", "@" + ANY_TCP)
    endpoint = pull.endpoint
    program = bridge("--listen", ANY, "--push", ">" + endpoint, "--hwm", "1")
    one = client(listening(program))
    one.send(b"before")
    pull.expect(b"before\n")
    pull.kill()
    pull.wait()
    program.expect_talk(r"has gone|has left|ended|lost")
    numbers = [b"%d" % each for each in range(150)]
    one.send(*numbers)
    again = weft.start("pull", "@" + endpoint)
    until(lambda: again.out.data.endswith(b"149\n"), "the last one")
    got = again.out.data.split()
    assert got == numbers[-len(got):] and len(got) >= 148     # what was under way to the one that was killed is lost
    ended(program)


# --------------------------------------------------------------- what forgers cannot do

def test_replies_are_no_amplifier(weft, bridge, client):
    rep = weft.start("rep", ANY_TCP, "--exec", "head -c 1000 /dev/zero")
    program = bridge("--listen", ANY, "--req", rep.endpoint, "--trust", "none")
    one, sent, got = client(listening(program)), 0, 0
    for number in range(30):
        question = b"%d" % number + b"?" * 100
        one.send(question)
        sent += len(question) + HEADERS
    program.expect_talk(r"is not trusted")
    line = ended(program, LOSS)
    for each in one.heard():
        got += len(each) + HEADERS
    assert 0 < got <= 3 * sent
    assert count(line, "messages? withheld") == 30 - got // (1000 + HEADERS)
    assert program.talk.data.count(b"--trust") == 1


def test_strangers_get_nothing_that_they_did_not_ask_for(weft, bridge, client):
    program = bridge("--listen", ANY, "--sub", "@" + ANY_TCP, "--pull", ANY_TCP, "--relay", "--trust", "none")
    one, two = client(listening(program)), client(listening(program))
    one.send(b"x" * 1000)
    two.send(b"y" * 1000)
    for each in (one, two):
        program.expect_talk(each.name + " is connected")
    assert weft.run("pub", "-c", listening(program, "sub"), "--wait-subs", "1", input=b"all\n")[0] == OK
    program.expect_talk(r"is not trusted")
    line = ended(program, LOSS)
    assert one.heard() + two.heard() == []
    assert count(line, "messages? withheld") == 3       # the relayed one, and the publication to both


def test_trust_opens_it(weft, bridge, client):
    program = bridge("--listen", ANY, "--relay", "--trust", "none", "--trust", "127.0.0.1/32")
    one, two = client(listening(program)), client(listening(program))
    one.send(b"here")
    program.expect_talk(r"is connected")
    two.send(b"to one")
    assert one.hear() == b"to one"
    ended(program)


def test_silence_is_forgotten(weft, bridge, client):
    program = bridge("--listen", ANY, "--relay", "--idle", "50ms")
    one = client(listening(program))
    one.send(b"here")
    program.expect_talk(r"has gone: it has been silent")
    ended(program)


# ----------------------------------------------------------------------- common mistakes

@pytest.mark.parametrize("arguments, words", [
    (["--listen", "0.0.0.0:0", "--relay"], r"--insecure"),
    (["--listen", "239.1.2.3:0", "--relay"], r"--insecure"),
    (["--listen", "5140", "--relay"], r"127.0.0.1:5140"),
    (["--listen", "tcp://127.0.0.1:0", "--relay"], r"HOST:PORT"),
    (["--listen", ANY, "--rep", ANY_TCP], r"goes with --dial alone"),
    (["--listen", ANY, "--relay", "--trust", "10.0.0.0/99"], r"bits of the network"),
    (["--listen", ANY, "--relay", "--group", "10.0.0.1"], r"not a multicast group"),
    (["--listen", ANY, "--relay", "--framing", "line"], r"unknown option"),
    (["--dial", "127.0.0.1:0", "--relay"], r"port"),
    (["--dial", "nosuch.invalid:5", "--relay"], r"nosuch.invalid"),
    (["--listen", "239.1.2.3:0", "--insecure", "--relay", "--interface", "nosuch0"], r"no such network interface"),
])
def test_mistakes_are_told(weft, arguments, words):
    status, _, talk = weft.run("bridge", "udp", *arguments)
    assert status != OK and re.search(words, talk), talk
