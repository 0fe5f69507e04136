"""What jobs, files, clocks and systems do to a pool that nobody would do on purpose: one by one."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import tempfile

import pytest

from running import LIMIT, WEFT, is_sanitized, until

MIB = 1 << 20
MEMORY = "1024T" if is_sanitized() else "64M"


def shell(line, **options):
    """A line of a shell in which $WEFT is weft: exit status, output, talk."""
    done = subprocess.run(["/bin/bash", "-c", line], timeout=3 * LIMIT, capture_output=True,
                          env={**os.environ, "WEFT": WEFT, **options.pop("env", {})}, **options)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


# ---------------------------------------------------------------------- input

@pytest.mark.parametrize("size", [10, 100])
def test_a_line_that_is_too_long_is_told_and_not_kept(tmp_path, size):
    """What came before it is run; nothing after it, since what it was part of is not known; memory is bounded."""
    with open(tmp_path / "lines", "wb") as file:
        file.write(b"before\n" + b"a" * size * MIB + b"\nafter\n")
    status, out, talk = shell(f"exec $WEFT run --memory-limit {MEMORY} -a lines echo", cwd=tmp_path)
    assert (status, out) == (255, b"before\n")
    assert "value 2 of lines is longer than 1 MiB" in talk


@pytest.mark.parametrize("options, words", [
    ([], "holds a NUL byte; use -0"),
    (["-0"], ""),
])
def test_nul_bytes(weft, options, words):
    _status, out, talk = weft.run("run", *options, "echo", input=b"a\0b\n")
    assert words in talk
    assert (out == b"") == bool(words)


# ----------------------------------------------------------------------- jobs

@pytest.mark.parametrize("option, size", [("-k", 1024), ("--group", 256), ("-u", 256)])
def test_a_job_that_writes_a_gigabyte(tmp_path, option, size):
    """All of it comes out, unchanged, and memory stays where it was."""
    block = bytes(range(256)) * 4096                    # 1 MiB
    (tmp_path / "block").write_bytes(block)
    digest, wanted = hashlib.md5(), hashlib.md5()
    writes = "for i in $(seq %d); do cat block; done; echo" % size
    command = [WEFT, "run", "--memory-limit", MEMORY, "-j2", option, writes, ":::", "end"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        while data := process.stdout.read(MIB):
            digest.update(data)
    for _i in range(size):
        wanted.update(block)
    wanted.update(b"end\n")
    assert process.returncode == 0 and digest.digest() == wanted.digest()


def test_a_job_that_leaves_somebody_with_its_output(weft, tmp_path):
    """Who left the group holds the pipes open, and is not waited for; what it writes later is nobody's."""
    os.mkfifo(tmp_path / "go")
    daemon = "import os\nif os.fork(): os._exit(0)\nos.setsid(); print('left', flush=True)\n" \
             "open('go').read(); os.write(2, b'late'); os._exit(0)"
    with open(tmp_path / "daemon.py", "w", encoding="ascii") as file:
        file.write(daemon)
    # the job ends when the daemon has said that it left
    command = "/usr/bin/python3 daemon.py > said & while ! grep -q left said 2>/dev/null; do :; done; echo done"
    assert weft.run("run", command + " {}", ":::", "1", cwd=tmp_path) == (0, b"done 1\n", "")
    with open(tmp_path / "go", "w", encoding="ascii"):
        pass


@pytest.mark.parametrize("command, status, out", [
    ("exec >&- 2>&-; cat /dev/null; exit 3", 1, b""),           # closes its output
    ("echo a; exec >&-; echo b >&2; exit 0", 0, b"a\n"),
    ("/usr/bin/python3 -c 'import os; os.setpgid(0, 0); print(7, flush=True); os._exit(5)'", 1, b"7\n"),
    ("/usr/bin/python3 -c 'import os; os.fork() or os.setsid(); os.write(1, b\"7\\n\")' | sort -u", 0, b"7\n"),
    ("exec <&-; read x; echo \"<$x>\"", 0, b"<>\n"),            # reads what it has closed
    ("echo x >&0; echo wrote $?", 0, b"wrote 1\n"),             # writes to its input
], ids=["closes both", "closes one", "another group", "another session", "closed input", "writes to input"])
def test_odd_jobs(weft, command, status, out):
    assert weft.run("run", "-N0", command, ":::", "1")[:2] == (status, out)


@pytest.mark.parametrize("options", [[], ["-k"], ["-u"]])
def test_a_hundred_thousand_lines_of_errors(weft, options):
    status, out, talk = weft.run("run", *options, "-N0", "seq 100000 >&2", ":::", "1")
    assert (status, out) == (0, b"")
    assert talk == "".join("%d\n" % number for number in range(1, 100001))


