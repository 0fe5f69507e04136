"""--metrics: what each command tells while it works, and that nobody who asks holds it up."""

import re
import socket
import threading

import pytest

from exposition import Metrics, address_of, ask, scrape
from running import ANY_TCP, LIMIT, until

ANY = "127.0.0.1:0"
METRICS = ("--metrics", ANY)


def agree(address, expected, what):
    """Asks until the numbers are as they should be: {(name, label, value): number}."""
    seen = {}

    def look():
        metrics = scrape(address)
        for name, *labels in expected:
            seen[(name, *labels)] = metrics(name, **dict(labels))
        return metrics if seen == expected else None
    try:
        return until(look, what)
    except AssertionError:
        raise AssertionError("%s: %r is not %r" % (what, seen, expected)) from None


def messages(where, received, sent, size):
    """Of `size` bytes each, in and out of a socket."""
    return {("weft_messages_total", ("socket", where), ("direction", "in")): received,
            ("weft_messages_total", ("socket", where), ("direction", "out")): sent,
            ("weft_message_bytes_total", ("socket", where), ("direction", "in")): received * size,
            ("weft_message_bytes_total", ("socket", where), ("direction", "out")): sent * size}


# ---------------------------------------------------------------------- pattern programs

def test_tells_of_requests_on_both_sides(weft):
    rep = weft.start("rep", ANY_TCP, "--echo", *METRICS)
    req = weft.start("req", rep.endpoint, *METRICS, input=weft.OPEN)
    there, here = address_of(rep), address_of(req)
    req.write(b"abcd\n" * 100)
    req.expect(b"abcd\n" * 100)
    for address, name in (there, "rep"), (here, "req"):
        expected = messages(name, 100, 100, 4)
        expected["weft_request_seconds_count", ("socket", name)] = 100
        expected["weft_peers", ("socket", name)] = 1
        metrics = agree(address, expected, name)
        assert 0 < metrics("weft_request_seconds_sum", socket=name) < LIMIT
        assert metrics("weft_build_info", version=version(weft), command=name) == 1
    req.close_input()
    assert req.wait() == 0
    agree(there, {("weft_peers", ("socket", "rep")): 0, ("weft_disconnections_total", ("socket", "rep")): 1,
                  ("weft_connections_total", ("socket", "rep")): 1}, "who has gone")


def version(weft):
    return weft.run("version")[1].decode().split()[1]


def test_tells_of_what_is_published(weft):
    pub = weft.start("pub", ANY_TCP, "--wait-subs", "1", *METRICS, input=weft.OPEN)
    sub = weft.start("sub", pub.endpoint, *METRICS)
    pub.write(b"12345678\n" * 50)
    sub.expect(b"12345678\n" * 50)
    agree(address_of(pub), {**messages("pub", 0, 50, 8), ("weft_subscriptions", ("socket", "pub")): 1,
                            ("weft_dropped_total", ("socket", "pub"), ("reason", "full")): 0}, "pub")
    agree(address_of(sub), messages("sub", 50, 0, 8), "sub")


def test_tells_of_what_is_pushed(weft):
    pull = weft.start("pull", ANY_TCP, *METRICS, "--max-size", "10")
    push = weft.start("push", pull.endpoint, *METRICS, input=weft.OPEN)
    push.write(b"1234\n" * 50 + b"far too large a message\n" + b"1234\n")
    pull.expect(b"1234\n" * 51)
    agree(address_of(pull), {("weft_messages_total", ("socket", "pull"), ("direction", "in")): 51,
                             ("weft_dropped_total", ("socket", "pull"), ("reason", "refused")): 1}, "pull")
    agree(address_of(push), {("weft_messages_total", ("socket", "push"), ("direction", "out")): 52}, "push")


