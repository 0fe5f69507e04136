"""weft run as people type it, beside GNU parallel; and the pool's programs apart."""

import os
import re
import signal
import subprocess

import pytest

from running import ANY_TCP, LIMIT, WEFT, until


# What is typed after "parallel" or "weft run", and standard input. Both must print the same and
# end with the same status.
SAME = [
    (["-k", "echo", ":::", "a b", "it's", "$x", "*", "x=y", "", "-n", "a\nb", '"', "\\"], b""),
    (["-k", "echo {.} {/} {//} {/.} {#}", ":::", "a/x.c", "/y.c", ".hid", "dir/", "a.b/c", "/"], b""),
    (["-k", "echo", "{1}", "{2}", ":::", "a", "b", ":::", "c", "d e"], b""),
    (["-k", "echo", ":::", "a", "b", ":::+", "1", "2", "3", ":::", "X", "Y"], b""),
    (["-k", "--link", "echo", ":::", "a", "b", "c", ":::", "1", "2"], b""),
    (["-k", "echo {-1} {1/.} {2//} {2.}", ":::", "x/a.b.c", "b", ":::", "q/r/c.d"], b""),
    (["-k", "-N2", "echo", "{2} {1} x{}y", ":::", "a", "b", "c"], b""),
    (["-k", "-n2", "echo", ":::", "a", "b", "c"], b""),
    (["-k", "-N0", "echo", "hi", ":::", "a", "b"], b""),
    (["-k", "--colsep", ",", "echo", "{2} {1}", ":::", "a, b", "c,d,e", "x"], b""),
    (["-k", "--colsep", "\\t", "echo {2}"], b"a b\tc d\ne\tf\n"),
    (["-k", "echo"], b"one\ntwo  spaces\n\nlast"),
    (["-k", "-r", "echo"], b"one\n  \n\nlast\n"),
    (["-k", "-0", "echo"], b"one\0two\nlines\0"),
    (["-k", "-d", ",", "echo"], b"a,b,c\n"),
    (["-k", "-a", "-", "echo", "{} {}", ":::", "1", "2"], b"x\ny\n"),
    (["-k", "echo", "::::", "-", ":::", "1", "2"], b"x\ny\n"),
    (["-k"], b"echo a; echo b\nexit 3\nprintf c\n"),
    (["-k", ":::", "echo a b", "false"], b""),
    (["echo"], b""),
    (["-k", "--dry-run", "--tag", "echo {1} {2}", ":::", "a", "b c", ":::", "1", "2"], b""),
    (["-k", "--tag", "echo a; echo b; printf c {}", ":::", "0", "x y"], b""),
    (["-k", "--tagstring", "{#}:\\t{1}", "echo", ":::", "a b", "c'd"], b""),
    (["-j1", "--line-buffer", "printf a{}; echo b; printf c", ":::", "0", "1"], b""),
    (["-j1", "-u", "printf a{}; echo b", ":::", "0", "1"], b""),
    (["-j1", "-k", "echo {%} {#}", ":::", "a", "b"], b""),
    (["-k", "exit {}", ":::", "0", "1", "2", "3"], b""),
    (["-k", "kill -9 $$;", ":::", "1", "2"], b""),
    (["-k", "no-such-command", ":::", "1", "2"], b""),
    (["-k", "echo $PARALLEL_SEQ", ":::", "a", "b"], b""),
    (["-k", "head -c 3000000 /dev/zero | tr '\\0' {}", ":::", "a", "b"], b""),
    (["false"], b"x\n" * 100),
    (["false"], b"x\n" * 120),
    (["-k", "--retries", "3", "echo {}; exit {}", ":::", "0", "2"], b""),
    (["-k", "--timeout", "1", "sleep {}; echo {}; exit {}", ":::", "0", "20"], b""),
    (["-k", "-j4", "--timeout", "300%", "sleep {}; echo {}", ":::", "0.1", "0.11", "0.1", "0.12", "20"], b""),
    (["-k", "-j1", "--halt", "now,fail=1", "echo {}; exit {}", ":::", "0", "3", "2", "3"], b""),
    (["-k", "-j1", "--halt", "soon,fail=2", "echo {}; exit {}", ":::", "0", "3", "2", "3", "4"], b""),
    (["-k", "-j1", "--halt", "now,success=2", "echo {}; exit {}", ":::", "1", "3", "0", "3"], b""),
    (["-k", "-j1", "--halt", "now,fail=30%", "echo {}; exit {}", ":::", "0", "0", "0", "5", "3", "4", "0"], b""),
    (["-k", "-j1", "--halt", "soon,done=50%", "echo {}; exit {}", ":::", "1", "0", "0", "1", "1", "1"], b""),
    (["-k", "-j2", "--halt", "now,fail=1", "sleep {}; exit 7", ":::", "0.2", "20"], b""),
    (["-k", "--header", ":", "echo {m} {n.} {1} {n/} {zz}"], b"n\tm\n1.x\t2\n3\t4\n"),
    (["-k", "--header", ":", "--colsep", " ", "echo {m} {n}", "::::", "-"], b"n m\r\n1 2\n3 4\n"),
    (["-k", "--header", ":", "--tagstring", "<{b}>", "echo {a b} {b} {#}", ":::", "b", "1", ":::", "a b", "x"], b""),
    (["-k", "--header", ":", "-N2", "echo", "{b}", ":::", "b", "1", "2", "3"], b""),
    (["-k", "--header", ":", "--bar", "echo {b} {c}", ":::", "b", "1", "2", ":::+", "c", "4", "5"], b""),
    (["-k", "--header", ":", "--colsep", ",", "echo {x} {y} {z}", ":::", "x,y", "1,2", "3", ":::", "z", "7"], b""),
    (["-k", "--header", ":", "echo", ":::", "b"], b""),
    (["-k", "--delay", "0.02", "echo", ":::", "a", "b"], b""),
    (["-k", "--shuf", "-j2", "echo {#}"], b"a\nb\nc\n"),
    (["-k", "--nice", "5", "nice; true", ":::", "a"], b""),
    (["--halt", "bogus", "echo", ":::", "a"], b""),
    (["--joblog", "/nonexistent/log", "echo", ":::", "a"], b""),
    (["echo", "::::", "/nonexistent"], b""),
]


