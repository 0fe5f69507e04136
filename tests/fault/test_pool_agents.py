"""A thousand workers on one head, that die, break off, stand still and come back: the pool keeps its promise, and its
head's memory is bounded. See pool_agents.py."""

import os
import subprocess
import sys

import pytest

from running import WEFT

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 150             # seconds after which it hangs; it takes a few


@pytest.mark.parametrize("options", [["--faults", "100"], ["--faults", "200", "--gentle"]],
                         ids=["all faults", "no job twice"])
def test_a_thousand_workers(options, tmp_path, capsys):
    command = [sys.executable, HERE + "/pool_agents.py", "--jobs", "20000", "--keep", str(tmp_path), *options]
    done = subprocess.run(command, env={**os.environ, "WEFT": WEFT}, capture_output=True, text=True, timeout=LIMIT)
    with capsys.disabled():
        print("\n" + done.stdout, end="")
    assert done.returncode == 0, done.stdout + done.stderr
