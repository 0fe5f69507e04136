"""A head that dies and is started again with its ledger: no job lost, none with two results, none run twice."""

import os
import re
import signal
import sqlite3

OK = 0
JOBS = 40

# Every run of a job leaves a mark of its own. Those that wait do so for a file: nothing here is timed.
COMMAND = "echo {} $$ >> %s/runs; test {} -gt 4 || while ! test -e %s/go; do sleep 0.05; done; echo out {}"


def results(ledger):
    with sqlite3.connect("file:%s?mode=ro" % ledger, uri=True) as db:
        return db.execute("select job, status from results order by job").fetchall()


def runs(tmp_path):
    try:
        return [int(line.split()[0]) for line in (tmp_path / "runs").read_text().splitlines()]
    except FileNotFoundError:
        return []


def wait_started(program, count):
    """By what --trace prints."""
    program.talk.wait(lambda talk: len(re.findall(rb"^echo ", talk, re.M)) >= count, "%d jobs that started" % count)


def ventilate(weft, endpoint, ledger, *arguments):
    return weft.start("ventilator", "-b", endpoint, "--trace", "--ledger", str(ledger), *arguments)


def end_well(*programs):
    for program in programs:
        assert program.wait() == OK, program.talk.data


def test_a_head_is_killed_and_comes_back(weft, tmp_path):
    ledger, endpoint = tmp_path / "ledger", "ipc://%s/pool" % tmp_path
    jobs = [COMMAND % (tmp_path, tmp_path), ":::", *map(str, range(1, JOBS + 1))]
    first = ventilate(weft, endpoint, ledger, *jobs)
    assert first.endpoint
    workers = [weft.start("worker", "-c", endpoint, "-j2") for _ in range(2)]
    wait_started(first, 4)
    first.kill()
    second = ventilate(weft, endpoint, ledger, "--resume", "--reattach", "4s", *jobs)
    assert second.endpoint
    (tmp_path / "go").touch()
    end_well(second, *workers)
    assert results(ledger) == [(number, 0) for number in range(1, JOBS + 1)]
    assert sorted(runs(tmp_path)) == list(range(1, JOBS + 1))
    for number in range(1, 5):
        assert re.search(b"^out %d$" % number, second.out.data, re.M)


def test_a_head_is_killed_again_and_again(weft, tmp_path):
    """At whatever point it is: whoever had a job brings it, or its result, to the next."""
    ledger, endpoint = tmp_path / "ledger", "ipc://%s/pool" % tmp_path
    command = "echo {} >> %s/runs" % tmp_path
    jobs = [command, ":::", *map(str, range(1, 2001))]
    head = ventilate(weft, endpoint, ledger, *jobs)
    workers = [weft.start("worker", "-c", endpoint, "-j2") for _ in range(2)]
    for enough in (1, 300, 20, 500):
        assert head.endpoint
        wait_started(head, enough)
        head.kill()
        head = ventilate(weft, endpoint, ledger, "--resume", "--reattach", "1s", *jobs)
    end_well(head, *workers)
    assert results(ledger) == [(number, 0) for number in range(1, 2001)]
    assert set(runs(tmp_path)) == set(range(1, 2001))


def test_output_that_went_with_a_head_is_told(halfway):
    """What the first had acknowledged, the second does not get again: it says how much that was."""
    second, size = halfway()
    lost = re.findall(rb"job 1: (\d+) bytes of what it wrote were lost", second.talk.data)
    assert len(second.out.data) + sum(map(int, lost)) == size


def test_a_head_and_a_worker_are_killed(weft, tmp_path):
    """What that worker had runs again, with the one that is left; nothing is lost, nothing ends twice."""
    ledger, endpoint = tmp_path / "ledger", "ipc://%s/pool" % tmp_path
    jobs = [COMMAND % (tmp_path, tmp_path), ":::", *map(str, range(1, JOBS + 1))]
    head = ventilate(weft, endpoint, ledger, *jobs)
    victim, other = [weft.start("worker", "-c", endpoint, "-j2") for _ in range(2)]
    wait_started(head, 4)
    head.kill()
    victim.kill()
    head = ventilate(weft, endpoint, ledger, "--resume", "--reattach", "100ms")
    (tmp_path / "go").touch()
    end_well(head, other)
    assert results(ledger) == [(number, 0) for number in range(1, JOBS + 1)]
    assert len(runs(tmp_path)) <= JOBS + 4


