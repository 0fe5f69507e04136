"""A pool of real processes under seeded faults keeps its promise; and the checker sees what is wrong."""

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib

import pytest

import pool_check
from running import WEFT

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 150             # seconds after which it hangs; it takes a few


@pytest.mark.parametrize("seed", [2, 3, 9], ids=["all faults", "no job twice", "a sink hears all"])
def test_a_pool_under_faults(seed, tmp_path):
    command = [sys.executable, HERE + "/pool_chaos.py", "--seed", str(seed), "--faults", "50", "--keep", str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, "WEFT": WEFT}, capture_output=True, text=True, timeout=LIMIT)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------- the checker

LOG = """set gentle no
set sink no
set steady no
begin head-0.1
start 1 1 100 worker-0.1
end 1 1 100 0
start 2 1 200 worker-0.1
fault kill worker-0.1
exit worker-0.1 -9
start 2 2 201 worker-1.1
end 2 2 201 5
exit worker-1.1 0
exit head-0.1 1
"""
TABLES = """CREATE TABLE jobs (id, command);
CREATE TABLE results (job, attempt, reason, status, signal, worker);
CREATE TABLE retries (job, attempt, reason, status);
INSERT INTO jobs VALUES (1, 'one'), (2, 'two');
INSERT INTO results VALUES (1, 1, 0, 0, 0, 'worker-0.1'), (2, 2, 0, 5, 0, 'worker-1.1');
"""
OUTPUT = "job 1 100\njob 2 201\n"
KEPT = """ALTER TABLE results ADD COLUMN output;
CREATE TABLE pieces (job, attempt, report, place);
UPDATE jobs SET command = './job ' || id || ' 0 0';
UPDATE results SET output = CASE job WHEN 1 THEN 'file:0:34' ELSE 'file:61:29' END;
INSERT INTO pieces VALUES (2, 2, 5, 'file:34:27'), (2, 2, 6, 'file:61:29'), (2, 1, 4, 'file:0:34');
"""


ASKED = """ask asked-1 cancel 2 1
asked asked-1 1
"""
RETRIED = """CREATE TABLE retried (job, by);
INSERT INTO jobs VALUES (3, 'two');
INSERT INTO results VALUES (3, 3, 0, 0, 0, 'worker-1.1');
INSERT INTO retried VALUES (2, 3);
"""


def record(job, text, harm=b""):
    line = b"@%d 1.1 out %d " % (job, len(text))
    return b"%s%08x\n%s\n" % (line, zlib.crc32(line + text + harm), text)


LOST = """weft ventilator: pool: worker worker-0.1 is away: it was silent for too long; 1 jobs wait for it
weft ventilator: pool: worker worker-0.1 is lost: it did not come back
"""


def complaints(folder, sql="", log=LOG, output=OUTPUT, kept=None, talk="", said=None):
    shutil.rmtree(folder)
    folder.mkdir()
    database = sqlite3.connect(folder / "ledger.db")
    database.executescript(TABLES + sql)
    database.close()
    (folder / "log").write_text(log)
    (folder / "jobs").write_text("one\ntwo\n")
    (folder / "head-0.1.out").write_text(output)
    for name in ("head-0.1", "worker-0.1", "worker-1.1"):
        (folder / (name + ".err")).write_text("weft ventilator: worker worker-1.1 came with 1 slot\n" + talk)
    (folder / "snapshot-1").write_text("1\n2\n1 1 0 0 0\n")
    if said is not None:
        (folder / "asked-1.out").write_text(said)
        (folder / "asked-1.err").write_text("")
    if kept is not None:
        (folder / "outputs").mkdir()
        (folder / "outputs" / "file").write_bytes(kept)
        (folder / "jobs").write_text("./job 1 0 0\n./job 2 0 0\n")
    return "\n".join(pool_check.Check(str(folder)).check())


def test_the_checker_lets_pass_what_is_right(tmp_path):
    assert complaints(tmp_path) == ""


@pytest.mark.parametrize("words, changes", [
    ("job 2 has no result", {"sql": "DELETE FROM results WHERE job = 2"}),
    ("3 results of 2 jobs", {"sql": "INSERT INTO results SELECT * FROM results WHERE job = 1"}),
    ("'two' was given 1 times, and is in the ledger 0", {"sql": "DELETE FROM jobs WHERE id = 2"}),
    ("job 2: its result is attempt 1", {"sql": "UPDATE results SET attempt = 1 WHERE job = 2"}),
    ("status 4", {"sql": "UPDATE results SET status = 4 WHERE job = 2"}),
    ("job 1: its result", {"log": LOG.replace("start 1 1 100 worker-0.1\n", "")}),
    ("job 2 ran again without a reason", {"log": LOG.replace("fault kill worker-0.1\n", "")}),
    ("job 2 ran again without a reason", {"log": LOG.replace("gentle no", "gentle yes"), "talk": LOST}),
    ("head-0.1 ended with 255", {"log": LOG.replace("exit head-0.1 1", "exit head-0.1 255")}),
    ("worker-1.1 ended with 4", {"log": LOG.replace("exit worker-1.1 0", "exit worker-1.1 4")}),
    ("worker-0.1 ended with -9", {"log": LOG.replace("fault kill worker-0.1\n", "")}),
    ("job 2 failed 1 times, and was tried again", {"sql": "INSERT INTO retries VALUES (2, 1, 0, 7)"}),
    ("output of process 200", {"output": "job 1 100\njob 2 200\n"}),
    ("printed 2 times", {"output": OUTPUT + "job 1 100\n"}),
    ("output is broken", {"output": "job 1 100\nxxxjob 2 201\n"}),
    ("middle of a line", {"output": "job 1 100\njob 2"}),
    ("(1, 1, 0, 0, 0) is", {"sql": "UPDATE results SET attempt = 2 WHERE job = 1"}),
    ("job 2: output of process 200", {"sql": "INSERT INTO retries VALUES (2, 1, 0, 7)",
                                      "output": "job 1 100\njob 2 200\n"}),
    ("sinks heard of [], the result is", {"log": LOG.replace("sink no", "sink yes").replace("dy no", "dy yes")}),
])
def test_the_checker_sees(tmp_path, words, changes):
    assert words in complaints(tmp_path, **changes)


