"""--outputs: what jobs write, kept in few files that a ledger indexes, and read by weft jobs output and tail."""

import json
import os
import re
import signal
import sqlite3
import zlib

import pytest

OK, ERROR, USAGE, LOSS = 0, 1, 2, 6


def outputs(weft, ledger, *words):
    status, output, talk = weft.run("jobs", str(ledger), *words)
    return status, output, talk


def records(folder):
    """All files, read by the words of docs/spec/output.md alone: (job, attempt, stream, data) in their order."""
    for name in sorted(os.listdir(folder)):
        data = (folder / name).read_bytes()
        assert re.match(rb"weft-output 1 [0-9a-f]{32} \d+ \d+\n", data)
        at = data.index(b"\n") + 1
        while True:
            found = re.compile(rb"(@(\d+) (\d+)\.(\d+) (out|err) (\d+) )([0-9a-f]{8})\n").match(data, at)
            if not found:
                break
            body = data[found.end():found.end() + int(found[6])]
            if zlib.crc32(found[1] + body) != int(found[7], 16) or data[found.end() + len(body):][:1] != b"\n":
                break
            yield int(found[2]), int(found[4]), found[5].decode(), body
            at = found.end() + len(body) + 1


def test_output_is_kept_and_shown(weft, tmp_path):
    ledger, folder = tmp_path / "ledger", tmp_path / "a" / "outputs"
    status, output, talk = weft.run("run", "-k", "--tag", "--ledger", str(ledger), "--outputs", str(folder),
                                    "echo out {}; echo err {} >&2; exit {}", ":::", "0", "1", "0")
    assert (status, output, talk) == (1, b"", "")
    assert outputs(weft, ledger, "output", "2", "1") == (OK, b"out 1\nout 0\n", "err 1\nerr 0\n")
    assert outputs(weft, ledger, "output", "--follow", "2", "1")[0] == ERROR
    assert len(os.listdir(folder)) == 1
    assert sorted(records(folder))[:2] == [(1, 1, "err", b"err 0\n"), (1, 1, "out", b"out 0\n")]
    lines = [json.loads(line) for line in outputs(weft, ledger, "--json", "output", "2")[1].splitlines()]
    assert lines == [{"job": 2, "attempt": 1, "stream": "stdout", "data": "out 1\n"},
                     {"job": 2, "attempt": 1, "stream": "stderr", "data": "err 1\n"}]


def test_what_is_large_is_whole(weft, tmp_path):
    ledger = tmp_path / "ledger"
    run = ["run", "-j3", "--ledger", str(ledger), "--outputs", str(tmp_path / "outputs")]
    assert weft.run(*run, "seq {}; seq {} | tac >&2", ":::", "100000", "300000", "7", "200000")[:2] == (OK, b"")
    for number, size in enumerate([100000, 300000, 7, 200000], 1):
        lines = [str(line) for line in range(1, size + 1)]
        status, output, talk = outputs(weft, ledger, "output", str(number))
        assert (status, output.decode().split(), talk.split()) == (OK, lines, lines[::-1])
    assert outputs(weft, ledger, "tail", "-n2", "2") == (OK, b"299999\n300000\n", "2\n1\n")
    assert outputs(weft, ledger, "tail", "3")[1] == b"1\n2\n3\n4\n5\n6\n7\n"
    assert len(outputs(weft, ledger, "tail", "4")[1].splitlines()) == 10


def test_output_that_is_not_there_is_said_to_be_missing(weft, tmp_path):
    ledger, folder = tmp_path / "ledger", tmp_path / "outputs"
    assert weft.run("run", "--ledger", str(ledger), "echo", ":::", "1")[0] == OK
    status, output, talk = outputs(weft, ledger, "output", "1")
    assert (status, output) == (ERROR, b"")
    assert "no --outputs" in talk
    assert weft.run("run", "--resume", "--ledger", str(ledger), "--outputs", str(folder), "echo", ":::", "1", "2") \
        == (OK, b"", "")
    assert outputs(weft, ledger, "output", "2")[:2] == (OK, b"2\n")
    status, output, talk = outputs(weft, ledger, "output", "3", "2")
    assert (status, output) == (USAGE, b"2\n")
    assert "no job 3" in talk
    os.rename(folder, tmp_path / "moved")
    status, _output, talk = outputs(weft, ledger, "output", "2")
    assert (status, "--outputs DIR" in talk) == (ERROR, True)
    assert outputs(weft, ledger, "output", "2", "--outputs", str(tmp_path / "moved"))[:2] == (OK, b"2\n")
    name, = os.listdir(tmp_path / "moved")
    os.truncate(tmp_path / "moved" / name, os.path.getsize(tmp_path / "moved" / name) - 1)
    status, output, talk = outputs(weft, ledger, "output", "2", "--outputs", str(tmp_path / "moved"))
    assert (status, output, "damaged" in talk) == (ERROR, b"", True)


