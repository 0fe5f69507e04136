"""Messages as jobs: --filter, --exec and --messages, in one process and over a pool."""

import os
import re
import signal

import pytest

from running import ANY_TCP

OK, BAD = 0, 255
NUMBERS = b"".join(b"%d\n" % number for number in range(1, 501))

# A filter that notes each of its lives, and answers a line with the line and an x.
FILTER = "echo $$ >> %s/lives; exec sed -u s/$/x/"


def answered(data=NUMBERS):
    return b"".join(line + b"x\n" for line in data.splitlines())


def test_a_filter_a_slot(weft, tmp_path):
    status, output, talk = weft.run("run", "-j3", "-k", "--filter", FILTER % tmp_path, input=NUMBERS)
    assert (status, output, talk) == (OK, answered(), "")
    assert 1 <= len((tmp_path / "lives").read_text().split()) <= 3


def test_several_workers_share_the_slots(weft):
    status, output, talk = weft.run("run", "-j4", "-w2", "-k", "--filter", "cat", input=NUMBERS)
    assert (status, output) == (OK, NUMBERS), talk


def test_exec(weft):
    status, output, talk = weft.run("run", "-k", "--tag", "--exec", "cat; echo", ":::", "a b", "it's")
    assert (status, output) == (OK, b"a b\ta b\nit's\tit's\n"), talk


def test_trace_shows_each(weft):
    status, output, talk = weft.run("run", "-t", "-k", "--filter", "cat", ":::", "a", "b\\")
    assert (status, output) == (OK, b"a\nb\\\n") and sorted(talk.splitlines()) == ["a", "b\\\\"]


def test_a_template_is_not_quoted(weft):
    status, output, talk = weft.run("run", "-k", "--filter", "cat", "<{2}{1}> {#}", ":::", "a'", ":::", "$b", "c d")
    assert (status, output) == (OK, b"<$ba'> 1\n<c da'> 2\n"), talk


@pytest.mark.parametrize("name, given, frames", [
    ("lines", b"a\n\nb\0c\n", [b"a", b"", b"b\0c"]), ("nul", b"a\nb\0\0", [b"a\nb", b""]),
    ("hex", b"00ff\n-\n", [b"\0\xff", b""]), ("len32", b"\0\0\0\2a\n\0\0\0\0", [b"a\n", b""]),
    ("json", b'{"frames":["a\\n"]}\n', [b"a\n"]), ("raw", b"a\n\0", [b"a\n\0"])])
def test_formats_of_the_input(weft, name, given, frames):
    """Whatever bytes: len32 is what the filter sees, and answers."""
    status, output, talk = weft.run("run", "-k", "--input", name, "--filter", "cat", "--filter-format", "len32",
                                    input=given)
    assert (status, output) == (OK, b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)), talk


@pytest.mark.parametrize("name, answer", [("nul", b"a\0"), ("hex", b"61\n"), ("len32", b"\0\0\0\1a"),
                                          ("json", b'"frames":["a"]')])
def test_formats_of_the_filter(weft, name, answer):
    status, output, talk = weft.run("run", "--filter", "cat", "--filter-format", name, ":::", "a")
    assert status == OK and answer in output, (output, talk)


def test_a_message_that_would_be_two(weft):
    status, output, talk = weft.run("run", "--filter", "cat", ":::", "a\nb", "c")
    assert (status, output) == (1, b"c\n") and "--filter-format nul" in talk


def test_a_filter_that_dies_fails_that_job_alone(weft, tmp_path):
    command = "while read x; do test $x != 3 || exit 7; echo $x; done"
    status, output, talk = weft.run("run", "-j1", "-k", "--joblog", str(tmp_path / "log"), "--filter", command,
                                    input=b"1\n2\n3\n4\n5\n")
    assert (status, output) == (1, b"1\n2\n4\n5\n"), talk
    assert [line.split("\t")[6] for line in (tmp_path / "log").read_text().splitlines()[1:]] == list("00700")
    assert "ended without a reply (status 7)" in talk


def test_a_filter_that_fell_is_tried_again(weft, tmp_path):
    command = "while read x; do test $x != 3 -o -e %s/fell || { touch %s/fell; kill -9 $$; }; echo $x; done"
    status, output, talk = weft.run("run", "-j1", "-k", "--retries", "2", "--filter",
                                    command % (tmp_path, tmp_path), input=b"1\n2\n3\n4\n")
    assert (status, output) == (OK, b"1\n2\n3\n4\n"), talk


