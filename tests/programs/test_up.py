"""weft up: fabrics of one process, from a file."""

import glob
import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request

import pytest

from running import LIMIT, WEFT

OK, ERROR, USAGE, TIMEOUT, LOSS = 0, 1, 2, 3, 6
ANY = "127.0.0.1:0"

ECHO = """
echo
    command = rep --echo
    bind = inproc://echo
tcp
    command = bridge tcp
    listen = 127.0.0.1:0
    linger = 50ms
    req = inproc://echo
"""


@pytest.fixture
def up(weft, tmp_path):
    """Starts weft up with this text in a file, and waits until it is ready."""
    def run(text, *arguments, ready=True, **options):
        (tmp_path / "fabric.zpl").write_text(text)
        program = weft.start("up", *arguments, str(tmp_path / "fabric.zpl"), **options)
        if ready:
            await_ready(program)
        return program
    return run


def await_ready(program, times=1):
    ready = rb"^weft up: ready(?:$|, but for )"
    program.talk.wait(lambda talk: len(re.findall(ready, talk, re.M)) >= times, "%d x ready" % times)


def listening(program, part, what="tcp", index=-1):
    """The address that a part says."""
    pattern = rb"^weft up: %s: %s listening on (\S+)$" % (part.encode(), what.encode())
    return program.talk.wait(lambda talk: re.findall(pattern, talk, re.M), "the ready line of " + part)[index].decode()


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


def reload(program, path, text, times=2):
    (path / "fabric.zpl").write_text(text)
    program.signal(signal.SIGHUP)
    await_ready(program, times)


# --------------------------------------------------------------------- exchange

def test_a_bridge_and_its_service(up, connect):
    program = up(ECHO)
    assert program.talk.data.decode().splitlines()[-1] == "weft up: ready"
    client = connect(listening(program, "tcp"))
    assert client.ask(b"hello\n") == b"hello\n"
    ended(program)


def test_a_proxy_and_pattern_programs(up):
    program = up("""
queue
    command = proxy queue inproc://front inproc://back
upper
    command = rep --exec 'tr a-z A-Z'
    connect = inproc://back
ask
    command = req inproc://front
    data = hello
    data = weft
""")
    program.expect(b"ask: HELLO\nask: WEFT\n")
    ended(program)


def test_a_pool_ends_by_itself(weft, tmp_path):
    (tmp_path / "pool.zpl").write_text("""
head
    command = ventilator 'echo {}' ::: a b c
    bind = inproc://jobs
    sink = inproc://results
one
    command = worker
    connect = inproc://jobs
    slots = 1
two
    command = worker inproc://jobs --slots 1
sink
    command = sink
    bind = inproc://results
    stdout = %s/results
local
    command = run 'echo {}' ::: d
""" % tmp_path)
    status, out, talk = weft.run("up", str(tmp_path / "pool.zpl"))
    assert (status, out) == (OK, b"local: d\n"), talk
    assert sorted((tmp_path / "results").read_text().split()) == ["a", "b", "c"]


def test_a_worker_that_is_late_for_its_head_ends(up, tmp_path):
    jobs = """
head
    command = ventilator -v 'echo {}' ::: a
    bind = inproc://jobs
one
    command = worker inproc://jobs --slots 1
echo
    command = rep inproc://echo --echo
"""
    program = up(jobs, "-v")
    program.expect_talk("^weft up: head has ended with status 0$")
    reload(program, tmp_path, jobs + "two\n    command = worker inproc://jobs --slots 1\n")
    program.expect_talk("^weft up: two has ended with status 0$")
    assert program.talk.data.count(b"no head") == 0
    ended(program)


def test_a_pipeline_with_files(weft, tmp_path):
    (tmp_path / "in").write_text("1\n2\n3\n")
    (tmp_path / "pipe.zpl").write_text("""
source
    command = push inproc://pipe
    stdin = %s/in
taker
    command = pull inproc://pipe --count 3
    stdout = %s/out
""" % (tmp_path, tmp_path))
    assert weft.run("up", str(tmp_path / "pipe.zpl"))[:2] == (OK, b"")
    assert (tmp_path / "out").read_text() == "1\n2\n3\n"


def test_a_line_that_does_not_end_comes_out(up):
    program = up("""
source
    command = push inproc://pipe --data x
taker
    command = pull inproc://pipe --raw
""")
    program.expect(b"taker: x\n")
    ended(program)


