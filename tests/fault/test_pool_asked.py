"""Jobs are cancelled and done again by weft jobs while heads are killed: what it said stays true."""

import random
import re
import sqlite3

from running import LIMIT

JOBS, ROUNDS = 120, 12
EXITED, CANCELLED = 0, 3
COMMAND = "sleep 0.0{}; test $(({} %% 7)) != 0 || test -e %s/mended"


def read(ledger, query):
    with sqlite3.connect("file:%s?mode=ro" % ledger, uri=True) as database:
        return database.execute(query).fetchall()


def ask(weft, ledger, said, *words):
    """What it says of each job is kept; that it could not be done just now, since a head came or went, is no fault."""
    program = weft.start("jobs", str(ledger), *words)
    status = program.wait(3 * LIMIT)            # by itself it waits for up to 20 s
    assert status in (0, 1, 3), (status, program.talk.data)
    for job, what, by in re.findall(rb"^(\d+) (cancelled|is retried as)(?: (\d+))?$", program.out.data, re.M):
        said.append((int(job), what.decode(), int(by or 0)))


def test_what_was_said_stays(weft, tmp_path):
    chance, said = random.Random(7), []
    ledger, endpoint = tmp_path / "ledger", "ipc://%s/pool" % tmp_path
    head = ["ventilator", "-b", endpoint, "--ledger", str(ledger), "--reattach", "300ms"]
    jobs = [COMMAND % tmp_path, ":::", *map(str, range(1, JOBS + 1))]
    workers = [weft.start("worker", "-c", endpoint, "-j2", "--connect-timeout", "1h") for _ in range(2)]
    for number in range(ROUNDS):
        running = weft.start(*head, *(["--resume"] if number else []), *jobs)
        assert running.endpoint
        some = [str(chance.randrange(1, JOBS + 1)) for _ in range(4)]
        ask(weft, ledger, said, "cancel", "--running", *some[:2])
        ask(weft, ledger, said, "retry", *some[2:])
        if number % 3 == 0:
            ask(weft, ledger, said, "cancel", some[3])
        if chance.random() < 0.5:
            asking = weft.start("jobs", str(ledger), "retry", "--failed")
            running.kill()                          # in the middle of that, perhaps
            assert asking.wait(3 * LIMIT) in (0, 1, 3), asking.talk.data
        else:
            running.kill()
        if number % 4 == 1:
            ask(weft, ledger, said, "cancel", "--running", some[2])     # nobody else is the head
    (tmp_path / "mended").touch()
    weft.start(*head, "--resume").wait(3 * LIMIT)
    for worker in workers:                      # one may not have found the last head before that ended
        worker.signal()
        worker.wait()
    # What a worker brought to the last head may have failed before.
    again = weft.start("run", "--ledger", str(ledger), "--retry-failed")
    assert again.wait(3 * LIMIT) == 0, again.talk.data
    results = {job: (reason, status) for job, reason, status in read(ledger, "SELECT job, reason, status FROM results")}
    ids = [job for job, in read(ledger, "SELECT id FROM jobs")]
    retried = dict(read(ledger, "SELECT job, by FROM retried"))
    assert sorted(results) == ids == list(range(1, JOBS + len(retried) + 1))
    assert {what for _job, what, _by in said} == {"cancelled", "is retried as"}
    for job, what, by in said:
        if what == "cancelled":
            assert results[job][0] == CANCELLED
        else:
            assert by in retried.values()
    for job, (reason, status) in results.items():   # each comes to a good end, or was cancelled
        assert reason == CANCELLED or status == 0 or job in retried
