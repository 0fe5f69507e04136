"""Listeners that are attacked, each with an authorised peer that works with it all the while."""

import contextlib
import os
import re
import resource
import socket
import threading

import zmq
import zmq.auth

from running import ANY_TCP, LIMIT, Running


class Keys:
    """A folder of keys: `server` listens, `friend` is on its list, and nobody else."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.environment = {**os.environ, "WEFT_KEYS": self.folder}
        running = Running()
        for command in (["new", "server"], ["new", "friend"], ["allow", "friend", self.folder + "/friend.key"]):
            status, _output, talk = running.run("key", *command, env=self.environment)
            assert status == 0, talk
        running.end()
        self.server = self.pair("server")[0]

    def pair(self, name):
        return zmq.auth.load_certificate("%s/%s.key" % (self.folder, name))


class Place:
    """A weft program that listens, with keys or in clear text."""

    kind = None         # of socket that it speaks with
    command = None

    def __init__(self, weft, keys, *options, at=ANY_TCP, descriptors=None, alone=False, **more):
        self.keys = keys
        self.server_key = keys and keys.server
        secured = ["--key", "server"] if keys else []
        limit = descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))
        self.weft = weft
        self.program = weft.start(self.command[0], *secured, *options, "-b", at, *self.command[1:], preexec_fn=limit,
                                  env=keys.environment if keys else None, **more)
        self.endpoint = self.program.endpoint
        if at == ANY_TCP:
            self.family, self.address = socket.AF_INET, ("127.0.0.1", int(self.endpoint.rsplit(":", 1)[1]))
        else:
            self.family, self.address = socket.AF_UNIX, self.endpoint[len("ipc://"):]
        self.context = zmq.Context()
        self.number = 0
        if not alone:
            self.join()

    def socket(self, kind, context=None):
        peer = (context or self.context).socket(kind)
        peer.linger = 0
        peer.rcvtimeo = peer.sndtimeo = LIMIT * 1000
        if self.keys:
            peer.curve_publickey, peer.curve_secretkey = self.keys.pair("friend")
            peer.curve_serverkey = self.server_key
        return peer

    def join(self):
        """The authorised peer comes."""

    def rejoin(self):
        """It comes once more."""
        self.peer.close()
        self.join()

    def exchange(self):
        """It and the listener exchange a message, which nobody else has."""
        self.number += 1
        self.ask(b"%d" % self.number)

    def shown(self, line):
        self.program.out.wait(lambda data: data.startswith(line + b"\n") or b"\n" + line + b"\n" in data[-(1 << 16):],
                              "line %r" % line)

    def peak(self):
        """MiB of memory that it has had at most."""
        with open("/proc/%d/status" % self.program.process.pid, encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024

    @contextlib.contextmanager
    def at_work(self, least=20):
        """Exchanges, one after the other, from before the body until it has ended and `least` are done."""
        done, failure = threading.Event(), []
        self.exchange()

        def work():
            try:
                last = None
                while last is None or self.number < last:
                    self.exchange()
                    if done.is_set() and last is None:
                        last = max(self.number + 1, least)
            except Exception as error:      # shown by whoever waits
                failure.append(error)
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        try:
            yield
        finally:
            done.set()
            worker.join(3 * LIMIT)
        if failure:
            raise AssertionError("the authorised peer was not served (number %d): %r\n%s" %
                                 (self.number, failure[0], self.program.talk.data.decode(errors="replace")[-3000:]))
        assert not worker.is_alive(), "the authorised peer waits at number %d" % self.number
        assert self.program.process.poll() is None, self.program.result()

    def end(self):
        self.context.destroy(linger=0)


class Rep(Place):
    kind = "REQ"
    command = ["rep", "--echo"]

    def join(self):
        self.peer = self.socket(zmq.REQ)
        self.peer.connect(self.endpoint)

    def ask(self, text):
        self.peer.send(text)
        assert self.peer.recv() == text


class Pull(Place):
    kind = "PUSH"
    command = ["pull"]

    def join(self):
        self.peer = self.socket(zmq.PUSH)
        self.peer.connect(self.endpoint)

    def ask(self, text):
        self.peer.send(b"exchange " + text)
        self.shown(b"exchange " + text)


class Push(Place):
    kind = "PULL"
    command = ["push"]

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, input=Running.OPEN, **more)

    def join(self):
        self.peer = self.socket(zmq.PULL)
        self.peer.connect(self.endpoint)

    def ask(self, text):
        self.program.write(b"exchange " + text + b"\n")
        assert self.peer.recv() == b"exchange " + text


class Pub(Place):
    kind = "SUB"
    command = ["pub", "--wait-subs", "1"]

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, input=Running.OPEN, **more)

    def join(self):
        self.peer = self.socket(zmq.SUB)
        self.peer.subscribe(b"exchange ")
        self.peer.connect(self.endpoint)

    def rejoin(self):
        """Nobody tells it when it has been subscribed to."""
        super().rejoin()
        while not self.peer.poll(10):
            self.program.write(b"exchange with nobody\n")
        self.program.write(b"exchange now\n")
        while self.peer.recv() != b"exchange now":
            pass

    def ask(self, text):
        self.program.write(b"exchange " + text + b"\n")
        assert self.peer.recv() == b"exchange " + text


class Head(Place):
    """A pool, and a worker that is a weft program."""

    kind = "DEALER"
    command = ["ventilator", "-a", "-", "echo exchange"]

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, input=Running.OPEN, **more)

    def join(self):
        secured = ["--key", "friend", "--server-key", "server"] if self.keys else []
        self.worker = self.weft.start("worker", "-c", self.endpoint, "-j", "1", *secured,
                                      env=self.keys.environment if self.keys else None)

    def rejoin(self):
        self.worker.end()
        self.join()

    def ask(self, text):
        self.program.write(text + b"\n")
        self.shown(b"exchange " + text)


VICTIMS = {"rep": Rep, "pull": Pull, "push": Push, "pub": Pub, "head": Head}