@pytest.mark.parametrize("arguments, data", SAME, ids=[" ".join(case[0])[:60] for case in SAME])
def test_as_parallel(weft, parallel, tmp_path, arguments, data):
    expected_status, expected = parallel(*arguments, input=data)
    status, output, talk = weft.run("run", *arguments, input=data, cwd=tmp_path)
    assert (status, output) == (expected_status, expected), talk


def test_issue_lines(weft, tmp_path):
    status, output, _ = weft.run("run", "-k", "-j4", "echo {#} {/.}", ":::", "a/x.c", "b/y.c")
    assert (status, output) == (0, b"1 x\n2 y\n")
    names = ["a file", "b'c", "plain"]
    for name in names:
        (tmp_path / name).write_text(name)
    status, output, talk = weft.run("run", "--bar", "--joblog", "log", "sha256sum {}", cwd=tmp_path,
                                    input="\n".join(names).encode() + b"\n")
    expected = subprocess.run(["sha256sum", *names], cwd=tmp_path, stdout=subprocess.PIPE).stdout
    assert status == 0 and sorted(output.splitlines()) == sorted(expected.splitlines())
    assert "100%  3/3" in talk
    assert len((tmp_path / "log").read_text().splitlines()) == 4


def test_help_tells_its_own_statuses(weft):
    """Those of other commands do not hold for weft run."""
    for command in ("run", "ventilator", "sink"):
        status, output, _ = weft.run("help", command)
        told = output[output.index(b"Exit status:"):]
        assert status == 0 and b"101 for" in told and max(len(line) for line in told.splitlines()) <= 80
        assert (b"3 timeout" in told) == (command == "sink")
        assert (b"a timeout passed" in weft.run("help", "--man", command)[1]) == (command == "sink")


