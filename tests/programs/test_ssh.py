"""weft run --ssh: workers on other machines, over a real sshd."""

import os
import re
import select
import shutil
import signal
import stat

import pytest

from running import LIMIT, WEFT
from sshd import SSHD, Sshd

pytestmark = pytest.mark.skipif(not os.path.exists(SSHD) or not shutil.which("ssh"), reason="there is no sshd")

REMOTE = os.path.abspath(WEFT)
NONE_LEFT = 255


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.end()


@pytest.fixture
def options(sshd):
    return ["--rsh", sshd.rsh, "--remote-weft", REMOTE]


def gone(pid):
    """Waits until a process that is no child of ours has ended."""
    try:
        fd = os.pidfd_open(int(pid))
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], LIMIT)[0])
    finally:
        os.close(fd)


def pids(program, count):
    """Of the line "PID ..." that each of so many jobs writes."""
    lines = program.out.wait(lambda data: data.count(b"\n") >= count and data, "%d jobs" % count)
    return lines.split()


def meet(folder, count):
    """A command that ends when so many of it run at once."""
    return "cd %s && : > at.$PPID.$WEFT_JOB && until set -- at.* && [ $# -ge %d ]; do sleep 0.02; done; " % (
        folder, count)


@pytest.mark.parametrize("how", [["--filter", "sed -u s/$/x/"], ["--exec", "sed s/$/x/; echo"]])
def test_messages(weft, options, how):
    """What is done with them goes along with the workers."""
    status, output, talk = weft.run("run", *options, "-k", "--ssh", "1/n1,1/n2", *how, ":::", "1", "2", "it's")
    assert (status, output) == (0, b"1x\n2x\nit'sx\n"), talk


def test_two_hosts(weft, options, tmp_path):
    """They share the jobs, each in its slots; nothing of the keys is on a command line."""
    status, output, talk = weft.run("run", *options, "-k", "--ssh", "2/n1,1/n2",
                                    meet(tmp_path, 3) + "echo $PPID; tr '\\0' ' ' </proc/$PPID/cmdline; echo; : {}",
                                    ":::", "1", "2", "3")
    assert status == 0, talk
    assert "2 of 2 hosts are there: 3 slots in all" in talk
    assert len(set(re.findall(rb"^(\d+)$", output, re.M))) == 2
    assert set(re.findall(rb"^.* worker .*? - ", output, re.M)) == {REMOTE.encode() + b" worker --ticket - "}


def test_a_file_of_hosts(weft, options, tmp_path):
    """As GNU parallel's: comments, N/, and : for this machine, which takes part only then."""
    (tmp_path / "hosts").write_text("# ours\n\n 1/n1\n  # :\n1/:\n")
    status, output, talk = weft.run("run", *options, "--ssh", str(tmp_path / "hosts"), meet(tmp_path, 2) + "echo {}",
                                    ":::", "a", "b")
    assert (status, sorted(output.split())) == (0, [b"a", b"b"]), talk
    assert len({name.split(".")[1] for name in os.listdir(tmp_path) if name.startswith("at.")}) == 2


def test_jobs_at_once_of_each_host(weft, options, tmp_path):
    status, _, talk = weft.run("run", *options, "-j3", "-S", "n1", meet(tmp_path, 3) + ": {}", ":::", "1", "2", "3")
    assert status == 0 and "3 slots in all" in talk


@pytest.mark.parametrize("host, words", [("refused", "refused: .*(refused|closed)"),
                                         ("stranger", "stranger: .*denied")])
def test_a_host_that_fails(weft, options, tmp_path, host, words):
    """It is named, with what ssh says, and the others run the jobs."""
    run = weft.start("run", *options, "--ssh", host + ",1/n1",
                     "until [ -e %s/go ]; do sleep 0.02; done; echo {}" % tmp_path, ":::", "a", "b")
    run.expect_talk("1 of 2 hosts is there: 1 slot in all")
    run.expect_talk("(?i)" + words)
    run.expect_talk(host + ": ssh could not log in there")
    (tmp_path / "go").touch()
    assert (run.wait(), run.out.data) == (0, b"a\nb\n")


def test_no_weft_there(weft, sshd):
    status, _, talk = weft.run("run", "--rsh", sshd.rsh, "--remote-weft", "/nowhere/weft", "--ssh", "n1", "echo",
                               ":::", "a")
    assert status == NONE_LEFT
    assert "n1: there is no weft there" in talk and "--remote-weft" in talk and "no machine left" in talk


