"""Which job comes first, and how long it may take: --priority and --timeout."""

import pytest

OK, USAGE = 0, 255


def jobs(first, last):
    return [str(number) for number in range(first, last + 1)]


def test_higher_first(weft, tmp_path):
    """Jobs that wait in the ledger alone, as here those beyond two, come by priority, too."""
    endpoint = "ipc://%s/pool" % tmp_path

    def head(*arguments):
        return weft.start("ventilator", "-b", endpoint, "--ledger", "jobs.db", "--queue", "2", *arguments, cwd=tmp_path)

    for priority, first in [("0", 1), ("-3", 11), ("5", 21)]:
        program = head("--resume", "--priority", priority, "echo", ":::", *jobs(first, first + 9))
        assert program.endpoint
        program.talk.wait(lambda talk: weft.run("jobs", "jobs.db", "summary", cwd=tmp_path)[1].startswith(
            b"%d jobs" % (first + 9)), "its jobs")
        program.kill()
    program = head("--resume", "--reattach", "0")
    worker = weft.start("worker", "-c", program.endpoint, "-j1", "--prefetch", "0")
    assert program.result()[:2] == (OK, "".join("%s\n" % job for job in jobs(21, 30) + jobs(1, 20)).encode())
    assert worker.wait() == OK
    assert b"\npriority: 5\n" in weft.run("jobs", "jobs.db", "show", "21", cwd=tmp_path)[1]


@pytest.mark.parametrize("timeout, words", [("5x", "unit"), ("-1", "out of range"), ("x%", "timeout-percent")])
def test_bad_timeout(weft, timeout, words):
    """Said once."""
    status, output, talk = weft.run("run", "--timeout", timeout, "echo", ":::", "a")
    assert (status, output) == (USAGE, b"") and words in talk and talk.count("\n") == 1


@pytest.mark.parametrize("priority", ["1001", "-1001", "high"])
def test_bad_priority(weft, priority):
    status, output, talk = weft.run("run", "--priority", priority, "echo", ":::", "a")
    assert (status, output) == (USAGE, b"") and "priority" in talk
