"""The lines that the manual and the README show work as they are typed, but for the addresses."""

import json
import os
import subprocess

import pytest

from running import ANY_TCP, LIMIT, WEFT


def shell(line, **environment):
    """Types a line; weft is the program under test."""
    folder = os.path.dirname(os.path.abspath(WEFT))
    environment = {**os.environ, **environment, "PATH": folder + ":" + os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, timeout=3 * LIMIT)
    return done.returncode, done.stdout, done.stderr.decode()


def test_echo(weft, somewhere):
    rep = weft.start("rep", somewhere, "--echo")
    assert shell("echo hello | weft req $AT", AT=rep.endpoint) == (0, b"hello\n", "")


def test_a_million_lines(tmp_path):
    line = "weft pull $AT --until-gone | wc -l &  seq 1000000 | weft push $AT; wait"
    status, output, _talk = shell(line, AT="ipc://%s/socket" % tmp_path)
    assert (status, output.strip()) == (0, b"1000000")


def test_a_million_lines_unchanged(weft, somewhere):
    pull = weft.start("pull", somewhere, "--until-gone")
    assert shell("seq 1000000 | weft push $AT", AT=pull.endpoint) == (0, b"", "")
    assert pull.wait() == 0
    assert pull.out.data == b"".join(b"%d\n" % i for i in range(1, 1000001))


@pytest.mark.parametrize("first", ["sub", "pub"])
def test_weather(weft, tmp_path, first):
    """In either order."""
    at = "ipc://%s/socket" % tmp_path
    pub = "seq 10 | sed 's/^/weather./' | weft pub -b $AT --wait-subs 1"
    if first == "sub":
        sub = weft.start("sub", "-c", at, "-t", "weather.", "--count", "3", "--json")
        assert shell(pub, AT=at)[0] == 0
    else:
        background = weft.command(["bash", "-c", pub], env={**os.environ, "AT": at, "PATH": os.path.dirname(
            os.path.abspath(WEFT)) + ":" + os.environ["PATH"]})
        assert background.endpoint == at
        sub = weft.start("sub", "-c", at, "-t", "weather.", "--count", "3", "--json")
    assert sub.wait() == 0
    lines = [json.loads(line) for line in sub.out.data.splitlines()]
    assert [line["frames"] for line in lines] == [["weather.1"], ["weather.2"], ["weather.3"]]


def test_upper_case_service(weft, tmp_path):
    rep = weft.start("rep", "-b", "ipc://%s/up.sock" % tmp_path, "--exec", "tr a-z A-Z")
    assert shell("echo hello | weft req $AT", AT=rep.endpoint) == (0, b"HELLO\n", "")


def test_filter_service(weft, somewhere):
    rep = weft.start("rep", somewhere, "--filter", "sed -u s/a/b/")
    assert shell("printf 'aa\\n\\nxyz\\n' | weft req $AT", AT=rep.endpoint) == (0, b"ba\n\nxyz\n", "")


@pytest.mark.parametrize("options, reply", [
    (["--exec", "cat; exit 3", "--error-reply", "no"], b"no\n"), (["--exec", "cat; exit 3"], b"hello\n"),
    (["--exec", "cat", "--error-reply", "no"], b"hello\n"), (["--filter", "exit 3", "--error-reply", "no"], b"no\n")])
def test_a_service_that_fails(weft, somewhere, options, reply):
    rep = weft.start("rep", somewhere, *options)
    assert shell("echo hello | weft req $AT", AT=rep.endpoint) == (0, reply, "")


def test_an_error_reply_needs_what_can_fail(weft):
    status, _, talk = weft.run("rep", ANY_TCP, "--echo", "--error-reply", "no")
    assert status == 2 and "--exec and --filter" in talk


@pytest.mark.parametrize("words", [
    ["rep", "--echo", "inproc://x"], ["bridge", "tcp", "--listen", "127.0.0.1:0", "--req", "inproc://x"]])
def test_nobody_else_is_in_this_process(weft, words):
    program = weft.start(*words)
    program.expect_talk("^weft %s: inproc://x: inproc stays within this process, .*; ipc://PATH reaches" % words[0])
    program.signal()
    assert program.wait() == 0


def test_find_with_nul(weft, somewhere, tmp_path):
    """File names that hold a newline pass whole."""
    names = ["plain", "two\nlines", "tab\there"]
    for name in names:
        (tmp_path / name).write_text("")
    pull = weft.start("pull", somewhere, "-0", "--until-gone")
    assert shell("cd $IN && find . -type f -print0 | weft push -0 $AT", IN=str(tmp_path), AT=pull.endpoint)[0] == 0
    assert pull.wait() == 0
    assert sorted(pull.out.data.split(b"\0")) == sorted([b""] + [b"./" + name.encode() for name in names])


def test_exec_of_each_message(weft, somewhere, tmp_path):
    command = "cat >> %s/all; echo >> %s/all" % (tmp_path, tmp_path)
    pull = weft.start("pull", somewhere, "--until-gone", "--exec", command)
    assert shell("seq 5 | weft push $AT", AT=pull.endpoint)[0] == 0
    assert pull.wait() == 0
    assert (tmp_path / "all").read_text() == "1\n2\n3\n4\n5\n"


def test_help_of_every_command():
    status, output, _talk = shell("weft help")
    assert status == 0
    for name in ("req", "rep", "pub", "sub", "push", "pull", "version", "help"):
        assert (" " + name + " ").encode() in output
        status, text, talk = shell("weft help " + name)
        assert status == 0 and ("usage: weft " + name).encode() in text and talk == ""
        assert shell("weft %s --help" % name) == (0, text, "")