def test_a_filter_that_hangs_is_killed_at_its_time(weft, tmp_path):
    command = "echo $$ >> %s/lives; while read x; do test $x = 2 && sleep 1000; echo $x; done" % tmp_path
    status, output, talk = weft.run("run", "-j1", "-k", "--timeout", "1s", "--filter", command,
                                    input=b"1\n2\n3\n")
    assert (status, output) == (1, b"1\n3\n") and "took too long" in talk
    for life in (tmp_path / "lives").read_text().split():
        assert not os.path.exists("/proc/%s" % life)


def test_a_filter_ends_with_its_input(weft, tmp_path):
    """It sees the end, and may do what is left."""
    command = "while read x; do echo $x; done; echo over > %s/over" % tmp_path
    status, output, talk = weft.run("run", "-j1", "--filter", command, ":::", "a")
    assert (status, output) == (OK, b"a\n"), talk
    assert (tmp_path / "over").read_text() == "over\n"


def test_what_is_said_unasked_is_no_answer(weft):
    status, output, talk = weft.run("run", "-j1", "-k", "--filter",
                                    r"while read x; do printf '%s\nmore\n' $x; done", input=b"1\n2\n3\n")
    assert (status, output) == (OK, b"1\n2\n3\n") and "without being asked" in talk


def test_a_filter_runs_where_jobs_do(weft, tmp_path):
    command = "while read x; do pwd; done"
    status, output, talk = weft.run("run", "--workdir", str(tmp_path), "--filter", command, ":::", "a")
    assert (status, output) == (OK, b"%s\n" % bytes(tmp_path)), talk
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", input=b"a\n")
    weft.start("worker", "-c", head.endpoint, "-j1", "--dir", str(tmp_path), "--filter", command)
    assert head.wait() == OK and head.out.data == b"%s\n" % bytes(tmp_path)


@pytest.mark.parametrize("how", [["--filter", FILTER], ["--exec", "true %s; sed s/$/x/; echo"]])
def test_over_a_pool(weft, tmp_path, how):
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", "-k", input=NUMBERS)
    worker = weft.start("worker", "-c", head.endpoint, "-j2", how[0], how[1] % tmp_path)
    assert head.wait() == OK, head.talk.data
    assert head.out.data == answered()
    assert worker.wait() == OK, worker.talk.data


def test_a_worker_with_nothing_for_messages(weft):
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", "-", input=b"a\n")
    weft.start("worker", "-c", head.endpoint, "-j1")
    assert head.wait() == 1
    assert b"--filter COMMAND" in head.talk.data and b"--exec COMMAND" in head.talk.data


def test_a_worker_that_is_killed_loses_none(weft, tmp_path):
    """Its messages run elsewhere; those that did not begin are none the worse for it."""
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", "-k", "--crash-limit", "1", input=NUMBERS)
    slow = "while read x; do touch %s/at; while ! test -e %s/go; do sleep 0.05; done; echo $x; done"
    first = weft.start("worker", "-c", head.endpoint, "-j2", "-v", "--filter", slow % (tmp_path, tmp_path))
    while not (tmp_path / "at").exists():
        assert first.process.poll() is None
    first.kill()
    (tmp_path / "go").touch()
    weft.start("worker", "-c", head.endpoint, "-j2", "--filter", "cat")
    assert head.wait() == OK, head.talk.data
    assert head.out.data == NUMBERS


def test_the_one_that_kills_workers_is_found(weft):
    """Those beside it, of which nobody was told that they began, are run again and end well."""
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", "-k", "--crash-limit", "2", input=NUMBERS)
    poison = "while read x; do test $x != 250 || kill -9 $PPID; echo $x; done"
    lives = 0
    while head.process.poll() is None:
        worker = weft.start("worker", "-c", head.endpoint, "-j2", "--connect-timeout", "2s", "--filter", poison)
        lives += worker.wait() == -signal.SIGKILL
    assert head.wait() == 1, head.talk.data
    assert head.out.data == NUMBERS.replace(b"\n250\n", b"\n")
    assert lives == 3 and b"job 250: its worker was lost 3 times" in head.talk.data


