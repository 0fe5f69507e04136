"""Requests to a service through weft bridge http, under wrk."""
import os
import re

from compare import Comparison, Contestant, Failure, Target

from .common import HERE, PYTHON, free_port, missing_pyzmq, missing_tool, run, running


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