@pytest.mark.parametrize("content, mode, words", [
    (b"#!/no/such/interpreter -x\n", 0o700, "its interpreter /no/such/interpreter is not there"),
    (b"#!/bin/sh\r\necho hi\r\n", 0o700, r"its interpreter /bin/sh\r is not there"),
    (b"echo hi\n", 0o600, "is not executable (chmod +x)"),
    (None, 0o700, "is a directory"),
])
def test_what_cannot_be_started_is_told(weft, tmp_path, content, mode, words):
    if content is None:
        os.mkdir(tmp_path / "it")
    else:
        (tmp_path / "it").write_bytes(content)
        os.chmod(tmp_path / "it", mode)
    status, out, talk = weft.run("run", "./it", ":::", "1", cwd=tmp_path)
    assert (status, out) == (1, b"") and "./it: " + words in talk


def test_a_script_without_an_interpreter_and_garbage(weft, tmp_path):
    (tmp_path / "script").write_bytes(b"echo script $1\n")
    (tmp_path / "garbage").write_bytes(b"\1\2\3\n")
    for name in ("script", "garbage"):
        os.chmod(tmp_path / name, 0o700)
    assert weft.run("run", "./script", ":::", "1", cwd=tmp_path)[:2] == (0, b"script 1\n")
    assert weft.run("run", "./garbage", ":::", "1", cwd=tmp_path)[0] == 1


# ---------------------------------------------------------------------- places

def test_a_workdir_that_is_not_there_or_vanishes(weft, tmp_path):
    status, _out, talk = weft.run("run", "--workdir", "none", "echo", ":::", "1", cwd=tmp_path)
    assert status == 255 and "cannot run jobs in none: No such file or directory" in talk
    os.mkdir(tmp_path / "work")
    command = ["run", "-j1", "--workdir", "work", "rmdir ../work; echo", ":::", "1", "2"]
    status, out, talk = weft.run(*command, cwd=tmp_path)
    assert (status, out) == (1, b"1\n")
    assert "job 2 could not be started: cannot run in work: No such file or directory" in talk
    status, _out, talk = weft.run("worker", "--dir", "none", "-c", "ipc://nobody", cwd=tmp_path)
    assert status == 1 and "cannot run jobs in none" in talk


@pytest.mark.parametrize("limit, words", [
    (10, "raise the limit (ulimit -n)"),
    (50, "8 slots need 88 file descriptors"),
])
def test_too_few_descriptors_are_told(limit, words):
    status, out, talk = shell("ulimit -n %d; exec $WEFT run -j8 echo ::: 1 2" % limit)
    assert (status, out) == (255, b"") and words in talk


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody, who has no processes yet")
def test_too_few_processes_are_told():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copy(WEFT, folder)
        status, _out, talk = shell("exec setpriv --reuid 65533 --regid 65533 --clear-groups bash -c 'ulimit -u 4; "
                                   "exec ./weft run -j8 sleep 0.1 {} ::: 1 2 3 4 5 6 7 8'", cwd=folder)
    assert status in (8, 255) and ("no more processes are allowed" in talk or "cannot start" in talk)


def test_a_full_folder_for_output(small_disk):
    status, out, talk = shell("exec $WEFT run -k -j2 'sleep 0.{}; head -c 40M /dev/zero' ::: 5 1",
                              env={"TMPDIR": str(small_disk("8m").folder)})
    assert status == 255 and len(out) < 80 * MIB
    assert "set TMPDIR to another folder" in talk


@pytest.mark.parametrize("line, status, words", [
    ("$WEFT run echo ::: 1 2 <&-", 0, ""),
    ("$WEFT run echo <&-", 0, ""),
    ("$WEFT run echo ::: 1 2 >&-", 255, "cannot write the output"),
    ("$WEFT run echo ::: 1 2 >&- 2>&- <&-", 255, ""),
    ("$WEFT run echo ::: 1 2 > /dev/full", 255, "No space left"),
    ("$WEFT run -k echo ::: 1 2 > /dev/full", 255, "No space left"),
    ("$WEFT run --joblog /dev/full echo ::: 1 2", 255, "cannot write to the job log /dev/full"),
    ("seq 100000 | $WEFT run echo | head -1 | grep -c .; exit ${PIPESTATUS[1]}", 0, ""),
])
def test_streams_that_are_closed_or_full(line, status, words):
    found, _out, talk = shell(line)
    assert found == status and words in talk


@pytest.mark.parametrize("make, words", [
    ("mkdir it", "not a file"),
    ("mkfifo it", "not a file"),
    ("echo text > it", "not a ledger"),
    ("sqlite3 it 'CREATE TABLE theirs (x)' 2>&1 || python3 -c 'import sqlite3; "
     "sqlite3.connect(\"it\").execute(\"CREATE TABLE theirs (x)\")'", "a database of another program"),
    ("ln -s /dev/full it", ""),
])
def test_what_is_no_ledger_is_left_as_it_is(tmp_path, make, words):
    assert shell(make, cwd=tmp_path)[0] == 0
    before = (tmp_path / "it").read_bytes() if (tmp_path / "it").is_file() else None
    status, out, talk = shell("exec $WEFT run --ledger it echo ::: 1", cwd=tmp_path)
    assert (status, out) == (255, b"") and words in talk and "weft run: " in talk
    assert before is None or (tmp_path / "it").read_bytes() == before


