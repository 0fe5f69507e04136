"""What the tests of the programs share: GNU parallel, to be set beside them."""

import os
import subprocess

import pytest

from running import LIMIT


@pytest.fixture(scope="module")
def parallel_home(tmp_path_factory):
    """A home in which GNU parallel does not ask to be cited."""
    home = tmp_path_factory.mktemp("home")
    (home / ".parallel").mkdir()
    (home / ".parallel" / "will-cite").touch()
    return dict(os.environ, HOME=str(home), PARALLEL_SHELL="/bin/sh")


@pytest.fixture
def parallel(parallel_home, tmp_path):
    """Runs GNU parallel: exit status, output."""
    def run(*arguments, input=b""):
        done = subprocess.run(["parallel", *arguments], input=input, env=parallel_home, cwd=tmp_path, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.returncode, done.stdout
    return run