def test_another_version_there(weft, sshd, tmp_path):
    """One that knows no tickets, and one that is newer."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("#!/bin/sh\necho 'weft worker: no option --ticket' >&2\nexit 2\n")
    new.write_text("#!/bin/sh\necho 'weft-worker 1 99.0'\necho 'what is this?' >&2\nexit 3\n")
    old.chmod(0o755)
    new.chmod(0o755)
    status, _, talk = weft.run("run", "--rsh", sshd.rsh, "--remote-weft", str(old), "--ssh", "n1", "echo", ":::", "a")
    assert status == NONE_LEFT and "n1: no option --ticket" in talk and "n1: the worker did not start there" in talk
    talk = weft.run("run", "--rsh", sshd.rsh, "--remote-weft", str(new), "--ssh", "n1", "echo", ":::", "a")[2]
    assert "n1: weft is 99.0 there" in talk and "n1: its worker has ended (status 3)" in talk


def test_a_login_that_talks(weft, sshd, tmp_path):
    """What login scripts write is no part of the connection, and is not shown unless wanted."""
    talker = tmp_path / "talker"
    talker.write_text("#!/bin/sh\necho Welcome; echo 'weft-worker is fine'; echo motd >&2\nexec %s \"$@\"\n" % REMOTE)
    talker.chmod(0o755)
    status, output, talk = weft.run("run", "--rsh", sshd.rsh, "--remote-weft", str(talker), "--ssh", "1/n1", "echo {}",
                                    ":::", "a")
    assert (status, output) == (0, b"a\n") and "motd" not in talk


def test_where_jobs_run(weft, options, tmp_path):
    folder = tmp_path / "it's here"
    folder.mkdir()
    status, output, talk = weft.run("run", *options, "--ssh", "1/n1", "--workdir", str(folder), "pwd; :", ":::", "a")
    assert (status, output.decode()) == (0, str(folder) + "\n"), talk
    status, _, talk = weft.run("run", *options, "--ssh", "1/n1", "--workdir", "/nowhere", "pwd; :", ":::", "a")
    assert status == NONE_LEFT and re.search("n1: .*/nowhere", talk)


def test_the_head_is_killed(weft, options):
    """Its workers end, and what they ran."""
    run = weft.start("run", *options, "-u", "--ssh", "1/n1,1/n2", "echo $$ $PPID; exec sleep 1000; : {}",
                     ":::", "a", "b")
    running = pids(run, 2)
    run.kill()
    assert all(gone(pid) for pid in running)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(weft, options, number):
    """Ctrl-C ends all of it; a first SIGTERM lets what runs end."""
    run = weft.start("run", *options, "-u", "--ssh", "1/n1", "echo $$ $PPID; " +
                     ("exec sleep 1000; : {}" if number == signal.SIGINT else "sleep 0.1; echo end"),
                     ":::", "a", "b", "c")
    running = pids(run, 1)
    run.signal(number)
    assert run.wait() == 255
    assert all(gone(pid) for pid in running[:2])
    assert number == signal.SIGINT or run.out.data.endswith(b"end a\n")


def test_a_connection_breaks(weft, options, sshd, tmp_path):
    """What a host had runs on another."""
    before = len(sshd.servers)
    run = weft.start("run", *options, "-u", "--ssh", "1/n1,1/n2", meet(tmp_path, 2) +
                     "echo {} $PPID; [ -e %s/go ] || exec sleep 1000; echo end {}" % tmp_path, ":::", "a", "b")
    pids(run, 2)
    victim = sshd.servers[before]
    (tmp_path / "go").touch()
    victim.kill()
    run.expect_talk("the connection by ssh broke; its jobs run elsewhere")
    run.out.wait(lambda data: data.count(b"\n") >= 2, "the others")
    run.signal(signal.SIGINT)
    assert run.wait() == 255


def test_all_connections_break(weft, options, sshd):
    before = len(sshd.servers)
    run = weft.start("run", *options, "-u", "--ssh", "1/n1", "echo $$ $PPID; exec sleep 1000; : {}", ":::", "a")
    running = pids(run, 1)
    sshd.servers[before].kill()
    assert run.wait() == NONE_LEFT, (run.out.data, run.talk.data)
    assert "no machine left" in run.talk.data.decode()
    assert all(gone(pid) for pid in running)


def test_a_host_that_never_answers(weft, options, tmp_path):
    """Nobody waits for it at the end, and its ssh ends, too."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho $$ > %s/pid\nexec sleep 1000\n" % tmp_path)
    silent.chmod(0o755)
    run = weft.start("run", *options, "--ssh", str(silent) + " n2,1/n1",
                     "until [ -s %s/pid ]; do sleep 0.02; done; echo {}" % tmp_path, ":::", "a")
    assert (run.wait(), run.out.data) == (0, b"a\n")
    assert gone((tmp_path / "pid").read_text())


def test_much_output(weft, options):
    """More than all pipes hold, from several jobs, arrives whole, whatever the bytes."""
    script = "head -c 4000000 /dev/zero | tr '\\0' {}"
    status, output, talk = weft.run("run", *options, "-k", "--ssh", "2/n1", script, ":::", "a", "b", limit=60)
    assert status == 0 and output == b"a" * 4000000 + b"b" * 4000000, talk


@pytest.mark.parametrize("hosts, words", [("-oProxyCommand=x", "does not begin with -"), ("0/n1", "1 to 4096"),
                                          ("n1,9999/n2", "1 to 4096"), ("3/", "no name"), (",", "no host"),
                                          ("/nowhere/hosts", "/nowhere/hosts")])
def test_hosts_that_are_none(weft, hosts, words):
    status, _, talk = weft.run("run", "--ssh", hosts, "echo", ":::", "a")
    assert status == NONE_LEFT and words in talk


def test_keys_of_ones_own(weft, options, tmp_path):
    """With --key the workers need a pair, too, which is on the list."""
    environment = {**os.environ, "WEFT_KEYS": str(tmp_path / "keys")}
    for name in ("head", "node"):
        assert weft.run("key", "new", name, env=environment)[0] == 0
    command = ["run", *options, "--key", "head", "--ssh", "1/n1"]
    status, _, talk = weft.run(*command, "echo {}", ":::", "a", env=environment)
    assert status == NONE_LEFT and "--worker-key" in talk
    assert weft.run("key", "allow", "node", "node", env=environment)[0] == 0
    assert weft.run(*command, "--worker-key", "node", "echo {}", ":::", "a", env=environment)[:2] == (0, b"a\n")
