"""The library against bare libzmq and a raw socket; with keys and without."""
import contextlib
import os

from compare import Comparison, Contestant, Target

from .common import run


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
