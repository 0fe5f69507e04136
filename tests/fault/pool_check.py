#!/usr/bin/python3
"""Says what a pool promised and did not keep, from what it left in a folder and nothing else.

    tests/fault/pool_check.py FOLDER

`log` is what jobs, and who made the faults, have added to one file in the order of events; `ledger.db` the ledger;
`jobs` the input; `head-N.out` what heads have written. See pool_chaos.py, which makes them."""

import collections
import glob
import os
import re
import sqlite3
import sys
import zlib

EXITED, LOST, CANCELLED = 0, 2, 3
BYTES = 100000      # that some jobs write


class Run:
    """An execution of a job, as it has told of itself."""

    def __init__(self, at, attempt, pid, worker):
        self.at, self.attempt, self.pid, self.worker = at, attempt, pid, worker
        self.status = None              # when it came to its end


class History:
    """The log, read."""

    def __init__(self, path):
        self.runs = collections.defaultdict(list)
        self.harm = collections.defaultdict(list)       # name of a process: when it was hurt
        self.head_deaths = []
        self.exits = []
        self.settings = {}
        self.cancels = set()            # jobs that somebody asked to cancel
        self.asked = []                 # who asked, and how that ended
        with open(path, encoding="ascii") as file:
            for at, line in enumerate(file):
                self.take(at, line.split())

    def take(self, at, words):
        kind = words[0]
        if kind == "start":
            self.runs[int(words[1])].append(Run(at, int(words[2]), int(words[3]), words[4]))
        elif kind == "end":
            for run in self.runs[int(words[1])]:
                if run.pid == int(words[3]) and run.attempt == int(words[2]) and run.status is None:
                    run.status = int(words[4])
        elif kind == "fault":
            self.harm[words[2]].append((at, words[1]))
            twice = sum(what == "terminate" for _at, what in self.harm[words[2]]) > 1
            if words[2].startswith("head") and (words[1] in ("kill", "interrupt") or twice):
                self.head_deaths.append(at)
        elif kind == "exit":
            self.exits.append((words[1], int(words[2])))
        elif kind == "ask" and words[2] == "cancel":
            self.cancels.update(int(word) for word in words[3:] if word.isdigit())
        elif kind == "asked":
            self.asked.append((words[1], int(words[2])))
        elif kind == "set":
            self.settings[words[1]] = words[2]


