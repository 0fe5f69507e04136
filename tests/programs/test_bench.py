"""bench/run runs to its end. What it measures is not looked at: figures are no matter of tests."""

import json
import os
import subprocess

import pytest

RUN = os.path.join(os.path.dirname(__file__), "..", "..", "bench", "run")

# In the titles of comparisons without a target.
TOLD_ALONE = ["1024 B", "lines of 8 clients", "a single job"]


def bench(*arguments):
    return subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("part", ["seam", "pipe", "spawn", "ledger", "pool", "bridge", "websocket", "datagrams",
                                  "footprint"])
def test_part_runs_to_its_end(part):
    done = bench("--quick", "--json", part)
    assert done.returncode == 0, done.stderr
    comparisons = json.loads(done.stdout)["comparisons"]
    assert comparisons
    for comparison in comparisons:
        assert set(comparison["absent"]) <= {"ws", "ws + zeromq.js", "websocketd"}, comparison
        assert all(result["values"] for result in comparison["results"])
        assert any("target" in judged for result in comparison["results"] for judged in result["judged"]) \
            or any(words in comparison["title"] for words in TOLD_ALONE)


def test_unknown_part_is_named():
    done = bench("seem")
    assert done.returncode == 2
    assert "no part is called seem" in done.stderr
