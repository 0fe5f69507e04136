"""weft jobs changes what a ledger has: with a head that lives, one that was killed or is stopped, and with none."""

import os
import re
import signal
import sqlite3

OK, FAILED, USAGE, TIMEOUT = 0, 1, 2, 3
WAIT = "echo {} >> %s/runs; while ! test -e %s/go; do sleep 0.05; done"


def states(ledger):
    """Reason and status of each job that has ended."""
    with sqlite3.connect("file:%s?mode=ro" % ledger, uri=True) as db:
        rows = db.execute("select job, reason, status from results")
        return dict((job, (reason, status)) for job, reason, status in rows)


def run(weft, tmp_path, *arguments):
    """A run of which two jobs have started and wait."""
    head = weft.start("run", "--trace", "-j2", "--ledger", str(tmp_path / "ledger"), *arguments,
                      WAIT % (tmp_path, tmp_path), ":::", *map(str, range(1, 7)))
    head.talk.wait(lambda talk: len(re.findall(rb"^echo ", talk, re.M)) >= 2, "two jobs")
    return head


def jobs(weft, ledger, *words):
    program = weft.start("jobs", str(ledger), *words)
    status = program.wait()
    return status, program.out.data.decode(), program.talk.data.decode()


def test_a_head_is_asked(weft, tmp_path):
    ledger = tmp_path / "ledger"
    head = run(weft, tmp_path)
    assert jobs(weft, ledger, "cancel", "5")[:2] == (OK, "5 cancelled\n")
    status, out, _ = jobs(weft, ledger, "cancel", "1", "4", "5", "9")
    assert status == FAILED and out.splitlines() == ["1 is running: give --running to stop it, too", "4 cancelled",
                                                     "5 had ended: cancelled", "9: there is no such job"]
    assert jobs(weft, ledger, "cancel", "--running", "2")[:2] == (OK, "2 cancelled\n")
    (tmp_path / "go").touch()
    assert head.wait() == 3                         # as many were cancelled
    assert b"3 jobs were cancelled by name" in head.talk.data
    assert [job for job, (reason, _) in states(ledger).items() if reason == 3] == [2, 4, 5]
    assert "6 jobs: 3 done, 0 failed, 0 started, 0 waiting, 3 cancelled\n" == jobs(weft, ledger, "summary")[1]
    assert not (tmp_path / "ledger-head").exists()


def test_all_are_cancelled(weft, tmp_path):
    ledger = tmp_path / "ledger"
    head = run(weft, tmp_path)
    assert jobs(weft, ledger, "cancel", "--all")[1] == ("4 jobs cancelled; 2 running (--running stops them), "
                                                        "0 waiting\n")
    assert jobs(weft, ledger, "cancel", "--all", "--running")[1] == "2 jobs cancelled; 0 running, 0 waiting\n"
    assert head.wait() == 6
    assert jobs(weft, ledger, "wait")[0] == FAILED


def test_without_a_head(weft, tmp_path):
    """One that was killed has left its socket; the next takes the place."""
    ledger = tmp_path / "ledger"
    head = run(weft, tmp_path)
    while "2 started" not in jobs(weft, ledger, "summary")[1]:      # nobody waits for that to be on disk
        pass
    head.kill()
    assert (tmp_path / "ledger-head").exists()
    status, out, _ = jobs(weft, ledger, "cancel", "1", "3", "9")
    assert status == FAILED and out.splitlines() == ["1 is running: give --running to stop it, too", "3 cancelled",
                                                     "9: there is no such job"]
    assert jobs(weft, ledger, "cancel", "--running", "1")[1] == "1 cancelled\n"
    assert jobs(weft, ledger, "cancel", "--all")[1].startswith("3 jobs cancelled; 1 running")
    (tmp_path / "go").touch()
    head = weft.start("run", "--ledger", str(ledger), "--resume")
    assert head.wait() == OK, head.talk.data        # the one that is left
    assert [job for job, (reason, _) in states(ledger).items() if reason == 0] == [2]


def test_a_stopped_head(weft, tmp_path):
    head = run(weft, tmp_path)
    os.kill(head.process.pid, signal.SIGSTOP)
    status, out, talk = jobs(weft, tmp_path / "ledger", "cancel", "5")
    assert status == TIMEOUT and out == ""
    assert "process %d" % head.process.pid in talk and "Nothing was changed" in talk
    os.kill(head.process.pid, signal.SIGCONT)
    assert jobs(weft, tmp_path / "ledger", "cancel", "--all", "--running")[0] == OK
    assert head.wait() == 6


def test_a_long_path(weft, tmp_path):
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    for name in ("ledger", "l" * 200):
        head = weft.start("run", "-j1", "--trace", "--ledger", str(deep / name), WAIT % (tmp_path, tmp_path), ":::",
                          "1", "2")
        head.talk.wait(lambda talk: b"echo" in talk, "a job")
        assert jobs(weft, deep / name, "cancel", "2")[1] == "2 cancelled\n"
        assert jobs(weft, deep / name, "cancel", "--running", "1")[1] == "1 cancelled\n"
        assert head.wait() == 2
    assert not [name for name in os.listdir(deep) if name.endswith("-head")]


def test_nobody_else_may_ask(weft, tmp_path):
    head = run(weft, tmp_path)
    assert (tmp_path / "ledger-head").stat().st_mode & 0o777 == 0o600
    request = weft.start("req", "ipc://%s/ledger-head" % tmp_path, input=b"cancel 5\n")
    assert request.wait() == OK and request.out.data == b"5 taken\n\n"
    for bad in (b"cancel x\n", b"drop 1\n"):
        request = weft.start("req", "ipc://%s/ledger-head" % tmp_path, input=bad)
        assert request.wait() == OK and request.out.data.startswith(b"error ")
    jobs(weft, tmp_path / "ledger", "cancel", "--all", "--running")
    head.wait()


def test_common_mistakes(weft, tmp_path):
    head = run(weft, tmp_path)
    ledger = tmp_path / "ledger"
    assert jobs(weft, ledger, "cancel")[0] == USAGE
    assert jobs(weft, ledger, "cancel", "--all", "1")[0] == USAGE
    assert jobs(weft, ledger, "cancel", "one")[0] == USAGE
    (tmp_path / "go").touch()
    assert head.wait() == OK
    assert jobs(weft, ledger, "cancel", "1") == (FAILED, "1 had ended: done\n", "")
