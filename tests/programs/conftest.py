"""What the tests of the programs share: GNU parallel, small disks, terminals, a head that is killed,
clients over TCP."""

import os
import socket
import struct
import subprocess

import pytest

from running import LIMIT


@pytest.fixture(scope="module")
def parallel_home(tmp_path_factory):
    """A home in which GNU parallel does not ask to be cited."""
    home = tmp_path_factory.mktemp("home")
    (home / ".parallel").mkdir()
    (home / ".parallel" / "will-cite").touch()
    return dict(os.environ, HOME=str(home), PARALLEL_SHELL="/bin/sh")


@pytest.fixture
def parallel(parallel_home, tmp_path):
    """Runs GNU parallel: exit status, output."""
    def run(*arguments, input=b""):
        done = subprocess.run(["parallel", *arguments], input=input, env=parallel_home, cwd=tmp_path, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.returncode, done.stdout
    return run


class SmallDisk:
    """A file system in memory."""

    def __init__(self, folder, size):
        self.folder = folder
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=" + size, "weft", str(folder)],
                          capture_output=True).returncode:
            pytest.skip("no tmpfs can be mounted here: a full disk is not tested")

    def enlarge(self, size):
        subprocess.run(["mount", "-o", "remount,size=" + size, str(self.folder)], check=True)

    def end(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """small_disk (SIZE) is one, for the test."""
    made = []

    def make(size):
        made.append(SmallDisk(tmp_path / "disk", size))
        return made[-1]
    yield make
    for disk in made:
        disk.end()


@pytest.fixture
def halfway(weft, tmp_path):
    """halfway (OPTION ...): a head is killed that has printed a part of what its one job, 1, writes; another goes on
    with the ledger and these options, and it and the worker end well. That head, and how many bytes the job wrote."""
    def play(*options):
        head = ["ventilator", "-b", "ipc://%s/pool" % tmp_path, "-u", "--ledger", str(tmp_path / "ledger")]
        wait = "while ! test -e %s/%%s; do sleep 0.05; done" % tmp_path
        jobs = ["head -c 200000 /dev/zero; %s; echo more; %s; echo {}" % (wait % "step", wait % "go"), ":::", "1"]
        first = weft.start(*head, *jobs)
        assert first.endpoint
        worker = weft.start("worker", "-c", first.endpoint)
        first.out.wait(lambda data: len(data) >= 3 * 65536, "output")
        (tmp_path / "step").touch()
        first.out.wait(lambda data: data.endswith(b"more\n"), "more output")
        first.kill()
        second = weft.start(*head, "--resume", *options, *jobs)
        assert second.endpoint
        (tmp_path / "go").touch()
        assert (second.wait(), worker.wait()) == (0, 0), second.talk.data
        return second, 200000 + len("more\n1\n")
    return play


@pytest.fixture
def terminals():
    """There are some; a bare chroot has none."""
    try:
        os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        pytest.skip("no terminal can be had: %s" % error)


class Client:
    """A plain socket that reads by lines."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), LIMIT)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        return self.file.readline()

    def ask(self, line):
        self.send(line)
        return self.line()

    def read(self, size=-1):
        return self.file.read(size)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.file.close()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.file.close()
        self.socket.close()

    @property
    def name(self):
        return "%s:%d" % self.socket.getsockname()


@pytest.fixture
def connect():
    """connect (HOST:PORT) is a Client."""
    clients = []

    def run(address):
        clients.append(Client(address))
        return clients[-1]
    yield run
    for client in clients:
        client.close()