def test_its_own_input_and_output(weft, tmp_path):
    (tmp_path / "pipe.zpl").write_text("""
source
    command = push inproc://pipe
    stdin = -
taker
    command = pull inproc://pipe --count 2 --len32
    stdout = -
""")
    status, out, talk = weft.run("up", str(tmp_path / "pipe.zpl"), input=b"one\ntwo\n")
    assert (status, out) == (OK, b"\0\0\0\3one\0\0\0\3two"), talk


def test_a_fifo_goes_on_when_its_writer_ends(up, tmp_path):
    os.mkfifo(str(tmp_path / "fifo"))
    program = up("""
source
    command = push inproc://pipe
    stdin = %s/fifo
taker
    command = pull inproc://pipe
""" % tmp_path)
    for number in 1, 2:
        with open(str(tmp_path / "fifo"), "w") as fifo:
            fifo.write("%d\n" % number)
        program.expect(b"".join(b"taker: %d\n" % each for each in range(1, number + 1)))
    ended(program)


def test_lines_are_whole_and_long_ones_come_in_pieces(up, tmp_path):
    (tmp_path / "in").write_bytes(b"a" * 100000 + b"\n" + b"b\n" * 20000)
    program = up("""
source
    command = push inproc://pipe
    stdin = %s/in
taker
    command = pull inproc://pipe --count 20001
""" % tmp_path)
    assert program.wait() == OK
    lines = program.out.data.split(b"\n")
    assert lines[-20001:] == [b"taker: b"] * 20000 + [b""]
    pieces = lines[:-20001]
    assert len(pieces) > 1 and all(line.startswith(b"taker: a") for line in pieces)
    assert sum(len(line) - len(b"taker: ") for line in pieces) == 100000


# ------------------------------------------------------------------ common mistakes

def test_metrics_beyond_this_machine_are_asked_for(weft):
    status, _, talk = weft.run("up", "--any-port", "--metrics", "0.0.0.0:0")
    assert status != OK and "--insecure" in talk and "listening" not in talk
    program = weft.start("up", "--any-port", "--metrics", "0.0.0.0:0", "--insecure")
    program.expect_talk(r"metrics listening on http://0\.0\.0\.0:")
    await_ready(program)
    ended(program)


def test_print_reads_no_file(weft):
    assert weft.run("up", "--print", "fabric.zpl")[:2] == (USAGE, b"")


# ------------------------------------------------------------------------- the end

HELD = """
slow
    command = rep
    bind = inproc://slow
    exec = cat; cat %s/held
    linger = 1h
tcp
    command = bridge tcp
    listen = 127.0.0.1:0
    req = inproc://slow
    linger = 1h
"""


@pytest.fixture
def held(up, connect, tmp_path):
    """A client whose request is under way until somebody writes to the FIFO, and its weft up."""
    os.mkfifo(str(tmp_path / "held"))
    program = up(HELD % tmp_path, "-v")
    client = connect(listening(program, "tcp"))
    client.socket.sendall(b"hello\n")
    return program, client, str(tmp_path / "held")


def test_a_request_under_way_is_answered_before_the_end(held):
    program, client, fifo = held
    with open(fifo, "w") as writer:         # opens when the service has begun
        program.signal()
        writer.write(" world\n")
    assert client.file.readline() == b"hello world\n"
    assert client.file.read() == b""
    client.close()
    assert program.wait() == OK, program.talk.data


def test_a_second_signal_ends_at_once(held):
    program, _, fifo = held
    with open(fifo, "w"):
        program.signal()
        program.expect_talk("^weft up: stopping$")
        program.signal()
        assert program.wait() == LOSS, program.talk.data


def test_parts_that_stand_in_a_call_end(up):
    """Nobody is there to send to, or to ask."""
    program = up("""
push
    command = push tcp://127.0.0.1:1
    data = x
req
    command = req tcp://127.0.0.1:1
    data = x
    timeout = 1h
    linger = 100ms
pub
    command = pub tcp://127.0.0.1:0
    wait-subs = 1
    timeout = 1h
    data = x
""")
    program.signal()
    assert program.wait() == LOSS, program.talk.data


def test_a_failure_ends_all_with_its_status(up):
    program = up(ECHO + """
ask
    command = req tcp://127.0.0.1:1
    data = x
    timeout = 10ms
""", ready=False)
    assert program.wait() == 4
    program.expect_talk("^weft up: ask: no peer")
    program.expect_talk("^weft up: ask failed with status 4, and so all end")


def test_a_failure_that_is_left_alone(up, connect):
    program = up("""
ask
    command = req tcp://127.0.0.1:1
    data = x
    timeout = 10ms
    restart = never
""" + ECHO)
    program.expect_talk("^weft up: ask failed with status 4: the others go on without it")
    assert connect(listening(program, "tcp")).ask(b"x\n") == b"x\n"
    ended(program, 4)


