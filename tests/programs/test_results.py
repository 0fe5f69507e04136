"""weft run --results beside GNU parallel: the same files, names and rows."""

import os
import re
import subprocess

import pytest

from running import LIMIT, WEFT

LONG = "x" * 300
SAME = [
    ["--results", "out", "echo {}; echo err >&2; exit 3", ":::", "a", "b/c", "a\\\\c", "t\tb", LONG, "x y", "é", "'q",
     "*"],
    ["--results", "out", "echo x{}", ":::", ""],
    ["--results", "out", "echo", ":::", "a", "b", ":::", "c", "d"],
    ["--results", "out", "-N2", "echo", ":::", "1", "2", "3"],
    ["--results", "out", "-N2", "--link", "echo", ":::", "1", "2", "3", ":::", "a", "b", "c"],
    ["--results", "out", "--colsep", ",", "echo", ":::", "1,2", "3,4"],
    ["--results", "out", "--header", ":", "echo {11a} {b} {/a}", ":::", "b", "1", "2", ":::", "11a", "7", ":::", "2a",
     "x", ":::", "a", "v"],
    ["--results", "out-{b}", "--header", ":", "echo {b}", ":::", "b", "1", "2"],
    ["--results", "r.csv", "--header", ":", "echo {b}", ":::", "b", "1", "2", ":::", "c d", "7"],
    ["--results", "out", "-N0", "echo", "hi", ":::", "1"],
    ["--results", "out", ":::", "echo a", "false"],
    ["--results", "out", "--tag", "echo", ":::", "b"],
    ["--results", "out", "-u", "echo", ":::", "b"],
    ["--results", "a/b/", "echo", ":::", "b"],
    ["--results", "my_{}", "echo {}; echo e >&2", ":::", "a", "b/c"],
    ["--results", "d/{1}/{#}-{%}/", "echo {}; echo e >&2", ":::", "a", "b c"],
    ["--results", "out", "--retries", "3", "echo {} >> l; echo try; [ $(wc -l < l) = 3 ]", ":::", "b"],
    ["--results", "out", "--timeout", "1", "echo {}; [ {} = a ] || sleep 20", ":::", "a", "b"],
    ["--results", "r.csv", "printf '%s\\n' {}; echo 'e,\"r' >&2; exit 3", ":::", "a,b", "q\"x", "t\tb", "", "p", ":::",
     "1"],
    ["--results", "r.TSV", "printf '%s' {}; exit 3", ":::", "a,b", "q\"x", "t\tb", "", "p", ":::", "1"],
    ["--results", "r.json", "printf '%s\\n' {}; echo 'e,\"r' >&2; exit 3", ":::", "a,b", "q\"x", "t\tb", "", "p"],
    ["--results", "-.csv", "echo {}; echo e >&2", ":::", "a", "b c"],
]


