"""Datagrams through weft bridge."""
import subprocess
import time

from compare import Comparison, Contestant, Target

from .common import LIMIT, free_port, processor_seconds, run, running, wait_until_bound
from .seam import seam_run


def nanoseconds(output):
    """The lines of a plain peer: measures in microseconds."""
    return {measure: float(value) / 1000 for measure, value in (line.split() for line in output.splitlines())}


def datagram_round_trip(setting, size, count):
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint = f"tcp://127.0.0.1:{fabric}"
        with running(setting, (["rep", endpoint, "--echo"], fabric),
                     (["bridge", "udp", "--listen", f"127.0.0.1:{foreign}", "--req", endpoint], foreign)):
            return nanoseconds(run([setting.program("datagrams"), "rtt", str(foreign), str(size), str(count)])[0])
    return Contestant("weft bridge", play, setting.missing_weft() or setting.missing_program("datagrams"))


def datagram_sum_of_both(setting, size, count):
    """A round trip over bare UDP, and one over libzmq."""
    def play():
        port = free_port()
        echo = subprocess.Popen([setting.program("datagrams"), "echo", str(port)])
        try:
            wait_until_bound(port, echo, "udp")
            bare = nanoseconds(run([setting.program("datagrams"), "rtt", str(port), str(size), str(count)])[0])
        finally:
            echo.kill()
            echo.wait(LIMIT)
        zmq = seam_run(setting, "zmq", "rtt", "tcp", size, count)
        return {measure: bare[measure] + zmq[measure] / 1000 for measure in ("p50", "p99")}
    return Contestant("udp + zmq", play, setting.missing_program("datagrams") or setting.missing_program("seam_zmq"))


def pulled(path, count):
    """How many of the lines have come: all, or what there is when nothing has come for a second."""
    lines = last = 0
    since = time.monotonic()
    while lines < count and time.monotonic() - since < 1:
        with open(path, "rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        if lines != last:
            last, since = lines, time.monotonic()
        time.sleep(0.05)
    return lines


def poured(setting, port, size, rate, count):
    """How many a second the sender came to."""
    output, _ = run([setting.program("datagrams"), "pour", str(port), str(size), str(rate), str(count)])
    return float(output.split()[1])


def dropped(port):
    """What the system has thrown away of what came to a socket that listens there."""
    with open("/proc/net/udp") as table:
        return next(int(line.split()[-1]) for line in table if f":{port:04X} 00000000:0000 " in line)


def datagram_push(setting, size, rate, count):
    """Lost: between the sender and the output of the one that pulls; drops: because the bridge's socket was full. Time:
    of the bridge's process alone."""
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint, output = f"tcp://127.0.0.1:{fabric}", setting.path("pulled")
        with open(output, "wb") as file:
            pull = subprocess.Popen([setting.weft, "pull", endpoint], stdout=file, stderr=subprocess.DEVNULL)
        try:
            wait_until_bound(fabric, pull)
            with running(setting, (["bridge", "udp", "--listen", f"127.0.0.1:{foreign}", "--push", endpoint],
                                   foreign)) as programs:
                offered = poured(setting, foreign, size, rate, count)
                got = pulled(output, count)
                return {"rate": offered, "lost": count - got, "drops": dropped(foreign),
                        "cpu": processor_seconds(programs[0]) * 1e6 / max(got, 1)}
        finally:
            pull.terminate()
            pull.wait(LIMIT)
    return Contestant("weft bridge", play, setting.missing_weft() or setting.missing_program("datagrams"))


def datagram_drain(setting, size, rate, count):
    def play():
        port = free_port()
        drain = subprocess.Popen([setting.program("datagrams"), "drain", str(port), str(count)],
                                 stdout=subprocess.PIPE, text=True)
        try:
            wait_until_bound(port, drain, "udp")
            offered = poured(setting, port, size, rate, count)
            values = dict(line.split() for line in drain.communicate(timeout=LIMIT)[0].splitlines())
        finally:
            drain.kill()
            drain.wait(LIMIT)
        lost = int(values["lost"])
        return {"rate": offered, "lost": lost, "drops": lost, "cpu": float(values["cpu"]) / 1000}
    return Contestant("recvmmsg", play, setting.missing_program("datagrams"))


def datagrams(setting):
    count = setting.amount(4000, 200)
    yield Comparison("datagrams", "round trip of a datagram of 64 B: UDP, bridge, rep and back", "udp + zmq",
                     {"p50": "us", "p99": "us"},
                     [datagram_round_trip(setting, 64, count), datagram_sum_of_both(setting, 64, count)],
                     [Target("weft bridge", "p50", "<=", 1.25, "udp + zmq")])
    rate, count = 100000, setting.amount(500000, 20000)
    yield Comparison("datagrams", f"{rate} datagrams of 64 B a second, pushed to weft pull", "recvmmsg",
                     {"rate": "offered/s", "lost": "datagrams", "drops": "at its socket", "cpu": "us each"},
                     [datagram_push(setting, 64, rate, count), datagram_drain(setting, 64, rate, count)],
                     [Target("weft bridge", "rate", ">=", 0.99 * rate), Target("weft bridge", "lost", "<=", 0)])