def test_tells_why_messages_are_dropped(weft):
    """A subscriber that stands still is full in the end."""
    pub = weft.start("pub", ANY_TCP, "--wait-subs", "1", "--hwm", "1", *METRICS, input=weft.OPEN)
    sub = weft.start("sub", pub.endpoint, "--hwm", "1")
    pub.write(b"first\n")
    sub.expect(b"first\n")
    sub.signal(19)
    pub.write((b"x" * 100000 + b"\n") * 300)
    address = address_of(pub)
    dropped = until(lambda: scrape(address)("weft_dropped_total", socket="pub", reason="full"), "drops")
    sub.signal(18)
    pub.close_input()
    status, _, talk = pub.result()
    assert status == 6 and int(re.search(r"(\d+) dropped", talk).group(1)) >= dropped


def test_tells_what_was_given_up(weft):
    rep = weft.start("rep", ANY_TCP, "--filter", "false", *METRICS)
    assert weft.run("req", rep.endpoint, "--data", "x")[:2] == (0, b"\n")
    agree(address_of(rep), {("weft_messages_total", ("socket", "rep"), ("direction", "out")): 1,
                            ("weft_given_up_total", ("socket", "rep")): 1}, "what was not answered")


def test_counts_attempts_to_connect(weft):
    push = weft.start("push", "tcp://127.0.0.1:1", *METRICS, input=weft.OPEN)
    address = address_of(push)
    until(lambda: scrape(address)("weft_connect_retries_total", socket="push") > 1, "attempts")


# ---------------------------------------------------------------------- proxy, bridge

def test_tells_of_both_sides_of_a_proxy(weft):
    proxy = weft.start("proxy", "queue", ANY_TCP, ANY_TCP, *METRICS)
    front, back = (proxy.talk.wait(lambda talk, side=side: re.search(side + rb" listening on (\S+)\n", talk), "a side")
                   .group(1).decode() for side in (b"front", b"back"))
    weft.start("rep", "-c", back, "--echo")
    assert weft.run("req", front, input=b"x\n" * 10)[:2] == (0, b"x\n" * 10)
    # an envelope goes with each message, and counts
    agree(address_of(proxy), {("weft_messages_total", ("socket", side), ("direction", way)): 10
                              for side in ("front", "back") for way in ("in", "out")}, "proxy")


def test_tells_of_a_bridge(weft):
    rep = weft.start("rep", ANY_TCP, "--echo")
    bridge = weft.start("bridge", "tcp", "--listen", ANY, "--framing", "line", "--req", rep.endpoint, *METRICS)
    host, port = bridge.expect_talk(r"^weft bridge: tcp listening on (\S+)$").group(1).decode().split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(b"1234\n" * 20)
        with client.makefile("rb") as answers:
            assert [answers.readline() for _ in range(20)] == [b"1234\n"] * 20
        own = {("weft_bridge_messages_total", ("bridge", "tcp"), ("direction", way)): 20 for way in ("in", "out")}
        own.update({("weft_bridge_message_bytes_total", ("bridge", "tcp"), ("direction", way)): 80
                    for way in ("in", "out")})
        own["weft_bridge_peers", ("bridge", "tcp")] = 1
        own["weft_bridge_requests", ("bridge", "tcp")] = 0
        own["weft_request_seconds_count", ("socket", "req")] = 20
        agree(address_of(bridge), {**own, **messages("req", 20, 20, 4)}, "bridge")
    agree(address_of(bridge), {("weft_bridge_peers", ("bridge", "tcp")): 0,
                               ("weft_bridge_disconnections_total", ("bridge", "tcp")): 1}, "a client that has gone")


def test_tells_of_datagrams(weft):
    pull = weft.start("pull", ANY_TCP)
    bridge = weft.start("bridge", "udp", "--listen", ANY, "--push", pull.endpoint, "--max-size", "10", *METRICS)
    host, port = bridge.expect_talk(r"^weft bridge: udp listening on (\S+)$").group(1).decode().split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((host, int(port)))
        client.send(b"far too long a datagram")
        client.send(b"1234")
        pull.expect(b"1234\n")
    agree(address_of(bridge), {("weft_bridge_messages_total", ("bridge", "udp"), ("direction", "in")): 1,
                               ("weft_bridge_datagrams_lost_total", ("bridge", "udp"), ("reason", "oversize")): 1},
          "datagrams")