@pytest.mark.parametrize("place", ["results", "results/{2}-{1}", "results/{#}-{%}/", "/absolute"])
def test_files_of_results_are_found(weft, tmp_path, place):
    """From wherever they are looked for."""
    ledger = tmp_path / "ledger"
    place = place.replace("/absolute", str(tmp_path / "absolute"))
    assert weft.run("run", "-j1", "--ledger", str(ledger), "--results", place, "echo {1} {2}; echo oops {} >&2", ":::",
                    "a", "b/c", ":::", "d", ".", cwd=tmp_path)[:2] == (OK, b"")
    assert outputs(weft, ledger, "output", "4", "1") == (OK, b"b/c .\na d\n", "oops b/c .\noops a d\n")
    assert outputs(weft, ledger, "tail", "-f", "2")[:2] == (OK, b"a .\n")


def test_results_that_are_no_files(weft, tmp_path):
    ledger = tmp_path / "ledger"
    run = ["run", "--ledger", str(ledger), "--results"]
    assert weft.run(*run, str(tmp_path / "rows.csv"), "echo", ":::", "1")[0] == OK
    status, output, talk = outputs(weft, ledger, "output", "1")
    assert (status != OK, output, "is a row in" in talk) == (True, b"", True)
    assert weft.run(*run, str(tmp_path / "tree"), "--resume", "echo {}; echo more", ":::", "2")[0] == OK
    (tmp_path / "tree" / "1" / "2" / "stdout").write_text("2\n")
    status, output, talk = outputs(weft, ledger, "output", "2")
    assert (status, output, "have 2" in talk) == (LOSS, b"2\n", True)


def test_options_that_do_not_fit(weft, tmp_path):
    folder = str(tmp_path / "outputs")
    assert "--ledger" in weft.run("run", "--outputs", folder, "echo", ":::", "1")[2]
    status, _output, talk = weft.run("run", "--outputs", folder, "--results", "x", "--ledger", str(tmp_path / "ledger"),
                                     "echo", ":::", "1")
    assert (status, "give one" in talk) == (255, True)
    (tmp_path / "file").touch()
    status, _output, talk = weft.run("run", "--outputs", str(tmp_path / "file"), "--ledger", str(tmp_path / "ledger"),
                                     "echo", ":::", "1")
    assert (status, "cannot keep output in" in talk) == (255, True)
    assert not os.path.exists(folder)


def test_an_attempt_that_did_not_count(weft, tmp_path):
    """What it wrote is in the file, and told; it is not the job's output."""
    ledger, folder = tmp_path / "ledger", tmp_path / "outputs"
    command = "echo try $WEFT_ATTEMPT; test $WEFT_ATTEMPT = 2"
    assert weft.run("run", "--retries", "3", "--ledger", str(ledger), "--outputs", str(folder), command + " #{}", ":::",
                    "1")[:2] == (OK, b"")
    assert outputs(weft, ledger, "output", "1")[:2] == (OK, b"try 2\n")
    assert list(records(folder)) == [(1, 1, "out", b"try 1\n"), (1, 2, "out", b"try 2\n")]


def test_a_job_that_runs_is_followed(weft, tmp_path):
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    command = "echo one; while ! test -e %s; do sleep 0.05; done; echo two; exit 3" % go
    head = weft.start("run", "-t", "--ledger", str(ledger), "--outputs", str(tmp_path / "outputs"),
                      command + " #{}", ":::", "1")
    head.expect_talk("^echo one")
    tail = weft.start("jobs", str(ledger), "tail", "-f", "1")
    tail.expect(b"one\n")
    status, output, talk = outputs(weft, ledger, "output", "1")
    assert (status, output, "runs still" in talk) == (OK, b"one\n", True)
    other = weft.start("jobs", str(ledger), "output", "-f", "1")
    other.expect(b"one\n")
    other.signal(signal.SIGINT)
    assert other.wait() == OK
    go.touch()
    assert tail.wait() == ERROR
    assert tail.out.data == b"one\ntwo\n"
    assert head.wait() == 1


