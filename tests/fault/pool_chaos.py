#!/usr/bin/python3
"""Real heads, workers and sinks, that are killed, stopped, cut off and starved of disk at random; then it is looked
whether the pool kept its promise.

    tests/fault/pool_chaos.py [--seed N] [--faults N] [--keep FOLDER] [-v]

Rounds of a few hundred jobs until N faults were made; the seed of a round decides what is done, though not when the
system lets it happen. What goes wrong is said by pool_check.py; the folder of that round stays, and its seed is said.
Processes that somebody leaves behind come to this one (it is their reaper), and count as a failure."""

import argparse
import collections
import ctypes
import heapq
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pool_check import BYTES, Check        # noqa: E402
from pool_relay import Relay        # noqa: E402

WEFT = os.path.abspath(os.environ.get("WEFT", "build/weft"))
TIMES = ["0", "0", "0.01", "0.02", "0.1", "0.4"]       # seconds that jobs run
LIMIT = 120                 # seconds after which a round without new faults hangs
FAULTS_OF_A_ROUND = 150
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 1 << 18, 2
LIBC = ctypes.CDLL(None, use_errno=True)
WAKE = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)      # a child has ended

JOB = """#!/bin/sh
# job NAME SECONDS BYTES: tells the log when it starts and ends; its status depends on its process id
echo "start $WEFT_JOB $WEFT_ATTEMPT $$ $CHAOS_WORKER" >> "$CHAOS_FOLDER/log"
status=0; [ $(($$ % 9)) != 0 ] || status=$(($$ % 100))
[ "$3" = 0 ] || { head -c "$3" /dev/zero | tr '\\0' x; printf ' '; }
[ "$2" = 0 ] || sleep "$2"
echo "job $WEFT_JOB $$"
echo "end $WEFT_JOB $WEFT_ATTEMPT $$ $status" >> "$CHAOS_FOLDER/log"
exit $status
"""