def test_a_ledger_where_nothing_can_be_written():
    status, out, talk = shell("exec $WEFT run --ledger /proc/it echo ::: 1")
    assert (status, out) == (255, b"") and "cannot make /proc/it-lock, which a ledger needs beside it" in talk


def test_two_heads_on_one_ledger(weft, tmp_path):
    job = ": {}; touch runs; while ! test -e go; do sleep 0.05; done"
    first = weft.start("run", "--ledger", "l", job, ":::", "1", cwd=tmp_path)
    until((tmp_path / "runs").exists, "the first head's job")
    status, _out, talk = weft.run("run", "--ledger", "l", "--resume", "echo", ":::", "1", cwd=tmp_path)
    assert status == 255 and "another head has this ledger: process %d" % first.process.pid in talk
    (tmp_path / "go").touch()
    assert first.wait() == 0


# ---------------------------------------------------------------- clocks and names

SHIM = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/*  The clock of the wall is $SHIM_HOURS ahead, and as many behind as soon as the file $SHIM_BACK is there. */
int
clock_gettime (clockid_t id, struct timespec *time)
{
    struct stat file;
    int rc = (int) syscall (SYS_clock_gettime, id, time);
    long hours = getenv ("SHIM_HOURS") ? atol (getenv ("SHIM_HOURS")) : 0;
    if (id == CLOCK_REALTIME && rc == 0)
        time->tv_sec += stat (getenv ("SHIM_BACK"), &file) ? hours * 3600 : -hours * 3600;
    return rc;
}
"""


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """The environment of a program whose clock is wrong."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run([os.environ.get("CC", "gcc").split()[0], "-shared", "-fPIC", "-o", folder / "shim.so",
                    folder / "shim.c"], check=True)
    if b"libasan" in subprocess.run(["ldd", WEFT], capture_output=True, check=False).stdout:
        pytest.skip("a sanitizer wants to be the first library")
    return lambda hours, back: {**os.environ, "LD_PRELOAD": str(folder / "shim.so"), "SHIM_HOURS": str(hours),
                                "SHIM_BACK": str(back)}


@pytest.mark.parametrize("who", ["worker", "head"])
def test_a_clock_that_is_wrong_and_jumps(weft, somewhere, tmp_path, clock, who):
    """Hours ahead at first, hours behind in the middle: only the time that the job log tells is wrong."""
    wrong, right = clock(5, tmp_path / "back"), dict(os.environ)
    command = "test {} != 2 || touch back; echo $(({} * 2))"
    head = weft.start("ventilator", "-b", somewhere, "--joblog", "log", "--ledger", "l", "--timeout", "20",
                      "--heartbeat", "500ms", command, ":::", "1", "2", "3", "4", cwd=tmp_path,
                      env=wrong if who == "head" else right)
    worker = weft.start("worker", "-j1", "-c", head.endpoint, "--heartbeat", "500ms", cwd=tmp_path,
                        env=wrong if who == "worker" else right)
    status, out, talk = head.result()
    assert (status, sorted(out.split())) == (0, [b"2", b"4", b"6", b"8"]), talk
    assert worker.wait() == 0
    assert "lost" not in talk and "away" not in talk
    rows = [line.split("\t") for line in (tmp_path / "log").read_text().splitlines()[1:]]
    assert all(0 <= float(row[3]) < LIMIT for row in rows)
    ledger = sqlite3.connect(tmp_path / "l")
    assert ledger.execute("SELECT count (*) FROM results WHERE status = 0").fetchone() == (4,)
    ledger.close()


def test_another_time_zone_and_locale(weft, somewhere):
    strange = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    head = weft.start("ventilator", "-b", somewhere, "echo {}I", ":::", "i", env=os.environ)
    worker = weft.start("worker", "-c", head.endpoint, "--lifetime", "1h", env=strange)
    assert head.result()[:2] == (0, b"iI\n")
    assert worker.wait() == 0


def test_a_name_that_is_too_long_is_cut(weft, somewhere):
    head = weft.start("ventilator", "-v", "-b", somewhere, "echo", ":::", "1", "2")
    worker = weft.start("worker", "--name", "n" * 300, "-c", head.endpoint)
    status, out, talk = head.result()
    assert (status, sorted(out.split())) == (0, [b"1", b"2"])
    assert worker.wait() == 0
    assert "n" * 255 in talk and "n" * 256 not in talk


def test_workers_of_one_name_are_told_apart(weft, somewhere, tmp_path):
    (tmp_path / "hold").touch()
    command = "while [ -e hold ]; do sleep 0.01; done; echo"
    head = weft.start("ventilator", "-v", "-b", somewhere, command, ":::", "1", "2", cwd=tmp_path)
    workers = [weft.start("worker", "-j1", "--name", "twin", "-c", head.endpoint, cwd=tmp_path) for _i in range(2)]
    head.expect_talk("worker twin#2 came")
    (tmp_path / "hold").unlink()
    assert head.wait() == 0
    assert [worker.wait() for worker in workers] == [0, 0]