def test_a_failure_that_is_tried_again(up):
    program = up("""
restart = on-failure
ask
    command = req tcp://127.0.0.1:1
    data = x
    timeout = 10ms
""" + ECHO)
    program.expect_talk("^weft up: ask failed with status 4: it is started again in 100 ms")
    program.expect_talk("^weft up: ask failed with status 4: it is started again in 200 ms")
    program.expect_talk("^weft up: ask failed with status 4: it is started again in 400 ms")
    ended(program)


def test_output_of_one_that_fails_is_not_heaped_up(weft, tmp_path):
    """While nobody reads it is not started again; one that writes nothing is, and shows how the time goes."""
    (tmp_path / "fabric.zpl").write_text("""
restart = on-failure
loud
    command = run 'head -c 60000 /dev/zero | tr "\\0" x; exit 1' ::: 1
quick
    command = run 'exit 1' ::: 1
""")
    os.mkfifo(str(tmp_path / "out"))
    program = weft.command(["sh", "-c", 'exec "$0" up "$1" > "$2"', os.path.abspath(WEFT),
                            str(tmp_path / "fabric.zpl"), str(tmp_path / "out")])
    with open(str(tmp_path / "out"), "rb", buffering=0) as reader:
        program.talk.wait(lambda talk: talk.count(b"quick failed") > 5, "six failures")
        failures = program.talk.data.count(b"loud failed")
        assert failures <= 3
        while program.talk.data.count(b"loud failed") == failures:
            assert reader.read(65536)
        program.signal()
        while reader.read(65536):
            pass
        assert program.wait() == OK


def test_threads_of_a_part_bear_its_name(up, connect):
    program = up(ECHO + "    threads = 2\n    max-size = 10\n")
    assert connect(listening(program, "tcp")).ask(b"much too long\n") == b""
    program.expect_talk("^weft up: tcp: .* is disconnected: a message of more than 10 bytes$")
    ended(program)


def test_a_port_that_is_taken(up, connect):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        program = up("restart = never\n" + ECHO + """
other
    command = bridge tcp
    listen = 127.0.0.1:%d
    relay = yes
""" % taken.getsockname()[1])
        program.expect_talk("^weft up: other: .*%d: somebody listens there already" % taken.getsockname()[1])
        program.expect_talk("^weft up: ready, but for other, which has failed$")
        assert connect(listening(program, "tcp")).ask(b"x\n") == b"x\n"
        ended(program, ERROR)


# ----------------------------------------------------------------------- a new file

OTHER = """
other
    command = bridge tcp
    listen = 127.0.0.1:0
    relay = yes
    linger = 50ms
    format = '%s'
"""


def test_what_is_the_same_goes_on(up, connect, tmp_path):
    program = up(ECHO + OTHER % "one: %m")
    client = connect(listening(program, "tcp"))
    connect(listening(program, "other")).close()
    assert client.ask(b"before\n") == b"before\n"
    reload(program, tmp_path, "# other words\n" + OTHER % "two: %m" + ECHO)
    assert client.ask(b"after\n") == b"after\n"
    program.expect_talk("^weft up: 1 part to stop, 1 to start, 2 untouched")
    two = [connect(listening(program, "other")) for _ in range(2)]
    assert len(re.findall(rb"other: tcp listening", program.talk.data)) == 2
    assert len(re.findall(rb"tcp: tcp listening", program.talk.data)) == 1
    two[0].socket.sendall(b"x\n")
    assert two[1].file.readline() == b"two: x\n"
    ended(program)


def test_a_service_is_changed_behind_its_bridge(up, connect, tmp_path):
    """The client's connection goes on, and so does the bridge's to whoever binds the name now."""
    program = up(ECHO)
    client = connect(listening(program, "tcp"))
    assert client.ask(b"x\n") == b"x\n"
    for times, word in (2, "one"), (3, "two"), (4, "three"):
        reload(program, tmp_path, ECHO.replace("--echo", "--data " + word), times)
        program.expect_talk("^weft up: 1 part to stop, 1 to start, 1 untouched")
        assert client.ask(b"x\n") == word.encode() + b"\n"
    ended(program)


def test_parts_come_and_go(up, connect, tmp_path):
    program = up(ECHO)
    client = connect(listening(program, "tcp"))
    reload(program, tmp_path, ECHO + OTHER % "%m")
    connect(listening(program, "other"))
    reload(program, tmp_path, ECHO, 3)
    program.expect_talk("^weft up: 1 part to stop, 0 to start, 2 untouched")
    assert client.ask(b"x\n") == b"x\n"
    ended(program)


