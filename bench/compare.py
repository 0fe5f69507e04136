"""Runs contestants in turn, keeps every value, and judges by ratios.

A comparison is a list of contestants that do the same work. Each round runs all of them, one after
the other; a ratio is taken within a round, so that what slows the machine for a minute slows both sides of
it, and the median of the rounds' ratios is what counts. Nothing is averaged.
"""
import csv
import ctypes
import dataclasses
import os
import platform
import statistics
import sys
import typing


class Failure(Exception):
    """A contestant could not do the work: its values would mean nothing."""


@dataclasses.dataclass
class Contestant:
    name: str
    run: typing.Callable[[], dict]      # one round: {measure: value}
    missing: str = ""                   # why it cannot take part, and what to install
    failure: str = ""


@dataclasses.dataclass
class Target:
    contestant: str
    measure: str
    relation: str                       # "<=" or ">="
    bound: float
    peer: str = ""                      # none: the bound is for the value itself

    def holds(self, value):
        return value <= self.bound if self.relation == "<=" else value >= self.bound


@dataclasses.dataclass
class Comparison:
    part: str
    title: str
    peer: str                           # whom the others are compared with
    measures: dict                      # {measure: unit}
    contestants: list
    targets: list = dataclasses.field(default_factory=list)
    rounds: int = 0                     # enough of them, when fewer than asked for; 0: as many as asked for
    values: dict = dataclasses.field(default_factory=dict)      # {(contestant, measure): [a value a round]}

    def play(self, rounds):
        self.rounds = min(self.rounds or rounds, rounds)
        for _ in range(self.rounds):
            for contestant in self.contestants:
                if not contestant.missing and not contestant.failure:
                    self.play_one(contestant)

    def play_one(self, contestant):
        try:
            measured = contestant.run()
        except Failure as failure:
            contestant.failure = str(failure)
            return
        for measure in self.measures:
            self.values.setdefault((contestant.name, measure), []).append(measured[measure])

    def ratios(self, contestant, peer, measure):
        pairs = zip(self.values.get((contestant, measure), []), self.values.get((peer, measure), []))
        return [mine / theirs for mine, theirs in pairs if theirs]

    def verdicts(self, contestant, measure):
        """(peer, ratios or values, target or None) for each thing to be said of a row."""
        said = []
        for target in self.targets:
            if (target.contestant, target.measure) == (contestant, measure):
                found = self.ratios(contestant, target.peer, measure) if target.peer \
                    else self.values[contestant, measure]
                said.append((target.peer, found, target))
        if contestant != self.peer and not any(peer == self.peer for peer, _, _ in said):
            said.append((self.peer, self.ratios(contestant, self.peer, measure), None))
        return said

    def failed(self):
        return any(contestant.failure for contestant in self.contestants)

    def raw_rows(self):
        for (contestant, measure), values in self.values.items():
            for number, value in enumerate(values, 1):
                yield self.part, self.title, number, contestant, measure, value, self.measures[measure]

    def as_json(self):
        results = []
        for (contestant, measure), values in self.values.items():
            results.append({
                "contestant": contestant, "measure": measure, "unit": self.measures[measure], "values": values,
                "median": statistics.median(values), "least": min(values), "most": max(values),
                "judged": [judged_as_json(peer, found, target)
                           for peer, found, target in self.verdicts(contestant, measure) if found]})
        return {"part": self.part, "title": self.title, "rounds": self.rounds, "results": results,
                "absent": {contestant.name: contestant.missing or contestant.failure
                           for contestant in self.contestants if contestant.missing or contestant.failure}}


def judged_as_json(peer, found, target):
    judged = {"peer": peer or None, "ratio" if peer else "value": statistics.median(found),
              "least": min(found), "most": max(found)}
    if target:
        judged["target"] = f"{target.relation} {target.bound:g}"
        judged["holds"] = target.holds(statistics.median(found))
    return judged


def figure(value):
    """Three digits at least, and none that mean nothing."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{2 if value < 10 else 1}f}"


def judged_as_text(peer, found, target, unit):
    if not found:
        return "", "", ""
    middle = statistics.median(found)
    ratio = f"{figure(middle)} x {peer} ({figure(min(found))} .. {figure(max(found))})" if peer else ""
    if not target:
        return ratio, "", ""
    bound = f"{target.relation} {target.bound:g}" + ("" if peer else f" {unit}")
    return ratio, bound, "ok" if target.holds(middle) else "MISSED"


ROW = "  {:<16} {:<6} {:>20} {:>23}   {:<34} {:<10} {}"


def print_comparison(comparison, out=sys.stdout):
    plural = "s" if comparison.rounds > 1 else ""
    print(f"\n{comparison.part}: {comparison.title}   [{comparison.rounds} round{plural}]", file=out)
    print(ROW.format("contestant", "", "median", "spread", "ratio (spread)", "target", "").rstrip(), file=out)
    for contestant in comparison.contestants:
        for measure, unit in comparison.measures.items():
            print_row(comparison, contestant.name, measure, unit, out)
        if contestant.missing:
            print(f"  {contestant.name:<16} left out: {contestant.missing}", file=out)
        if contestant.failure:
            print(f"  {contestant.name:<16} FAILED: {contestant.failure}", file=out)
    out.flush()


def print_row(comparison, name, measure, unit, out):
    values = comparison.values.get((name, measure))
    if not values:
        return
    cells = [name, measure, f"{figure(statistics.median(values))} {unit}",
             f"{figure(min(values))} .. {figure(max(values))}"]
    for peer, found, target in comparison.verdicts(name, measure) or [("", [], None)]:
        print(ROW.format(*cells, *judged_as_text(peer, found, target, unit)).rstrip(), file=out)
        cells = [""] * 4


def write_csv(folder, part, comparisons):
    path = os.path.join(folder, part + ".csv")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("part", "comparison", "round", "contestant", "measure", "value", "unit"))
        for comparison in comparisons:
            writer.writerows(comparison.raw_rows())
    return path


def machine():
    """What the figures were taken on."""
    model = ""
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cores": len(os.sched_getaffinity(0)), "processor": model or platform.machine(),
            "kernel": platform.release(), "libzmq": libzmq_version(), "load": os.getloadavg()[0]}


def libzmq_version():
    try:
        library = ctypes.CDLL("libzmq.so.5")
    except OSError:
        return "none"
    numbers = [ctypes.c_int() for _ in range(3)]
    library.zmq_version(*[ctypes.byref(number) for number in numbers])
    return ".".join(str(number.value) for number in numbers)
