"""Fixtures of all Python tests."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from running import ANY_TCP, Running    # noqa: E402


@pytest.fixture
def weft():
    """Starts weft programs, and ends those that are left when the test ends."""
    running = Running()
    yield running
    running.end()


@pytest.fixture(params=["tcp", "ipc"])
def somewhere(request, tmp_path):
    """An endpoint to bind to: on tcp and, in a second run of the test, on ipc."""
    return ANY_TCP if request.param == "tcp" else "ipc://%s/socket" % tmp_path