def test_a_ledger_knows_them(weft, tmp_path):
    ledger = str(tmp_path / "ledger")
    given = b"a\tb\nplain\n\xff\\\n"
    run = ["run", "-k", "--tag", "-j1", "--ledger", ledger, "--exec"]
    status, output, talk = weft.run(*run, "wc -c; exit 1", "-a", "-", input=given)
    assert (status, output) == (3, b"a\tb\t3\nplain\t5\n\xff\\\t2\n"), talk
    status, output, talk = weft.run("jobs", ledger)
    assert [line.split(b"\t", 7)[7] for line in output.splitlines()[1:]] == [b"a\\tb", b"plain", b"\\xff\\\\"], talk
    status, output, talk = weft.run(*run, "wc -c", "-a", "-", "--resume", input=given + b"new\n")
    assert (status, output) == (OK, b"new\t3\n"), talk


def test_a_head_that_was_killed_goes_on(weft, tmp_path):
    """Without the input: the messages are in the ledger, and their values, for tags."""
    ledger = str(tmp_path / "ledger")
    gate = "while read x; do test $x -lt 3 || while ! test -e %s/go; do sleep 0.05; done; echo $x; done" % tmp_path
    first = weft.start("run", "-j1", "-k", "--tag", "--ledger", ledger, "--filter", gate, input=b"1\n2\n3\n4\n")
    first.out.wait(lambda out: out.endswith(b"2\n"), "two answers")
    first.kill()
    (tmp_path / "go").touch()
    status, output, talk = weft.run("run", "-j1", "-k", "--tag", "--ledger", ledger, "--resume", "--filter", gate)
    assert (status, output) == (OK, b"3\t3\n4\t4\n"), talk


def test_results_and_log(weft, tmp_path):
    status, output, talk = weft.run("run", "-j2", "--results", str(tmp_path / "out"), "--joblog",
                                    str(tmp_path / "log"), "--filter", "cat", input=b"a b\nc\n")
    assert (status, output) == (OK, b""), talk
    assert (tmp_path / "out" / "1" / "a b" / "stdout").read_bytes() == b"a b\n"
    assert sorted(line.split("\t")[8] for line in (tmp_path / "log").read_text().splitlines()[1:]) == ["a b", "c"]
    status, output, talk = weft.run("run", "--resume", "--joblog", str(tmp_path / "log"), "-k", "--filter", "cat",
                                    input=b"a b\nc\nd\n")
    assert (status, output) == (OK, b"d\n"), talk


def test_to_a_sink(weft):
    sink = weft.start("sink", "-b", ANY_TCP, "--tag")
    head = weft.start("ventilator", "-b", ANY_TCP, "--messages", "--sink", sink.endpoint, input=b"1\n2\n")
    weft.start("worker", "-c", head.endpoint, "-j1", "--filter", "sed -u s/$/x/")
    assert head.wait() == OK and sink.wait() == OK, sink.talk.data
    assert sorted(sink.out.data.splitlines()) == [b"1\t1x", b"2\t2x"]


def test_a_signal_ends_it(weft, tmp_path):
    command = "echo $$ > %s/life; while read x; do :; done" % tmp_path
    run = weft.start("run", "-j1", "--filter", command, ":::", "a")
    while not (tmp_path / "life").exists() or not (tmp_path / "life").read_text().strip():
        assert run.process.poll() is None
    run.signal(signal.SIGINT)
    assert run.wait() == BAD
    assert not os.path.exists("/proc/" + (tmp_path / "life").read_text().strip())


@pytest.mark.parametrize("words, says", [
    (["--messages", ":::", "a"], "--filter COMMAND or --exec COMMAND"),
    (["--filter", "cat", "--exec", "cat", ":::", "a"], "one of --exec and --filter"),
    (["--filter", "cat", "{%}", ":::", "a"], "{%} has no place"),
    (["--input", "hex", "cat"], "--messages"),
    (["--input", "hex", "--filter", "cat", ":::", "a"], "has no part|have no part"),
    (["--filter", "cat", "--joblog", "x", "--retry-failed"], "--resume-failed"),
    (["--filter", "cat", "--input", "json"], "2 frames")])
def test_mistakes(weft, words, says, tmp_path):
    status, output, talk = weft.run("run", *words, input=b'{"frames":["a","b"]}\n', cwd=tmp_path)
    assert status == BAD and re.search(says, talk), talk
    assert output == b""
