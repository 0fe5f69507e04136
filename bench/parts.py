"""What is measured: each part is a function that yields comparisons. See README.md."""
import contextlib
import glob
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time

from compare import Comparison, Contestant, Failure, Target

PYTHON = "/usr/bin/python3"     # Debian's, which sees Debian's pyzmq
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 120                     # seconds that one run may take before it counts as failed


class Setting:
    """Where the programs are, where work files go, and how much work a run is."""

    def __init__(self, build, weft, scratch, quick):
        self.build, self.weft, self.scratch, self.quick = build, weft, scratch, quick

    def amount(self, full, quick):
        return quick if self.quick else full

    def program(self, name):
        return os.path.join(self.build, "bench", name)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def numbers(self, count):
        """A file of the numbers 1 .. count, a line each."""
        path = self.path(f"numbers-{count}")
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.writelines(f"{number}\n" for number in range(1, count + 1))
        return path

    def missing_weft(self):
        return "" if os.access(self.weft, os.X_OK) else f"{self.weft} is not there: make"

    def missing_program(self, name):
        return "" if os.access(self.program(name), os.X_OK) else f"{self.program(name)} is not there: make bench"


def missing_tool(name, package):
    return "" if shutil.which(name) else f"{name} is not there: apt-get install {package}"


def missing_pyzmq():
    found = os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", "import zmq"], capture_output=True).returncode == 0
    return "" if found else "pyzmq is not there: apt-get install python3-zmq"


def run(command, **more):
    """Runs a command to its end; its standard output and error."""
    try:
        done = subprocess.run(command, text=True, timeout=LIMIT, stderr=subprocess.PIPE,
                              **{"stdout": subprocess.PIPE, **more})
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} did not end within {LIMIT} s") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout, done.stderr


def seconds(command, input_path):
    """How long a command takes that reads a file."""
    with open(input_path) as lines:
        start = time.monotonic()
        run(command, stdin=lines, stdout=subprocess.DEVNULL)
        return time.monotonic() - start


# ------------------------------------------------------------------------ seam

def seam_endpoint(setting, transport):
    if transport == "ipc":
        path = setting.path("seam")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return "ipc://" + path
    return {"tcp": "tcp://127.0.0.1:*", "inproc": "inproc://seam"}[transport]


def seam_run(setting, name, kind, transport, size, count, keys=None):
    output, _ = run([setting.program("seam_" + name), kind, seam_endpoint(setting, transport), str(size), str(count)],
                    env={**os.environ, "SEAM_KEYS": keys} if keys else None)
    return dict((measure, float(value)) for measure, value in (line.split() for line in output.splitlines()))


def seam_contestants(setting, kind, transport, size, count):
    def contestant(name, title=None):
        def play():
            values = seam_run(setting, name, kind, transport, size, count)
            return values if kind == "thr" else {measure: value / 1000 for measure, value in values.items()}
        return Contestant(title or name, play, setting.missing_program("seam_" + name))
    return [contestant("weft"), contestant("weft_msg", "weft, msg"), contestant("zmq"), contestant("raw")]


def seam(setting):
    for transport in ("tcp", "ipc", "inproc"):
        for size in (64, 1024):
            yield Comparison(
                "seam", f"round trip over {transport}, {size} B", "zmq", {"p50": "us", "p99": "us", "p99.9": "us"},
                seam_contestants(setting, "rtt", transport, size, setting.amount(4000, 200)),
                [Target("weft", "p50", "<=", 1.05, "zmq")])
    for transport in ("tcp", "ipc", "inproc"):
        for size, full in ((64, 1000000), (1024, 300000)):
            yield Comparison(
                "seam", f"push to pull over {transport}, {size} B", "zmq", {"rate": "msg/s"},
                seam_contestants(setting, "thr", transport, size, setting.amount(full, 20000)),
                [Target("weft", "rate", ">=", 0.95, "zmq")] if size == 64 else [])


# ----------------------------------------------------------------------- curve

