"""A run that begins when other batches have ended: --after and --after-any."""

import signal

import pytest

OK, ERROR, AFTER = 0, 255, 102
UNTIL_GO = "while ! test -e go; do sleep 0.05; done; exit {}"


def batch(weft, tmp_path, *status):
    """One whose jobs wait for a file, and end with that status."""
    first = weft.start("run", "-j4", "--trace", "--ledger", "first.db", UNTIL_GO, ":::", *status, cwd=tmp_path)
    first.expect_talk("while")
    return first


def test_begins_when_the_other_has_ended(weft, tmp_path):
    first = batch(weft, tmp_path, "0", "0")
    second = weft.start("run", "-k", "--after", "first.db", "ls go; echo {}", ":::", "a", "b", cwd=tmp_path)
    second.expect_talk("waiting for first.db, which is being run")
    assert second.out.data == b""
    (tmp_path / "go").touch()
    assert first.result()[0] == OK
    assert second.result()[:2] == (OK, b"go\na\ngo\nb\n")


def test_workers_of_a_ventilator_get_nothing_before(weft, tmp_path, somewhere):
    first = batch(weft, tmp_path, "0")
    second = weft.start("ventilator", "-b", somewhere, "--after", "first.db", "ls go; : {}", ":::", "a", cwd=tmp_path)
    worker = weft.start("worker", "-c", second.endpoint, cwd=tmp_path)
    second.expect_talk("which is being run")
    (tmp_path / "go").touch()
    assert first.result()[0] == OK
    assert second.result()[:2] == (OK, b"go\n") and worker.wait() == OK


def test_a_failed_job_is_the_end(weft, tmp_path):
    """What was accepted stays in the ledger, from where --after-any, or no condition, runs it."""
    assert weft.run("run", "--ledger", "first.db", "exit {}", ":::", "0", "3", cwd=tmp_path)[0] == 1
    status, output, talk = weft.run("run", "--ledger", "own.db", "--after", "first.db", "echo {}", ":::", "a",
                                    cwd=tmp_path)
    assert (status, output) == (AFTER, b"") and "1 of the 2 jobs of first.db failed" in talk and "own.db" in talk
    arguments = ["--ledger", "own.db", "--resume", "--after-any", "first.db"]
    assert weft.run("run", *arguments, cwd=tmp_path)[:2] == (OK, b"a\n")


def test_a_batch_whose_head_was_killed_is_waited_for(weft, tmp_path):
    first = batch(weft, tmp_path, "0", "0")
    first.kill()
    second = weft.start("run", "--after", "first.db", "echo {}", ":::", "a", cwd=tmp_path)
    second.expect_talk("nobody runs them")
    (tmp_path / "go").touch()
    assert weft.run("run", "--ledger", "first.db", "--resume", cwd=tmp_path)[0] == OK
    assert second.result()[:2] == (OK, b"a\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(weft, tmp_path, number):
    first = batch(weft, tmp_path, "0")
    second = weft.start("run", "--ledger", "own.db", "--after", "first.db", "echo {}", ":::", "a", cwd=tmp_path)
    second.expect_talk("which is being run")
    second.signal(number)
    status, output, talk = second.result()
    assert (status, output) == (ERROR, b"") and "kept in own.db" in talk
    (tmp_path / "go").touch()
    assert first.result()[0] == OK
    assert weft.run("run", "--ledger", "own.db", "--resume", cwd=tmp_path)[:2] == (OK, b"a\n")


def test_what_is_no_batch(weft, tmp_path):
    (tmp_path / "text").write_text("no ledger\n")
    assert weft.run("run", "--ledger", "own.db", "true", ":::", "a", cwd=tmp_path)[0] == OK
    for ledger, words in [("missing.db", "missing.db: No such file"), ("text", "text is no ledger"),
                          ("own.db", "cannot wait for itself")]:
        status, output, talk = weft.run("run", "--ledger", "own.db", "--resume", "--after", ledger, "echo", ":::", "b",
                                        cwd=tmp_path)
        assert (status, output) == (ERROR, b"") and words in talk
