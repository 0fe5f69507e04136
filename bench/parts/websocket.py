"""WebSockets through weft bridge, beside Node's ws and websocketd."""
import contextlib
import fcntl
import os
import subprocess
import time

from compare import Comparison, Contestant, Failure, Target

from .common import HERE, LIMIT, free_port, missing_tool, resident, running

SIZE = 64                           # bytes of a message: ten digits and what fills it
NPM = os.path.join(HERE, "..", "tests", "interop")


def missing_npm(name):
    if not os.path.isdir(os.path.join(NPM, "node_modules", name)):
        return f"{name} is not there: npm ci --ignore-scripts --prefix tests/interop"
    return missing_tool("node", "nodejs")


def node(*arguments):
    return ["/usr/bin/env", "NODE_PATH=" + os.path.join(NPM, "node_modules"), "node", os.path.join(HERE, "ws_node.js"),
            *map(str, arguments)]


def weft_ws(port, *arguments):
    return ["bridge", "ws", "--listen", f"127.0.0.1:{port}", *arguments]


def messages(setting, count):
    """A file of those that clients wait for, a line each."""
    path = setting.path(f"messages-{count}")
    if not os.path.exists(path):
        with open(path, "w") as file:
            file.writelines(f"{number:010}".ljust(SIZE, "x") + "\n" for number in range(count))
    return path


class Clients:
    """ws_client, once all its clients are connected; told says what else it has said."""

    def __init__(self, setting, what, port, path, count, *more):
        command = [setting.program("ws_client"), what, port, path, count, *more]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            self.told()

    def told(self):
        try:
            told, error = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"not all messages have come within {LIMIT} s") from None
        if self.process.returncode:
            raise Failure(error.strip()[-300:])
        return {name: int(value) / 1e9 for name, value in (line.split() for line in told.splitlines())}


def contestant(setting, name, play, missing=""):
    return Contestant(name, play, missing or setting.missing_weft() or setting.missing_program("ws_client"))


# ------------------------------------------------------------------------ push

def push(setting, name, server, clients, count, missing=""):
    """From the start of the clients to the end of the one that pulls, which has all that they have sent."""
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint, output = f"tcp://127.0.0.1:{fabric}", setting.path("pulled")
        with open(output, "wb") as file:
            pull = subprocess.Popen([setting.weft, "pull", endpoint, "--count", str(count)], stdout=file,
                                    stderr=subprocess.DEVNULL)
        try:
            with running(setting, (server(foreign, endpoint), foreign)):
                start = time.monotonic()
                sending = Clients(setting, "push", foreign, "/push", clients, SIZE, count)
                pull.wait(LIMIT)
                took = time.monotonic() - start
                sending.told()
        except subprocess.TimeoutExpired:
            raise Failure(f"not all messages have come within {LIMIT} s") from None
        finally:
            pull.kill()
            pull.wait(LIMIT)
        found = os.path.getsize(output)
        if found != count * (SIZE + 1):
            raise Failure(f"{found} bytes have come of {count} messages of {SIZE} B")
        return {"rate": count / took}
    return contestant(setting, name, play, missing)


# ------------------------------------------------------------------- broadcast

def relay(setting, name, server, clients, count, missing=""):
    """From the first message that a client sends until all others have all of them."""
    def play():
        port = free_port()
        with running(setting, (server(port), port)):
            told = Clients(setting, "relay", port, "/", clients, SIZE, count).told()
        return {"rate": clients * count / (told["ended"] - told["began"])}
    return contestant(setting, name, play, missing)


def publish(setting, name, clients, count):
    """From the start of the one that publishes until all clients have all."""
    def play():
        fabric, port = free_port(), free_port()
        endpoint = f"tcp://127.0.0.1:{fabric}"
        with running(setting, (weft_ws(port, "--sub", endpoint, "--when-full", "block"), port)):
            hearing = Clients(setting, "hear", port, "/sub", clients, SIZE, count)
            start = time.monotonic()
            with open(messages(setting, count)) as lines:
                pub = subprocess.Popen([setting.weft, "pub", endpoint, "--no-drop", "--wait-subs", "1"], stdin=lines,
                                       stderr=subprocess.DEVNULL)
            try:
                ended = hearing.told()["ended"]
            finally:
                pub.kill()
                pub.wait(LIMIT)
        return {"rate": clients * count / (ended - start)}
    return contestant(setting, name, play)


@contextlib.contextmanager
def gate(path):
    """Closed; whoever waits for `flock --shared PATH` waits until it is opened."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def websocketd(setting, clients, count):
    """It starts a process for each client and knows no broadcast: each is cat, which has all messages at hand."""
    def play():
        port, path = free_port(), setting.path("gate")
        command = ["/usr/bin/websocketd", f"--port={port}", "--address=127.0.0.1", "--loglevel=error",
                   "flock", "--shared", "--no-fork", path, "cat", messages(setting, count)]
        with gate(path) as closed, running(setting, (command, port)):
            hearing = Clients(setting, "hear", port, "/", clients, SIZE, count)
            start = time.monotonic()
            fcntl.flock(closed, fcntl.LOCK_UN)
            ended = hearing.told()["ended"]
        return {"rate": clients * count / (ended - start)}
    return contestant(setting, "websocketd", play, missing_tool("websocketd", "websocketd"))


# ------------------------------------------------------------------------ rest

def rest(setting, name, server, count, missing=""):
    """What a connection that rests costs the server."""
    def play():
        port = free_port()
        with running(setting, (server(port), port)) as programs:
            before = resident(programs[0])
            holding = Clients(setting, "hold", port, "/", count)
            after = resident(programs[0])
            holding.told()
        return {"memory": (after - before) / count}
    return contestant(setting, name, play, missing)


def websocket(setting):
    count = setting.amount(1000000, 5000)
    for clients in (8, 1):
        yield Comparison("websocket", f"{count} messages of {SIZE} B of {clients} clients, pushed to weft pull",
                         "ws + zeromq.js", {"rate": "msg/s"},
                         [push(setting, "weft bridge", lambda port, to: weft_ws(port, "--push", to), clients, count),
                          push(setting, "ws + zeromq.js", lambda port, to: node("push", port, to), clients, count,
                               missing_npm("ws") or missing_npm("zeromq"))],
                         [Target("weft bridge", "rate", ">=", 300000)])
    clients, count = setting.amount(1000, 20), setting.amount(1000, 50)
    yield Comparison("websocket", f"{count} messages of {SIZE} B to each of {clients} clients", "ws",
                     {"rate": "deliveries/s"},
                     [publish(setting, "weft pub, bridge", clients, count),
                      relay(setting, "weft relay", lambda port: weft_ws(port, "--relay", "--when-full", "block"),
                            clients, count),
                      relay(setting, "ws", lambda port: node("relay", port), clients, count, missing_npm("ws")),
                      websocketd(setting, clients, count)],
                     [Target(name, "rate", ">=", bound, peer) for name in ("weft pub, bridge", "weft relay")
                      for bound, peer in ((500000, ""), (1, "ws"), (1, "websocketd"))])
    count = setting.amount(10000, 50)
    yield Comparison("websocket", f"memory of each of {count} connections that rest", "ws", {"memory": "KiB"},
                     [rest(setting, "weft bridge", lambda port: weft_ws(port, "--relay"), count),
                      rest(setting, "ws", lambda port: node("relay", port), count, missing_npm("ws"))],
                     [Target("weft bridge", "memory", "<=", 10)])