def curve_keys(setting):
    """A folder of keys: `near` listens, and lets in `far`."""
    folder = setting.path("keys")
    if not os.path.exists(folder) and not setting.missing_weft():
        for command in (["new", "near"], ["new", "far"], ["allow", "far", folder + "/far.key"]):
            run([setting.weft, "key", *command], env={**os.environ, "WEFT_KEYS": folder})
    return folder


def curve_contestants(setting, kind, size, count):
    def contestant(title, name, keys):
        def play():
            values = seam_run(setting, name, kind, "tcp", size, count, keys)
            return values if kind == "thr" else {measure: value / 1000 for measure, value in values.items()}
        return Contestant(title, play, setting.missing_program("seam_" + name) or setting.missing_weft())
    keys = curve_keys(setting)
    return [contestant("weft, keys", "weft", keys), contestant("zmq, keys", "zmq", keys),
            contestant("weft, clear", "weft", None), contestant("zmq, clear", "zmq", None)]


def curve(setting):
    for size in (64, 1024):
        yield Comparison(
            "curve", f"round trip over tcp, {size} B", "zmq, keys", {"p50": "us", "p99": "us"},
            curve_contestants(setting, "rtt", size, setting.amount(4000, 200)),
            [Target("weft, keys", "p50", "<=", 1.05, "zmq, keys")])
    for size, full in ((64, 300000), (1024, 150000)):
        yield Comparison(
            "curve", f"push to pull over tcp, {size} B", "zmq, keys", {"rate": "msg/s"},
            curve_contestants(setting, "thr", size, setting.amount(full, 10000)),
            [Target("weft, keys", "rate", ">=", 0.95, "zmq, keys")])


# ------------------------------------------------------------------------ pipe

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_bound(port, process, protocol="tcp"):
    """Without connecting, which would be a peer that comes and goes."""
    wanted = f":{port:04X} 00000000:0000 {'0A' if protocol == 'tcp' else '07'} "
    while True:
        with open("/proc/net/" + protocol) as table:
            if any(wanted in line for line in table):
                return
        if process.poll() is not None:
            raise Failure(f"{process.args[0]} ended with status {process.returncode} before it was bound")
        time.sleep(0.001)


def pipe_seconds(pull, push, endpoint, lines, output, talk):
    """From the start of the one that pushes to the end of the one that pulls."""
    with open(lines) as source, open(output, "w") as drain, open(talk, "w+") as said:
        processes = [subprocess.Popen(pull, stdout=drain, stderr=said)]
        try:
            wait_until_bound(int(endpoint.rsplit(":", 1)[1]), processes[0])
            start = time.monotonic()
            processes.append(subprocess.Popen(push, stdin=source, stderr=said))
            processes[0].wait(LIMIT)
            took = time.monotonic() - start
            processes[1].wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure(f"push and pull did not end within {LIMIT} s") from None
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        said.seek(0)
        for process in processes:
            if process.returncode:
                raise Failure(f"{process.args[0]} {process.args[1]} ended with status {process.returncode}: "
                              f"{said.read().strip()[-300:]}")
    return took


def pipe_contestant(setting, name, command, options, count, missing):
    def play_over(lines, output, how_many):
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        pull = [*command, "pull", endpoint, *(option.replace("COUNT", str(how_many)) for option in options)]
        push = [*command, "push", endpoint]
        return how_many / pipe_seconds(pull, push, endpoint, lines, output, setting.path("talk"))

    def play():
        if not play.checked:        # once: what comes out is what went in
            few = setting.amount(10000, 100)
            play_over(setting.numbers(few), setting.path("pulled"), few)
            with open(setting.numbers(few)) as given, open(setting.path("pulled")) as got:
                if given.read() != got.read():
                    raise Failure("what was pulled is not what was pushed")
            play.checked = True
        return {"rate": play_over(setting.numbers(count), os.devnull, count)}

    play.checked = False
    return Contestant(name, play, missing)