class Member:
    """A process of the pool, or the next one in its place."""

    def __init__(self, chaos, role, number, command):
        self.chaos, self.role, self.number, self.command = chaos, role, number, command
        self.life, self.pid, self.name, self.stopped, self.due = 0, 0, "", False, False
        self.told, self.relay = False, None

    def start(self):
        self.due = False
        if self.pid or not self.chaos.wanted(self):
            return
        self.life += 1
        self.name = "%s-%d.%d" % (self.role, self.number, self.life)
        path = "%s/%s" % (self.chaos.folder, self.name)
        self.chaos.say("begin", self.name)
        with open(path + ".out", "wb") as out, open(path + ".err", "wb") as err:
            process = subprocess.Popen([WEFT, *self.command(self)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       cwd=self.chaos.folder,
                                       env={**os.environ, "CHAOS_FOLDER": self.chaos.folder, "CHAOS_WORKER": self.name})
        self.pid, process.returncode = process.pid, 0       # it is reaped by us
        self.stopped = self.told = False

    def send(self, number, word):
        if not self.pid:
            return False
        self.chaos.fault(word, self.name)
        os.kill(self.pid, number)
        return True

    def go_on(self, life):
        if self.pid and self.life == life and self.stopped:
            os.kill(self.pid, signal.SIGCONT)
            self.stopped = False


class Chaos:
    """A round: `faults` at most, then calm until the head has ended."""

    def __init__(self, folder, seed, faults, disk):
        self.folder, self.seed, self.left, self.disk = folder, seed, faults, disk
        self.random = random.Random(seed)
        self.log = os.open(folder + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.counts, self.timers, self.number = collections.Counter(), [], 0
        self.over, self.ballast, self.snapshots, self.jobs = False, False, 0, 0
        self.gentle = seed % 3 == 0             # nothing that allows a repeat
        self.sinks = seed % 4 == 1
        self.steady = seed % 8 == 1             # heads live
        self.retries = 1 + (seed % 5 == 2)
        self.dead = seed % 7 == 3 and not self.gentle
        self.queue = self.random.choice(["10", "100", "10000"])
        self.messages = seed % 3 == 1           # jobs are messages for a shell
        self.cores = self.random.randrange(1, 3)        # of each job; every worker has so many
        self.outputs = seed % 2 == 0            # what jobs write is kept, not printed
        self.asks = seed % 5 == 4 and not self.gentle and not self.sinks        # jobs are cancelled and retried
        self.reattach = "5s" if self.gentle else self.random.choice(["100ms", "300ms", "1s"])
        self.ledger = (disk or folder) + "/ledger.db"
        self.durability = self.random.choice(["sync", "group", "none"])
        self.members, self.asking, self.asked = [], {}, 0

    def say(self, *words):
        os.write(self.log, (" ".join(str(word) for word in words) + "\n").encode())

    def fault(self, what, whom):
        self.say("fault", what, whom)
        self.counts[what + " " + whom.partition("-")[0]] += 1
        self.left -= 1

    def later(self, seconds, call, *arguments):
        self.number += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.number, call, arguments))

    # ----------------------------------------------------------------- who takes part

    def prepare(self):
        with open(self.folder + "/job", "w", encoding="ascii") as file:
            file.write(JOB)
        os.chmod(self.folder + "/job", 0o700)
        self.jobs = self.random.randrange(100, 100 + min(400, 2 * self.left))
        share = 0.06 if self.outputs else 0.15          # the small disk has them, too
        with open(self.folder + "/jobs", "w", encoding="ascii") as file:
            for job in range(1, self.jobs + 1):
                large, time_of_it = self.random.random() < share, self.random.choice(TIMES)
                if large and self.outputs:
                    time_of_it = TIMES[-1]              # it is half kept when its head dies
                file.write("./job %d %s %d\n" % (job, time_of_it, BYTES * large))
        for name, value in (("gentle", self.gentle), ("dead", self.dead), ("sink", self.sinks),
                            ("steady", self.steady), ("outputs", self.outputs), ("asks", self.asks)):
            self.say("set", name, "yes" if value else "no")
        self.say("set", "tries", self.retries)
        self.head = Member(self, "head", 0, self.head_command)
        self.members = [Member(self, "worker", number, self.worker_command) for number in range(3)]
        for worker in self.members[1:]:
            worker.relay = Relay(self.head_port, self.seed)
        self.sink = Member(self, "sink", 0, self.sink_command) if self.sinks else None
        self.members += [self.head] + ([self.sink] if self.sinks else [])

    def head_command(self, _member):
        resume = ["--resume"] if os.path.exists(self.ledger) else []
        sink = ["--sink", "ipc://sink.socket", "--sink-timeout", "60s"] if self.sinks else []
        sink += ["--outputs", os.path.dirname(self.ledger) + "/outputs"] if self.outputs else []
        return ["ventilator", "-v", "-b", "ipc://head.socket", "-b", "tcp://127.0.0.1:0", "--ledger", self.ledger,
                "--durability", self.durability, "--heartbeat", "50ms", "--reattach", self.reattach, "--retries",
                str(self.retries), "--crash-limit", "2" if self.dead else "1000", "--queue", self.queue, "--priority",
                str(self.random.randrange(-2, 3)), "--cores", str(self.cores), "--memory", "1M", *resume, *sink,
                *(["--messages"] if self.messages else []), "jobs"]

    def worker_command(self, member):
        return ["worker", "-v", "-c", member.relay.endpoint if member.relay else "ipc://head.socket",
                "--exec", "sh", "-j%d" % self.random.randrange(self.cores, 5), "--prefetch",
                self.random.choice(["0", "1", "16"]), "--name", member.name, "--heartbeat", "50ms", "--connect-timeout",
                "5s", "--grace", "200ms"]

    @staticmethod
    def sink_command(member):
        return ["sink", "-v", "-b", "ipc://sink.socket", "--heartbeat", "50ms", "--head-timeout", "3s", "--joblog",
                member.name + ".joblog"]

    def head_port(self):
        """Where the head that runs listens; None when it has not said so yet."""
        if not self.head.pid:
            return None
        with open("%s/%s.err" % (self.folder, self.head.name), encoding="utf-8", errors="replace") as file:
            found = re.search(r"listening on tcp://(.*):(\d+)\n", file.read())
        return (found[1], int(found[2])) if found else None

    def wanted(self, _member):
        return not self.over

    # ----------------------------------------------------------------------- faults

    def kill(self, member):
        member.send(signal.SIGKILL, "kill")

    def interrupt(self, member):
        member.send(signal.SIGINT, "interrupt")

    def terminate(self, member):
        gentle = self.gentle and member is self.head
        if gentle and member.told:
            return
        member.told = True
        if member.send(signal.SIGTERM, "terminate") and self.random.random() < 0.3 and not gentle:
            self.later(0.05, self.once_more, member, member.life)

    def once_more(self, member, life):
        if member.pid and member.life == life:
            member.send(signal.SIGTERM, "interrupt")        # as SIGINT

    def stop(self, member):
        if member.pid and not member.stopped and member.send(signal.SIGSTOP, "stop"):
            member.stopped = True
            short = self.gentle or self.random.random() < 0.5
            self.later(self.random.uniform(0, 0.2 if short else 1.2), member.go_on, member.life)

    def cut(self, member):
        if member.relay and member.pid:
            self.fault("cut", member.name)
            self.random.choice([member.relay.cut, member.relay.cut_within_a_message])()

    def stall(self, member):
        if member.relay and member.pid:
            self.fault("stall", member.name)
            member.relay.stall()
            self.later(self.random.uniform(0, 0.3 if self.gentle else 1.2), self.flow, member.relay)
            if self.random.random() < 0.5:
                self.later(self.random.uniform(0, 0.3), member.relay.cut)

    @staticmethod
    def flow(relay):
        relay.flow()

    def fill(self, _member):
        if self.disk and not self.ballast:
            self.fault("fill", "disk")
            self.ballast = True
            with open(self.disk + "/ballast", "wb", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 20)):
                        pass
                except OSError:
                    pass
            self.later(self.random.uniform(0.05, 0.6), self.empty)

    def empty(self):
        if self.ballast:
            os.unlink(self.disk + "/ballast")
            self.ballast = False

    def ask(self, _member):
        """Somebody takes jobs back, or has failed ones done again: by the head that lives, or as one."""
        words = self.random.choice([["cancel"], ["cancel", "--running"], ["retry"], ["retry"], ["retry", "--failed"]])
        if words != ["retry", "--failed"]:
            words += [str(self.random.randrange(1, self.jobs + 1)) for _ in range(3)]
        if not os.path.exists(self.ledger):
            return
        self.fault("ask", words[0])
        self.asked += 1
        name = "asked-%d" % self.asked
        self.say("ask", name, *words)
        with open("%s/%s.out" % (self.folder, name), "wb") as out, \
                open("%s/%s.err" % (self.folder, name), "wb") as err:
            process = subprocess.Popen([WEFT, "jobs", self.ledger, *words], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err, cwd=self.folder)
        self.asking[process.pid], process.returncode = name, 0

    def strike(self):
        """One fault, and when the next one follows."""
        if self.over or self.left <= 0:
            return
        self.later(self.random.expovariate(30), self.strike)
        head, worker = self.head, self.random.choice(self.members[:3])
        choices = [(2, self.stop, head), (2, self.stop, worker), (4, self.cut, worker), (2, self.stall, worker),
                   (1, self.fill, head)]
        if not self.steady:
            choices += [(2, self.kill, head), (1, self.terminate, head)]
        if not self.gentle:
            choices += [(3, self.kill, worker), (1, self.terminate, worker), (1, self.interrupt, worker)]
        if self.asks:
            choices += [(2, self.ask, head)]
        if self.sink:
            choices += [(2, self.kill, self.sink), (2, self.stop, self.sink)]
        _weight, call, member = self.random.choices(choices, [choice[0] for choice in choices])[0]
        call(member)

    # ------------------------------------------------------------------------ the run

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.asking:
                self.say("asked", self.asking.pop(pid), os.waitstatus_to_exitcode(status))
            for member in self.members:
                if member.pid == pid:
                    self.ended(member, os.waitstatus_to_exitcode(status))

    def ended(self, member, status):
        member.pid, member.stopped = 0, False
        self.say("exit", member.name, status)
        if member is self.head:
            self.snapshot()
            self.over = self.over or 0 <= status <= 101 and self.complete() and not self.asking
        if not self.over:
            member.due = True
            self.later(self.random.uniform(0, 0.15), member.start)

    def read_ledger(self, query):
        if not os.path.exists(self.ledger):
            return []
        database = sqlite3.connect("file:%s?mode=ro" % self.ledger, uri=True)
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:        # the disk is full: no room for an index of the log
            return []
        finally:
            database.close()

    def snapshot(self):
        self.snapshots += 1
        with open("%s/snapshot-%d" % (self.folder, self.snapshots), "w", encoding="ascii") as file:
            for query in ("SELECT id FROM jobs", "SELECT job, attempt, reason, status, signal FROM results"):
                for row in self.read_ledger(query):
                    file.write(" ".join(map(str, row)) + "\n")

    def complete(self):
        return self.read_ledger("SELECT (SELECT count (*) FROM jobs) - (SELECT count (*) FROM retried),"
                                " (SELECT count (*) FROM results) - (SELECT count (*) FROM retried)") == \
            [(self.jobs, self.jobs)]

    def calm(self):
        self.empty()
        for member in self.members:
            member.go_on(member.life)
            if member.relay:
                member.relay.flow()

    def turn(self, wait):
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _at, _number, call, arguments = heapq.heappop(self.timers)
            call(*arguments)
        self.reap()
        if self.timers:
            wait = max(0, min(wait, self.timers[0][0] - time.monotonic()))
        if select.select([WAKE[0]], [], [], wait)[0]:
            os.read(WAKE[0], 4096)

    def wait_until(self, ready, what):
        """False, and the log says so, when it takes too long after the last fault."""
        deadline, left = time.monotonic() + LIMIT, self.left
        while not ready():
            if self.left != left:
                deadline, left = time.monotonic() + LIMIT, self.left
            if time.monotonic() > deadline:
                self.say("hang", what)
                return False
            self.turn(1)
            if self.left <= 0 and not any(member.stopped for member in self.members) and self.ballast:
                self.empty()
        return True

    def alone(self):
        """Nobody is left, of jobs either: what its parent left behind is ours."""
        self.reap()
        try:
            return os.waitpid(-1, os.WNOHANG)[0] != 0 and self.alone()
        except ChildProcessError:
            return True

    def run(self):
        """What is wrong, and the checker that says so. Nobody is left, however this ends."""
        try:
            problems = self.live()
        finally:
            self.end()
        check = Check(self.folder, self.ledger)
        return problems + check.check(), check

    def live(self):
        self.prepare()
        for member in reversed(self.members):
            member.start()
        self.strike()
        if not self.wait_until(lambda: self.over, "head"):
            return ["the head does not come to an end"]
        self.calm()
        if not self.wait_until(self.alone, "rest"):
            return ["processes are left: " + ", ".join(member.name for member in self.members if member.pid)]
        return []

    def end(self):
        self.over = True
        for pid in self.asking:
            os.kill(pid, signal.SIGKILL)
        for member in self.members:
            if member.pid:
                os.kill(member.pid, signal.SIGKILL)
            if member.relay:
                member.relay.close()
        self.wait_until(self.alone, "end")
        os.close(self.log)


