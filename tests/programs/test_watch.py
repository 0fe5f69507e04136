"""weft jobs --watch: on a terminal, which is put back as it was, and as lines."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios

import pytest

from running import Stream, until

OK, FAILED = 0, 1
ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"
LONG = "漢字" * 60


class Screen(Stream):
    """What a terminal was sent. It ends with an error when nobody has it open any more."""

    def read(self):
        try:
            super().read()
        except OSError:
            with self.changed:
                self.ended = True
                self.changed.notify_all()


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, weft, *arguments, rows=24, columns=80):
        self.master, self.slave = os.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        def own():
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        self.program = subprocess.Popen([os.environ["WEFT"], *arguments], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True, preexec_fn=own)
        self.screen = Screen(os.fdopen(os.dup(self.master), "rb", buffering=0))

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, ready, what):
        self.screen.wait(ready, what)

    def key(self, keys):
        os.write(self.master, keys)

    def end(self):
        status = self.program.wait(20)
        after = termios.tcgetattr(self.slave)
        assert after == self.before
        self.wait(lambda data: data.count(LEAVE) == data.count(ENTER) == 1, "the other screen to be left")
        assert b"\033[?25h" in self.screen.data
        return status

    def close(self):
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal(weft, terminals):
    made = []
    def start(*arguments, **size):
        made.append(Terminal(weft, *arguments, **size))
        return made[-1]
    yield start
    for one in made:
        one.close()


@pytest.fixture
def running(weft, tmp_path):
    """A ledger of three jobs: one has failed, one runs, one waits; and its head."""
    ledger = str(tmp_path / "ledger")
    head = weft.start("run", "-j1", "-t", "--ledger", ledger, ": %s; test {} != 1 && while ! test -e %s/go; "
                      "do sleep 0.05; done" % (LONG, tmp_path), ":::", "1", "2", "3")
    until(lambda: b", 1 failed, 1 started" in weft.run("jobs", ledger, "summary")[1], "the second job")
    yield ledger, head, tmp_path / "go"


def whole(data):
    return b"running" in data and b"last failed" in data and b"\033[J" in data


@pytest.mark.parametrize("how", ["q", "interrupt", "signal"])
def test_it_is_left(terminal, running, how):
    ledger, _head, _go = running
    screen = terminal("jobs", ledger, "--watch")
    screen.wait(whole, "what goes on")
    if how == "signal":
        screen.program.send_signal(signal.SIGTERM)
    else:
        screen.key(b"q" if how == "q" else b"\x03")
    assert screen.end() == OK


def test_workers_of_short_jobs_are_there(terminal, weft, tmp_path):
    """Of most of them it is never told that they were started."""
    ledger, go = str(tmp_path / "ledger"), tmp_path / "go"
    weft.start("run", "-j1", "--ledger", ledger, "test {} != 101 || while ! test -e %s; do sleep 0.05; done" % go,
               ":::", *map(str, range(1, 102)))
    until(lambda: b"100 done, 0 failed, 1 started" in weft.run("jobs", ledger, "summary")[1], "the last job")
    screen = terminal("jobs", ledger, "--watch")
    screen.wait(lambda data: b" 1 running, 100 ended of late" in data, "the worker")
    go.touch()
    assert screen.end() == OK


def test_it_ends_with_the_jobs(terminal, running):
    ledger, head, go = running
    screen = terminal("jobs", "--watch", ledger)
    screen.wait(lambda data: b"3 jobs: 0 done, 1 failed, 1 started, 1 waiting" in data and whole(data), "what goes on")
    assert b"exit 1" in screen.screen.data and b"local-1" in screen.screen.data
    go.touch()
    head.wait()
    assert screen.end() == FAILED
    assert screen.screen.data.split(LEAVE)[1].startswith(b"3 jobs: 2 done, 1 failed, 0 started, 0 waiting")


def columns_of(line):
    return sum(2 if letter in LONG else 1 for letter in line)


@pytest.mark.parametrize("rows, columns", [(24, 80), (10, 41), (5, 20), (1, 1)])
def test_it_fits(terminal, running, rows, columns):
    """No line is wider than the terminal, there are no more than it has, and no character is cut in two; also when the
    terminal is made another size, which is drawn at once."""
    ledger, _head, _go = running
    screen = terminal("jobs", "--watch", ledger, rows=50, columns=150)
    screen.wait(whole, "what goes on")
    assert LONG[:20].encode() in screen.screen.data
    screen.size(rows, columns)
    def small(data):
        last = data.split(b"\033[H")[-1]
        return last.endswith(b"\033[J") and last.count(b"\n") < rows and \
            max(map(columns_of, last[:-3].decode().replace("\033[K", "").replace("\r", "").split("\n"))) <= columns
    screen.wait(small, "what fits")
    screen.key(b"q")
    assert screen.end() == OK


def test_lines_where_there_is_no_terminal(weft, running):
    ledger, head, go = running
    plain = weft.start("jobs", "--watch", ledger)
    plain.out.wait(lambda out: out.endswith(b"3 jobs: 0 done, 1 failed, 1 started, 1 waiting\n"), "a line")
    objects = weft.start("jobs", "--watch", "--json", ledger)
    objects.out.wait(lambda out: out.endswith(b"\n"), "an object")
    go.touch()
    head.wait()
    assert plain.wait() == objects.wait() == FAILED
    assert plain.out.data.endswith(b"\n3 jobs: 2 done, 1 failed, 0 started, 0 waiting\n")
    first, last = [json.loads(objects.out.data.splitlines()[index]) for index in (0, -1)]
    assert first == {"jobs": 3, "done": 0, "failed": 1, "started": 1, "waiting": 1, "rate": None, "eta": None}
    assert (last["done"], last["started"], last["eta"]) == (2, 0, 0)


def test_it_shows_all_or_nothing(weft, running):
    ledger, _head, _go = running
    status, _output, talk = weft.run("jobs", "--watch", ledger, "list")
    assert status == 2 and "--watch" in talk