def test_tells_of_each_thread_of_a_bridge(weft):
    rep = weft.start("rep", ANY_TCP, "--echo")
    bridge = weft.start("bridge", "tcp", "--listen", ANY, "--framing", "line", "--req", rep.endpoint, "--threads", "20",
                        *METRICS)
    host, port = bridge.expect_talk(r"^weft bridge: tcp listening on (\S+)$").group(1).decode().split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client, client.makefile("rb") as answers:
        client.sendall(b"1234\n")
        assert answers.readline() == b"1234\n"
    address = address_of(bridge)

    def taken():
        return [value for name, labels, value in scrape(address).order
                if name == "weft_bridge_messages_total" and labels["direction"] == "in"]
    until(lambda: sorted(taken()) == [0] * 19 + [1], "the thread that took it")


# ---------------------------------------------------------------------- pools

def ends(pool, **results):
    return {("weft_jobs_total", ("pool", pool), ("result", result)): results.get(result, 0)
            for result in ("done", "failed", "timeout", "dead", "cancelled", "not_started", "output_lost")}


def test_tells_of_a_run(weft, tmp_path):
    """The last job holds the run, so that it can be asked about the others."""
    gate = tmp_path / "gate"
    run = weft.start("run", *METRICS, "-j2", "--retries", "2", "--ledger", str(tmp_path / "ledger"), "sh", "-c", "{}",
                     ":::", "true", "true", "exit 3", "sleep 0.02", "until [ -e %s ]; do sleep 0.01; done" % gate)
    address = address_of(run)
    metrics = agree(address, {**ends("head", done=3, failed=1), ("weft_job_retries_total", ("pool", "head")): 1,
                              ("weft_pool_submitted_total", ("pool", "head")): 5,
                              ("weft_pool_jobs", ("pool", "head"), ("state", "waiting")): 0,
                              ("weft_pool_jobs", ("pool", "head"), ("state", "running")): 1,
                              ("weft_pool_workers", ("pool", "head")): 1,
                              ("weft_pool_slots", ("pool", "head")): 2,
                              ("weft_job_seconds_count", ("pool", "head")): 5,
                              ("weft_pool_wait_seconds_count", ("pool", "head")): 5}, "run")
    assert 0.02 < metrics("weft_job_seconds_sum", pool="head") < LIMIT
    assert metrics("weft_pool_wait_seconds_sum", pool="head") < LIMIT

    def is_committed():
        now = scrape(address)
        commits = now("weft_ledger_commits_total", pool="head")
        return commits == now("weft_ledger_commit_seconds_count", pool="head") and \
            now("weft_ledger_operations_total", pool="head") >= 9
    until(is_committed, "commits that are counted and timed")
    gate.touch()
    assert run.wait() == 1


def test_tells_of_a_head_a_worker_and_a_sink(weft, tmp_path):
    """Jobs go through all three, and each counts the same."""
    gate = tmp_path / "gate"
    sink = weft.start("sink", ANY_TCP, *METRICS)
    head = weft.start("ventilator", ANY_TCP, "--sink", sink.endpoint, *METRICS, input=weft.OPEN)
    worker = weft.start("worker", head.endpoint, "-j3", *METRICS)
    head.write(b"echo 12345\n" * 20 + b"exit 1\n" * 3 + b"until [ -e %s ]; do sleep 0.01; done\n" % bytes(gate))
    addresses = {name: address_of(program) for name, program in (("sink", sink), ("head", head), ("worker", worker))}
    for name, address in addresses.items():
        agree(address, {**ends(name, done=20, failed=3), ("weft_job_seconds_count", ("pool", name)): 23}, name)
    agree(addresses["worker"], {("weft_worker_slots", ("pool", "worker")): 3,
                                ("weft_worker_jobs", ("pool", "worker"), ("state", "running")): 1,
                                ("weft_worker_jobs", ("pool", "worker"), ("state", "waiting")): 0,
                                ("weft_worker_connected", ("pool", "worker")): 1,
                                ("weft_worker_breaks_total", ("pool", "worker")): 0}, "worker")
    assert scrape(addresses["sink"])("weft_job_output_bytes_total", pool="sink") == 120
    assert "weft_ledger_commit_seconds" not in scrape(addresses["head"]).families
    head.kill()
    agree(addresses["worker"], {("weft_worker_connected", ("pool", "worker")): 0,
                                ("weft_worker_breaks_total", ("pool", "worker")): 1}, "a worker without a head")
    gate.touch()


