"""Jobs that were run before, by their log: weft run beside GNU parallel, and each with the other's log."""

import os

import pytest

INPUT = ["echo {#} {}; [ {} != 2 ] || exit 3; [ {} != y ] || touch y; [ -e y ]", ":::", "y", "2", "c d", "e\nf"]
FIRST = ["-0", "-j1", "--joblog", "log", *INPUT]
AGAIN = [
    ["-0", "--resume", "--joblog", "log", *INPUT, "later", ""],
    ["-0", "--resume-failed", "--joblog", "log", *INPUT, "later", ""],
    ["--retry-failed", "--joblog", "log", "not", "looked", "at"],
    ["-0", "--resume", "--joblog", "+log", *INPUT, "later", ""],
]


def rows(path):
    """A job log without times."""
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    return lines[0], [line.split(b"\t")[:2] + line.split(b"\t")[4:] for line in lines[1:]]


@pytest.mark.parametrize("again", AGAIN, ids=["resume", "resume failed", "retry failed", "plus"])
@pytest.mark.parametrize("first, second", ["pw", "wp", "ww"])
def test_resume_as_parallel(weft, parallel, tmp_path, again, first, second):
    """Whoever began and whoever goes on: the same output, status and log."""
    def run(who, *arguments):
        if who == "p":
            return parallel(*arguments)
        return weft.run("run", *arguments, cwd=tmp_path)[:2]
    got = run(first, *FIRST), run(second, "-j1", *again)
    log = rows(tmp_path / "log")
    (tmp_path / "log").unlink()
    (tmp_path / "y").unlink()
    assert got == (parallel(*FIRST), parallel("-j1", *again))
    assert log == rows(tmp_path / "log")


def test_other_input_is_refused(weft, tmp_path):
    values = ["a", "b", "c", "d"]
    assert weft.run("run", "-k", "--joblog", "log", "echo", ":::", *values, cwd=tmp_path)[0] == 0
    log = (tmp_path / "log").read_bytes()
    again = ["run", "-k", "--joblog", "log", "--resume"]
    values[1] = "x"
    status, output, talk = weft.run(*again, "echo", ":::", *values, "new", cwd=tmp_path)
    assert (status, output) == (255, b"") and "job 2 was 'echo b' and is 'echo x' now" in talk
    assert (tmp_path / "log").read_bytes() == log
    assert weft.run(*again, "--trust-joblog", "echo", ":::", *values, "new", cwd=tmp_path)[:2] == (0, b"new\n")
    status, output, talk = weft.run(*again, "echo", ":::", "a", cwd=tmp_path)
    assert (status, output) == (0, b"") and "has jobs up to 5, the input only 1" in talk


def test_slot_in_command(weft, tmp_path):
    """Which slot a job had is no reason to refuse."""
    command = ["run", "-j2", "-k", "--joblog", "log", "--resume", "sleep 0.0{%}; echo {}", ":::", "a", "b", "c"]
    assert weft.run(*command, cwd=tmp_path)[:2] == (0, b"a\nb\nc\n")
    assert weft.run(*command, "d", cwd=tmp_path)[:2] == (0, b"d\n")


def test_line_cut_off(weft, tmp_path):
    """As a crash leaves it: that job is run again, and the line is gone."""
    command = ["run", "-k", "-j1", "--joblog", "log", "--resume", "echo", ":::", "a", "b", "c"]
    assert weft.run(*command, cwd=tmp_path)[:2] == (0, b"a\nb\nc\n")
    whole = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(whole[:-3])
    assert weft.run("run", "--dry-run", *command[1:], cwd=tmp_path)[:2] == (0, b"echo c\n")
    assert (tmp_path / "log").read_bytes() == whole[:-3]
    status, output, talk = weft.run(*command, cwd=tmp_path)
    assert (status, output) == (0, b"c\n") and "was cut off" in talk
    assert [row[0] for row in rows(tmp_path / "log")[1]] == [b"1", b"2", b"3"]


def test_killed_and_resumed(weft, tmp_path):
    """Whatever was running when the head was killed is run again; what had ended is not."""
    command = ["run", "-j2", "--joblog", "log", "--resume",
               "echo {} >> ran; if [ {} -lt 40 ]; then echo {}; else [ -e go ] || cat fifo; fi"]
    values = "".join("%d\n" % number for number in range(100)).encode()
    os.mkfifo(tmp_path / "fifo")
    program = weft.start(*command, input=values, cwd=tmp_path)
    program.out.wait(lambda data: data.count(b"\n") == 40, "40 jobs")
    program.kill()
    (tmp_path / "go").touch()
    assert weft.command(["sh", "-c", "exec 3<>fifo"], cwd=tmp_path).wait() == 0     # what it left running ends
    assert weft.run(*command, input=values, cwd=tmp_path)[0] == 0
    done = (tmp_path / "ran").read_text().split()
    assert set(done) == {str(number) for number in range(100)}
    assert all(done.count(str(number)) == 1 for number in range(40))
    assert sorted(int(row[0]) for row in rows(tmp_path / "log")[1]) == list(range(1, 101))


def test_nothing_of_the_command_line_is_retried(weft, tmp_path):
    """--retry-failed takes no input: it does not wait for any, either."""
    assert weft.run("run", "-j1", "--joblog", "log", ":::", "false", "true", cwd=tmp_path)[0] == 1
    program = weft.start("run", "--joblog", "log", "--retry-failed", "--tag", input=weft.OPEN, cwd=tmp_path)
    assert program.wait() == 1
    assert [row[0] for row in rows(tmp_path / "log")[1]] == [b"1", b"2", b"1"]


def test_dry_run_leaves_the_log(weft, tmp_path):
    (tmp_path / "log").write_text("mine")
    assert weft.run("run", "--dry-run", "--joblog", "log", "echo", ":::", "a", cwd=tmp_path)[:2] == (0, b"echo a\n")
    assert (tmp_path / "log").read_text() == "mine"


@pytest.mark.parametrize("arguments, words", [
    (["--resume"], "--joblog"),
    (["--resume", "--retry-failed", "--joblog", "log"], "one of"),
    (["--resume", "--joblog", "/etc/passwd"], "no job log"),
    (["--joblog", "+/etc/passwd"], "no job log"),
    (["--retry-failed", "--joblog", "/nonexistent/log"], "/nonexistent/log"),
])
def test_refusals(weft, tmp_path, arguments, words):
    status, output, talk = weft.run("run", *arguments, "echo", ":::", "a", cwd=tmp_path)
    assert (status, output) == (255, b"") and words in talk
