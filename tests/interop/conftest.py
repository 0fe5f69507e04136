"""The other side of the interop tests: pyzmq here, CZMQ and zeromq.js as programs."""

import os
import shlex
import shutil
import subprocess

import pytest
import zmq

from running import ANY_TCP, LIMIT

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """Sockets of pyzmq in a context of their own, with a limit on every wait."""

    def __init__(self, somewhere):
        self.context = zmq.Context()
        self.somewhere = somewhere

    def socket(self, kind, **options):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = LIMIT * 1000
        for name, value in options.items():
            setattr(socket, name, value)
        return socket

    def bound(self, kind, **options):
        """A socket that is bound, and where."""
        socket = self.socket(kind, **options)
        socket.bind("tcp://127.0.0.1:*" if self.somewhere == ANY_TCP else self.somewhere)
        return socket, socket.get(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def connected(self, kind, endpoint, **options):
        socket = self.socket(kind, **options)
        socket.connect(endpoint)
        return socket

    def end(self):
        self.context.destroy(linger=0)


@pytest.fixture
def peer(somewhere):
    """A pyzmq peer; `somewhere` is where one of both sides binds."""
    peer = Peer(somewhere)
    yield peer
    peer.end()


def compiled(folder, name):
    """A program of CZMQ's."""
    program = str(folder / name)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libczmq", "libzmq"], capture_output=True, text=True,
                           check=True)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-std=gnu11", "-Wall", "-Wextra", "%s/%s.c" % (HERE, name), "-o", program,
                    *flags.stdout.split()], check=True)
    return program


@pytest.fixture(scope="session")
def czmq_cert(tmp_path_factory):
    program = compiled(tmp_path_factory.mktemp("czmq"), "czmq_cert")

    def run(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout.strip()
    return run


@pytest.fixture(scope="session")
def czmq_peer(tmp_path_factory):
    return [compiled(tmp_path_factory.mktemp("czmq"), "czmq_peer")]


@pytest.fixture(scope="session")
def node():
    """node (PACKAGE, PROGRAM) is the command of a program in node/ that uses the package."""
    def command(package, program):
        try:
            probe = subprocess.run(["node", "-e", "require('%s')" % package], cwd=HERE, capture_output=True, timeout=60)
        except FileNotFoundError:
            pytest.skip("there is no node")
        if probe.returncode != 0:
            pytest.skip("there is no %s: npm ci in tests/interop installs it" % package)
        return ["node", "%s/node/%s" % (HERE, program)]
    return command


@pytest.fixture(scope="session")
def zeromq_js(node):
    return node("zeromq", "peer.js")


@pytest.fixture
def chromium(node, tmp_path):
    """chromium (PROGRAM) is the command of a program in node/ that drives the browser, and an environment in which
    that leaves nothing outside of the test's folder."""
    if not shutil.which("chromium"):
        pytest.skip("there is no chromium")
    return lambda program: (node("playwright-core", program),
                            {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