def test_a_late_worker_ends_with_a_head_that_has_nothing_to_do(weft, tmp_path):
    ledger, endpoint = tmp_path / "ledger", "ipc://%s/pool" % tmp_path
    head = weft.start("ventilator", "-b", endpoint, "--ledger", str(ledger), input=weft.OPEN)
    assert head.endpoint
    worker = weft.start("worker", "-c", endpoint)
    head.write(b"echo done\n")
    head.expect(b"done\n")
    head.kill()
    head = ventilate(weft, endpoint, ledger, "--resume")
    end_well(head, worker)


def test_a_stopped_head_leaves_its_jobs(weft, tmp_path):
    """What is cancelled is no result: it is kept for the next."""
    ledger = tmp_path / "ledger"
    command = "echo {} >> %s/runs; sleep 1000" % tmp_path
    head = weft.start("run", "-j1", "-t", "--ledger", str(ledger), command, ":::", "1", "2")
    wait_started(head, 1)
    head.signal(signal.SIGINT)
    assert head.wait() == 255
    assert b"--resume" in head.talk.data
    assert results(ledger) == []
    with sqlite3.connect(ledger) as db:
        states = db.execute("select state, worker from overview").fetchall()
        assert states == [("started", "local-1"), ("waiting", None)]


def test_what_fails_while_a_head_waits_for_it_has_failed(weft, tmp_path):
    """After a first SIGTERM what runs may end: that is its result, and the next head does not run it again."""
    ledger = tmp_path / "ledger"
    command = "echo {} >> %s/runs; while ! test -e %s/go; do sleep 0.05; done; exit 3" % (tmp_path, tmp_path)
    run = ["run", "-j1", "-t", "--ledger", str(ledger), command, ":::", "1", "2"]
    head = weft.start(*run)
    wait_started(head, 1)
    head.signal()
    head.expect_talk("waiting for those that run")
    (tmp_path / "go").touch()
    assert head.wait() == 255
    assert results(ledger) == [(1, 3)]
    assert weft.run(run[0], "--resume", *run[1:])[0] == 1
    assert results(ledger) == [(1, 3), (2, 3)]
    assert runs(tmp_path) == [1, 2]


def test_what_will_be_tried_again_is_not_told_as_failed(weft, tmp_path):
    """A failure with tries left, while a head waits for what runs: the next one goes on with it and tells its end."""
    ledger = tmp_path / "ledger"
    command = "echo {} >> %s/runs; while ! test -e %s/go; do sleep 0.05; done; echo ran; exit 3" % (tmp_path, tmp_path)
    run = ["run", "-j1", "-t", "--retries", "2", "--ledger", str(ledger), command, ":::", "1"]
    head = weft.start(*run)
    wait_started(head, 1)
    head.signal()
    head.expect_talk("waiting for those that run")
    (tmp_path / "go").touch()
    assert head.wait() == 255
    assert (head.out.data, results(ledger)) == (b"", [])
    assert b"1 job was not run to the end" in head.talk.data
    assert weft.run(run[0], "--resume", *run[1:])[:2] == (1, b"ran\n")
    assert results(ledger) == [(1, 3)]
    assert runs(tmp_path) == [1, 1]


def test_a_ledger_is_not_taken_over_by_accident(weft, tmp_path):
    ledger = tmp_path / "ledger"
    assert weft.run("run", "--ledger", str(ledger), "echo", ":::", "1", "2")[0] == OK
    status, output, talk = weft.run("run", "--ledger", str(ledger), "echo", ":::", "1", "2")
    assert (status, output) == (255, b"")
    assert "--resume" in talk
    status, output, _talk = weft.run("run", "--ledger", str(ledger), "--resume", "echo", ":::", "2", "3", "1")
    assert (status, output) == (OK, b"3\n")
    assert results(ledger) == [(1, 0), (2, 0), (3, 0)]
    assert os.path.exists(ledger)


def test_a_full_disk_holds_up_jobs_and_no_results(weft, small_disk):
    """It is said once; what was accepted ends meanwhile; and all goes on when there is room."""
    disk = small_disk("24m")
    jobs = b"".join(b"true %d %s\n" % (number, b"x" * 4000) for number in range(1, 4001))
    ledger = disk.folder / "ledger"
    head = weft.start("run", "-j2", "--ledger", str(ledger), input=jobs)
    head.expect_talk("no new jobs, .*, until this is over: .*full")
    disk.enlarge("200m")
    head.expect_talk("the ledger can be written again")
    assert head.wait(60) == OK
    assert results(ledger) == [(number, 0) for number in range(1, 4001)]
    assert len(re.findall(rb"no new jobs", head.talk.data)) == len(re.findall(rb"written again", head.talk.data))
