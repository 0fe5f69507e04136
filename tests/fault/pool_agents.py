#!/usr/bin/python3
"""A thousand workers on one head: simulated ones (tests/agents), over real connections to a real head with a ledger;
some die, break off, stand still and come back. Then it is looked whether the pool kept its promise, and at what cost.

    tests/fault/pool_agents.py [--agents N] [--jobs N] [--faults PER-SECOND] [--gentle] [--seed N] [--keep FOLDER]

The seed decides what is done, though not when the system lets it happen."""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pool_check import Check        # noqa: E402

WEFT = os.path.abspath(os.environ.get("WEFT", "build/weft"))
AGENTS = os.path.join(os.path.dirname(WEFT), "agents")
LIMIT = 600                 # seconds after which it hangs
MEMORY = 100 << 20          # that a head may take, and what each worker may add to it
MEMORY_OF_A_WORKER = 256 << 10


def head_command(options):
    return [WEFT, "ventilator", "-v", "-b", "ipc://head.socket", "-b", "tcp://127.0.0.1:0", "--ledger", "ledger.db",
            "--durability", "group", "--crash-limit", "1000000", "--reattach",
            "30s" if options.gentle else "1s", "jobs"]


def wait_for_endpoints(path, head):
    """The two that it says it listens on."""
    while True:
        with open(path, encoding="utf-8") as file:
            found = re.findall(r"listening on (\S+)\n", file.read())
        if len(found) == 2:
            return found
        if head.poll() is not None:
            raise SystemExit("the head ended with status %d" % head.returncode)
        time.sleep(0.01)


def ended(process):
    """Its status, its peak of memory in bytes, and the seconds of processor time that it took."""
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss << 10, usage.ru_utime + usage.ru_stime


def play(folder, options):
    """What came of it: problems, and figures by name."""
    with open(folder + "/jobs", "w", encoding="ascii") as file:
        file.writelines("job %d\n" % job for job in range(options.jobs))
    with open(folder + "/log", "w", encoding="ascii") as file:
        file.write("set gentle %s\n" % ("yes" if options.gentle else "no"))
    head = agents = None
    try:
        with open(folder + "/head-0.1.out", "wb") as out, open(folder + "/head-0.1.err", "wb") as err:
            head = subprocess.Popen(head_command(options), cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        endpoints = wait_for_endpoints(folder + "/head-0.1.err", head)
        start = time.monotonic()
        agents = subprocess.Popen([AGENTS, str(options.seed), str(options.agents), str(options.faults),
                                   str(int(options.gentle)), str(options.longest), "log", *endpoints], cwd=folder,
                                  stdout=subprocess.PIPE, text=True)
        told, _ = agents.communicate(timeout=LIMIT)
        status, peak, cpu = ended(head)
        seconds = time.monotonic() - start
    except subprocess.TimeoutExpired:
        return ["it hangs"], {}
    finally:
        for process in (head, agents):
            if process and process.returncode is None:
                process.kill()
                process.wait()
    figures = {name: int(value) for name, value in (line.split() for line in told.splitlines())}
    figures.update(peak=peak, cpu=cpu, seconds=seconds, rate=options.jobs / seconds)
    problems = [] if agents.returncode == 0 else ["the agents ended with %d" % agents.returncode]
    if not 0 <= status <= 101:
        problems.append("the head ended with %d" % status)
    if peak > MEMORY + options.agents * MEMORY_OF_A_WORKER:
        problems.append("the head took %d MiB" % (peak >> 20))
    return problems, figures


def look(folder):
    """What the pool promised and did not keep."""
    check = Check(folder)
    check.every_job_once()
    check.results_are_true()
    check.repeats_have_reasons()
    check.output_is_of_the_result()
    return check.problems, check.repeats


def print_figures(options, figures, repeats):
    kinds = {kind: figures.get(kind, 0) for kind in ("kill", "cut", "short-stop", "long-stop", "leave")}
    done = ", ".join("%s %d" % (kind, count) for kind, count in kinds.items() if count)
    print("figures: %d agents, %d jobs, %d faults (%s), %d sessions, %d executions, %d repeats" %
          (options.agents, options.jobs, sum(kinds.values()), done or "none", figures.get("sessions", 0),
           figures.get("runs", 0), repeats), end="; ")
    print("head: %.0f MiB at most, %.1f s of processor time, %.0f jobs/s" %
          (figures.get("peak", 0) / (1 << 20), figures.get("cpu", 0), figures.get("rate", 0)), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=30000)
    parser.add_argument("--faults", type=float, default=100, help="a second")
    parser.add_argument("--longest", type=int, default=200, help="ms that a job takes at most")
    parser.add_argument("--gentle", action="store_true", help="no fault that allows a job to run twice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default=tempfile.gettempdir(), help="where the folder of a failure stays")
    options = parser.parse_args()
    if not os.access(AGENTS, os.X_OK):
        sys.exit("%s is not there: make %s" % (AGENTS, AGENTS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix="weft-agents-")
    problems, figures = play(folder, options)
    more, repeats = look(folder) if figures else ([], 0)
    problems += more
    print_figures(options, figures, repeats)
    if problems:
        kept = "%s/weft-agents-%d-%d" % (options.keep, options.seed, os.getpid())
        shutil.move(folder, kept)
        print("seed %d: %d problems; see %s" % (options.seed, len(problems), kept), *problems[:20], sep="\n  ")
    else:
        shutil.rmtree(folder)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
