"""weft jobs changes what a ledger has: with a head that lives, one that was killed or is stopped, and with none."""

import fcntl
import os
import re
import signal
import sqlite3
import struct

from running import until

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
    until(lambda: "2 started" in jobs(weft, ledger, "summary")[1], "both on disk")
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


# ------------------------------------------------------------------------- retry

FAIL = "echo {} >> %s/runs; test {} -gt 2 || test -e %s/mended"


def failed_run(weft, tmp_path, *arguments):
    """Of four jobs the first two fail, until `mended` is there."""
    return weft.start("run", "-k", "--ledger", str(tmp_path / "ledger"), *arguments, FAIL % (tmp_path, tmp_path), ":::",
                      "1", "2", "3", "4")


def runs(tmp_path):
    return sorted((tmp_path / "runs").read_text().split())


def test_retry_without_a_head(weft, tmp_path):
    ledger = tmp_path / "ledger"
    assert failed_run(weft, tmp_path).wait() == 2
    status, out, talk = jobs(weft, ledger, "retry", "1", "3", "9")
    assert status == FAILED
    assert out.splitlines() == ["1 is retried as 5", "3 is not retried: it is done", "9: there is no such job"]
    assert "--resume" in talk
    assert jobs(weft, ledger, "retry", "1")[:2] == (FAILED, "1 was retried as 5, which is waiting\n")
    assert jobs(weft, ledger, "summary")[1] == "4 jobs: 2 done, 1 failed, 0 started, 1 waiting\n"
    assert jobs(weft, ledger, "retry", "--failed")[:2] == (OK, "1 job is retried\n")
    assert weft.start("run", "--ledger", str(ledger), "--resume").wait() == 2           # still nothing was mended
    assert jobs(weft, ledger, "wait")[0] == FAILED
    assert jobs(weft, ledger, "retry", "1")[1] == "1 is retried as 7\n"                # which retries 5
    assert "retried: 7" in jobs(weft, ledger, "show", "5")[1] and "retries: 5" in jobs(weft, ledger, "show", "7")[1]
    (tmp_path / "mended").touch()
    assert jobs(weft, ledger, "retry", "--failed")[1] == "1 job is retried\n"
    assert weft.start("run", "--ledger", str(ledger), "--resume").wait() == OK
    assert jobs(weft, ledger, "wait")[:2] == (OK, "4 jobs: 4 done, 0 failed, 0 started, 0 waiting\n")
    assert runs(tmp_path) == ["1"] * 3 + ["2"] * 3 + ["3", "4"]
    assert jobs(weft, ledger, "retry", "--failed")[:2] == (OK, "0 jobs are retried\n")


def test_a_head_retries_at_once(weft, tmp_path):
    """And its exit status says how all ended."""
    ledger = tmp_path / "ledger"
    command = "test {} = 2 || test -e %s/mended && while ! test -e %s/go; do sleep .05; done"
    head = weft.start("run", "-j2", "--ledger", str(ledger), command % (tmp_path, tmp_path), ":::", "1", "2")
    until(lambda: ", 1 failed, 1 started" in jobs(weft, ledger, "summary")[1], "both on disk")
    assert jobs(weft, ledger, "retry", "2")[1] == "2 is not retried: it is started\n"
    (tmp_path / "mended").touch()
    assert jobs(weft, ledger, "retry", "1")[1] == "1 is retried as 3\n"
    (tmp_path / "go").touch()
    assert head.wait() == OK, head.talk.data
    assert jobs(weft, ledger, "wait")[0] == OK


def test_retry_failed_of_a_run(weft, tmp_path):
    assert failed_run(weft, tmp_path).wait() == 2
    (tmp_path / "mended").touch()
    again = weft.start("run", "--ledger", str(tmp_path / "ledger"), "--retry-failed")
    assert again.wait() == OK, again.talk.data
    assert runs(tmp_path) == ["1", "1", "2", "2", "3", "4"]
    assert failed_run(weft, tmp_path, "--resume", "--retry-failed").wait() == OK
    assert len(runs(tmp_path)) == 6


def test_resume_failed_is_by_content(weft, tmp_path):
    assert failed_run(weft, tmp_path).wait() == 2
    (tmp_path / "mended").touch()
    again = weft.start("run", "--ledger", str(tmp_path / "ledger"), "--resume-failed", FAIL % (tmp_path, tmp_path),
                       ":::", "2", "3", "5")
    assert again.wait() == OK
    assert b"1 job that failed before is not in this input" in again.talk.data
    assert runs(tmp_path) == ["1", "2", "2", "3", "4", "5"]
    assert failed_run(weft, tmp_path, "--resume-failed").wait() == OK
    assert runs(tmp_path) == ["1", "1", "2", "2", "3", "4", "5"]


def test_what_was_cancelled_is_retried_by_name_alone(weft, tmp_path):
    ledger = tmp_path / "ledger"
    head = run(weft, tmp_path)
    jobs(weft, ledger, "cancel", "--all", "--running")
    assert head.wait() == 6
    assert jobs(weft, ledger, "retry", "--failed")[1] == "0 jobs are retried\n"
    assert jobs(weft, ledger, "retry", "4")[1] == "4 is retried as 7\n"
    (tmp_path / "go").touch()
    assert weft.start("run", "--ledger", str(ledger), "--resume").wait() == OK


def test_a_ledger_of_an_earlier_weft(weft, tmp_path):
    """It is read as it is, and gets what it lacks from the next head."""
    ledger = tmp_path / "ledger"
    assert failed_run(weft, tmp_path).wait() == 2
    with sqlite3.connect(str(ledger)) as db:
        db.executescript("drop view summary; drop view overview; drop table retried; create view overview as"
                         " select j.*, 'failed' as state, 'exited' as reason, 1 as attempt from jobs j")
    assert "2 failed" in jobs(weft, ledger, "summary")[1] and jobs(weft, ledger, "list", "--failed")[0] == OK
    assert jobs(weft, ledger, "retry", "2")[1] == "2 is retried as 5\n"
    assert "2\tretried" in jobs(weft, ledger, "list")[1]


def test_who_changes_a_job_is_waited_for(weft, tmp_path):
    """weft jobs is the head for a moment where there is none: a head that begins then is not refused."""
    ledger, other = tmp_path / "ledger", struct.pack("hhlli4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    assert weft.start("run", "--ledger", str(ledger), "echo", ":::", "1").wait() == OK
    with open(tmp_path / "ledger-lock", "wb") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, other)
        head = weft.start("run", "--ledger", str(ledger), "--resume", "echo", ":::", "1", "2")
        head.expect_talk("ledger is another's now: waiting a moment")
    assert head.wait() == OK and head.out.data == b"2\n"
    with open(tmp_path / "ledger-lock", "wb") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, other)
        head = weft.start("run", "--ledger", str(ledger), "--resume", "echo", ":::", "1", "2")
        assert head.wait() == 255 and b"another head has this ledger" in head.talk.data