def test_tells_of_messages_that_are_jobs(weft):
    head = weft.start("ventilator", ANY_TCP, "--messages", *METRICS, input=weft.OPEN)
    worker = weft.start("worker", head.endpoint, "-j2", "--filter", "cat", *METRICS)
    head.write(b"x\n" * 500)
    for program, name in (head, "head"), (worker, "worker"):
        agree(address_of(program), ends(name, done=500), name)
    head.close_input()
    assert head.wait() == worker.wait() == 0


# ---------------------------------------------------------------------- many in one process

FABRIC = """
echo
    command = rep --echo
    bind = inproc://echo
tcp
    command = bridge tcp
    listen = 127.0.0.1:0
    framing = line
    req = inproc://echo
alone
    command = pull
    bind = %s
    metrics = 127.0.0.1:0
"""


def test_tells_of_the_parts_of_a_fabric(weft, tmp_path):
    """All of them at one address, but for who has one of its own."""
    (tmp_path / "fabric.zpl").write_text(FABRIC % ANY_TCP)
    up = weft.start("up", str(tmp_path / "fabric.zpl"), *METRICS)
    up.expect_talk(r"ready$")
    host, port = up.expect_talk(r"tcp listening on (\S+)$").group(1).decode().split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client, client.makefile("rb") as answers:
        client.sendall(b"1234\n" * 7)
        assert [answers.readline() for _ in range(7)] == [b"1234\n"] * 7
    metrics = agree(address_of(up), {
        ("weft_messages_total", ("part", "echo"), ("socket", "rep"), ("direction", "out")): 7,
        ("weft_messages_total", ("part", "tcp"), ("socket", "req"), ("direction", "in")): 7,
        ("weft_bridge_messages_total", ("part", "tcp"), ("bridge", "tcp"), ("direction", "in")): 7,
        ("weft_request_seconds_count", ("part", "echo"), ("socket", "rep")): 7}, "up")
    assert metrics("weft_build_info", version=version(weft), command="up") == 1
    assert not [name for name, labels, _ in metrics.order
                if labels.get("part") == "alone" and not name.startswith("weft_part_")]
    own = up.expect_talk(r"^weft up: alone: metrics listening on http://(\S+)/metrics$").group(1).decode()
    assert scrape(own)("weft_peers", socket="pull") == 0
    up.signal()
    assert up.wait() == 0


def states(part, state):
    """What the metrics say of a part in this state."""
    return {("weft_part_state", ("part", part), ("state", each)): float(each == state)
            for each in ("waiting", "starting", "running", "restarting", "ended", "failed")}


def test_tells_how_its_parts_are(weft, tmp_path):
    """One runs, one has ended, and one is tried until its port is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "fabric.zpl").write_text(FABRIC % ANY_TCP + """
over
    command = run true
busy
    command = bridge tcp
    listen = 127.0.0.1:%d
    push = inproc://none
    restart = on-failure
taker
    command = pull
    bind = inproc://none
    hwm = 1
