"""What the Python tests share: start weft programs, wait for what they say, end them.

Every wait has a limit, nothing sleeps, ports are chosen by the system: a program that binds to
port 0 says where it listens, and that line is waited for. What a test leaves running is ended
by its process id when the test ends."""

import os
import re
import select
import signal
import subprocess
import threading
import time

WEFT = os.environ.get("WEFT", "build/weft")
LIMIT = 20          # seconds that a test waits for anything before it gives up
ANY_TCP = "tcp://127.0.0.1:0"

# A shell that runs the tests in the background ignores SIGINT, which our children would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def is_sanitized():
    """A program that reserves more memory than any limit would leave it."""
    with open(WEFT, "rb") as program:
        return b"__asan_init" in program.read()


def until(ready, what, limit=LIMIT):
    """Asks again and again, of what nobody tells: files, tables, processes. Returns what ready () said."""
    deadline = time.monotonic() + limit
    while True:
        found = ready()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain for " + what
        time.sleep(0.005)


class Stream:
    """A pipe that is read as it comes, so that a program never waits for its reader."""

    def __init__(self, pipe):
        self.pipe, self.data, self.ended = pipe, b"", False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            chunk = os.read(self.pipe.fileno(), 1 << 16)
            with self.changed:
                self.data += chunk
                self.ended = not chunk
                self.changed.notify_all()
            if not chunk:
                return

    def wait(self, ready, what, limit=LIMIT):
        """Waits until ready (data) is true, and returns that."""
        deadline = time.monotonic() + limit
        with self.changed:
            while True:
                found = ready(self.data)
                if found:
                    return found
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise AssertionError("%s: waited for %s; there is %r" %
                                         ("the stream has ended" if self.ended else "in vain", what, self.data[-2000:]))
                self.changed.wait(left)


class Program:
    """A program that runs. `input` is written to it and ended, unless it is OPEN."""

    OPEN = object()

    def __init__(self, command, input=b"", **options):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        bufsize=0, **options)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.out, self.talk = Stream(self.process.stdout), Stream(self.process.stderr)
        self.writer = None
        if input is not Program.OPEN:
            self.writer = threading.Thread(target=self.feed, args=(input,), daemon=True)
            self.writer.start()

    def feed(self, data):
        try:
            self.write(data, 10 * LIMIT)
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def write(self, data, limit=LIMIT):
        data, deadline, pipe = memoryview(data), time.monotonic() + limit, self.process.stdin.fileno()
        while data:
            if not select.select([], [pipe], [], max(0, deadline - time.monotonic()))[1]:
                raise AssertionError("%r does not read its input" % self.command)
            data = data[os.write(pipe, data):]

    def close_input(self):
        self.process.stdin.close()

    def endpoints(self, count=1):
        """The addresses of its first ready lines."""
        def found(talk):
            lines = re.findall(rb"^weft \w+: listening on (\S+)$", talk, re.M)
            return lines[:count] if len(lines) >= count else None
        return [endpoint.decode() for endpoint in self.talk.wait(found, "%d ready lines" % count)]

    @property
    def endpoint(self):
        return self.endpoints()[0]

    def expect(self, data):
        """Waits until that is what it has written."""
        self.out.wait(lambda written: len(written) >= len(data), "output %r" % data[:200])
        assert self.out.data == data

    def expect_talk(self, pattern):
        return self.talk.wait(lambda talk: re.search(pattern.encode(), talk, re.M), "talk that matches " + pattern)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(LIMIT)

    def wait(self, limit=LIMIT):
        """Its exit status, when it has ended and all its output was read."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError("%r goes on; it wrote %r and said %r" %
                                 (self.command, self.out.data[-500:], self.talk.data[-2000:])) from None
        self.out.thread.join(LIMIT)
        self.talk.thread.join(LIMIT)
        return status

    def result(self, limit=LIMIT):
        """Exit status, output, talk."""
        status = self.wait(limit)
        return status, self.out.data, self.talk.data.decode(errors="replace")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)
        if self.writer:
            self.writer.join(LIMIT)
        for stream in (self.out, self.talk):
            stream.thread.join(LIMIT)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


class Running:
    """The programs of one test."""

    OPEN = Program.OPEN

    def __init__(self):
        self.programs = []

    def command(self, command, **options):
        program = Program(command, **options)
        self.programs.append(program)
        return program

    def start(self, *arguments, **options):
        """A weft program, left running."""
        return self.command([WEFT, *arguments], **options)

    def run(self, *arguments, limit=LIMIT, **options):
        """A weft program, until its end: exit status, output, talk."""
        return self.start(*arguments, **options).result(limit)

    def end(self):
        for program in self.programs:
            program.end()