class Check:
    def __init__(self, folder, ledger=None):
        self.folder, self.problems = folder, []
        self.history = History(folder + "/log")
        database = sqlite3.connect("file:%s?mode=ro" % (ledger or folder + "/ledger.db"), uri=True)
        self.jobs = dict(database.execute("SELECT id, command FROM jobs"))
        self.rows = database.execute("SELECT job, attempt, reason, status, signal, worker FROM results").fetchall()
        self.retries = {(job, attempt): status for job, attempt, status in
                        database.execute("SELECT job, attempt, status FROM retries WHERE reason = 0")}
        self.retried = {}               # by which job another is done again
        if self.history.settings.get("asks") == "yes":
            self.retried = dict(database.execute("SELECT job, by FROM retried"))
        self.places = collections.defaultdict(list)
        if self.history.settings.get("outputs") == "yes":
            self.read_places(database, os.path.dirname(ledger or folder + "/ledger.db") + "/outputs")
        database.close()
        self.results = {row[0]: row for row in self.rows}
        self.repeats = self.starved = 0
        self.dead = self.history.settings.get("dead") == "yes"      # of such a job a part may be printed

    def read_places(self, database, outputs):
        """Where in the files of a job's output is, as docs/spec/output.md says."""
        self.outputs = outputs
        for job, place in database.execute("SELECT job, output FROM results WHERE output IS NOT NULL").fetchall():
            pieces = database.execute("SELECT place FROM pieces WHERE job = ?1 AND attempt = (SELECT attempt FROM"
                                      " pieces WHERE job = ?1 AND place = ?2) ORDER BY report",
                                      (job, place)).fetchall()
            self.places[job] = [piece for piece, in pieces] or [place]

    def kept(self, job):
        """The standard output of a job, from the files alone."""
        text = b""
        for place in self.places[job]:
            name, offset, size = place.split(":")
            with open("%s/%s" % (self.outputs, name), "rb") as file:
                file.seek(int(offset))
                data = file.read(int(size))
            while data:
                found = re.match(rb"(@(\d+) \d+\.\d+ out (\d+) )([0-9a-f]{8})\n", data)
                end = found.end() + int(found[3]) if found else 0
                if not found or int(found[2]) != job or data[end:end + 1] != b"\n" \
                        or zlib.crc32(found[1] + data[found.end():end]) != int(found[4], 16):
                    self.wrong("job %d: at %s there is no record of it", job, place)
                    return text
                text += data[found.end():end]
                data = data[end + 1:]
        return text

    def output_is_kept(self):
        """All that the execution which counts has written, each byte once, whoever was killed meanwhile."""
        for job, row in self.results.items():
            if row[2] != EXITED:
                continue
            size = int(self.jobs[job].split()[3])
            found = re.fullmatch(rb"(x* )?job (\d+) (\d+)\n", self.kept(job))
            if not found or len(found[1] or "") != size + (size > 0) or int(found[2]) != job:
                self.wrong("job %d: what is kept of it is broken: %s", job, self.places[job])
            else:
                self.printed_line(job, int(found[3]))

    def wrong(self, text, *arguments):
        self.problems.append(text % arguments)

    def every_job_once(self):
        with open(self.folder + "/jobs", encoding="ascii") as file:
            wanted = collections.Counter(file.read().splitlines())
        again = set(self.retried.values())
        there = collections.Counter(command for job, command in self.jobs.items() if job not in again)
        for command in wanted | there:
            if wanted[command] != there[command]:
                self.wrong("%r was given %d times, and is in the ledger %d times", command, wanted[command],
                           there[command])
        for job in self.jobs:
            if job not in self.results:
                self.wrong("job %d has no result", job)
        if len(self.rows) != len(self.results):
            self.wrong("there are %d results of %d jobs", len(self.rows), len(self.results))

    def results_are_true(self):
        for job, attempt, reason, status, signal, worker in self.rows:
            if (reason == LOST and self.dead) or (reason == CANCELLED and job in self.history.cancels):
                continue
            runs = [run for run in self.history.runs[job] if run.attempt == attempt and run.worker == worker]
            if reason != EXITED or signal != 0 or not any(run.status == status for run in runs):
                self.wrong("job %d: its result is attempt %d by %s: reason %d, status %d, signal %d; it ran as %s", job,
                           attempt, worker, reason, status, signal,
                           [(run.attempt, run.worker, run.status) for run in self.history.runs[job]])

    def given_up(self):
        """Of workers that a head took for lost since it did not hear them, how many jobs it then gave to others: on a
        machine that has more to do than it can, nobody needs to hurt them for that. Where a head waits for longer
        (gentle) that is no excuse."""
        given = collections.Counter()
        for path in glob.glob(self.folder + "/head-*.err"):
            waiting = {}                # jobs of those that are away, as that head has said it
            said = "worker (\\S+) is (?:away: (it was silent)?.*; (\\d+) jobs wait|(lost): it did not come back|back)"
            for name, silent, count, lost in re.findall(said, self.talk(os.path.basename(path)[:-4])):
                if lost:
                    given[name] += waiting.pop(name, 0)
                else:
                    waiting[name] = int(count) if silent else 0
        return given

    def repeats_have_reasons(self):
        given_up = self.given_up()
        gentle = self.history.settings.get("gentle") == "yes"
        for job, runs in self.history.runs.items():
            runs = sorted(runs, key=lambda run: run.attempt)    # who was stopped may begin an old one late
            for first, second in zip(runs, runs[1:]):
                if (job, first.attempt) in self.retries and first.status:
                    continue
                self.repeats += 1
                last = max(first.at, second.at)
                hurt = [what for at, what in self.history.harm[first.worker] if at < last]
                died = any(at < last and (first.at < at or first.at > second.at) for at in self.history.head_deaths)
                gave_up = (first.worker, 4) in self.history.exits       # no head came in time
                if not gentle and not gave_up and not hurt and not died and given_up[first.worker]:
                    given_up[first.worker] -= 1
                    self.starved += 1
                elif not gave_up and (gentle or not (hurt or died)):
                    self.wrong("job %d ran again without a reason: attempt %d by %s, then %d by %s", job, first.attempt,
                               first.worker, second.attempt, second.worker)

    def no_more_tries_than_allowed(self):
        tries = collections.Counter(job for job, _attempt in self.retries)
        for job, count in tries.items():
            if count >= int(self.history.settings.get("tries", 1)):
                self.wrong("job %d failed %d times, and was tried again", job, count)

    def output_is_of_the_result(self):
        """What heads print is printed once, whole, and by the execution that counts."""
        printed = collections.Counter()
        for path in glob.glob(self.folder + "/head-*.out"):
            with open(path, encoding="ascii") as file:
                text = file.read()
            lines = text.split("\n")
            if lines.pop() and ("exit %s -9\n" % os.path.basename(path)[:-4]) not in self.text():
                self.wrong("%s ends in the middle of a line", path)
            for line in lines:
                found = re.fullmatch(r"(x* )?job (\d+) (\d+)", line)
                size = len(found[1] or "") if found else 0
                short = 0 < size <= BYTES and not self.part_was_lost(int(found[2]), path)
                if not found or ((short or size > BYTES + 1) and not self.dead):
                    self.wrong("%s: output is broken: %.60r (%d bytes)", path, line, len(line))
                    continue
                self.printed_line(int(found[2]), int(found[3]))
                printed[int(found[2])] += 1
        for job, times in printed.items():
            if times > 1:
                self.wrong("the output of job %d was printed %d times", job, times)

    def part_was_lost(self, job, path):
        """What had been acknowledged of its output went with a head (docs/spec/pool.md), and the next one says so."""
        died = any(run.at < at for run in self.history.runs[job] for at in self.history.head_deaths)
        said = "job %d: [0-9]+ bytes of what it wrote were lost" % job
        return died and re.search(said, self.talk(os.path.basename(path)[:-4]))

    def printed_line(self, job, pid):
        row = self.results.get(job)
        runs = [run for run in self.history.runs[job] if run.pid == pid]
        if not row or not any(run.attempt == row[1] and run.worker == row[5] for run in runs):
            self.wrong("job %d: output of process %d was printed, the result is %s", job, pid, row)

    def text(self):
        with open(self.folder + "/log", encoding="ascii") as file:
            return file.read()

    def good_statuses(self, name, hurt):
        """With which statuses a process may end to which that was done."""
        role = name.partition("-")[0]
        good = {"worker": {0}, "head": set(range(102)), "sink": set(range(102))}[role]
        if "kill" in hurt:
            good.add(-9)
        if "terminate" in hurt:
            good.add(-15)               # before it had come so far as to catch it
            good.add(255 if role != "worker" else 0)
        if "interrupt" in hurt:
            good.add(-2)
        if role == "worker" and (hurt or not self.met_last_head(name)):
            good.add(4)                 # it waited in vain for another head
        if role == "worker" and hurt:
            good.add(6)                 # nobody took its last results
        if role == "head" and self.history.harm["disk"] and re.search(
                "is full|No space left", self.talk(name)):
            good.add(255)               # the head before it ended in order, and the reserve with it
        if role == "head" and self.history.asked and "another head has this ledger" in self.talk(name):
            good.add(255)               # who changed a job took it between two looks, or for longer than a moment
        return good

    def met_last_head(self, name):
        heads = [head for head, _status in self.history.exits if head.startswith("head-")]
        return bool(heads) and "worker %s came" % name in self.talk(heads[-1])

    def talk(self, name):
        with open("%s/%s.err" % (self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def processes_ended_well(self):
        for name, status in self.history.exits:
            hurt = {what for _at, what in self.history.harm[name]}
            if status not in self.good_statuses(name, hurt):
                self.wrong("%s ended with %d, after %s: %s", name, status, sorted(hurt) or "nothing",
                           self.talk(name).strip().rpartition("\n")[2])

    def sinks_heard_all(self):
        """Of a head that lived: every result, as it is in the ledger; more than once where a sink was killed."""
        heard = collections.defaultdict(set)
        for path in glob.glob(self.folder + "/sink-*.joblog"):
            with open(path, encoding="ascii") as file:
                for line in file.read().split("\n")[1:-1]:
                    words = line.split("\t")
                    heard[int(words[0])].add(int(words[6]))
        for job, row in self.results.items():
            missed = not heard[job] and self.history.settings["steady"] == "yes"
            if missed or heard[job] - {row[3] if row[2] == EXITED else -1}:
                self.wrong("job %d: sinks heard of %s, the result is %s", job, sorted(heard[job]), row)

    def what_was_asked_is_done(self):
        """What weft jobs said is so: that a job is cancelled, or done again, which only one that failed is."""
        for job, again in self.retried.items():
            row = self.results.get(job)
            if not row or (row[2:5] == (EXITED, 0, 0)) or self.jobs.get(again) != self.jobs[job]:
                self.wrong("job %d was done again as job %d (%s); its result is %s", job, again,
                           self.jobs.get(again), row)
        for name, status in self.history.asked:
            talk = self.talk(name)
            if status not in (0, 1, 3) and not re.search("is full|No space left", talk):
                self.wrong("%s ended with %d: %s", name, status, talk.strip())
            with open("%s/%s.out" % (self.folder, name), encoding="ascii") as file:
                said = re.findall(r"^(\d+) (cancelled|is retried as)(?: (\d+))?$", file.read(), re.M)
            for job, what, by in said:
                if what == "cancelled" and self.results.get(int(job), (0, 0, EXITED))[2] != CANCELLED:
                    self.wrong("%s said that job %s is cancelled, and its result is %s", name, job,
                               self.results.get(int(job)))
                if by and int(by) not in self.retried.values():
                    self.wrong("%s said that job %s is done again as %s, which is not there", name, job, by)

    def snapshots_stand(self):
        """What was in the ledger when a head had died is in it still."""
        for path in glob.glob(self.folder + "/snapshot-*"):
            with open(path, encoding="ascii") as file:
                for line in file:
                    row = tuple(int(word) for word in line.split())
                    if row[0] not in self.jobs or (len(row) > 1 and self.results.get(row[0], ())[:5] != row):
                        self.wrong("%s: %s is %s now", path, row, self.results.get(row[0]))

    def check(self):
        self.every_job_once()
        self.results_are_true()
        self.repeats_have_reasons()
        self.no_more_tries_than_allowed()
        self.output_is_of_the_result()
        if self.history.settings.get("outputs") == "yes":
            self.output_is_kept()
        self.processes_ended_well()
        self.snapshots_stand()
        self.what_was_asked_is_done()
        if self.history.settings["sink"] == "yes":
            self.sinks_heard_all()
        return self.problems


def main(folder):
    problems = Check(folder).check()
    print("\n".join(problems) or "all is as promised")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