def pipe(setting):
    count = setting.amount(1000000, 2000)
    bound = seam_contestants(setting, "thr", "tcp", 7, count)[1]
    bound.name = "zmq, no lines"
    yield Comparison(
        "pipe", f"{count} short lines, push < file to pull > /dev/null, over tcp", "zmq, lines", {"rate": "msg/s"},
        [pipe_contestant(setting, "weft", [setting.weft], ["--count", "COUNT"], count, setting.missing_weft()),
         pipe_contestant(setting, "zmq, lines", [setting.program("lines_zmq")], ["COUNT"], count,
                         setting.missing_program("lines_zmq")),
         pipe_contestant(setting, "pyzmq", [PYTHON, os.path.join(HERE, "lines.py")], ["COUNT"], count,
                         missing_pyzmq()),
         bound],
        [Target("weft", "rate", ">=", 0.6, "zmq, lines"), Target("weft", "rate", ">=", 2, "pyzmq")])


# ----------------------------------------------------------------------- spawn

def spawn_contestant(setting, name, command, jobs, missing, ledger=None):
    """With a ledger: each run has a new one, and all jobs have a result in it."""
    def play():
        for left in glob.glob(ledger + "*") if ledger else []:
            os.unlink(left)
        rate = jobs / seconds(command, setting.numbers(jobs))
        if ledger:
            with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as file:
                found = file.execute("SELECT count (*) FROM results WHERE reason = 0 AND status = 0").fetchone()[0]
            if found != jobs:
                raise Failure(f"the ledger has {found} results of {jobs} jobs")
        return {"rate": rate}
    return Contestant(name, play, missing)


def spawn(setting):
    for slots, full in ((2, 3000), (1, 1500), (4, 3000)):
        jobs, fewer, kept = setting.amount(full, 50), setting.amount(200, 5), setting.path("spawn-ledger")
        weft = [setting.weft, "run", f"-j{slots}"]
        yield Comparison(
            "spawn", f"{jobs} jobs of /bin/true, {slots} at once (parallel: {fewer})", "loop", {"rate": "jobs/s"},
            [spawn_contestant(setting, "weft", [*weft, "/bin/true"], jobs, setting.missing_weft()),
             spawn_contestant(setting, "weft, ledger", [*weft, "--ledger", kept, "/bin/true"], jobs,
                              setting.missing_weft(), kept),
             spawn_contestant(setting, "loop", [setting.program("spawn_loop"), str(slots), "/bin/true"], jobs,
                              setting.missing_program("spawn_loop")),
             spawn_contestant(setting, "xargs", ["xargs", "-n1", f"-P{slots}", "/bin/true"], jobs,
                              missing_tool("xargs", "findutils")),
             spawn_contestant(setting, "parallel", ["parallel", f"-j{slots}", "/bin/true"], fewer,
                              missing_tool("parallel", "parallel"))],
            [Target("weft", "rate", ">=", 0.9, "loop"), Target("weft", "rate", ">=", 1, "xargs"),
             Target("weft, ledger", "rate", ">=", 0.9, "loop"), Target("weft, ledger", "rate", ">=", 5, "parallel")])


# --------------------------------------------------------------------- outputs

def outputs_contestant(setting, name, command, jobs, missing):
    """All that it keeps is in a folder that is new each time, and counted."""
    folder = setting.path("outputs")

    def play():
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        rate = jobs / seconds([word.replace("FOLDER", folder) for word in command], setting.numbers(jobs))
        files = sum(len(names) for _folder, _folders, names in os.walk(folder))
        shutil.rmtree(folder)
        return {"rate": rate, "files": round(files / jobs, 4)}
    return Contestant(name, play, missing)


def outputs(setting):
    jobs, fewer = setting.amount(6000, 50), setting.amount(200, 5)
    weft, echo = [setting.weft, "run", "-j2"], ["echo", "some", "words"]
    missing = setting.missing_weft()
    yield Comparison(
        "outputs", f"{jobs} jobs that write a line, 2 at once (parallel: {fewer})", "printed",
        {"rate": "jobs/s", "files": "files/job"},
        [outputs_contestant(setting, "outputs", [*weft, "--ledger", "FOLDER/ledger", "--outputs", "FOLDER/out", *echo],
                            jobs, missing),
         outputs_contestant(setting, "printed", [*weft, "--ledger", "FOLDER/ledger", *echo], jobs, missing),
         outputs_contestant(setting, "results", [*weft, "--results", "FOLDER/out", *echo], jobs, missing),
         outputs_contestant(setting, "parallel", ["parallel", "-j2", "--results", "FOLDER/out", *echo], fewer,
                            missing_tool("parallel", "parallel"))],
        [Target("outputs", "rate", ">=", 0.95, "printed"), Target("outputs", "rate", ">=", 1, "results"),
         Target("outputs", "files", "<=", 0.01)])