def columns(path):
    """A job log without times, in the order of jobs."""
    lines = path.read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    for row in rows:
        assert re.fullmatch(r"\d+\.\d{3}", row[2]) and re.fullmatch(r" *\d+\.\d{3}", row[3])
    return lines[0], sorted(row[:2] + row[4:] for row in rows)


def test_joblog_as_parallel(weft, parallel, tmp_path):
    arguments = ["--joblog", "log", "--timeout", "1", "echo {}; echo talk >&2; [ {} != s ] || sleep 20; exit {}",
                 ":::", "0", "3", "s", "a b"]
    parallel(*arguments)
    expected = columns(tmp_path / "log")
    weft.run("run", *arguments, cwd=tmp_path)
    assert columns(tmp_path / "log") == expected
    weft.run("run", "--joblog", "+log", "echo", ":::", "a", cwd=tmp_path)
    assert len((tmp_path / "log").read_text().splitlines()) == 6


def test_slots_of_several_workers_differ(weft, tmp_path):
    """{%} is never the same for two jobs that run at once: each makes a folder of that name."""
    status, output, talk = weft.run("run", "-j5", "--workers", "3", "mkdir {%} && sleep 0.02 && rmdir {%} && echo {%}",
                                    input=b"x\n" * 50, cwd=tmp_path)
    assert status == 0, talk
    assert set(output.split()) <= {b"1", b"2", b"3", b"4", b"5"} and len(output.split()) == 50


def test_results_appear_while_input_is_slow(weft):
    program = weft.start("run", "echo {} came", input=weft.OPEN)
    program.write(b"first\n")
    program.expect(b"first came\n")
    program.write(b"second\n")
    program.expect(b"first came\nsecond came\n")
    program.close_input()
    assert program.wait() == 0


@pytest.mark.parametrize("arguments, lines", [(["--dry-run"], 300000), ([], 3000)], ids=["dry", "run"])
def test_input_is_streamed(weft, arguments, lines):
    """What was read and done is not kept: the memory of long inputs is that of short ones."""
    def peak(count):
        data = b"".join(b"%d\n" % number for number in range(count))
        command = [WEFT, "run", "-k", *arguments, "echo", "{}"]
        script = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); " \
                 "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(status)"
        small = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1")       # which is no memory of ours
        program = weft.command(["/usr/bin/python3", "-c", script, *command], input=data, env=small)
        status, output, talk = program.result(60)
        assert status == 0
        assert output.count(b"\n") == count
        return int(talk.split()[-1])
    assert peak(lines) < peak(1000) + 24000


def test_slow_reader_loses_nothing(weft, tmp_path):
    """A reader that stands still for longer than heartbeats allow."""
    read_end, write_end = os.pipe()
    program = subprocess.Popen([WEFT, "run", "-k", "seq {}", ":::", "100000", "100000"], stdout=write_end,
                               stderr=subprocess.PIPE)
    os.close(write_end)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(7)
    with os.fdopen(read_end, "rb") as pipe:
        data = pipe.read()
    assert program.wait(LIMIT) == 0
    program.stderr.close()
    assert data == b"".join(b"%d\n" % number for number in range(1, 100001)) * 2


