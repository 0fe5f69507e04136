"""What the programs do without being told: nothing in clear text beyond this machine, private sockets, limits."""

import os
import resource
import socket
import stat
import subprocess

import pytest

from running import ANY_TCP, LIMIT, WEFT, is_sanitized

OK, USAGE, NOT_AUTHORISED, RUN_ERROR = 0, 2, 5, 255

PATTERNS = ["req", "rep", "pub", "sub", "push", "pull"]
LISTENERS = [([pattern, "-b"], NOT_AUTHORISED) for pattern in PATTERNS] + [
    (["sink", "-b"], NOT_AUTHORISED),
    (["proxy", "queue", "tcp://127.0.0.1:0"], NOT_AUTHORISED),
    (["proxy", "streamer", "tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "--capture"], NOT_AUTHORISED),
    (["ventilator", "-a", "/dev/null", "echo", "-b"], RUN_ERROR),
    (["run", "-a", "/dev/null", "--listen"], RUN_ERROR)]


def ordered(command, *rest):
    """Options of run and ventilator come before the command."""
    if command[0] == "ventilator":
        return ["ventilator", "-b", *rest, "-a", "/dev/null", "echo"]
    return [*command, *rest]


# ------------------------------------------------------------------- networks

@pytest.mark.parametrize("command, status", LISTENERS)
@pytest.mark.parametrize("address", ["tcp://*:0", "tcp://0.0.0.0:0", "tcp://[::]:0"])
def test_nothing_listens_on_a_network_in_clear_text(weft, command, status, address):
    got, output, talk = weft.run(*ordered(command, address))
    assert (got, output) == (status, b""), talk
    for words in ("weft key new", "weft key allow", "--key NAME", "--insecure", address):
        assert words in talk
    assert "listening on tcp://0.0.0.0" not in talk


@pytest.mark.parametrize("pattern", PATTERNS)
def test_insecure_listens(weft, pattern):
    program = weft.start(pattern, "-b", "tcp://*:0", "--insecure", input=weft.OPEN)
    assert program.endpoint.startswith("tcp://0.0.0.0:")


def test_insecure_listens_for_pools(weft):
    for command in (["ventilator", "-b", "tcp://*:0", "--insecure"], ["sink", "-b", "tcp://*:0", "--insecure"],
                    ["run", "--insecure", "--listen", "tcp://*:0", "--workers", "0"]):
        assert weft.start(*command, input=weft.OPEN).endpoint.startswith("tcp://0.0.0.0:")


@pytest.mark.parametrize("line", [
    "push tcp://127.0.0.1:1 --key x --data a", "push tcp://127.0.0.1:1 --server-key x --data a",
    "worker tcp://127.0.0.1:1 --server-key x", "pull tcp://127.0.0.1:0 --allow x",
    "proxy queue tcp://127.0.0.1:0 >tcp://127.0.0.1:1 --server-key x"])
def test_half_of_the_keys(weft, line):
    status, output, talk = weft.run(*line.split())
    assert (status, output) == (USAGE, b"")
    assert "weft key new" in talk or "--server-key KEY" in talk


# ------------------------------------------------------------------ ipc

def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.mark.parametrize("command", [["pull", "-b"], ["pub", "-b"], ["sink", "-b"], ["ventilator", "-b"],
                                     ["run", "--workers", "0", "--listen"]])
def test_an_ipc_socket_is_private(weft, tmp_path, command):
    path = tmp_path / "socket"
    program = weft.start(*command, "ipc://%s" % path, input=weft.OPEN, preexec_fn=lambda: os.umask(0))
    assert program.endpoint == "ipc://%s" % path
    assert mode(path) == 0o600


def test_what_a_program_runs_has_the_umask_of_its_user(weft, tmp_path):
    """It is not by the umask that sockets are private."""
    made = tmp_path / "made"
    weft.start("pull", "-b", "ipc://%s/s" % tmp_path, "--exec", "umask > %s" % made, "--count", "1",
               preexec_fn=lambda: os.umask(0o002))
    push = weft.run("push", "ipc://%s/s" % tmp_path, "--data", "x")
    assert push[0] == OK
    weft.programs[0].wait()
    assert made.read_text().strip() == "0002"


def test_an_ipc_path_of_the_systems_choice(weft, tmp_path):
    program = weft.start("pull", "-b", "ipc://*", "--count", "1", env={**os.environ, "TMPDIR": str(tmp_path)},
                         preexec_fn=lambda: os.umask(0))
    path = program.endpoint[len("ipc://"):]
    assert path.startswith(str(tmp_path)) and mode(path) == 0o600 and mode(os.path.dirname(path)) == 0o700
    assert weft.run("push", program.endpoint, "--data", "x")[0] == OK
    assert program.wait() == OK
    assert os.listdir(tmp_path) == []


def test_of_many_binders_one_gets_the_path(weft, tmp_path):
    """They come at once, to a path that a dead one left."""
    path = str(tmp_path / "socket")
    for _race in range(3):
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(path)
        dead.close()
        programs = [weft.start("pull", "-b", "ipc://" + path, "--count", "1") for _ in range(6)]
        ends = [program.talk.wait(lambda talk: b"\n" in talk, "a line") and program.talk.data for program in programs]
        winners = [program for program, end in zip(programs, ends) if b"listening on" in end]
        assert len(winners) == 1
        assert sum(b"somebody listens there already" in end for end in ends) == 5
        assert weft.run("push", "ipc://" + path, "--data", "x")[0] == OK
        winners[0].expect(b"x\n")
        assert winners[0].wait() == OK


# ------------------------------------------------------------------ handshakes

GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 48


@pytest.mark.parametrize("command", [[pattern, "-b", ANY_TCP] for pattern in PATTERNS]
                         + [["proxy", "queue", ANY_TCP, ANY_TCP]], ids=lambda command: command[0])
@pytest.mark.parametrize("said", [b"", GREETING[:20], GREETING], ids=["nothing", "half", "greeting"])
def test_a_handshake_has_a_time(weft, command, said):
    program = weft.start(*command, "--handshake", "100ms", input=weft.OPEN)
    port = int((program.endpoint if command[0] != "proxy" else
                program.expect_talk(r"listening on (tcp://\S+)").group(1).decode()).rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), LIMIT) as peer:
        peer.settimeout(LIMIT)
        peer.sendall(said)
        while peer.recv(1024):
            pass                        # its greeting, and then the end


def test_help_shows_the_same_words_in_the_same_place(weft):
    """The table is the last before the common options, for all that open endpoints."""
    commands = PATTERNS + ["proxy", "run", "ventilator", "worker", "sink"]
    pages = [weft.run("help", command)[1].decode() for command in commands]
    tables = {" ".join(page.split("\nSecurity:\n")[1].split("\nCommon options:")[0].split()) for page in pages}
    assert len(tables) == 1
    table = tables.pop()
    for option in ("--key", "--server-key", "--allow", "--insecure"):
        assert option in table


# ---------------------------------------------------------------------- floods

def frame(body, more=False):
    return bytes([2 | more]) + len(body).to_bytes(8, "big") + body if len(body) > 255 else \
        bytes([more, len(body)]) + body


def shake_hands(endpoint, kind):
    """A connection of a peer that says what it likes: ZMTP 3.0, RFC 23."""
    peer = socket.create_connection(("127.0.0.1", int(endpoint.rsplit(":", 1)[1])), LIMIT)
    peer.settimeout(LIMIT)
    ready = b"\5READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    peer.sendall(GREETING + bytes([4, len(ready)]) + ready)
    heard = b""
    while b"READY" not in heard:
        heard += peer.recv(1024)
    return peer


def flood(peer, chunks):
    """Until the other side has had enough; True when it cut us off."""
    try:
        for chunk in chunks:
            peer.sendall(chunk)
        return False
    except (BrokenPipeError, ConnectionResetError):
        return True


def memory_of(program):
    with open("/proc/%d/status" % program.process.pid, encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) * 1024


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("kind", ["pub", "proxy"])
def test_a_flood_of_subscriptions(weft, kind, busy):
    """The flooder is cut off, memory stays within bounds, and others are served on."""
    command = ["pub", "-b", ANY_TCP] if kind == "pub" else ["proxy", "forwarder", ANY_TCP, ANY_TCP]
    flags = [] if kind == "proxy" else ["--interval", "1ms", "--data", "tick"] if busy else ["--wait-subs", "1"]
    program = weft.start(*command, *flags, "--max-subscriptions", "1000", input=weft.OPEN)
    endpoint = program.endpoint if kind == "pub" else \
        program.expect_talk(r"back listening on (tcp://\S+)").group(1).decode()
    before = memory_of(program)
    with shake_hands(endpoint, b"SUB") as peer:
        assert flood(peer, (b"".join(frame(b"\1" + b"%0200d" % (1000 * chunk + i)) for i in range(1000))
                            for chunk in range(1000)))
    program.expect_talk("a subscriber was cut off: more topics than max-subscriptions")
    assert memory_of(program) - before < (64 << 20) * (4 if is_sanitized() else 1)
    if kind == "pub":
        sub = weft.start("sub", endpoint, "--count", "1")
        if not busy:
            program.write(b"tick\n")        # held back until there is a subscriber, and the flooder is none any more
        sub.expect(b"tick\n")


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer needs more memory than the limit")
def test_a_message_without_end(weft):
    """No limit of libzmq holds for it, but that of the memory does, and is said."""
    program = weft.start("pull", "-b", ANY_TCP, "--memory-limit", "100M", "--max-size", "1K")
    with shake_hands(program.endpoint, b"PUSH") as peer:
        part = frame(b"x" * 1000, more=True) * 100
        assert flood(peer, (part for _ in range(10000)))
    status, _output, talk = program.result()
    assert status == 1
    assert "weft pull: out of memory: as much as --memory-limit 100M allows is in use" in talk


def test_what_is_started_has_the_limits_of_its_user(weft, tmp_path):
    """Ours are another matter: more descriptors, as it listens, and a limit of memory."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    show = "ulimit -Sn; ulimit -Sd"
    wanted = subprocess.run(["sh", "-c", show], preexec_fn=limit, stdout=subprocess.PIPE, check=True).stdout
    endpoint = "ipc://%s/socket" % tmp_path
    job = [show + "; : {}", ":::", "x"]
    for command in (["run", *job], ["run", "-j", "500", *job],
                    ["run", "--memory-limit", "1024T", "--listen", endpoint, *job]):
        assert weft.run(*command, preexec_fn=limit)[:2] == (OK, wanted)
    pull = weft.start("pull", "-b", endpoint, "--memory-limit", "1024T", "--exec", show, "--count", "1",
                      preexec_fn=limit)
    assert pull.endpoint == endpoint
    with open("/proc/%d/limits" % pull.process.pid, encoding="ascii") as file:
        limits = file.read()
    assert str(1 << 50) in limits and "Max open files            600 " not in limits
    assert weft.run("push", endpoint, "--data", "x")[0] == OK
    pull.expect(wanted)
    assert pull.wait() == OK