# ------------------------------------------------------------------- footprint

def launched(setting, command, times=1, **more):
    """[(milliseconds, peak in MiB)] of a command that runs `times` times."""
    _, told = run([setting.program("launch"), str(times), *command], stdout=subprocess.DEVNULL, **more)
    found = [line.split() for line in told.splitlines() if line.startswith("wall ")]
    if len(found) != times:
        raise Failure(f"{command[0]}: {told.strip()[-300:]}")
    return [(int(words[1]) / 1e6, int(words[3]) / 1024) for words in found]


def peak_contestant(setting, command, count, missing):
    def play():
        with open(setting.numbers(count)) as lines:
            return {"peak": launched(setting, command, stdin=lines)[0][1]}
    return Contestant(f"{count} lines", play, missing)


def footprint(setting):
    missing = setting.missing_weft() or setting.missing_program("launch")
    for title, options, counts in (("peak of weft run --dry-run", ["--dry-run"], ((10000, 100), (1000000, 1000))),
                                   ("peak of weft run with real jobs", [], ((10000, 10), (20000, 20)))):
        contestants = [peak_contestant(setting, [setting.weft, "run", "-j2", *options, "/bin/true"],
                                       setting.amount(*count), missing) for count in counts]
        few, many = (contestant.name for contestant in contestants)
        yield Comparison("footprint", title, few, {"peak": "MiB"}, contestants,
                         [Target(many, "peak", "<=", 1.1, few)], rounds=2)

    times = setting.amount(101, 3)

    def start():
        walls = sorted(wall for wall, _ in launched(setting, [setting.weft, "version"], times))
        return {"time": walls[times // 2]}
    yield Comparison("footprint", f"start to end of weft version, median of {times}", "weft version", {"time": "ms"},
                     [Contestant("weft version", start, missing)], [Target("weft version", "time", "<=", 10)])


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


# ---------------------------------------------------------------------- bridge

@contextlib.contextmanager
def running(setting, *commands):
    """Programs of weft, each of which listens before the next is started; told to end at the end."""
    processes = []
    with open(setting.path("talk"), "w+") as said:
        try:
            for command, port in commands:
                program = [] if command[0].startswith("/") else [setting.weft]
                processes.append(subprocess.Popen(program + command, stdout=subprocess.DEVNULL, stderr=said))
                wait_until_bound(port, processes[-1], "udp" if command[:2] == ["bridge", "udp"] else "tcp")
            yield processes
        finally:
            for process in reversed(processes):
                if process.poll() is None:
                    process.terminate()
                process.wait(LIMIT)


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


def resident(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


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
    count = setting.amount(1000, 50)
    yield Comparison("bridge", f"memory of each of {count} connections that rest", "clear text", {"memory": "KiB"},
                     [bridge_memory(setting, count, "clear text"), bridge_memory(setting, count, "TLS", True)])


# ------------------------------------------------------------------------ http

def wrk(setting, name, command, connections, missing=""):
    """Requests for a service that sends back what it got. `command`: what speaks HTTP, of its port and the service."""
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint = f"tcp://127.0.0.1:{fabric}"
        with running(setting, (["rep", endpoint, "--echo"], fabric), (command(foreign, endpoint), foreign)):
            output, _ = run(["wrk", "-t1", f"-c{connections}", f"-d{setting.amount(5, 1)}s", "--timeout", "10s",
                             f"http://127.0.0.1:{foreign}/req/items/1"])
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", output)
        if not rate or wrong:
            raise Failure(wrong.group(0) if wrong else output)
        return {"rate": float(rate.group(1))}
    return Contestant(name, play, missing or missing_tool("wrk", "wrk") or setting.missing_weft())


def http(setting):
    for connections in (64, 1000):
        yield Comparison("http", f"requests over {connections} connections kept alive, to one service", "pyzmq",
                         {"rate": "requests/s"},
                         [wrk(setting, "weft bridge", lambda port, service: [
                             "bridge", "http", "--listen", f"127.0.0.1:{port}", "--req", service], connections),
                          wrk(setting, "pyzmq", lambda port, service: [
                              PYTHON, os.path.join(HERE, "http_zmq.py"), str(port), service], connections,
                              missing_pyzmq())],
                         [Target("weft bridge", "rate", ">=", 20000)])


# -------------------------------------------------------------------- datagrams

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


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def datagram_push(setting, size, rate, count):
    """Lost: between the sender and the output of the one that pulls. Time: of the bridge's process alone."""
    def play():
        fabric, foreign = free_port(), free_port()
        endpoint, output = f"tcp://127.0.0.1:{fabric}", setting.path("pulled")
        with open(output, "wb") as file:
            pull = subprocess.Popen([setting.weft, "pull", endpoint], stdout=file, stderr=subprocess.DEVNULL)
        try:
            wait_until_bound(fabric, pull)
            with running(setting, (["bridge", "udp", "--listen", f"127.0.0.1:{foreign}", "--push", endpoint],
                                   foreign)) as programs:
                run([setting.program("datagrams"), "pour", str(foreign), str(size), str(rate), str(count)])
                got = pulled(output, count)
                return {"lost": count - got, "cpu": processor_seconds(programs[0]) * 1e6 / max(got, 1)}
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
            run([setting.program("datagrams"), "pour", str(port), str(size), str(rate), str(count)])
            values = dict(line.split() for line in drain.communicate(timeout=LIMIT)[0].splitlines())
        finally:
            drain.kill()
            drain.wait(LIMIT)
        return {"lost": int(values["lost"]), "cpu": float(values["cpu"]) / 1000}
    return Contestant("recvmmsg", play, setting.missing_program("datagrams"))


def datagrams(setting):
    count = setting.amount(4000, 200)
    yield Comparison("datagrams", "round trip of a datagram of 64 B: UDP, bridge, rep and back", "udp + zmq",
                     {"p50": "us", "p99": "us"},
                     [datagram_round_trip(setting, 64, count), datagram_sum_of_both(setting, 64, count)],
                     [Target("weft bridge", "p50", "<=", 1.25, "udp + zmq")])
    rate, count = 100000, setting.amount(500000, 20000)
    yield Comparison("datagrams", f"{rate} datagrams of 64 B a second, pushed to weft pull", "recvmmsg",
                     {"lost": "datagrams", "cpu": "us each"},
                     [datagram_push(setting, 64, rate, count), datagram_drain(setting, 64, rate, count)],
                     [Target("weft bridge", "lost", "<=", 0)])


PARTS = {
    "seam": (seam, "the library against bare libzmq and a raw socket"),
    "curve": (curve, "the same with keys and in clear text, against bare libzmq"),
    "pipe": (pipe, "weft push and pull of lines against bare libzmq and pyzmq"),
    "spawn": (spawn, "weft run, with a ledger and without, against a bare posix_spawn loop, xargs -P and GNU parallel"),
    "ledger": (ledger, "a pool's ledger against a plain loop of inserts into SQLite, as durable"),
    "outputs": (outputs, "many small outputs kept by weft run: in few files, in files of each job, by GNU parallel"),
    "pool": (pool, "messages as jobs of a pool, with a ledger and without, against a plain libzmq pipeline"),
    "bridge": (bridge, "lines over TCP through weft bridge, against raw TCP and bare libzmq, and weft push"),
    "http": (http, "requests to a service through weft bridge http, against Python's own server and pyzmq"),
    "datagrams": (datagrams, "datagrams through weft bridge, against bare UDP and libzmq, and a bare recvmmsg loop"),
    "footprint": (footprint, "memory of weft run as input grows, and the time to start"),
}