def test_reader_that_goes(weft):
    program = subprocess.Popen([WEFT, "run", "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    program.stdin.write(b"x\n")
    program.stdin.flush()
    assert program.stdout.readline() == b"x\n"
    program.stdout.close()
    program.stdin.write(b"y\n" * 10)
    program.stdin.flush()
    assert program.wait(LIMIT) == 0
    assert program.stderr.read() == b""
    program.stdin.close()
    program.stderr.close()


@pytest.mark.parametrize("arguments, words", [
    (["{= s/a/b/ =}", ":::", "a"], "perl"),
    (["-j", "many", "echo", ":::", "a"], "number"),
    (["--workers", "0", "echo", ":::", "a"], "--listen"),
    (["--listen", "tcp://0.0.0.0:0", "echo", ":::", "a"], "--insecure"),
    (["--keep-ordr", "echo", ":::", "a"], "keep-order"),
    (["--halt", "later,fail=1", "echo", ":::", "a"], "now,fail=1"),
    (["-d", "\\q", "echo"], "delimiter"),
    (["--colsep", "(a", "echo"], "separator"),
    (["--header", "x", "echo", ":::", "a"], "colon"),
    (["--shuf", "--resume", "--joblog", "log", "echo", ":::", "a"], "--shuf"),
    (["echo", "::::", "/"], "directory"),
    (["echo", ":::", "x" * 131072], "131071"),
])
def test_refusals(weft, arguments, words):
    if arguments[-1] == "x" * 131072:       # no program takes such an argument: as a line
        status, output, talk = weft.run("run", "echo", input=b"x" * 131072 + b"\n")
    else:
        status, output, talk = weft.run("run", *arguments)
    assert (status, output) == (255, b"") and words in talk


def test_shuffled(weft):
    """Each job once, in the end; all values are read before. 1 in 200! times they come in order."""
    values = [b"%d" % number for number in range(200)]
    status, output, _ = weft.run("run", "-k", "--shuf", "echo {1}{2}", "::::", "-", ":::", "a", "b",
                                 input=b"\n".join(values) + b"\n")
    expected = [value + letter for value in values for letter in (b"a", b"b")]
    assert status == 0 and sorted(output.split()) == sorted(expected) and output.split() != expected


@pytest.mark.parametrize("kept", [[], ["--ledger", "jobs.db"]])
@pytest.mark.parametrize("values", [[":::", "a", "b"], ["::::", "values"]])
def test_delay(weft, tmp_path, values, kept):
    """The second job waits though there is room; what jobs write and signals do not."""
    (tmp_path / "values").write_text("a\nb\n")
    program = weft.start("run", "-j4", "--delay", "10h", *kept, "echo {}", *values, cwd=tmp_path)
    program.expect(b"a\n")
    program.signal()
    assert program.result()[:2] == (255, b"a\n")


def test_delay_of_what_says_nothing(weft, tmp_path):
    """Of a job that is over in a moment its end alone tells that it was started."""
    log = tmp_path / "log"
    program = weft.start("run", "-j4", "--delay", "10h", "--joblog", "log", "touch {}", ":::", "a", "b", cwd=tmp_path)
    until(lambda: log.exists() and len(log.read_text().splitlines()) > 1, "the first job's line in the log")
    program.signal()
    assert program.result()[0] == 255
    assert (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_delay_of_what_a_ledger_has(weft, tmp_path):
    """Jobs that come from a ledger are started one after the other, too."""
    program = weft.start("run", "-j4", "--delay", "10h", "--ledger", "jobs.db", "echo {}", ":::", "a", "b", "c",
                         cwd=tmp_path)
    program.expect(b"a\n")
    program.signal()
    program.result()
    again = weft.start("run", "-j4", "--delay", "10h", "--ledger", "jobs.db", "--resume", cwd=tmp_path)
    again.expect(b"b\n")
    again.signal()
    assert again.result()[:2] == (255, b"b\n")
    assert weft.run("run", "-j4", "--delay", "1ms", "--ledger", "jobs.db", "--resume", cwd=tmp_path)[:2] == (0, b"c\n")


def test_worker_is_nice(weft, somewhere):
    head = weft.start("ventilator", "-b", somewhere, "nice; true", ":::", "a")
    weft.start("worker", "-c", head.endpoint, "--nice", "11")
    assert head.result()[:2] == (0, b"11\n")


def test_bad_line_does_not_lose_the_good_ones(weft):
    status, output, talk = weft.run("run", "-k", "echo", input=b"a\nb\nc\0d\ne\n")
    assert (status, output) == (255, b"a\nb\n") and "-0" in talk


def test_interrupt_stops_jobs(weft):
    program = weft.start("run", "-j1", "--line-buffer", "echo $$; sleep 100; :", ":::", "a", "b", "c")
    job = int(program.out.wait(lambda data: data.endswith(b"\n") and data, "a line"))
    program.signal(signal.SIGINT)
    status, _, talk = program.result()
    assert status == 255 and "3 jobs were not run" in talk
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)


def test_terminate_lets_jobs_end(weft, tmp_path):
    os.mkfifo(tmp_path / "go")
    program = weft.start("run", "-j1", "--line-buffer", "echo {}; cat go", ":::", "a", "b", cwd=tmp_path)
    program.out.wait(lambda data: data == b"a\n", "a job")
    program.signal()
    program.expect_talk("no more jobs")
    (tmp_path / "go").write_text("went on\n")
    status, output, talk = program.result()
    assert (status, output) == (255, b"a\nwent on\n") and "1 job was not run" in talk


# ------------------------------------------------------- the roles, apart

def lines_of(output):
    return sorted(int(line) for line in output.split())


def test_three_processes(weft, somewhere, tmp_path):
    (tmp_path / "jobs.txt").write_text("".join("echo %d\n" % number for number in range(200)))
    head = weft.start("ventilator", "-b", somewhere, str(tmp_path / "jobs.txt"))
    workers = [weft.start("worker", "-c", head.endpoint, "-j2") for _ in range(2)]
    status, output, _ = head.result()
    assert status == 0 and lines_of(output) == list(range(200))
    assert [worker.wait() for worker in workers] == [0, 0]


def test_sink(weft, somewhere, tmp_path):
    sink = weft.start("sink", "-b", somewhere, "-k", "--joblog", str(tmp_path / "log"))
    head = weft.start("ventilator", "ipc://%s/head" % tmp_path, "--sink", sink.endpoint, "-k",
                      "echo {}; [ {} != 7 ]", ":::", *[str(number) for number in range(50)])
    worker = weft.start("worker", head.endpoint, "-j3")
    assert sink.result()[:2] == (1, b"".join(b"%d\n" % number for number in range(50)))
    assert head.result()[:2] == (1, b"")
    assert worker.wait() == 0
    header, rows = columns(tmp_path / "log")
    assert len(rows) == 50 and [row for row in rows if row[4] == "1"][0][6] == "echo 7; [ 7 != 7 ]"


def test_run_listens(weft, somewhere):
    head = weft.start("run", "--workers", "0", "--listen", somewhere, "-k", "echo", ":::", "a", "b")
    worker = weft.start("worker", "-c", head.endpoint, "--name", "elsewhere")
    assert head.result()[:2] == (0, b"a\nb\n")
    assert worker.wait() == 0


def test_killed_worker_loses_no_job(weft, somewhere):
    head = weft.start("ventilator", "-b", somewhere, "--heartbeat", "100ms", "sleep 0.01; echo {}", ":::",
                      *[str(number) for number in range(300)])
    victim = weft.start("worker", "-c", head.endpoint, "-j2", "--heartbeat", "100ms")
    head.out.wait(lambda data: data.count(b"\n") > 20, "some results")
    victim.kill()
    other = weft.start("worker", "-c", head.endpoint, "-j2", "--heartbeat", "100ms")
    status, output, _ = head.result()
    assert status == 0 and lines_of(output) == list(range(300))
    assert other.wait() == 0


def test_terminated_worker(weft, somewhere):
    """It ends well, without waiting to hear from its head; that goes on with others."""
    head = weft.start("ventilator", "-b", somewhere, "--heartbeat", "60s", input=weft.OPEN)
    worker = weft.start("worker", "-c", head.endpoint, "--heartbeat", "60s")
    head.write(b"echo a\n")
    head.expect(b"a\n")
    worker.signal()
    assert worker.wait() == 0
    weft.start("worker", "-c", head.endpoint)
    head.write(b"echo b\n")
    head.close_input()
    assert head.result()[:2] == (0, b"a\nb\n")


def test_worker_without_head(weft, tmp_path):
    status, _, talk = weft.run("worker", "-c", "ipc://%s/nobody" % tmp_path, "--connect-timeout", "100ms")
    assert status == 4 and "weft worker:" in talk


def test_worker_says_that_it_waits(weft, tmp_path):
    endpoint = "ipc://%s/nobody" % tmp_path
    worker = weft.start("worker", endpoint)
    worker.expect_talk("no head at %s yet; waiting up to 60 s" % endpoint)
    worker.signal()
    assert worker.wait() == 0


def test_head_without_sink(weft, tmp_path):
    status, output, talk = weft.run("ventilator", "ipc://%s/head" % tmp_path, "--sink", "ipc://%s/nobody" % tmp_path,
                                    "--sink-timeout", "100ms", "echo", ":::", "a")
    assert (status, output) == (255, b"") and "no sink has answered for 0.1 s" in talk


@pytest.mark.parametrize("arguments, status, words", [
    (["ventilator", "-b", "tcp://127.0.0.1:0", "/nonexistent/jobs"], 255, "/nonexistent/jobs"),
    (["ventilator", "-b", "tcp://127.0.0.1:0", "echo {}"], 255, ":::"),
    (["ventilator", "-b", "tcp://127.0.0.1", "-a", "/dev/null", "echo"], 255, "port"),
    (["ventilator"], 255, "endpoint"),
    (["ventilator", "-b", "tcp://*:0", "/dev/null"], 255, "--insecure"),
    (["worker"], 2, "endpoint"),
    (["worker", "-c", "nowhere"], 2, "nowhere"),
    (["worker", "-c", "tcp://127.0.0.1:1", "-j", "x"], 2, "number"),
    (["sink"], 2, "endpoint"),
    (["sink", "-b", "tcp://*:0"], 5, "--insecure"),
])
def test_role_refusals(weft, arguments, status, words):
    got, output, talk = weft.run(*arguments)
    assert (got, output) == (status, b"") and words in talk


@pytest.mark.parametrize("order", [[], ["-k"]], ids=["as they end", "in order"])
def test_killed_sink_comes_back(weft, tmp_path, order):
    """What it had not acknowledged is sent again: no result is lost between the two."""
    count, endpoint = 400, "ipc://%s/sink" % tmp_path
    first = weft.start("sink", "-b", endpoint, *order)
    assert first.endpoint == endpoint
    head = weft.start("ventilator", "ipc://%s/head" % tmp_path, "--sink", endpoint, "sleep 0.01; echo {}", ":::",
                      *[str(number) for number in range(count)])
    worker = weft.start("worker", head.endpoint, "-j2")
    first.out.wait(lambda data: data.count(b"\n") >= 20, "some results")
    first.kill()
    first.out.thread.join(LIMIT)
    head.expect_talk("sink has gone")
    second = weft.start("sink", "-b", endpoint, *order)
    assert second.wait() == 0, second.talk.data
    assert head.wait() == 0, head.talk.data
    assert worker.wait() == 0
    assert set(lines_of(first.out.data + second.out.data)) == set(range(count))


def test_killed_sink_had_written_what_it_acknowledged(weft, tmp_path):
    """Its output is held up and then lost, as all that it had in memory: the head sends that again."""
    count, endpoint = 300, "ipc://%s/sink" % tmp_path
    os.mkfifo(tmp_path / "ran")
    read_end, write_end = os.pipe()
    first = subprocess.Popen([WEFT, "sink", "-b", endpoint], stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert b"listening" in first.stderr.readline()
    head = weft.start("ventilator", "ipc://%s/head" % tmp_path, "--sink", endpoint,
                      "printf '%01000d\\n' {}; [ {} != 299 ] || echo > ran", ":::",
                      *[str(number) for number in range(count)])
    weft.start("worker", head.endpoint, "-j1", cwd=tmp_path)
    assert weft.command(["cat", str(tmp_path / "ran")]).wait() == 0
    first.kill()
    first.wait(LIMIT)
    first.stderr.close()
    with os.fdopen(read_end, "rb") as pipe:
        written = pipe.read()
    head.expect_talk("sink has gone")
    second = weft.start("sink", "-b", endpoint)
    assert second.wait() == 0 and head.wait() == 0
    assert written and set(lines_of(written[:written.rfind(b"\n") + 1] + second.out.data)) == set(range(count))


def test_lifetime_of_a_worker(weft, tmp_path):
    """It ends well when it is over, and what it had not finished another runs."""
    head = weft.start("ventilator", ANY_TCP, "[ -e %s/again ] || exec sleep 1000; echo {}" % tmp_path, ":::", "a", "b")
    worker = weft.start("worker", head.endpoint, "-j2", "--lifetime", "1s")
    assert worker.wait() == 0
    assert "its lifetime is over; 2 jobs are stopped" in worker.talk.data.decode()
    (tmp_path / "again").touch()
    assert weft.start("worker", head.endpoint, "-j2", "--lifetime", "1h").wait() == 0
    assert head.wait() == 0 and sorted(head.out.data.split()) == [b"a", b"b"]


def test_workers_with_keys(weft, tmp_path):
    """Whoever is on the list helps, beside the run's own slots; whoever is not is named."""
    environment = {**os.environ, "WEFT_KEYS": str(tmp_path / "keys")}
    public = {name: weft.run("key", "new", name, env=environment)[1].decode().strip() for name in ("head", "a", "b")}
    assert weft.run("key", "allow", "a", public["a"], "--for", "worker", env=environment)[0] == 0
    meet = "cd %s; : > {}; until [ -e 1 ] && [ -e 2 ]; do sleep 0.02; done; echo $PPID" % tmp_path
    run = weft.start("run", "-j1", "--key", "head", "--listen", "tcp://127.0.0.1:0", meet, ":::", "1", "2",
                     env=environment)
    other = weft.start("worker", "--key", "b", "--server-key", public["head"], run.endpoint, env=environment)
    assert other.wait() == 5
    worker = weft.start("worker", "-j1", "--key", "a", "--server-key", public["head"], run.endpoint, env=environment)
    assert run.wait() == 0 and worker.wait() == 0
    assert set(run.out.data.split()) == {b"%d" % run.process.pid, b"%d" % worker.process.pid}
    assert "weft key allow NAME '%s'" % public["b"] in run.talk.data.decode()


def test_killed_head(weft, tmp_path):
    """Workers wait for it as long as they were told, then end with their jobs. So does the sink, when other
    heads have finished."""
    sink = weft.start("sink", "ipc://%s/sink" % tmp_path, "--heartbeat", "100ms", "--head-timeout", "1s")
    head = weft.start("ventilator", "ipc://%s/head" % tmp_path, "--sink", sink.endpoint, "--heartbeat", "100ms",
                      "echo {}; [ {} = a ] || { echo $$ > {}; exec sleep 1000; }", ":::", "a", "b", "c")
    for name in "bc":
        os.mkfifo(tmp_path / name)
    workers = [weft.start("worker", head.endpoint, "-j1", "--prefetch", "0", "--connect-timeout", "1s",
                          "--heartbeat", "100ms", cwd=tmp_path) for _ in range(2)]
    sink.expect(b"a\n")
    other = weft.start("ventilator", "ipc://%s/other" % tmp_path, "--sink", sink.endpoint, input=weft.OPEN)
    weft.start("worker", other.endpoint)
    other.write(b"echo b\n")
    sink.expect(b"a\nb\n")
    jobs = [int(weft.command(["cat", str(tmp_path / name)]).result()[1]) for name in "bc"]
    head.kill()
    for worker in workers:
        status, _, talk = worker.result()
        assert status == 4 and "no head has answered for 1 s" in talk
    sink.expect_talk("went away before it had finished")
    other.write(b"echo c\n")
    other.close_input()
    assert other.wait() == 0
    assert sink.result()[:2] == (4, b"a\nb\nc\n")
    for job in jobs:
        with pytest.raises(ProcessLookupError):
            os.kill(job, 0)