def test_the_same_port_again(weft, up, tmp_path):
    """The new part listens where the old one did."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = "tcp://127.0.0.1:%d" % server.getsockname()[1]
    text = "echo\n    command = rep " + endpoint + " --data %s\n"
    program = up(text % "one")
    for times, word in (2, "two"), (3, "three"), (4, "four"):
        reload(program, tmp_path, text % word, times)
        assert weft.run("req", endpoint, "--data", "x")[:2] == (OK, word.encode() + b"\n")
    ended(program)


def test_a_bad_file_changes_nothing(up, connect, tmp_path):
    program = up(ECHO)
    client = connect(listening(program, "tcp"))
    (tmp_path / "fabric.zpl").write_text(ECHO + "    lingr = 1s\n")
    program.signal(signal.SIGHUP)
    program.expect_talk(r"fabric\.zpl:10: tcp: weft bridge tcp has no 'lingr'; did you mean 'linger'\?$")
    program.expect_talk("is not taken: all goes on as it was$")
    assert client.ask(b"x\n") == b"x\n"
    reload(program, tmp_path, ECHO)
    program.expect_talk("^weft up: 0 parts to stop, 0 to start, 2 untouched$")
    assert client.ask(b"x\n") == b"x\n"
    ended(program)


def test_hangup_without_a_file(weft):
    program = weft.start("up", "--any-port")
    await_ready(program)
    program.signal(signal.SIGHUP)
    program.expect_talk("there is no file to read again")
    ended(program)


# ---------------------------------------------------------------------- mistakes

def test_check_says_all(weft, tmp_path):
    (tmp_path / "bad.zpl").write_text("""rest
    command = bridge tcp
    listen = 127.0.0.1:7001
    req = inproc://ecko
echo
    command = rep --echo
    bind = inproc://echo
    bind = tcp://127.0.0.1:7001