def test_the_checker_reads_what_is_kept(tmp_path):
    log = "set outputs yes\n" + LOG
    one, two, three = record(1, b"job 1 100\n"), record(2, b"job "), record(2, b"2 201\n")
    assert complaints(tmp_path, KEPT, log, "", one + two + three) == ""
    assert "job 2: what is kept" in complaints(tmp_path, KEPT + "DELETE FROM pieces", log, "", one + two + three)
    assert "job 1: at file:0:" in complaints(tmp_path, KEPT, log, "", record(1, b"job 1 100\n", b"x") + two + three)
    assert "job 2: at file:" in complaints(tmp_path, KEPT, log, "", one + two + three[:-1])
    assert "output of process 200" in complaints(tmp_path, KEPT, log, "", one + two + record(2, b"2 200\n"))


def asked(folder, said, sql=RETRIED, status=1):
    """What is wrong when weft jobs said so, and job 2 was done again."""
    log = LOG.replace("set sink", "set asks yes\nset sink") + ASKED.replace("1 1", "1 %d" % status)
    folder.mkdir(exist_ok=True)
    ran = "start 3 3 300 worker-1.1\nend 3 3 300 0\n"
    return complaints(folder, sql, log + ran, OUTPUT + "job 3 300\n", said=said)


def test_the_checker_knows_what_was_asked(tmp_path):
    good = "2 is retried as 3\n1 had ended: done\n"
    assert asked(tmp_path, good) == ""
    assert asked(tmp_path, good, status=255) != ""
    assert "said that job 1 is cancelled, and its result" in asked(tmp_path, "1 cancelled\n")
    assert "done again as 4, which is not there" in asked(tmp_path, "2 is retried as 4\n")
    assert "job 1 was done again" in asked(tmp_path, good, RETRIED + "UPDATE retried SET job = 1")
    taken = "UPDATE results SET reason = 3 WHERE job = 2"
    assert asked(tmp_path, "2 cancelled\n", RETRIED + taken) == ""
    assert "job 2: its result is" in complaints(tmp_path, taken)


def test_the_checker_knows_that_a_machine_is_slow(tmp_path):
    log = LOG.replace("fault kill worker-0.1\n", "").replace("worker-0.1 -9", "worker-0.1 0")
    assert "job 2 ran again without a reason" in complaints(tmp_path, log=log)
    assert complaints(tmp_path, log=log, talk=LOST) == ""


@pytest.mark.parametrize("talk", [
    LOST.replace("1 jobs", "0 jobs"),                               # it gave none to others
    "\n".join(reversed(LOST.splitlines())) + "\n",                  # another time
    LOST.replace("it was silent for too long", "its connection is gone"),
    LOST.replace("weft ventilator: pool: worker worker-0.1 is lost",
                 "weft ventilator: pool: worker worker-0.1 is back, with 1 jobs\n"
                 "weft ventilator: pool: worker worker-0.1 is lost"),
])
def test_the_checker_takes_no_other_excuse(tmp_path, talk):
    log = LOG.replace("fault kill worker-0.1\n", "").replace("worker-0.1 -9", "worker-0.1 0")
    assert "job 2 ran again without a reason" in complaints(tmp_path, log=log, talk=talk)


def test_the_checker_counts_what_it_excuses(tmp_path):
    log = LOG.replace("fault kill worker-0.1\n", "").replace("worker-0.1 -9", "worker-0.1 0")
    log = log.replace("end 1 1 100 0\n", "start 1 2 101 worker-1.1\nend 1 2 101 0\n")
    taken = "UPDATE results SET attempt = 2, worker = 'worker-1.1' WHERE job = 1"
    found = complaints(tmp_path, taken, log, OUTPUT.replace("100", "101"), talk=LOST)
    assert found.count("ran again without a reason") == 1
    assert "ran again" not in complaints(tmp_path, taken, log, OUTPUT.replace("100", "101"),
                                         talk=LOST.replace("1 jobs", "2 jobs"))
