"""weft push < file to weft pull > file, against others who do that."""
import os
import subprocess
import time

from compare import Comparison, Contestant, Failure, Target

from .common import HERE, LIMIT, PYTHON, free_port, missing_pyzmq, wait_until_bound
from .seam import seam_contestants


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
