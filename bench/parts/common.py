"""What all parts have in common: where things are, and programs that run."""
import contextlib
import os
import shutil
import socket
import subprocess
import time

from compare import Failure

PYTHON = "/usr/bin/python3"     # Debian's, which sees Debian's pyzmq
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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


def launched(setting, command, times=1, **more):
    """[(milliseconds, peak in MiB)] of a command that runs `times` times."""
    _, told = run([setting.program("launch"), str(times), *command], stdout=subprocess.DEVNULL, **more)
    found = [line.split() for line in told.splitlines() if line.startswith("wall ")]
    if len(found) != times:
        raise Failure(f"{command[0]}: {told.strip()[-300:]}")
    return [(int(words[1]) / 1e6, int(words[3]) / 1024) for words in found]


# ---------------------------------------------------------------------- ports

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


# -------------------------------------------------- programs that are left running

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


def resident(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