# ------------------------------------------------------------------------------ all

def small_disk(folder):
    """A disk of 24 MiB that goes with this process; None where we may not have one."""
    if LIBC.unshare(CLONE_NEWNS) or LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        return None
    os.mkdir(folder + "/disk")
    if LIBC.mount(b"tmpfs", (folder + "/disk").encode(), b"tmpfs", 0, b"size=24m"):
        return None
    return folder + "/disk"


def one_round(top, seed, faults, disk, keep):
    folder = "%s/%d" % (top, seed)
    os.mkdir(folder)
    chaos = Chaos(folder, seed, faults, disk)
    problems, check = chaos.run()
    if disk:
        for name in os.listdir(disk):
            shutil.move(disk + "/" + name, folder)
    if problems:
        kept = "%s/weft-chaos-%d-%d" % (keep, seed, os.getpid())
        shutil.move(folder, kept)
        print("seed %d: %d problems; see %s" % (seed, len(problems), kept), *problems[:20], sep="\n  ", flush=True)
    else:
        shutil.rmtree(folder)
    return chaos, check, len(problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--keep", default=tempfile.gettempdir(), help="where folders of failures stay")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line a round")
    options = parser.parse_args()
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_arguments: sys.exit(1))
    signal.signal(signal.SIGCHLD, lambda *_arguments: None)
    signal.set_wakeup_fd(WAKE[1], warn_on_full_buffer=False)
    total, seed, bad = collections.Counter(), options.seed, 0
    with tempfile.TemporaryDirectory(prefix="weft-chaos-") as top:
        disk = small_disk(top)
        try:
            while total["faults"] < options.faults and not bad:
                left = min(FAULTS_OF_A_ROUND, options.faults - total["faults"])
                chaos, check, bad = one_round(top, seed, left, disk, options.keep)
                total.update(chaos.counts)
                total.update(rounds=1, faults=sum(chaos.counts.values()), jobs=len(check.jobs), repeats=check.repeats,
                             starved=check.starved,
                             executions=sum(map(len, check.history.runs.values())))
                if options.verbose:
                    print("seed %d: %d faults, %d jobs; %d faults in all" %
                          (seed, sum(chaos.counts.values()), len(check.jobs), total["faults"]), flush=True)
                seed += 1
        finally:
            if disk:
                LIBC.umount2(disk.encode(), MNT_DETACH)
    print(", ".join("%s %d" % pair for pair in sorted(total.items())) + ("" if disk else "; without a small disk"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
