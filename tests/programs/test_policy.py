"""Which job comes first, how long it may take, and what it needs: --priority, --timeout, --cores and --memory."""

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


def test_cores(weft, tmp_path, monkeypatch):
    """Four slots hold two jobs of two cores, which wait for each other, and one of three at a time."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    meet = "echo $WEFT_CORES $OMP_NUM_THREADS >> seen; touch {}; until test -e a -a -e b; do sleep 0.01; done"
    status, _, talk = weft.run("run", "-j4", "--cores", "2", meet, ":::", "a", "b", cwd=tmp_path)
    assert status == OK, talk
    assert (tmp_path / "seen").read_text() == "2 2\n" * 2
    alone = "mkdir one && sleep 0.05 && rmdir one; : {}"
    status, _, talk = weft.run("run", "-j4", "--cores", "3", alone, ":::", "a", "b", "c", cwd=tmp_path)
    assert status == OK, talk


def test_memory_is_shared(weft, tmp_path, somewhere):
    """Of jobs that ask for more than half of it one runs at a time, whatever slots there are."""
    head = weft.start("ventilator", "-b", somewhere, "--memory", "60M", "mkdir one && sleep 0.05 && rmdir one; : {}",
                      ":::", "a", "b", "c", "d")
    worker = weft.start("worker", "-c", head.endpoint, "-j4", "--memory", "100M", cwd=tmp_path)
    assert head.result()[0] == OK and worker.wait() == OK


def test_what_no_worker_has(weft, somewhere):
    """It is said, and waits for one that has it."""
    head = weft.start("ventilator", "-b", somewhere, "--cores", "3", "--memory", "10M", "echo", ":::", "a", "b")
    small = weft.start("worker", "-c", head.endpoint, "-j2")
    head.expect_talk("job 1 asks for 3 cores and 10 MiB of memory, more than any worker has")
    large = weft.start("worker", "-c", head.endpoint, "-j3")
    status, output, talk = head.result()
    assert (status, sorted(output.split())) == (OK, [b"a", b"b"]) and talk.count("more than any worker") == 1
    assert small.wait() == OK and large.wait() == OK


@pytest.mark.parametrize("arguments, words", [(["-j4", "--cores", "5"], "more than the 4"),
                                              (["--memory", "900T"], "that a worker here has"),
                                              (["--cores", "0"], "1..4096"), (["--memory", "much"], "memory")])
def test_too_much(weft, arguments, words):
    status, output, talk = weft.run("run", *arguments, "echo", ":::", "a")
    assert (status, output) == (USAGE, b"") and words in talk
