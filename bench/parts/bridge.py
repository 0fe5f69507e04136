"""Lines over TCP through weft bridge."""
import os
import subprocess
import time

from compare import Comparison, Contestant, Target

from .common import LIMIT, free_port, missing_tool, resident, run, running
from .pipe import pipe_contestant
from .seam import seam_run


def lines_client(setting, ca, *arguments):
    return [setting.program("lines_client"), *([ca] if ca else []), *map(str, arguments)]


def with_tls(setting):
    """A certificate for this machine, signed by itself: the options of a bridge that has it."""
    cert, key = setting.path("cert.pem"), setting.path("key.pem")
    if not os.path.exists(cert):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert])
    return ["--tls", "--tls-cert", cert, "--tls-key", key]


def bridge_contestant(setting, name, play, tls):
    missing = setting.missing_weft() or setting.missing_program("lines_client")
    return Contestant(name, play, missing or (missing_tool("openssl", "openssl") if tls else ""))


def bridge_round_trip(setting, size, count, name="weft bridge", tls=False):
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint = f"tcp://127.0.0.1:{fabric}"
        options = with_tls(setting) if tls else []
        with running(setting, (["rep", endpoint, "--echo"], fabric),
                     (["bridge", "tcp", "--listen", f"127.0.0.1:{foreign}", "--req", endpoint, *options], foreign)):
            output, _ = run(lines_client(setting, tls and options[2], "rtt", foreign, size, count))
        return {measure: float(value) / 1000 for measure, value in (line.split() for line in output.splitlines())}
    return bridge_contestant(setting, name, play, tls)


def sum_of_both(setting, size, count):
    """A round trip over raw TCP, and one over libzmq: what a bridge cannot do without."""
    def play():
        both = [seam_run(setting, name, "rtt", "tcp", size, count) for name in ("raw", "zmq")]
        return {measure: sum(values[measure] for values in both) / 1000 for measure in ("p50", "p99")}
    return Contestant("raw + zmq", play, setting.missing_program("seam_raw") or setting.missing_program("seam_zmq"))


def bridge_push(setting, count, name="weft bridge", tls=False, clients=1, threads=1):
    """From the start of the clients to the end of the one that pulls."""
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint = f"tcp://127.0.0.1:{fabric}"
        options = ["--threads", str(threads), *(with_tls(setting) if tls else [])]
        with running(setting, (["pull", endpoint, "--count", str(count)], fabric),
                     (["bridge", "tcp", "--listen", f"127.0.0.1:{foreign}", "--push", endpoint, *options],
                      foreign)) as programs:
            command = lines_client(setting, tls and options[4], "pour", foreign)
            start = time.monotonic()
            pouring = []
            for _ in range(clients):
                with open(setting.numbers(count // clients)) as lines:
                    pouring.append(subprocess.Popen(command, stdin=lines))
            programs[0].wait(LIMIT)
            taken = time.monotonic() - start
            for each in pouring:
                each.wait(LIMIT)
            return {"rate": count / taken}
    return bridge_contestant(setting, name, play, tls)


def bridge_memory(setting, count, name, tls=False):
    """What a connection that rests costs the bridge."""
    def play():
        foreign = free_port()
        options = with_tls(setting) if tls else []
        with running(setting, (["bridge", "tcp", "--listen", f"127.0.0.1:{foreign}", "--relay", *options],
                               foreign)) as programs:
            before = resident(programs[0])
            client = subprocess.Popen(lines_client(setting, tls and options[2], "hold", foreign, count),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            client.stdout.readline()
            after = resident(programs[0])
            client.communicate(timeout=LIMIT)
        return {"memory": (after - before) / count}
    return bridge_contestant(setting, name, play, tls)


def bridge(setting):
    count = setting.amount(4000, 200)
    for size in (64, 1024):
        yield Comparison("bridge", f"round trip of a line of {size} B: TCP, bridge, rep and back", "raw + zmq",
                         {"p50": "us", "p99": "us"},
                         [bridge_round_trip(setting, size, count),
                          bridge_round_trip(setting, size, count, "weft bridge, TLS", True),
                          sum_of_both(setting, size, count)],
                         [Target("weft bridge", "p50", "<=", 1.25, "raw + zmq")])
    count = setting.amount(2000000, 20000)
    yield Comparison("bridge", f"{count} short lines over TCP, pushed to weft pull", "weft push", {"rate": "msg/s"},
                     [bridge_push(setting, count),
                      bridge_push(setting, count, "weft bridge, TLS", True),
                      pipe_contestant(setting, "weft push", [setting.weft], ["--count", "COUNT"], count,
                                      setting.missing_weft())],
                     [Target("weft bridge", "rate", ">=", 1000000)])
    yield Comparison("bridge", f"{count} short lines of 8 clients, pushed to weft pull", "1 thread", {"rate": "msg/s"},
                     [bridge_push(setting, count, f"{threads} thread" + "s" * (threads > 1), False, 8, threads)
                      for threads in (1, 2, 4)])
    count, fewer = setting.amount(10000, 50), setting.amount(1000, 50)
    yield Comparison("bridge", f"memory of each of {count} connections that rest ({fewer} in TLS)", "clear text",
                     {"memory": "KiB"},
                     [bridge_memory(setting, count, "clear text"), bridge_memory(setting, fewer, "TLS", True)],
                     [Target("clear text", "memory", "<=", 6)])
