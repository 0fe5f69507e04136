"""weft run against others who run commands: how many a second, what is kept of them, and what that costs."""
import contextlib
import glob
import os
import shutil
import sqlite3

from compare import Comparison, Contestant, Failure, Target

from .common import launched, missing_tool, seconds


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


def single_contestant(setting, name, command, times, missing, ledger=None):
    """What it takes to begin and to end: no run of many jobs shows it."""
    def play():
        walls = []
        for _ in range(times):
            for left in glob.glob(ledger + "*") if ledger else []:
                os.unlink(left)
            with open(setting.numbers(1)) as line:
                walls.append(launched(setting, command, stdin=line)[0][0])
        return {"time": sorted(walls)[times // 2]}
    return Contestant(name, play, missing)


def spawn(setting):
    for slots, full in ((2, 10000), (1, 5000), (4, 10000)):
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
    times, kept = setting.amount(31, 3), setting.path("single-ledger")
    missing = setting.missing_weft() or setting.missing_program("launch")
    weft = [setting.weft, "run", "/bin/true"]
    yield Comparison(
        "spawn", f"a single job of /bin/true, from the start to the end of all, median of {times}", "xargs",
        {"time": "ms"},
        [single_contestant(setting, "weft", weft, times, missing),
         single_contestant(setting, "weft, ledger", [*weft, "--ledger", kept], times, missing, kept),
         single_contestant(setting, "xargs", ["xargs", "-n1", "/bin/true"], times,
                           missing_tool("xargs", "findutils") or missing),
         single_contestant(setting, "parallel", ["parallel", "/bin/true"], times,
                           missing_tool("parallel", "parallel") or missing)], [])


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