def test_nothing_is_lost_with_a_head(weft, tmp_path):
    """What it had acknowledged is on disk: killed again and again, all is there in the end, each byte once."""
    ledger, endpoint, folder = tmp_path / "ledger", "ipc://%s/pool" % tmp_path, tmp_path / "outputs"
    head = ["ventilator", "-b", endpoint, "-u", "--ledger", str(ledger), "--outputs", str(folder), "--reattach", "1s"]
    command = "for i in 1 2 3 4 5; do seq $((3000 * {})) | sed s/^/$i./; test -e %s/$i || sleep 0.1; done" % tmp_path
    jobs = [command, ":::", *map(str, range(1, 9))]
    first = weft.start(*head, *jobs)
    assert first.endpoint
    workers = [weft.start("worker", "-c", endpoint, "-j2") for _ in range(2)]
    for enough in (100000, 300000, 600000):
        while sum(entry.stat().st_size for entry in os.scandir(folder)) < enough:
            assert first.process.poll() is None
        first.kill()
        first = weft.start(*head, "--resume")
        assert first.endpoint
    assert first.wait(60) == OK, first.talk.data
    for worker in workers:
        assert worker.wait() == OK
    assert b"went with a head" not in first.talk.data
    for number in range(1, 9):
        wanted = "".join("%d.%d\n" % (i, line) for i in range(1, 6) for line in range(1, 3000 * number + 1))
        assert outputs(weft, ledger, "output", str(number)) == (OK, wanted.encode(), "")
    with sqlite3.connect("file:%s?mode=ro" % ledger, uri=True) as db:
        assert db.execute("select count(*) from heads").fetchone()[0] == 4
    assert len(os.listdir(folder)) <= 4


def test_what_went_before_outputs_is_told(weft, halfway, tmp_path):
    """A head without them had taken a part; the one after it says how much, and so does who reads."""
    second, size = halfway("--outputs", str(tmp_path / "outputs"))
    lost = re.findall(rb"job 1: (\d+) bytes of what it wrote went with a head", second.talk.data)
    status, output, talk = outputs(weft, tmp_path / "ledger", "output", "1")
    assert (status, len(output) + sum(map(int, lost))) == (LOSS if lost else OK, size)
    assert not lost or lost[0].decode() in talk


def test_a_full_disk_is_waited_for(weft, small_disk, tmp_path):
    """It is said once; nothing is lost, and all goes on when there is room."""
    disk = small_disk("1m")
    ledger = tmp_path / "ledger"
    head = weft.start("run", "-j2", "--ledger", str(ledger), "--outputs", str(disk.folder / "outputs"), "seq {}", ":::",
                      *map(str, range(100000, 100020)))
    head.expect_talk("nothing more is taken from workers until this is over: .*No space left")
    disk.enlarge("50m")
    head.expect_talk("output can be kept again")
    assert head.wait() == OK
    assert len(re.findall(rb"nothing more is taken", head.talk.data)) == len(re.findall(rb"kept again", head.talk.data))
    for number in range(1, 21):
        output = outputs(weft, ledger, "output", str(number))[1]
        assert output == "".join("%d\n" % line for line in range(1, 100000 + number)).encode()


def test_a_full_disk_does_not_hold_up_who_stops(weft, small_disk, tmp_path):
    """What is not kept is not acknowledged, and so it comes again with the next head."""
    disk = small_disk("1m")
    ledger = tmp_path / "ledger"
    run = ["run", "--ledger", str(ledger), "--outputs", str(disk.folder / "outputs")]
    head = weft.start(*run, "seq {}", ":::", *map(str, range(100000, 100020)))
    head.expect_talk("nothing more is taken from workers")
    head.signal(signal.SIGINT)
    assert head.wait() == 255
    disk.enlarge("50m")
    assert weft.run(*run, "--resume")[0] == OK
    for number in (1, 20):
        output = outputs(weft, ledger, "output", str(number))[1]
        assert output == "".join("%d\n" % line for line in range(1, 100000 + number)).encode()