""" % taken.getsockname()[1])
        up = weft.start("up", str(tmp_path / "fabric.zpl"), *METRICS)
        up.expect_talk(r"^weft up: ready")
        address = address_of(up)
        agree(address, {**states("echo", "running"), **states("over", "ended"), **states("busy", "restarting"),
                        ("weft_part_exit_status", ("part", "busy")): 1}, "the states")
        metrics = until(lambda: metrics_if(address, lambda now: now("weft_part_starts_total", part="busy") > 1),
                        "another start")
        assert metrics("weft_part_failures_total", part="busy") >= 1
        assert 1.7e9 < metrics("weft_part_state_since_seconds", part="echo") <= metrics(
            "weft_part_state_since_seconds", part="busy")
    agree(address, states("busy", "running"), "the port is free")


def metrics_if(address, right):
    """The metrics when they are right, else None."""
    metrics = scrape(address)
    return metrics if right(metrics) else None


def test_checks_where_parts_would_listen(weft, tmp_path):
    (tmp_path / "fabric.zpl").write_text((FABRIC % ANY_TCP).replace("metrics = 127.0.0.1:0", "metrics = 4711"))
    status, _, talk = weft.run("up", "--check", str(tmp_path / "fabric.zpl"))
    assert status == 2 and re.search(r"fabric.zpl:13: alone: --metrics 4711: a port alone", talk), talk


# ---------------------------------------------------------------------- what is written about them

def told(weft):
    """Name -> (kind, text) of all that weft help metrics lists."""
    status, out, _ = weft.run("help", "metrics")
    entries = re.findall(r"^  (\w+) \((\w+)(?:, [^)]*)?\)\n((?: {8}.*\n)+)", out.decode(), re.M)
    assert status == 0 and len(entries) == len({name for name, _, _ in entries}) > 40
    return {name: (kind, " ".join(text.split())) for name, kind, text in entries}


def test_help_lists_what_is_told(weft, tmp_path):
    """No less and no more: each command is asked."""
    sink = weft.start("sink", ANY_TCP, *METRICS)
    head = weft.start("ventilator", ANY_TCP, "--sink", sink.endpoint, "--ledger", str(tmp_path / "ledger"), *METRICS,
                      input=weft.OPEN)
    rep = weft.start("rep", ANY_TCP, "--echo", *METRICS)
    programs = [sink, head, rep, weft.start("worker", head.endpoint, *METRICS),
                weft.start("bridge", "tcp", "--listen", ANY, "--req", rep.endpoint, *METRICS)]
    (tmp_path / "fabric.zpl").write_text(FABRIC % ANY_TCP)
    programs.append(weft.start("up", str(tmp_path / "fabric.zpl"), *METRICS))
    programs[-1].expect_talk("^weft up: ready$")                # its parts come after its metrics
    seen = {}
    for program in programs:
        seen.update(scrape(address_of(program)).families)
    assert seen == told(weft)


def test_req_says_how_long_requests_took(weft):
    rep = weft.start("rep", ANY_TCP, "--echo")
    status, _, talk = weft.run("req", "-v", rep.endpoint, input=b"x\n" * 100)
    times = re.search(r"; half within (\S+) (m?s), 99% within (\S+) (m?s), all within (\S+) (m?s)$", talk, re.M)
    half, most, all_of_them = (float(times.group(i)) * (1 if times.group(i + 1) == "s" else 0.001) for i in (1, 3, 5))
    assert status == 0 and 0 < half <= most <= all_of_them < LIMIT
    assert "within" not in weft.run("req", "-v", rep.endpoint, input=b"")[2]


def test_run_says_how_long_jobs_ran(weft):
    status, _, talk = weft.run("run", "-v", "true", ":::", "1", "2", "3")
    assert status == 0
    assert re.search(r"^weft run: jobs ran: half within \S+ m?s, 99% within \S+ m?s, all within \S+ m?s$", talk, re.M)


# ---------------------------------------------------------------------- the listener

@pytest.fixture
def rep(weft):
    """One that answers, and where it is asked for its numbers."""
    program = weft.start("rep", ANY_TCP, "--echo", *METRICS)
    program.endpoint
    return program, address_of(program)


def works(weft, program):
    assert weft.run("req", program.endpoint, "--data", "x")[:2] == (0, b"x\n")


def test_answers_what_it_has(rep):
    _, address = rep
    status, headers, body = ask(address)
    assert status == 200 and len(body) == int(headers["Content-Length"])
    assert Metrics(body.decode()).families["process_cpu_seconds_total"][0] == "counter"
    status, headers, none = ask(address, method="HEAD")
    assert status == 200 and none == b"" and int(headers["Content-Length"]) > 1000
    assert ask(address, "/metrics?name[]=x")[0] == 200
    assert ask(address, "/healthz")[::2] == (200, b"ok\n")
    assert b"/metrics" in ask(address, "/")[2]
    assert ask(address, "/metrics/")[0] == ask(address, "/etc/passwd")[0] == 404
    status, headers, _ = ask(address, method="POST")
    assert status == 405 and headers["Allow"] == "GET, HEAD"


def raw(address, data, shut=True):
    """What comes back until the end, for these bytes."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(data)
        if shut:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            more = client.recv(65536)
            answer += more
            if not more:
                return answer


