"""A socket of another library in a process of its own, driven by lines: czmq_peer.c and node/peer.js."""


def to_line(*frames):
    return (" ".join(frame.hex() or "-" for frame in frames) + "\n").encode()


def from_line(line):
    return [b"" if frame == b"-" else bytes.fromhex(frame.decode()) for frame in line.split()]


class Peer:
    """The socket: what is written to it is sent, what it receives is read."""

    def __init__(self, running, command, *arguments, **options):
        self.program = running.command([*command, *arguments], input=running.OPEN, **options)
        self.lines = 0
        self.endpoint = self.next_line().split()[1].decode()

    def next_line(self):
        self.lines += 1
        return self.program.out.wait(lambda data: data.count(b"\n") >= self.lines and data.splitlines()[self.lines - 1],
                                     "line %d" % self.lines)

    def receive(self):
        return from_line(self.next_line())

    def send(self, *frames):
        self.program.write(to_line(*frames))

    def finish(self):
        self.program.close_input()
        assert self.program.wait() == 0, self.program.talk.data
