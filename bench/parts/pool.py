"""A pool: its ledger alone, and messages as jobs."""
import glob
import os
import subprocess
import time

from compare import Comparison, Contestant, Failure, Target

from .common import LIMIT, free_port, launched, run


# ---------------------------------------------------------------------- ledger

def ledger_contestant(setting, name, what, count):
    """For what reads, the ledger is made anew too, and not measured."""
    def play():
        path = setting.path(f"ledger-{name}")
        for left in glob.glob(path + "*"):
            os.unlink(left)
        if what in ("load", "open"):
            run([setting.program("ledger"), name, "jobs" if what == "load" else "results", str(count), path])
        output, _ = run([setting.program("ledger"), name, what, str(count), path])
        return dict((measure, float(value)) for measure, value in (line.split() for line in output.splitlines()))
    return Contestant(name, play, setting.missing_program("ledger"))


def ledger(setting):
    count = setting.amount(500000, 5000)
    for what, title, cpu in (("jobs", "jobs accepted, all on disk", 1.5), ("results", "jobs and their results", 1.5),
                             ("load", "jobs read back in pages", 0), ("open", "jobs in a ledger that is opened", 0)):
        names = ("weft", "sqlite") if what != "open" else ("weft",)
        yield Comparison("ledger", f"{count} {title}", names[-1], {"rate": "op/s", "cpu": "us/op", "peak": "MiB"},
                         [ledger_contestant(setting, name, what, count) for name in names],
                         [Target("weft", "rate", ">=", 200000), Target("weft", "peak", "<=", 100)] +
                         ([Target("weft", "cpu", "<=", cpu, "sqlite")] if cpu else []))
    count, times = setting.amount(1000000, 5000), setting.amount(51, 3)
    yield Comparison("ledger", f"weft jobs summary of {count} results beside a head, median of {times}", "weft jobs",
                     {"time": "ms"}, [Contestant("weft jobs", lambda: looked_at(setting, count, times),
                                                 setting.missing_weft() or setting.missing_program("ledger"))],
                     [Target("weft jobs", "time", "<=", 50)], rounds=2)


def looked_at(setting, count, times):
    """weft jobs summary of a ledger with so many results, beside a head that runs jobs as fast as it can."""
    path = setting.path("ledger-looked-at")
    for left in glob.glob(path + "*"):
        os.unlink(left)
    run([setting.program("ledger"), "weft", "results", str(count), path])
    head = subprocess.Popen([setting.weft, "run", "--ledger", path, "--resume", "-j2", "/bin/true"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        head.stdin.write(b"".join(b"%d\n" % number for number in range(10 * times)))
        head.stdin.flush()
        deadline = time.monotonic() + LIMIT
        while not os.path.exists(path + "-head"):
            if head.poll() is not None or time.monotonic() > deadline:
                raise Failure("weft run --resume does not listen")
        walls = sorted(wall for wall, _ in launched(setting, [setting.weft, "jobs", path, "summary"], times))
    finally:
        head.kill()
        head.wait()
    return {"time": walls[times // 2]}


# ------------------------------------------------------------------------ pool

def pool_contestant(setting, title, name, where, count, workers, ledger=False):
    def play():
        path = setting.path("pool-ledger")
        for left in glob.glob(path + "*"):
            os.unlink(left)
        endpoints = [where] if where == "inproc" else [str(free_port()), str(free_port())]
        more = [path] if ledger else []
        output, _ = run([setting.program("pool"), name, str(count), str(workers), *endpoints[:1 + (name == "zmq")],
                         *more])
        return dict((measure, float(value)) for measure, value in (line.split() for line in output.splitlines()))
    return Contestant(title, play, setting.missing_program("pool"))


def pool(setting):
    for where, full in (("inproc", 1000000), ("tcp", 1000000)):
        for workers in (2, 1):
            count = setting.amount(full, 5000)
            yield Comparison(
                "pool", f"{count} messages of 8 B that are jobs, over {where}, {workers} at once", "zmq",
                {"rate": "jobs/s", "cpu": "us/job"},
                [pool_contestant(setting, "weft", "weft", where, count, workers),
                 pool_contestant(setting, "weft, ledger", "weft", where, count, workers, True),
                 pool_contestant(setting, "zmq", "zmq", where, count, workers)],
                [Target("weft", "rate", ">=", 300000), Target("weft, ledger", "rate", ">=", 100000)])