def test_refuses_what_is_no_request(weft, rep):
    program, address = rep
    assert raw(address, b"hello\r\n\r\n", shut=False).startswith(b"HTTP/1.1 400 ")
    assert raw(address, b"GET /metrics HTTP/1.1\r\n\r\n", shut=False).startswith(b"HTTP/1.1 400 ")     # no Host
    assert b" 413 " in raw(address, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxxxxxxxxx", shut=False)
    assert b" 431 " in raw(address, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n", shut=False)
    assert raw(address, b"") == raw(address, b"GET /metr") == b""
    works(weft, program)


def test_answers_requests_that_come_at_once(rep):
    _, address = rep
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(address, one * 3).count(b"\r\n\r\nok\n") == 3
    assert raw(address, one.replace(b"1.1", b"1.0") + one, shut=False).count(b"ok\n") == 1


@pytest.mark.parametrize("wrong, says", [("0.0.0.0:0", "--insecure"), ("4711", "HOST:PORT"), ("nowhere", "no port")])
def test_listens_for_this_machine_alone(weft, wrong, says):
    status, _, talk = weft.run("pull", ANY_TCP, "--metrics", wrong)
    assert status != 0 and says in talk and "listening" not in talk


def test_says_when_somebody_else_listens_there(weft, rep):
    status, _, talk = weft.run("pull", ANY_TCP, "--metrics", rep[1])
    assert status == 1 and rep[1] in talk


def test_listens_to_a_network_when_told(weft):
    program = weft.start("pull", ANY_TCP, "--metrics", "0.0.0.0:0", "--insecure")
    assert ask("127.0.0.1:" + address_of(program).split(":")[1], "/healthz")[0] == 200


def test_listens_at_a_path(weft, tmp_path):
    path = str(tmp_path / "socket")
    weft.start("pull", ANY_TCP, "--metrics", "unix:" + path).expect_talk(
        r"^weft pull: metrics listening on unix:\S+/socket, GET /metrics$")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(path)
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        with client.makefile("rb") as answer:
            assert answer.read().endswith(b"\r\n\r\nok\n")


def test_ends_with_those_who_ask_still_there(weft, rep):
    program, address = rep
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(b"GET /met")
        program.signal()
        assert program.wait() == 0


# ---------------------------------------------------------------------- who does not behave

def test_is_not_held_up_by_who_never_reads(weft, rep):
    """Answers pile up to a bound; then it is not read, and others are still answered."""
    program, address = rep
    host, port = address.split(":")
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(LIMIT)
        client.connect((host, int(port)))
        client.sendall(request * 200)
        for _ in range(5):
            works(weft, program)
        assert scrape(address)("weft_messages_total", socket="rep", direction="in") >= 5


def test_lets_in_whoever_asks_while_others_only_sit_there(weft, rep):
    program, address = rep
    host, port = address.split(":")
    silent = [socket.create_connection((host, int(port)), LIMIT) for _ in range(300)]
    try:
        for client in silent[::2]:
            client.sendall(b"G")
        for _ in range(3):
            assert ask(address, "/healthz")[0] == 200
        works(weft, program)
    finally:
        for client in silent:
            client.close()


def test_counts_on_in_a_storm(weft):
    """All numbers are right in the end, and each answer is whole."""
    pull = weft.start("pull", ANY_TCP, *METRICS)
    address = address_of(pull)
    over, seen, wrong = threading.Event(), [], []

    def storm():
        try:
            while not over.is_set():
                seen.append(scrape(address)("weft_messages_total", socket="pull", direction="in"))
        except Exception as error:
            wrong.append(error)
    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        status, _, _ = weft.run("push", pull.endpoint, input=b"1234\n" * 50000)
        assert status == 0
        agree(address, messages("pull", 50000, 0, 4), "pull")
    finally:
        over.set()
        for thread in threads:
            thread.join(LIMIT)
    assert not wrong and seen