def files(folder):
    """Every file below it and what is in it, without times."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = untimed(path.read_bytes())
    return found


def untimed(text):
    return re.sub(rb'\d{10}\.\d+([,\t]|, "JobRuntime": )\d+\.\d+', rb"T\1R", text)


@pytest.mark.parametrize("arguments", SAME, ids=lambda arguments: " ".join(arguments)[:60])
def test_as_parallel(weft, parallel, tmp_path, arguments):
    expected_status, expected = parallel("-j1", *arguments)
    expected_files = files(tmp_path)
    (tmp_path / "weft").mkdir()
    status, output, talk = weft.run("run", "-j1", *arguments, cwd=tmp_path / "weft")
    assert (status, untimed(output)) == (expected_status, untimed(expected)), talk
    assert files(tmp_path / "weft") == expected_files


def test_names_that_are_none(weft, tmp_path):
    """GNU parallel writes these elsewhere, one over the other."""
    assert weft.run("run", "--results", "out", "echo", ":::", ".", "..", cwd=tmp_path)[:2] == (0, b"")
    assert files(tmp_path / "out")["1/\\./stdout"] == b".\n" and files(tmp_path / "out")["1/\\../stdout"] == b"..\n"


def test_rows_in_order(weft, tmp_path):
    """With -k, whatever the order that jobs end in."""
    os.mkfifo(tmp_path / "fifo")
    status, output, talk = weft.run("run", "-j2", "-k", "--results", "-.csv",
                                    "if [ {} = a ]; then cat fifo; else echo {} > fifo; fi", ":::", "a", "b",
                                    cwd=tmp_path)
    assert status == 0, talk
    assert [line.split(b",")[0] for line in output.splitlines()] == [b"Seq", b"1", b"\"", b"2"]


def test_resume_by_results(weft, tmp_path):
    command = ["run", "--results", "out", "--resume", "echo {} >> ran; echo {}"]
    assert weft.run(*command, ":::", "a", "b/c", cwd=tmp_path)[:2] == (0, b"")
    assert weft.run(*command, ":::", "a", "b/c", "d", cwd=tmp_path)[:2] == (0, b"")
    assert sorted((tmp_path / "ran").read_text().split()) == ["a", "b/c", "d"]


def test_interrupted_job_has_no_results(weft, tmp_path):
    """What it had written is there, but under another name; it is run again."""
    command = ["run", "-j1", "--results", "out", "--resume", "echo {}; [ -e go ] || head -c 2000000 /dev/zero; "
               "[ -e go ] || cat fifo"]
    os.mkfifo(tmp_path / "fifo")
    program = weft.start(*command, ":::", "a", cwd=tmp_path)
    with open(tmp_path / "fifo", "wb"):         # the job is there
        program.signal(2)
        assert program.wait() == 255
    assert sorted(files(tmp_path / "out")) in (["1/a/seq"], ["1/a/seq", "1/a/stdout.1.part"])
    (tmp_path / "go").touch()
    assert weft.run(*command, ":::", "a", cwd=tmp_path)[:2] == (0, b"")
    assert files(tmp_path / "out") == {"1/a/seq": b"1", "1/a/stdout": b"a\n", "1/a/stderr": b""}


@pytest.mark.parametrize("path, words", [("out", "cannot keep results in out/1/a/"),
                                         ("out.csv", "cannot write out.csv")])
def test_no_room(weft, tmp_path, path, words):
    """The disk cannot take it: said, no success, and the job log does not call it done."""
    line = "trap '' XFSZ; ulimit -f 100; exec \"$@\""
    command = ["sh", "-c", line, "sh", WEFT, "run", "--joblog", "log", "--results", path,
               "trap - XFSZ; ulimit -S -f unlimited; head -c 300000 /dev/zero; true {}", ":::", "a"]
    status, output, talk = weft.command(command, cwd=tmp_path).result()
    assert (status, output) == (255, b"") and words in talk and "File too large" in talk
    if path == "out":
        assert len((tmp_path / "log").read_text().splitlines()) == 1
        assert "1/a/stdout" not in files(tmp_path / "out")


def test_same_values_are_told(weft, tmp_path):
    status, _, talk = weft.run("run", "-j1", "--results", "out", "echo {#}", ":::", "a", "a", "a", cwd=tmp_path)
    assert status == 0 and talk.count("same results file") == 1
    assert files(tmp_path / "out")["1/a/stdout"] == b"3\n"


def test_memory_is_bounded(tmp_path):
    """However much a job writes, and however it is kept."""
    script = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); " \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
    for path in "out", "out.csv":
        done = subprocess.run(["/usr/bin/python3", "-c", script, WEFT, "run", "--results", path,
                               "head -c 200000000 /dev/zero; true {}", ":::", "a"], cwd=tmp_path, timeout=3 * LIMIT,
                              env=dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1"), stdout=subprocess.PIPE)
        assert done.returncode == 0 and int(done.stdout) < 120000       # kB; the job writes 200 MB
    assert (tmp_path / "out/1/a/stdout").stat().st_size == 200000000
    assert (tmp_path / "out.csv").stat().st_size > 200000000


@pytest.mark.parametrize("arguments, words", [
    (["--results", "file/x"], "file/x/1/a/seq"),
    (["--results", "/nonexistent/x.csv"], "/nonexistent/x.csv"),
    (["--results", ""], "folder"),
    (["--results", "x.csv", "--resume"], "--joblog"),
    (["--results", "x", "--resume-failed"], "--joblog"),
])
def test_refusals(weft, tmp_path, arguments, words):
    (tmp_path / "file").touch()
    status, output, talk = weft.run("run", *arguments, "echo", ":::", "a", cwd=tmp_path)
    assert (status, output) == (255, b"") and words in talk


def test_results_are_for_the_head(weft, tmp_path):
    status, _, talk = weft.run("ventilator", "ipc://%s/head" % tmp_path, "--sink", "ipc://%s/sink" % tmp_path,
                               "--results", "out", "echo", ":::", "a", cwd=tmp_path)
    assert status == 255 and "--sink" in talk and not (tmp_path / "out").exists()


def test_results_of_workers(weft, somewhere, tmp_path):
    head = weft.start("ventilator", "-b", somewhere, "--results", "out", "echo {}; echo {#} >&2", ":::", "a", "b",
                      cwd=tmp_path)
    worker = weft.start("worker", "-c", head.endpoint)
    assert head.result()[:2] == (0, b"") and worker.wait() == 0
    assert files(tmp_path / "out") == {"1/a/seq": b"1", "1/a/stdout": b"a\n", "1/a/stderr": b"1\n",
                                       "1/b/seq": b"2", "1/b/stdout": b"b\n", "1/b/stderr": b"2\n"}
