"""weft bridge http, as curl and plain sockets see it."""

import json
import os
import re
import resource
import select
import shutil
import socket
import struct
import subprocess

import pytest
import zmq

from running import ANY_TCP, LIMIT, until

ANY = "127.0.0.1:0"
OK, USAGE, LOSS = 0, 2, 6
BIG = 3 << 20


def listening(program, what="http"):
    """The address that the bridge says."""
    pattern = rb"weft bridge: " + what.encode() + rb" listening on (\S+)\n"
    found = program.talk.wait(lambda talk: re.search(pattern, talk), "the ready line of " + what)
    return found.group(1).decode()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Client:
    """A plain socket that writes bytes and reads responses."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), LIMIT)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, target, method=b"GET", body=None, headers=b""):
        if body is not None:
            headers += b"Content-Length: %d\r\n" % len(body)
        self.send(b"%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s" % (method, target, headers, body or b""))
        return self.answer(method == b"HEAD")

    def answer(self, bodiless=False):
        """None: the connection has ended."""
        first = self.file.readline()
        if not first:
            return None
        status, headers = int(first.split()[1]), {}
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            headers[name.decode().lower()] = value.strip().decode()
        body = b""
        if not bodiless and "content-length" in headers:
            body = self.file.read(int(headers["content-length"]))
        return Answer(status, headers, body)

    def reset(self):
        self.file.close()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.file.close()
        self.socket.close()


CLIENTS = []


def close_all():
    while CLIENTS:
        CLIENTS.pop().close()


@pytest.fixture
def connect():
    def run(address):
        CLIENTS.append(Client(address))
        return CLIENTS[-1]
    yield run
    close_all()


@pytest.fixture
def bridge(weft):
    return lambda *arguments: weft.start("bridge", "http", "--listen", ANY, *arguments)


@pytest.fixture
def echo(weft, bridge):
    """A service that replies what it got."""
    rep = weft.start("rep", ANY_TCP, "--echo")
    return lambda *arguments: bridge("--req", rep.endpoint, "--wait", "20s", *arguments)


@pytest.fixture
def service():
    """Sockets of pyzmq: services that a test plays itself."""
    context = zmq.Context()

    def make(kind, endpoint):
        made = context.socket(kind)
        made.linger = 0
        made.rcvtimeo = LIMIT * 1000
        made.connect(endpoint)
        return made
    yield make
    context.destroy(0)


def ended(program, status=OK):
    close_all()                         # a bridge that ends waits for the ends of its connections
    program.signal()
    assert program.wait() == status, program.talk.data


# --------------------------------------------------------------------- requests

def test_curl_asks_a_service(echo):
    program = echo("--mount", "/=req")
    url = "http://%s/items/a%%20b?x=1&y=2&y=3" % listening(program)
    done = subprocess.run([shutil.which("curl"), "-sS", "-d", "hello", "-H", "X-One: 1", "-H", "X-One: 2", url],
                          stdout=subprocess.PIPE, timeout=LIMIT, check=True)
    got = json.loads(done.stdout)
    assert (got["method"], got["path"], got["body"]) == ("POST", "/items/a b", "hello")
    assert got["query"] == {"x": "1", "y": ["2", "3"]}
    assert got["headers"]["x-one"] == "1, 2"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", got["peer"])
    ended(program)


def test_many_requests_of_one_connection(echo, connect):
    program = echo("--as", "body")
    client = connect(listening(program))
    for number in range(200):
        body = b"%d" % number
        assert client.ask(b"/req", b"POST", body).body == body
    chunked = b"POST /req HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    client.send(chunked * 100)
    for _ in range(100):
        assert client.answer().body == b"abcde"
    ended(program)


def test_requests_that_are_sent_ahead_are_answered_in_order(echo, connect):
    program = echo("--as", "body")
    client = connect(listening(program))
    client.send(b"".join(b"PUT /req HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 3\r\n\r\n%03d" % i for i in range(300))
                + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                + b"PUT /req HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast"
                + b"GET /req HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for number in range(300):
        assert client.answer().body == b"%03d" % number
    assert client.answer().status == 404
    last = client.answer()
    assert (last.body, last.headers["connection"]) == (b"last", "close")
    assert client.answer() is None
    ended(program)


def test_frames(echo, connect, bridge, service):
    program = bridge("--req", "@" + ANY_TCP, "--as", "frames", "--wait", "20s")
    server = service(zmq.REP, listening(program, "req"))
    client = connect(listening(program))
    client.send(b"POST /req/a%20b?c=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nE")
    assert server.recv_multipart() == [b"POST", b"/a b", b"c=d", b"Host: localhost\nContent-Length: 1\n", b"E"]
    server.send_multipart([b"404", b"X-Why: gone\nContent-Type: text/x\nContent-Length: 9", b"nowhere"])
    answer = client.answer()
    assert (answer.status, answer.body) == (404, b"nowhere")
    assert (answer.headers["x-why"], answer.headers["content-type"]) == ("gone", "text/x")
    ended(program)


REPLIES = [
    (b"plain", 200, "text/plain; charset=utf-8", b"plain"),
    (b'{"a": 1}', 200, "application/json", b'{"a": 1}'),
    (b'{"status": "fine"}', 200, "application/json", b'{"status": "fine"}'),
    (b'{"status": 200, "other": 1}', 200, "application/json", b'{"status": 200, "other": 1}'),
    (b"<html>", 200, "text/plain; charset=utf-8", b"<html>"),
    (b"\xff\x00", 200, "application/octet-stream", b"\xff\x00"),
    (b"", 200, None, b""),
    (b'{"status": 404}', 404, None, b""),
    (b'{"status": 201, "json": {"id": [1, "x"]}}', 201, "application/json", b'{"id": [1, "x"]}'),
    (b'{"status": 200, "type": "text/html", "body": "<p>\\u00e9"}', 200, "text/html", "<p>\u00e9".encode()),
    (b'{"status": 200, "body": {"base64": "/wA="}}', 200, "application/octet-stream", b"\xff\x00"),
    (b'{"status": 302, "headers": {"Location": "/x", "Connection": "close"}}', 302, None, b""),
    (b'{"status": 99}', 502, None, None),
    (b'{"status": 200, "headers": {"A": "b\\r\\nSet-Cookie: c"}}', 502, None, None),
    (b'{"status": 200, "headers": 1}', 502, None, None),
]


def test_replies(bridge, connect, service):
    program = bridge("--req", "@" + ANY_TCP, "--wait", "20s")
    server = service(zmq.REP, listening(program, "req"))
    client = connect(listening(program))
    for reply, status, kind, body in REPLIES:
        client.send(b"GET /req HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.recv()
        server.send(reply)
        answer = client.answer()
        assert answer.status == status, reply
        if body is not None:
            assert (answer.body, answer.headers.get("content-type")) == (body, kind), reply
        assert answer.headers.get("connection") is None
        assert "set-cookie" not in answer.headers
    ended(program, LOSS)


def test_a_head_has_no_body(echo, connect):
    program = echo("--type", "text/x")
    client = connect(listening(program))
    answer = client.ask(b"/req", b"HEAD")
    assert int(answer.headers["content-length"]) > 20 and answer.headers["content-type"] == "text/x"
    assert client.ask(b"/req").status == 200
    ended(program)


def test_no_service_and_one_that_does_not_answer(bridge, connect, service):
    program = bridge("--req", "@" + ANY_TCP, "--wait", "10ms", "--timeout", "100ms")
    client = connect(listening(program))
    answer = client.ask(b"/req")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert b"no service" in answer.body
    server = service(zmq.ROUTER, listening(program, "req"))
    until(lambda: client.ask(b"/req").status == 504, "a request that is taken and not answered")
    server.recv_multipart()
    ended(program, LOSS)


# ------------------------------------------------------------- push, pub, and events

def test_a_push_is_taken_when_the_fabric_has_it(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP, "--wait", "10ms")
    client = connect(listening(program))
    answer = client.ask(b"/push", b"POST", b"nobody is there")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    puller = service(zmq.PULL, listening(program, "push"))
    until(lambda: client.ask(b"/push", b"POST", b"first").status == 202, "a push that is taken")
    assert client.ask(b"/push", b"PUT", b"second").status == 202
    assert [puller.recv(), puller.recv()] == [b"first", b"second"]
    assert client.ask(b"/push").status == 405
    assert client.ask(b"/pub/x", b"POST", b"y").status == 404
    ended(program)


def test_what_waits_for_room_is_taken_once(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP, "--wait", "60s")
    client = connect(listening(program))
    client.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nonly"
                b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nnext")
    puller = service(zmq.PULL, listening(program, "push"))
    assert [client.answer().status, client.answer().status] == [202, 202]
    assert [puller.recv(), puller.recv()] == [b"only", b"next"]
    ended(program)


def event(client):
    """The next event as a dict; comments are passed over."""
    found = {}
    for line in iter(client.file.readline, b""):
        if not line.endswith(b"\n"):
            return None
        line = line.rstrip(b"\n")
        if not line and found:
            return found
        name, _, value = line.decode().partition(": ")
        if name:
            found[name] = found[name] + "\n" + value if name in found else value
    return None


def publish(client, topic, body):
    assert client.ask(b"/pub/" + topic, b"POST", body).status == 202


@pytest.fixture
def published(bridge, tmp_path):
    """A bridge that publishes to itself."""
    name = "ipc://" + str(tmp_path / "feed")
    return lambda *arguments: bridge("--pub", "@" + name, "--sub", name, "--ping", "1h", *arguments)


def listen(client, query, headers=b""):
    answer = client.ask(b"/sub" + query, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert client.file.readline() == b": listening\n"


def settled(listener, client, topic):
    """Publishes until it is heard: subscriptions take their time. The last id."""
    def try_one():
        publish(client, topic, b"settle")
        return select.select([listener.socket], [], [], 0.02)[0]
    until(try_one, "an event")
    publish(client, topic, b"settled")
    while True:
        heard = event(listener)
        if heard["data"] == "settled":
            return heard["id"]


def test_events(published, connect):
    program = published("--event-names", "--ping", "1s")
    listener, client = connect(listening(program)), connect(listening(program))
    listen(listener, b"?topic=a&topic=b%2F")
    settled(listener, client, b"a")
    for topic, body in ((b"a", b"1"), (b"c", b"no"), (b"b%2Fx", b"2\n3\r\n4"), (b"b", b"no"), (b"ab", b"\xff")):
        publish(client, topic, body)
    got = [event(listener) for _ in range(3)]
    assert [(each["event"], each["data"]) for each in got] == [("a", "1"), ("b/x", "2\n3\n4"),
                                                              ("ab", '{"base64":"/w=="}')]
    while listener.file.readline() != b": ping\n":
        pass
    ended(program)


def test_who_comes_back_gets_what_was_missed(published, connect):
    program = published("--events", "50")
    address = listening(program)
    listener, other, client = connect(address), connect(address), connect(address)
    listen(listener, b"?topic=a")
    last = settled(listener, client, b"a")
    listen(other, b"?topic=")
    settled(other, client, b"z")
    listener.reset()
    for number in range(3):
        publish(client, b"a", b"%d" % number)
    publish(client, b"b", b"other")
    while event(other)["data"] != "other":
        pass
    back = connect(address)
    listen(back, b"?topic=a", b"Last-Event-ID: %s\r\n" % last.encode())
    first = event(back)
    assert [first["data"], event(back)["data"], event(back)["data"]] == ["0", "1", "2"]
    for number in range(60):
        publish(client, b"a", b"later %d" % number)
    while event(other)["data"] != "later 59":
        pass
    again = connect(address)
    listen(again, b"?topic=a", b"Last-Event-ID: %s\r\n" % first["id"].encode())
    gap = event(again)
    assert gap["event"] == "gap"
    assert json.loads(gap["data"])["from"] == int(first["id"].split("-")[1]) + 1
    assert [event(again)["data"] for _ in range(51)][-1] == "later 59"
    stranger = connect(address)
    listen(stranger, b"?topic=a", b"Last-Event-ID: 1-99\r\n")
    assert event(stranger)["event"] == "gap"
    ended(program)


def test_who_reads_too_slowly_is_cut_off_and_misses_nothing(published, connect):
    program = published("--when-full", "disconnect", "--out-queue", "64K", "--events", "3000")
    address = listening(program)
    listener, client = connect(address), connect(address)
    listen(listener, b"?topic=a")
    epoch, last = settled(listener, client, b"a").split("-")
    last, count = int(last), 1500       # more than any buffers of the system hold
    for number in range(count):
        publish(client, b"a", b"%d " % number + bytes(10000).replace(b"\0", b"."))
    got = []
    while len(got) < count:
        heard = event(listener)
        if heard is None or not heard.get("data", "").endswith("."):        # its end, perhaps within an event
            listener = connect(address)
            listen(listener, b"?topic=a", b"Last-Event-ID: %s-%d\r\n" % (epoch.encode(), last))
            continue
        assert heard.get("event") != "gap"
        epoch, number = heard["id"].split("-")
        assert int(number) == last + 1
        last += 1
        got.append(heard["data"].split()[0])
    assert got == [str(number) for number in range(count)]
    assert b"does not read" in program.talk.data
    close_all()
    program.signal()
    assert program.wait() == LOSS


@pytest.fixture
def publisher():
    """A socket that says who subscribes, and its endpoint."""
    context = zmq.Context()
    made = context.socket(zmq.XPUB)
    made.linger, made.rcvtimeo = 0, LIMIT * 1000
    port = made.bind_to_random_port("tcp://127.0.0.1")
    yield made, "tcp://127.0.0.1:%d" % port
    context.destroy(0)


def test_what_nobody_wanted_for_a_while_is_a_gap(bridge, connect, publisher):
    feed, endpoint = publisher
    program = bridge("--sub", endpoint, "--topic-linger", "1ms")
    address = listening(program)

    def come(query, last=None):
        CLIENTS.append(Client(address))
        listen(CLIENTS[-1], query, b"" if last is None else b"Last-Event-ID: %s\r\n" % last.encode())
        return CLIENTS[-1]

    def say(topic, text):
        feed.send_multipart([topic, text])

    client = come(b"?topic=a")
    assert feed.recv() == b"\1a"
    say(b"a", b"1")
    first = event(client)
    client.reset()
    assert feed.recv() == b"\0a"                    # now nothing comes for it
    say(b"a", b"missed")
    other = come(b"?topic=a&topic=b")
    assert {feed.recv(), feed.recv()} == {b"\1a", b"\1b"}
    say(b"b", b"2")
    say(b"a", b"3")
    second, third = event(other), event(other)
    assert (second["data"], third["data"]) == ("2", "3")
    back = come(b"?topic=a", first["id"])
    gap = event(back)
    assert (gap["event"], json.loads(gap["data"])) == ("gap", {"from": 2, "to": 1})     # what is missing has no number
    assert event(back)["data"] == "3"
    longer = come(b"?topic=ab", second["id"])       # what begins with ab was asked for since then, too
    assert feed.recv() == b"\1ab"
    say(b"ab", b"4")
    assert event(longer)["data"] == "4"
    late = come(b"?topic=a&topic=c", second["id"])
    assert feed.recv() == b"\1c"
    assert [event(late)["data"] for _ in range(3)] == ["3", "4", '{"from":3,"to":4}']
    ended(program)


def test_who_reads_too_slowly_is_told_what_was_dropped(published, connect):
    program = published("--when-full", "drop", "--out-queue", "64K")
    address = listening(program)
    listener, client = connect(address), connect(address)
    listen(listener, b"?topic=a")
    last = int(settled(listener, client, b"a").split("-")[1])
    count = last + 2000                 # more than any buffers of the system hold
    for number in range(last + 1, count + 1):
        publish(client, b"a", b"%d " % number + bytes(10000).replace(b"\0", b"."))
    got, gone = set(), set()
    while len(got | gone) < count - last:
        heard = event(listener)
        if heard.get("event") == "gap":
            told = json.loads(heard["data"])
            assert "id" not in heard and last < told["from"] <= told["to"] <= count
            gone |= set(range(told["from"], told["to"] + 1))
        else:
            assert int(heard["id"].split("-")[1]) == int(heard["data"].split()[0])
            got.add(int(heard["data"].split()[0]))
    assert gone and got | gone == set(range(last + 1, count + 1))
    close_all()
    program.signal()
    assert program.wait() == LOSS


def test_subscribe_is_a_limit(published, connect):
    program = published("--subscribe", "open/")
    client = connect(listening(program))
    assert client.ask(b"/sub?topic=secret").status == 403
    assert client.ask(b"/sub").status == 403
    listen(client, b"?topic=open/x")
    ended(program)


def test_who_was_refused_listens_to_nothing(published, connect):
    program = published()
    listener, client, refused = [connect(listening(program)) for _ in range(3)]
    listen(listener, b"?topic=a")
    settled(listener, client, b"a")
    assert refused.ask(b"/sub?topic=a&topic=%zz").status == 400
    assert refused.ask(b"/sub", b"POST", b"").status == 405
    publish(client, b"a", b"for the listener alone")
    assert event(listener)["data"] == "for the listener alone"
    assert refused.ask(b"/nothing").status == 404
    listen(refused, b"?topic=b")
    settled(refused, client, b"b")
    publish(client, b"a", b"again")
    publish(client, b"b", b"for both")
    assert event(refused)["data"] == "for both"
    ended(program)


def test_events_are_kept_up_to_64_megabytes(published, connect):
    program = published("--out-queue", "128M")
    listener, client = connect(listening(program)), connect(listening(program))
    listen(listener, b"?topic=a")
    epoch, last = settled(listener, client, b"a").split("-")
    for _ in range(70):
        publish(client, b"a", b"." * 1000000)
        event(listener)
    back = connect(listening(program))
    listen(back, b"?topic=a", b"Last-Event-ID: %s-%s\r\n" % (epoch.encode(), last.encode()))
    gap = event(back)
    assert gap["event"] == "gap"
    assert json.loads(gap["data"]) == {"from": int(last) + 1, "to": int(last) + 3}
    back.reset()
    listener.reset()
    program.signal()
    program.wait()


# -------------------------------------------------------------------------- files

@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "www"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<p>index")
    (folder / "sub" / "a b.txt").write_bytes(b"0123456789")
    (folder / "big.bin").write_bytes(os.urandom(BIG))
    (folder / ".hidden").write_bytes(b"secret")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "out").symlink_to(tmp_path)
    os.mkfifo(folder / "fifo")
    return folder


@pytest.fixture
def files(bridge, root):
    return lambda *arguments: bridge("--root", str(root), "--push", "@" + ANY_TCP, *arguments)


def test_files(files, connect, root):
    program = files()
    client = connect(listening(program))
    index = client.ask(b"/")
    assert (index.body, index.headers["content-type"]) == (b"<p>index", "text/html; charset=utf-8")
    assert client.ask(b"/sub/a%20b.txt").body == b"0123456789"
    assert client.ask(b"/sub").headers["location"] == "/sub/"
    assert client.ask(b"/sub/").status == 404
    big = client.ask(b"/big.bin")
    assert big.body == (root / "big.bin").read_bytes()
    assert client.ask(b"/big.bin", b"HEAD").headers["content-length"] == str(BIG)
    for header in (b"If-None-Match: %s", b"If-None-Match: \"x\", %s"):
        again = client.ask(b"/big.bin", headers=header % big.headers["etag"].encode() + b"\r\n")
        assert (again.status, again.body) == (304, b"")
    since = b"If-Modified-Since: %s\r\n" % big.headers["last-modified"].encode()
    assert client.ask(b"/big.bin", headers=since).status == 304
    assert client.ask(b"/", b"POST", b"").status == 405
    ended(program)


RANGES = [
    (b"2-4", 206, b"234", "bytes 2-4/10"), (b"7-", 206, b"789", "bytes 7-9/10"), (b"-3", 206, b"789", "bytes 7-9/10"),
    (b"0-99", 206, b"0123456789", "bytes 0-9/10"), (b"10-", 416, b"", "bytes */10"), (b"-0", 416, b"", "bytes */10"),
    (b"4-2", 200, b"0123456789", None), (b"1-2,4-5", 200, b"0123456789", None), (b"x", 200, b"0123456789", None)]


def test_ranges(files, connect):
    program = files()
    client = connect(listening(program))
    for asked, status, body, part in RANGES:
        answer = client.ask(b"/sub/a%20b.txt", headers=b"Range: bytes=" + asked + b"\r\n")
        assert (answer.status, answer.body, answer.headers.get("content-range")) == (status, body, part), asked
    ended(program)


OUTSIDE = [
    b"/../secret", b"/%2e%2e/secret", b"/..%2fsecret", b"/sub/../../secret", b"/sub/%2e%2e/%2e%2e/secret", b"//secret",
    b"/link", b"/out/secret", b"/.hidden", b"/sub/./../.hidden", b"/fifo", b"/big.bin/", b"/index.html%00.txt", b"/%",
    b"/out", b"/..", b"/%5c..%5csecret", b"/" + b"a/" * 3000]


def test_nothing_else_is_reached(files, connect):
    program = files()
    client = connect(listening(program))
    for path in OUTSIDE:
        answer = client.ask(path)
        assert answer.status in (400, 404), path
        assert b"secret" not in answer.body
    ended(program)


def test_a_hidden_file_is_none_though_there_are_no_descriptors(files, connect):
    program = files()
    client = connect(listening(program))
    assert client.ask(b"/index.html").status == 200
    limits = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    client.send(b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\nGET /.hidden HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (client.answer().status, client.answer().status) == (503, 404)
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, limits)
    ended(program)


def test_a_reader_that_goes_within_a_file(files, connect):
    program = files("--out-queue", "64K")
    for _ in range(20):
        client = connect(listening(program))
        client.send(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        client.file.read(1000)
        client.reset()
    slow = connect(listening(program))
    slow.send(b"GET /big.bin HTTP/1.1\r\nHost: [::1]\r\n\r\n" * 2 + b"GET /nothing HTTP/1.1\r\nHost: [::1]\r\n\r\n")
    assert len(slow.answer().body) == BIG and len(slow.answer().body) == BIG
    assert slow.answer().status == 404
    program.signal()
    program.wait()


# --------------------------------------------------------------- who must not get far

UNREADABLE = [
    (b"POST /push HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    (b"POST /push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (b"POST /push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\rXabc\r\n0\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: x\n\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431), (b"GET /" + b"a" * 9000, 414),
    (b"POST /push HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 9999999\r\n\r\n", 413),
    (b"\x16\x03\x01\x00\xff\x01\x00", 400)]


def test_what_cannot_be_read_ends_the_connection(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP)
    puller = service(zmq.PULL, listening(program, "push"))
    for data, status in UNREADABLE:
        client = connect(listening(program))
        client.send(data + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close"), data
        assert answer.body.strip()
        assert client.answer() is None
        client.socket.close()
    assert puller.poll(0) == 0
    program.signal()
    program.wait()


def test_one_who_sends_drop_by_drop_is_disconnected(bridge, connect):
    program = bridge("--push", "@" + ANY_TCP, "--progress", "300ms")
    slow, half = connect(listening(program)), connect(listening(program))
    half.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
    slow.socket.settimeout(0.05)

    def drop():
        try:
            slow.send(b"G")
            return slow.socket.recv(1000) == b""
        except TimeoutError:
            return False
        except OSError:
            return True
    slow.send(b"GET /")
    until(drop, "the end of a slow sender")
    assert half.answer() is None
    program.signal()
    program.wait()


def test_who_rests_too_long_is_disconnected(bridge, connect):
    program = bridge("--push", "@" + ANY_TCP, "--keep-alive", "50ms")
    client = connect(listening(program))
    assert client.answer() is None
    ended(program)


def test_who_rests_after_a_large_file_is_disconnected(files, connect):
    program = files("--keep-alive", "500ms")
    client = connect(listening(program))
    assert len(client.ask(b"/big.bin").body) == BIG
    assert client.answer() is None
    ended(program)


def test_clients_that_go_within_a_body(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP, "--wait", "20s")
    puller = service(zmq.PULL, listening(program, "push"))
    for _ in range(20):
        client = connect(listening(program))
        client.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nhalf of it")
        client.reset()
    assert connect(listening(program)).ask(b"/push", b"POST", b"whole").status == 202
    assert puller.recv() == b"whole"
    program.signal()
    program.wait()


def test_expect_100(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP, "--wait", "20s")
    puller = service(zmq.PULL, listening(program, "push"))
    client = connect(listening(program))
    client.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert client.answer().status == 100
    client.send(b"abc")
    assert client.answer().status == 202
    assert puller.recv() == b"abc"
    client.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 30000000\r\n\r\n")
    assert client.answer().status == 413
    ended(program)


def test_at_the_end_each_gets_what_it_is_owed(bridge, connect, service):
    """Who rests ends at once; who has begun or waits is told; who has asked gets its reply first."""
    program = bridge("--req", "@" + ANY_TCP, "--push", "@" + ANY_TCP, "--wait", "60s", "--linger", "60s",
                     "--as", "body")
    server = service(zmq.REP, listening(program, "req"))
    resting, begun, waits, asks = (connect(listening(program)) for _ in range(4))
    assert resting.ask(b"/nothing").status == 404
    begun.send(b"POST /push HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert begun.answer().status == 100
    waits.send(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
               b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert waits.answer().status == 404
    asks.send(b"POST /req HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nquestion")
    assert server.recv() == b"question"
    program.signal()
    assert resting.answer() is None
    for client in (begun, waits):
        answer = client.answer()
        assert (answer.status, answer.headers["connection"], answer.headers["retry-after"]) == (503, "close", "1")
        assert client.answer() is None
    server.send(b"answer")
    answer = asks.answer()
    assert (answer.status, answer.headers["connection"], answer.body) == (200, "close", b"answer")
    assert asks.answer() is None
    close_all()
    assert program.wait() == OK


def test_who_has_no_answer_at_the_end_is_told(bridge, connect, service):
    program = bridge("--req", "@" + ANY_TCP, "--wait", "60s", "--linger", "100ms")
    server = service(zmq.REP, listening(program, "req"))
    client = connect(listening(program))
    client.send(b"POST /req HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    server.recv()
    program.signal()
    assert client.answer().status == 504
    assert client.answer() is None
    assert program.wait() == LOSS


def test_pages_of_other_origins(bridge, connect, service):
    program = bridge("--push", "@" + ANY_TCP, "--wait", "20s", "--cors", "https://good.example")
    puller = service(zmq.PULL, listening(program, "push"))
    client = connect(listening(program))
    assert client.ask(b"/push", b"POST", b"evil", b"Origin: https://evil.example\r\n").status == 403
    for origin, allowed in ((b"https://good.example", "https://good.example"), (b"http://localhost", None)):
        answer = client.ask(b"/push", b"POST", b"good", b"Origin: %s\r\n" % origin)
        assert (answer.status, answer.headers.get("access-control-allow-origin")) == (202, allowed)
        assert puller.recv() == b"good"
    asked = client.ask(b"/push", b"OPTIONS", headers=b"Origin: https://good.example\r\nAccess-Control-Request-Method: "
                       b"POST\r\nAccess-Control-Request-Headers: X-Token\r\n")
    assert (asked.status, asked.headers["access-control-allow-headers"]) == (204, "X-Token")
    assert "POST" in asked.headers["access-control-allow-methods"]
    ended(program)


UPGRADE = (b"GET /req HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: %d\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def test_a_connection_becomes_a_websocket(echo, connect):
    program = echo("--as", "body")
    client = connect(listening(program))
    assert client.ask(b"/req", b"POST", b"as HTTP").body == b"as HTTP"
    client.send(UPGRADE % 13 + b"\x81\x85\0\0\0\0hello")          # a masked frame of text, sent ahead
    accepted = client.answer()
    assert (accepted.status, accepted.headers["sec-websocket-accept"]) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    assert client.file.read(7) == b"\x81\x05hello"
    client.send(b"\x82\x82\0\0\0\0ab")
    assert client.file.read(4)[2:] == b"ab"
    stranger = connect(listening(program))
    stranger.send(UPGRADE % 12)
    assert stranger.answer().status == 426
    ended(program)


def test_help_is_of_http_alone(weft):
    status, out, _ = weft.run("bridge", "http", "--help")
    assert status == OK
    assert b"--mount" in out and b"EventSource" in out and b"--framing" not in out


def test_http_1_0(echo, connect):
    program = echo("--as", "body")
    client = connect(listening(program))
    client.send(b"POST /req HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na")
    answer = client.answer()
    assert (answer.body, answer.headers["connection"]) == (b"a", "keep-alive")
    client.send(b"POST /req HTTP/1.0\r\nContent-Length: 1\r\n\r\nb")
    assert (client.answer().body, client.answer()) == (b"b", None)
    ended(program)


@pytest.mark.parametrize("wrong, words", [
    (["--mount", "/x"], b"PATH=WHAT"), (["--mount", "x=req"], b"PATH=WHAT"), (["--mount", "/x=what"], b"no what"),
    (["--mount", "/x=file"], b"--root"), (["--root", "/nonexistent/folder"], b"root"), (["--cors", "a\nb"], b"cors"),
    (["--cors", "example.org"], b"--cors example.org: an origin is as https://"),
    (["--relay"], b"it has --push, --req"),
    (["--dial", "127.0.0.1:1"], b"dials nobody"), (["--pull", "@" + ANY_TCP], b"--pull")])
def test_mistakes_are_said(weft, wrong, words):
    status, _, talk = weft.run("bridge", "http", "--listen", ANY, "--push", "@" + ANY_TCP, *wrong)
    assert status in (1, USAGE)
    assert words.decode() in talk
