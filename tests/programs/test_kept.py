"""What a job was made of is in the ledger: tags, places of results and order, also after a head that was killed."""

import signal

import pytest

OK, BAD = 0, 255

# Jobs of the second value 2 wait for a file; which have begun is seen by marks.
COMMAND = "test {2} -lt 2 || { touch %s/at.{1}; until test -e %s/go; do sleep 0.05; done; }; " \
          "echo {#} $PARALLEL_SEQ {1}{2}"
VALUES = ["a", "b", "c"], ["1", "2", "3"]


@pytest.fixture
def cut(weft, tmp_path):
    """A run of nine jobs that was killed while the second ran: what it printed, and what it was."""
    def run(*options):
        jobs = [COMMAND % (tmp_path, tmp_path), ":::", *VALUES[0], ":::", *VALUES[1]]
        head = weft.start("run", "-j1", "-t", "--ledger", str(tmp_path / "ledger"), *options, *jobs)
        head.talk.wait(lambda talk: talk.count(b"touch") >= 2, "the second job")
        if "--results" not in options:
            head.out.wait(lambda out: out.endswith(b"\n"), "what the first job wrote")
        head.kill()
        (tmp_path / "go").touch()
        return head.out.data, jobs
    return run


def lines(numbers, tag=lambda one, two: ""):
    pairs = [(one, two) for one in VALUES[0] for two in VALUES[1]]
    return "".join("%s%d %d %s%s\n" % (tag(*pairs[number - 1]), number, number, *pairs[number - 1])
                   for number in numbers).encode()


@pytest.mark.parametrize("again", [False, True])
def test_tags_and_order_are_kept(weft, tmp_path, cut, again):
    """With the input given again, and without any."""
    options = ["-k", "--tagstring", "{2}{1}"]
    def tag(one, two):
        return "%s%s\t" % (two, one)
    printed, jobs = cut(*options)
    assert printed == lines([1], tag)
    status, output, talk = weft.run("run", "-j4", "--resume", "--ledger", str(tmp_path / "ledger"), *options,
                                    *(jobs if again else []))
    assert (status, output) == (OK, lines(range(2, 10), tag)), talk


def test_a_tag_that_was_not_asked_for_before(weft, tmp_path, cut):
    """The values are kept, not the tag."""
    printed, _jobs = cut()
    assert printed == lines([1])
    status, output, talk = weft.run("run", "-k", "--tag", "--resume", "--ledger", str(tmp_path / "ledger"))
    assert (status, output) == (OK, lines(range(2, 10), lambda *pair: "%s %s\t" % pair)), talk


def test_results_are_placed(weft, tmp_path, cut):
    results = tmp_path / "results"
    cut("--results", str(results))
    status, output, talk = weft.run("run", "-j3", "--resume", "--ledger", str(tmp_path / "ledger"),
                                    "--results", str(results))
    assert (status, output) == (OK, b""), talk
    found = {}
    for path in results.glob("1/*/2/*/stdout"):
        assert (path.parent / "seq").read_text() == path.read_text().split()[0]
        found[int(path.read_text().split()[0])] = path.read_bytes()
    # The end of the first may be in the ledger, and its file have its name not yet.
    left = {str(path.parent.relative_to(results)) for path in results.glob("**/*.part")}
    assert left <= (set() if 1 in found else {"1/a/2/1"})
    found.setdefault(1, lines([1]))
    assert b"".join(found[number] for number in sorted(found)) == lines(range(1, 10))


def test_names_of_columns_are_kept(weft, tmp_path):
    ledger, options = str(tmp_path / "ledger"), ["-k", "--tagstring", "{x}"]
    head = weft.start("run", *options, "-j1", "--header", ":", "-t", "--ledger", ledger, "sleep {y}; echo {y}",
                      ":::", "x", "a", "b", ":::", "y", "1000", "0")
    head.talk.wait(lambda talk: b"sleep" in talk, "the first job")
    head.kill()
    head = weft.start("run", "-j2", *options, "-t", "--ledger", ledger, "--resume",
                      "--results", str(tmp_path / "{y}-{x}"))
    head.talk.wait(lambda talk: talk.count(b"sleep 1000") == 2, "the jobs that stay")
    head.signal(signal.SIGINT)
    assert head.wait() == BAD
    assert (tmp_path / "1000-b.seq").exists()


def test_jobs_of_the_line_that_were_given_up(weft, tmp_path):
    """What was cancelled holds nobody up: those after it that have ended are printed."""
    head = weft.start("run", "-k", "-j2", "-t", "--ledger", str(tmp_path / "ledger"), "sleep {}; echo {}", ":::",
                      "1000", "0", "0", "999")
    head.talk.wait(lambda talk: b"sleep 999" in talk, "the last job")
    head.signal(signal.SIGINT)
    assert head.wait() == BAD
    assert head.out.data == b"0\n0\n"


def test_new_jobs_have_the_numbers_of_their_input(weft, tmp_path):
    """$PARALLEL_SEQ is {#}, whatever number the ledger gives."""
    ledger = str(tmp_path / "ledger")
    assert weft.run("run", "--ledger", ledger, "true", ":::", "1", "2", "3")[0] == OK
    status, output, _talk = weft.run("run", "-k", "--ledger", ledger, "--resume", "echo {#} $PARALLEL_SEQ {}", ":::",
                                     "x", "y")
    assert (status, output) == (OK, b"1 1 x\n2 2 y\n")
    log = tmp_path / "log"
    assert weft.run("run", "--joblog", str(log), "true", ":::", "1", "2")[0] == OK
    status, output, _talk = weft.run("run", "--joblog", str(log), "--resume", "--trust-joblog", "echo $PARALLEL_SEQ",
                                     ":::", "1", "2", "3")
    assert (status, output) == (OK, b"3 3\n")


def test_rows_are_not_written_over(weft, tmp_path):
    """A file of rows begins with each run: what an earlier one has in it would be lost."""
    ledger, rows = str(tmp_path / "ledger"), tmp_path / "rows.csv"
    assert weft.run("run", "--ledger", ledger, "--results", str(rows), "echo", ":::", "a")[0] == OK
    was = rows.read_bytes()
    assert b",a," in was
    status, _output, talk = weft.run("run", "--ledger", ledger, "--resume", "--results", str(rows), "echo", ":::", "b")
    assert status == BAD
    assert "another file" in talk
    assert rows.read_bytes() == was
    other = tmp_path / "other.csv"
    assert weft.run("run", "--ledger", ledger, "--resume", "--results", str(other), "echo", ":::", "b")[0] == OK
    assert b",b," in other.read_bytes()


def test_what_has_its_turn_does_not_wait_for_the_end(weft, tmp_path):
    """The turns of jobs that had ended before are not waited for."""
    ledger = str(tmp_path / "ledger")
    command = "test {} -lt 2 || until test -e %s/go; do sleep 0.05; done; " \
              "test {} -lt 3 || until test -e %s/last; do sleep 0.05; done; echo {}" % (tmp_path, tmp_path)
    head = weft.start("run", "-j1", "--ledger", ledger, command, ":::", "1", "2", "3")
    head.out.wait(lambda out: out == b"1\n", "the first job")
    head.kill()
    (tmp_path / "go").touch()
    head = weft.start("run", "-k", "-j2", "--ledger", ledger, "--resume")
    head.out.wait(lambda out: out == b"2\n", "the second job")
    (tmp_path / "last").touch()
    assert head.wait() == OK
    assert head.out.data == b"2\n3\n"