""")
    name = str(tmp_path / "bad.zpl")
    status, out, talk = weft.run("up", "--check", name)
    assert (status, out) == (USAGE, b"")
    assert talk.splitlines() == [
        "weft up: %s:4: rest: it connects to inproc://ecko, which no part binds; did you mean inproc://echo?" % name,
        "weft up: %s:8: echo: tcp://127.0.0.1:7001 is taken: 'rest' listens there, in line 3" % name]
    assert weft.run("up", name)[0] == USAGE
    (tmp_path / "good.zpl").write_text(ECHO)
    status, out, talk = weft.run("up", "--check", str(tmp_path / "good.zpl"))
    assert (status, out) == (OK, b"") and talk.endswith("good.zpl: 2 parts, nothing is wrong\n")


def test_check_looks_at_the_address_of_metrics(weft, tmp_path):
    (tmp_path / "good.zpl").write_text(ECHO)
    for command in ["up", "--check"], ["up"]:
        status, _, talk = weft.run(*command, "--metrics", "0.0.0.0:9100", str(tmp_path / "good.zpl"))
        assert (status, "--insecure" in talk) == (USAGE, True), talk


@pytest.mark.parametrize("keys, line, words", [
    ("tcp\n    listen = 127.0.0.1", 3, "127.0.0.1: no port"), ("tcp\n    dial = localhost", 3, "localhost: no port"),
    ("udp\n    dial = localhost", 3, "localhost: no port"), ("tcp\n    listen = 0.0.0.0:1", 3, "or say --insecure"),
    ("udp\n    listen = 0.0.0.0:1", 3, "or say --insecure"), ("ws\n    dial = wss://localhost:1", 3, "add --tls"),
    ("tcp\n    listen = 127.0.0.1:1\n    tls = yes\n    tls-cert = nosuch.pem", 5, "nosuch.pem: No such file"),
    ("tcp\n    dial = 127.0.0.1:1\n    tls = yes\n    tls-ca = nosuch.pem", 5, "nosuch.pem: No such file"),
    ("udp\n    framing = line", 3, "weft bridge udp has no 'framing'; weft help bridge udp has its options")])
def test_check_looks_at_foreign_addresses(weft, tmp_path, keys, line, words):
    (tmp_path / "bad.zpl").write_text("a\n    command = bridge %s\n    relay = yes\n" % keys)
    status, _, talk = weft.run("up", "--check", str(tmp_path / "bad.zpl"))
    assert status == USAGE and re.match("weft up: .*:%d: a: " % line, talk) and words in talk


def test_files_in_other_forms(weft, tmp_path):
    for text, words in ("[web]\ncommand = pull\n", "without brackets"), ("web:\n    command: pull\n", "key = value"):
        (tmp_path / "other").write_text(text)
        status, _, talk = weft.run("up", "--check", str(tmp_path / "other"))
        assert status == USAGE and words in talk


def test_files_that_are_none(weft, tmp_path):
    assert weft.run("up", str(tmp_path / "none"))[2].endswith("none: No such file or directory\n")
    assert weft.run("up", str(tmp_path))[0] == USAGE
    assert weft.run("up", "--check", "a", "b")[0] == USAGE
    (tmp_path / "program").write_bytes(b"\x7fELF\0\0")
    assert "is this a file of weft up?" in weft.run("up", str(tmp_path / "program"))[2]


# ------------------------------------------------------------------- what is shown

EXAMPLES = glob.glob(os.path.join(os.path.dirname(__file__), "../../examples/*.zpl"))


@pytest.mark.parametrize("path", [pytest.param(path, id=os.path.basename(path)) for path in EXAMPLES])
def test_examples_are_right(weft, path):
    """From the top of the tree, as they say."""
    top = os.path.join(os.path.dirname(path), "..")
    assert weft.command([os.path.abspath(WEFT), "up", "--check", path], cwd=top).wait() == OK


def test_example_of_jobs(weft):
    path = next(path for path in EXAMPLES if path.endswith("jobs.zpl"))
    status, out, talk = weft.run("up", path)
    assert (status, sorted(out.splitlines())) == (OK, [b"%d squared is %d" % (n, n * n) for n in range(1, 9)])
    assert "SIGTERM" not in talk                                # which nobody has sent


def test_example_of_sensors(weft, tmp_path):
    """Two readings, two workers."""
    with open(next(path for path in EXAMPLES if path.endswith("sensors.zpl"))) as file:
        (tmp_path / "sensors.zpl").write_text(file.read().replace("127.0.0.1:7000", ANY))
    program = weft.start("up", str(tmp_path / "sensors.zpl"))
    await_ready(program)
    host, port = listening(program, "sensors").split(":")
    with socket.create_connection((host, int(port)), LIMIT) as sensor:
        sensor.sendall(b"a\nb\n")
        written = program.out.wait(lambda data: data.count(b"\n") == 2 and data, "two readings")
    assert sorted(line.split(b": ")[2] for line in written.splitlines()) == [b"a", b"b"]
    ended(program)


# -------------------------------------------------------------------- the default

@pytest.fixture
def default(weft):
    program = weft.start("up", "--any-port")
    await_ready(program)
    return program


def test_default_tcp(default, connect):
    client = connect(listening(default, "tcp"))
    client.socket.sendall(b"Hello, world")              # no newline: as it comes
    assert client.file.read(12) == b"Hello, world"
    ended(default)


def test_default_udp(default):
    host, port = listening(default, "udp", "udp").split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT)
        client.connect((host, int(port)))
        client.send(b"Hello, world")
        assert client.recv(100) == b"Hello, world"
    ended(default)


def test_default_http(default):
    url = "http://%s/items?id=1" % listening(default, "http", "http")
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        seen = json.loads(answer.read())
    assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/items", {"id": "1"})
    ended(default)


def test_default_page(default):
    url = "http://%s/" % listening(default, "chat", "ws")
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b"new WebSocket" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url + "other", timeout=LIMIT)
    assert refused.value.code == 426
    ended(default)


def websocket(address):
    """A WebSocket by hand, whose messages are short."""
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), LIMIT)
    connection.sendall(("GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
                        % address).encode())
    file = connection.makefile("rb")
    assert file.readline().split()[1] == b"101"
    while file.readline() != b"\r\n":
        pass
    return connection, file


def test_default_chat(default):
    address = listening(default, "chat", "ws")
    one, two = websocket(address), websocket(address)
    one[0].sendall(b"\x81\x82\0\0\0\0hi")                # masked, by nothing
    assert two[1].read(4) == b"\x81\x02hi"
    two[0].sendall(b"\x81\x82\0\0\0\0ho")
    assert one[1].read(4) == b"\x81\x02ho"
    for connection, file in one, two:
        file.close()
        connection.close()
    ended(default)


def test_default_as_a_file(weft, tmp_path):
    status, text, _ = weft.run("up", "--print")
    (tmp_path / "mine.zpl").write_bytes(text)
    assert status == OK
    assert weft.run("up", "--check", str(tmp_path / "mine.zpl"))[0] == OK
